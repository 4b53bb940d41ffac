//! What must not matter to a verdict does not.

mod common;

use aftermath_detect::{Scorer, Scores, judge};
use aftermath_model::{Block, Expectations, Series, SeriesKind, Timeline, Timestamp, Verdict, Window};
use common::Recipe;

fn hit() -> Recipe {
    Recipe { hit: Some((2, 0.5, 4.0)), recovery: 40, ..Recipe::default() }
}

fn judged(series: Vec<Series>, timeline: &Timeline) -> Verdict {
    let scores = Scorer::new(timeline).score(&Block { series });
    judge(&scores, timeline, &Expectations::default(), None, false)
}

fn p_values(verdict: &Verdict) -> Vec<(String, f64)> {
    let mut p_values: Vec<(String, f64)> =
        verdict.services.iter().map(|service| (service.name.clone(), service.p_value)).collect();
    p_values.sort_by(|a, b| a.0.cmp(&b.0));
    p_values
}

fn mapped(series: &[Series], map: impl Fn(&Series, i64, f64) -> (i64, f64)) -> Vec<Series> {
    series
        .iter()
        .map(|one| {
            let samples = one.timestamps_ms().iter().zip(one.values());
            let samples = samples.map(|(&ms, &value)| map(one, ms, value)).collect();
            Series::from_raw(one.key.clone(), one.kind, samples).0
        })
        .collect()
}

#[test]
fn the_order_of_blocks_and_series_does_not_matter_to_the_last_bit() {
    let (recipe, seed) = (hit(), 11);
    let timeline = recipe.timeline();
    let forward = judged(recipe.system(seed), &timeline);
    let scorer = Scorer::new(&timeline);
    let mut merged = Scores::default();
    for one in recipe.system(seed).into_iter().rev() {
        merged.merge(scorer.score(&Block { series: vec![one] }));
    }
    let backward = judge(&merged, &timeline, &Expectations::default(), None, false);
    assert_eq!(forward, backward);
    assert!(!forward.findings.is_empty());
}

#[test]
fn the_number_of_threads_does_not_matter_to_the_last_bit() {
    let (recipe, seed) = (hit(), 12);
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread can be had");
    let one = alone.install(|| judged(recipe.system(seed), &recipe.timeline()));
    let many = judged(recipe.system(seed), &recipe.timeline());
    assert_eq!(one, many);
}

#[test]
fn the_unit_of_a_metric_does_not_matter() {
    let (recipe, seed) = (hit(), 13);
    let seconds = recipe.system(seed);
    let milliseconds = mapped(&seconds, |series, ms, value| match series.kind {
        SeriesKind::Gauge => (ms, 1024.0 * value),
        _ => (ms, value),
    });
    let (a, b) = (judged(seconds, &recipe.timeline()), judged(milliseconds, &recipe.timeline()));
    assert_eq!(a.outcome, b.outcome);
    for (one, other) in p_values(&a).iter().zip(p_values(&b)) {
        assert!((one.1 / other.1 - 1.0).abs() < 1e-3, "{one:?} {other:?}");
    }
}

#[test]
fn the_date_does_not_matter() {
    let (recipe, seed) = (hit(), 14);
    let later_ms = 86_400_000 * 400;
    let moved = mapped(&recipe.system(seed), |_, ms, value| (ms + later_ms, value));
    let later = |window: Window| Window::new(window.from.plus_ms(later_ms), window.to.plus_ms(later_ms));
    let timeline = recipe.timeline();
    let baseline = later(timeline.baseline()).expect("not empty");
    let fault = later(timeline.fault()).expect("not empty");
    let recovery = timeline.recovery().and_then(later);
    let moved_timeline =
        Timeline::new(baseline, fault, recovery, Vec::new(), timeline.step_ms()).expect("fits as before");
    let (now, then) = (judged(recipe.system(seed), &timeline), judged(moved, &moved_timeline));
    assert_eq!(p_values(&now), p_values(&then));
    let onset = |verdict: &Verdict| verdict.findings[0].onset.map(Timestamp::ms);
    assert_eq!(onset(&now).map(|ms| ms + later_ms), onset(&then));
}
