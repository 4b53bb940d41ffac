use aftermath_model::{Channel, Expectations, Outcome, Timeline, Timestamp, Window};

use super::*;
use crate::detectors::running::Running;
use crate::profile::Profile;
use crate::scores::Scores;

const STEP_MS: i64 = 1_000;
const BLOCKS: i64 = 24;
const BLOCK_STEPS: i64 = 5;
const SERIES: u32 = 12;

fn plan() -> Plan {
    Plan::new(&timeline())
}

fn timeline() -> Timeline {
    let at = |step: i64| Timestamp::from_ms(step * STEP_MS).unwrap();
    let (fault, end) = (BLOCKS * BLOCK_STEPS, (BLOCKS + 4) * BLOCK_STEPS);
    let window = |from, to| Window::new(at(from), at(to)).unwrap();
    Timeline::new(window(0, fault), window(fault, end), None, Vec::new(), STEP_MS).unwrap()
}

/// Numbers between -1 and 1 without any order.
fn noise(seed: u32, index: i64) -> f64 {
    let bits = (u64::from(seed) << 32 | index.unsigned_abs()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (bits ^ (bits >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / f64::from(1_u32 << 23) - 1.0
}

/// A series whose course is half a mood of its service, half its own; `deviate` is that of the fault.
fn score(service: u32, index: u32, plan: &Plan, deviate: f64) -> SeriesScore {
    let own = service * 100 + index;
    let steps: Vec<i64> = (0..BLOCKS * BLOCK_STEPS).collect();
    let value = |&step: &i64| {
        10.0 + 2.0 * noise(service + 7_000, step / BLOCK_STEPS) + noise(own, step / BLOCK_STEPS)
    };
    let values: Vec<f64> = steps.iter().map(value).collect();
    let times: Vec<i64> = steps.iter().map(|step| step * STEP_MS).collect();
    let placebo = |window: usize| {
        let window = i64::try_from(window).unwrap();
        crate::cut::single(1.5 * noise(service + 9_000, window) + 0.8 * noise(own + 5_000, window))
    };
    SeriesScore {
        baseline_samples: values.len(),
        deviate: crate::cut::single(deviate),
        effect: 1.0,
        placebos: (0..plan.placebos.len()).map(placebo).collect(),
        profile: Profile::of(&times, &Running::of(values.clone()), plan.blocks()),
        baseline: Some(10.0),
        fault: Some(11.0),
        ..SeriesScore::named(&format!("metric_{index}"), &format!("service-{service:02}"))
    }
}

/// Ten services; the deviates of the first one's fault are given, the others are quiet.
fn system(plan: &Plan, of_first: impl Fn(u32) -> f64) -> Vec<SeriesScore> {
    let quiet = |service: u32, index: u32| {
        1.5 * noise(service + 11_000, 0) + 0.8 * noise(service * 100 + index + 13_000, 0)
    };
    (0..10)
        .flat_map(|service| (0..SERIES).map(move |index| (service, index)))
        .map(|(service, index)| {
            score(service, index, plan, if service == 0 { of_first(index) } else { quiet(service, index) })
        })
        .collect()
}

fn p_value_of_first(of_first: impl Fn(u32) -> f64) -> f64 {
    let plan = plan();
    let scores = system(&plan, of_first);
    let series: Vec<&SeriesScore> = scores.iter().collect();
    let null = Null::of(&series, &timeline(), None);
    patterns(&series, &null, &plan)["service-00"].p_value
}

#[test]
fn series_that_part_are_more_surprising_than_series_that_go_together() {
    let together = p_value_of_first(|_| 1.6);
    let parted = p_value_of_first(|index| if index % 2 == 0 { 1.6 } else { -1.6 });
    assert!(parted < 0.02 && parted < together / 5.0, "together {together}, parted {parted}");
}

#[test]
fn quiet_services_are_not_surprising() {
    let plan = plan();
    let scores = system(&plan, |index| 0.8 * noise(index + 17_000, 0));
    let series: Vec<&SeriesScore> = scores.iter().collect();
    let found = patterns(&series, &Null::of(&series, &timeline(), None), &plan);
    assert_eq!(found.len(), 10);
    let least = found.values().map(|pattern| pattern.p_value).fold(1.0, f64::min);
    assert!(least > 0.01, "{least}");
}

#[test]
fn those_that_carry_a_pattern_are_named() {
    let plan = plan();
    let scores = system(&plan, |index| if index == 3 { 6.0 } else { 0.1 });
    let series: Vec<&SeriesScore> = scores.iter().collect();
    let carriers = &patterns(&series, &Null::of(&series, &timeline(), None), &plan)["service-00"].carriers;
    assert_eq!(carriers.first(), Some(&3));
}

#[test]
fn a_pattern_alone_warns_and_says_which_series_carry_it() {
    let scores = Scores {
        series: system(&plan(), |index| if index % 2 == 0 { 1.6 } else { -1.6 }),
        ..Scores::default()
    };
    let verdict = crate::judge(&scores, &timeline(), &Expectations::default(), None, false);
    assert_eq!(verdict.outcome, Outcome::Warn, "{:?}", verdict.reasons);
    assert!(
        verdict.reasons[0].text.ends_with("many small changes at the same time"),
        "{:?}",
        verdict.reasons
    );
    let named: Vec<(&str, Channel)> =
        verdict.findings.iter().map(|one| (one.key.service.as_str(), one.channel)).collect();
    assert_eq!(named, [("service-00", Channel::Pattern); MOST_CARRIERS]);
}

#[test]
fn few_series_or_few_windows_have_no_pattern() {
    let plan = plan();
    let scores: Vec<SeriesScore> = (0..5).map(|index| score(0, index, &plan, 5.0)).collect();
    let series: Vec<&SeriesScore> = scores.iter().collect();
    assert!(patterns(&series, &Null::of(&series, &timeline(), None), &plan).is_empty());
    // Six placebo windows of one service cannot say 5 %.
    let scores: Vec<SeriesScore> = (0..SERIES).map(|index| score(0, index, &plan, 5.0)).collect();
    let series: Vec<&SeriesScore> = scores.iter().collect();
    assert!(patterns(&series, &Null::of(&series, &timeline(), None), &plan).is_empty());
}
