//! What is seen besides a moved level: bursts, noise, climbs.

mod common;

use std::collections::BTreeMap;

use aftermath_detect::{Scorer, judge};
use aftermath_model::{
    Block, Channel, Direction, Expectations, Outcome, Series, SeriesKey, SeriesKind, Verdict,
};
use common::{Recipe, STEP_MS};

/// A calm system, and in one of its services three gauges that waver around 100 as `value` says.
fn judged(value: impl Fn(usize, f64) -> f64) -> Verdict {
    judged_in(&Recipe { drifting: 0.0, ..Recipe::default() }, value)
}

fn judged_in(recipe: &Recipe, value: impl Fn(usize, f64) -> f64) -> Verdict {
    let timeline = recipe.timeline();
    let mut all = recipe.system(31);
    let from = timeline.baseline().from.ms();
    for (number, metric) in ["queue_length", "open_files", "replication_lag"].into_iter().enumerate() {
        let samples = (0..recipe.baseline + recipe.fault).map(|sample| {
            let wave = ((sample * 7 + sample * sample * (3 + number)) % 21) as f64 / 10.0 - 1.0;
            (from + i64::try_from(sample).expect("few samples") * STEP_MS, value(sample, wave))
        });
        let key = SeriesKey {
            metric: metric.to_owned(),
            service: "service-01".to_owned(),
            labels: BTreeMap::new(),
        };
        all.push(Series::from_raw(key, SeriesKind::Gauge, samples.collect()).0);
    }
    judge(
        &Scorer::new(&timeline).score(&Block { series: all }),
        &timeline,
        &Expectations::default(),
        None,
        false,
    )
}

fn kinds(verdict: &Verdict) -> Vec<(Channel, Direction)> {
    let of_story = |metric: &str| ["queue_length", "open_files", "replication_lag"].contains(&metric);
    let found = verdict.findings.iter().filter(|finding| of_story(&finding.key.metric));
    found.map(|finding| (finding.channel, finding.direction)).collect()
}

#[test]
fn quiet_gauges_say_nothing() {
    let verdict = judged(|_, wave| 100.0 + 10.0 * wave);
    assert_eq!((verdict.outcome, kinds(&verdict)), (Outcome::Pass, vec![]));
}

#[test]
fn a_service_that_starts_to_tremble_is_hit_though_no_level_moves() {
    let verdict = judged(|sample, wave| 100.0 + if sample < 120 { 10.0 } else { 60.0 } * wave);
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
    assert_eq!(kinds(&verdict), vec![(Channel::Spread, Direction::Up); 3]);
    let finding =
        verdict.findings.iter().find(|finding| finding.channel == Channel::Spread).expect("found above");
    let (before, during) = (finding.baseline.expect("moves"), finding.fault.expect("moves"));
    assert!(during > 4.0 * before && before > 1.0, "moves from sample to sample: {before} then {during}");
}

#[test]
fn a_short_burst_is_found_with_its_beginning_and_its_height() {
    let long = Recipe { drifting: 0.0, baseline: 900, fault: 60, ..Recipe::default() };
    let verdict = judged_in(&long, |sample, wave| {
        100.0 + 10.0 * wave + if (930..934).contains(&sample) { 60.0 } else { 0.0 }
    });
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
    assert_eq!(kinds(&verdict), vec![(Channel::Burst, Direction::Up); 3]);
    for burst in verdict.findings.iter().filter(|finding| finding.channel == Channel::Burst) {
        let begin = burst.onset.expect("a burst has a beginning").ms() - long.timeline().fault().from.ms();
        assert!([30, 31].contains(&(begin / STEP_MS)), "{burst:?}");
        assert!(burst.fault > Some(145.0) && burst.baseline < Some(110.0), "{burst:?}");
    }
}

#[test]
fn a_climb_that_begins_below_the_level_and_ends_above_it_is_a_trend() {
    let verdict = judged(|sample, wave| {
        let climbed = if sample < 120 { 0.0 } else { 6.0 * (sample as f64 - 129.5) };
        100.0 + 10.0 * wave + climbed
    });
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
    assert_eq!(kinds(&verdict), vec![(Channel::Trend, Direction::Up); 3]);
    let finding =
        verdict.findings.iter().find(|finding| finding.channel == Channel::Trend).expect("found above");
    assert!(finding.baseline < Some(80.0) && finding.fault > Some(120.0), "{finding:?}");
}
