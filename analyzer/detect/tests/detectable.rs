//! The smallest change that a run could have seen is found when it is made.

mod common;

use std::collections::BTreeMap;

use aftermath_detect::{Scorer, judge};
use aftermath_model::{
    Block, DetectableChange, Expectations, Outcome, Series, SeriesKind, Timeline, Verdict, Window,
};
use common::{Recipe, STEP_MS};

fn recipe() -> Recipe {
    Recipe { services: 8, series: 12, drifting: 0.0, ..Recipe::default() }
}

fn judged(recipe: &Recipe, series: Vec<Series>) -> Verdict {
    let timeline = recipe.timeline();
    judge(&Scorer::new(&timeline).score(&Block { series }), &timeline, &Expectations::default(), None, false)
}

/// The system with that series, or with every gauge of that service, `1 + by` times as large during the fault.
fn changed(recipe: &Recipe, all: &[Series], change: &DetectableChange, by: f64) -> Vec<Series> {
    let fault = recipe.timeline().fault();
    let rises = |series: &Series| {
        series.key == change.key
            || (change.metrics_needed > 1
                && series.key.service == change.key.service
                && series.kind == SeriesKind::Gauge)
    };
    all.iter()
        .map(|series| {
            let factor = |ms: i64| {
                let during = ms >= fault.from.ms() && ms < fault.to.ms();
                if during && rises(series) { 1.0 + by } else { 1.0 }
            };
            let samples = series.timestamps_ms().iter().zip(series.values());
            let samples = samples.map(|(&ms, &value)| (ms, value * factor(ms))).collect();
            Series::from_raw(series.key.clone(), series.kind, samples).0
        })
        .collect()
}

#[test]
fn a_change_of_the_size_that_is_said_is_found_in_about_four_of_five_runs() {
    let recipe = recipe();
    let mut found: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for seed in 0..60 {
        let all = recipe.system(seed);
        let quiet = judged(&recipe, all.clone());
        // One service for each system, so that the runs share nothing.
        let name = format!("service-{:02}", seed % 8);
        let service = quiet.services.iter().find(|service| service.name == name).expect("it exists");
        let Some(change) = service.detectable.as_ref().filter(|change| change.metrics_needed == 1) else {
            continue;
        };
        let Some(relative) = change.relative else { continue };
        for (size, share) in [("half of it", 0.5), ("as said", 1.0), ("twice as much", 2.0)] {
            let verdict = judged(&recipe, changed(&recipe, &all, change, share * relative));
            let hit = verdict.services.iter().any(|service| service.name == name && service.affected);
            let (hits, runs) = found.entry(size).or_default();
            (*hits, *runs) = (*hits + usize::from(hit), *runs + 1);
        }
    }
    let share = |size: &str| found[size].0 as f64 / found[size].1 as f64;
    assert!(found["as said"].1 >= 40, "{found:?}");
    assert!((0.65..=0.95).contains(&share("as said")), "{found:?}");
    assert!(share("half of it") < 0.35 && share("twice as much") > 0.95, "{found:?}");
}

#[test]
fn a_shorter_baseline_of_the_same_system_sees_less() {
    let recipe = recipe();
    let whole = recipe.timeline();
    let smallest = |baseline_steps: i64, seed: u64| {
        let from = whole.fault().from.plus_ms(-baseline_steps * STEP_MS);
        let baseline = Window::new(from, whole.fault().from).expect("not empty");
        let timeline = Timeline::new(baseline, whole.fault(), None, Vec::new(), STEP_MS).expect("it fits");
        let scores = Scorer::new(&timeline).score(&Block { series: recipe.system(seed) });
        let verdict = judge(&scores, &timeline, &Expectations::default(), None, false);
        verdict.system.detectable_effect.expect("most services can be spoken of")
    };
    // In a single system a lucky stretch of 40 steps may be calmer than the whole.
    let typical = |baseline_steps: i64| {
        let mut effects: Vec<f64> = (0..15).map(|seed| smallest(baseline_steps, seed)).collect();
        effects.sort_by(f64::total_cmp);
        effects[effects.len() / 2]
    };
    let (long, short) = (typical(120), typical(40));
    assert!(short > 1.2 * long, "{short} after 40 steps, {long} after 120");
}

#[test]
fn a_pass_says_for_each_service_what_it_would_have_seen() {
    let verdict = judged(&recipe(), recipe().system(11));
    assert_eq!(verdict.outcome, Outcome::Pass, "{:?}", verdict.reasons);
    for service in &verdict.services {
        let change = service.detectable.as_ref().expect("levels, rates and latencies can be spoken of");
        assert_eq!(change.key.service, service.name);
        assert!(change.effect > 0.75 && change.relative.is_none_or(|share| share > 0.05), "{change:?}");
    }
}
