//! What a verdict says of a change that was foreseen, in part or in another way.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aftermath_detect::{Scorer, judge};
use aftermath_model::{
    Along, Block, Bound, Expectations, ExpectedImpact, MetricLimit, Outcome, Reach, ReasonId, RecoveryState,
    Series, SeriesKey, SeriesKind, Signal, Topology, Trend, Verdict,
};
use common::{Recipe, STEP_MS};

/// A calm system of ten services with a recovery window.
fn recipe() -> Recipe {
    Recipe { recovery: 60, drifting: 0.0, ..Recipe::default() }
}

fn judged(series: Vec<Series>, expectations: &Expectations) -> Verdict {
    let timeline = recipe().timeline();
    judge(&Scorer::new(&timeline).score(&Block { series }), &timeline, expectations, None, false)
}

fn said(verdict: &Verdict) -> (Outcome, Vec<ReasonId>) {
    (verdict.outcome, verdict.reasons.iter().map(|reason| reason.id).collect())
}

fn series(metric: &str, service: &str, value: impl Fn(usize) -> Option<f64>) -> Series {
    let recipe = recipe();
    let key = SeriesKey { metric: metric.to_owned(), service: service.to_owned(), labels: BTreeMap::new() };
    let from = recipe.timeline().baseline().from.ms();
    let samples = (0..recipe.baseline + recipe.fault + recipe.recovery)
        .filter_map(|sample| Some((from + i64::try_from(sample).ok()? * STEP_MS, value(sample)?)));
    Series::from_raw(key, SeriesKind::Gauge, samples.collect()).0
}

fn noise(sample: usize) -> f64 {
    (sample * 5 % 11) as f64 * 0.01
}

/// A calm system in which the latency and the share of successes of service-03 change during the fault.
fn slow_and_failing(lasts: usize) -> Vec<Series> {
    let mut all = recipe().system(61);
    let hit = move |sample: usize| (120..140 + lasts).contains(&sample);
    all.push(series("checkout_latency_seconds", "service-03", move |sample| {
        Some(0.3 + noise(sample) + if hit(sample) { 0.6 } else { 0.0 })
    }));
    all.push(series("checkout_success_ratio", "service-03", move |sample| {
        Some(0.9 - noise(sample) / 10.0 - if hit(sample) { 0.4 } else { 0.0 })
    }));
    all
}

fn impact(signals: &[Signal], trend: Option<Trend>) -> Expectations {
    let impact = ExpectedImpact {
        service: "service-03".to_owned(),
        signals: signals.iter().copied().collect(),
        trend,
    };
    Expectations { expected: BTreeSet::from([impact]), ..Expectations::default() }
}

#[test]
fn a_change_passes_in_the_foreseen_way_and_fails_in_another() {
    let passes = (Outcome::Pass, vec![ReasonId::OnlyExpectedImpact]);
    let fails = (Outcome::Fail, vec![ReasonId::UnexpectedKindOfChange]);
    let both = [Signal::Errors, Signal::Latency];
    let cases = [
        ("anything", impact(&[], None), &passes),
        ("both, whichever way", impact(&both, None), &passes),
        ("both up; fewer successes are more errors", impact(&both, Some(Trend::Up)), &passes),
        ("both down", impact(&both, Some(Trend::Down)), &fails),
        ("latency only", impact(&[Signal::Latency], None), &fails),
        ("saturation only", impact(&[Signal::Saturation], None), &fails),
    ];
    for (name, expectations, expected) in cases {
        let verdict = judged(slow_and_failing(0), &expectations);
        assert_eq!(&said(&verdict), expected, "{name}: {:?}", verdict.reasons);
    }
    let verdict = judged(slow_and_failing(0), &impact(&[Signal::Latency], None));
    assert!(verdict.reasons[0].text.starts_with("service-03 (errors up) changed in another way"));
}

#[test]
fn the_target_may_be_narrowed_down_too() {
    let target = Some("service-03".to_owned());
    let verdict =
        judged(slow_and_failing(0), &Expectations { target: target.clone(), ..Expectations::default() });
    assert_eq!(verdict.outcome, Outcome::Pass, "{:?}", verdict.reasons);
    let narrowed = Expectations { target, ..impact(&[Signal::Latency], None) };
    assert_eq!(said(&judged(slow_and_failing(0), &narrowed)).1, [ReasonId::UnexpectedKindOfChange]);
}

#[test]
fn a_service_within_reach_of_the_target_may_be_hit_and_one_beyond_may_not() {
    // service-09 is the target, which service-03 calls over service-04.
    let edges = [("service-04", "service-09"), ("service-03", "service-04")];
    let edges: BTreeSet<_> =
        edges.into_iter().map(|(caller, called)| (caller.to_owned(), called.to_owned())).collect();
    let mut all = slow_and_failing(0);
    all.push(series("cache_latency_seconds", "service-09", |sample| {
        Some(0.01 + noise(sample) / 10.0 + if (120..140).contains(&sample) { 0.3 } else { 0.0 })
    }));
    let cases = [
        (None, Outcome::Fail),
        (Some((1, Along::Callers)), Outcome::Fail),
        (Some((2, Along::Callers)), Outcome::Pass),
        (Some((2, Along::Callees)), Outcome::Fail),
        (Some((2, Along::Both)), Outcome::Pass),
    ];
    for (reach, outcome) in cases {
        let expectations = Expectations {
            target: Some("service-09".to_owned()),
            reach: reach.map(|(hops, along)| Reach { hops, along }),
            topology: Some(Topology { edges: edges.clone() }),
            ..Expectations::default()
        };
        let verdict = judged(all.clone(), &expectations);
        assert_eq!(verdict.outcome, outcome, "{reach:?}: {:?}", verdict.reasons);
    }
}

fn limited(metric: &str, measure: Option<&str>, bound: Bound) -> Expectations {
    let limit = MetricLimit {
        service: "service-03".to_owned(),
        metric: metric.to_owned(),
        measure: measure.map(str::to_owned),
        bound,
    };
    Expectations { limits: vec![limit], ..impact(&[], None) }
}

#[test]
fn an_expected_change_beyond_its_limit_fails_and_one_within_passes() {
    let cases = [
        ("checkout_latency_seconds", Bound::Below(1.2), Outcome::Pass),
        ("checkout_latency_seconds", Bound::Below(0.8), Outcome::Fail),
        ("checkout_success_ratio", Bound::Above(0.4), Outcome::Pass),
        ("checkout_success_ratio", Bound::Above(0.8), Outcome::Fail),
    ];
    for (metric, bound, outcome) in cases {
        let verdict = judged(slow_and_failing(0), &limited(metric, None, bound));
        assert_eq!(verdict.outcome, outcome, "{metric} {bound:?}: {:?}", verdict.reasons);
        assert_eq!(outcome == Outcome::Fail, said(&verdict).1 == [ReasonId::LimitExceeded]);
    }
}

#[test]
fn a_limit_for_what_nobody_measures_is_never_a_pass_and_names_what_may_be_meant() {
    let cases = [
        ("checkout_latency", None, "did you mean checkout_latency_seconds?"),
        ("checkout_latency_seconds", Some("p99"), "of this metric there is value"),
        ("gold_price", None, "nothing was measured for it during the fault"),
    ];
    for (metric, measure, hint) in cases {
        let verdict = judged(slow_and_failing(0), &limited(metric, measure, Bound::Below(1.0)));
        assert_eq!(said(&verdict), (Outcome::Inconclusive, vec![ReasonId::LimitNotMeasured]), "{metric}");
        assert!(verdict.reasons[0].text.contains(hint), "{:?}", verdict.reasons);
    }
}

#[test]
fn a_service_that_comes_back_later_than_was_set_fails() {
    let within = |seconds: i64| Expectations { recover_within_ms: Some(seconds * 1000), ..impact(&[], None) };
    let lasting = slow_and_failing(20);
    let verdict = judged(lasting.clone(), &within(60));
    assert_eq!(said(&verdict), (Outcome::Fail, vec![ReasonId::RecoveredTooLate]), "{:?}", verdict.reasons);
    let verdict = judged(lasting.clone(), &within(270));
    assert_eq!(said(&verdict), (Outcome::Warn, vec![ReasonId::RecoveredTooLate]), "{:?}", verdict.reasons);
    assert_eq!(judged(lasting, &within(600)).outcome, Outcome::Pass);
}

#[test]
fn a_target_that_no_series_belongs_to_is_said_with_the_name_that_may_be_meant() {
    let of = |target: &str| {
        let target = Some(target.to_owned());
        let verdict = judged(recipe().system(62), &Expectations { target, ..Expectations::default() });
        assert_eq!(said(&verdict), (Outcome::Inconclusive, vec![ReasonId::TargetNotAffected]));
        verdict.reasons[0].text.clone()
    };
    assert!(
        of("service_04").ends_with("did you mean service-04, service-00, service-01?"),
        "{}",
        of("service_04")
    );
    assert!(of("warehouse").ends_with("so nothing is known of it"), "{}", of("warehouse"));
    assert!(of("service-04").contains("shows no change"), "{}", of("service-04"));
}

#[test]
fn a_target_of_which_nothing_could_be_judged_is_not_called_unchanged() {
    let begin = recipe().timeline().fault().from.ms() - 2 * STEP_MS;
    let late = recipe().system(65).into_iter().map(|one| {
        let from = if one.key.service == "service-04" { begin } else { 0 };
        let kept = one.between(from, i64::MAX).collect();
        Series::from_raw(one.key.clone(), one.kind, kept).0
    });
    let target = Some("service-04".to_owned());
    let verdict = judged(late.collect(), &Expectations { target, ..Expectations::default() });
    assert_eq!(said(&verdict), (Outcome::Inconclusive, vec![ReasonId::TargetNotAffected]));
    assert_eq!(verdict.reasons[0].text, "none of the 16 series of the target service-04 could be judged");
}

#[test]
fn one_metric_that_changed_for_sure_is_never_a_pass() {
    let mut all = recipe().system(63);
    all.push(series("shelf_height", "service-05", |sample| {
        Some(10.0 + noise(sample) + if (120..140).contains(&sample) { 40.0 } else { 0.0 })
    }));
    let verdict = judged(all.clone(), &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Warn, "{:?}", verdict.reasons);
    assert!(!verdict.services.iter().any(|service| service.affected));
    let expected = BTreeSet::from([ExpectedImpact::any("service-05")]);
    let verdict = judged(all, &Expectations { expected, ..Expectations::default() });
    assert_eq!(verdict.outcome, Outcome::Pass, "{:?}", verdict.reasons);
}

#[test]
fn a_failure_by_the_word_of_one_latency_says_so() {
    let mut all = recipe().system(64);
    all.push(series("checkout_latency_seconds", "service-03", |sample| {
        Some(0.3 + noise(sample) + if (120..140).contains(&sample) { 0.6 } else { 0.0 })
    }));
    let verdict = judged(all, &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
    assert!(verdict.services[0].rests_on_one_metric, "{:?}", verdict.services[0]);
    assert!(
        verdict.limits.iter().any(|limit| limit.contains("rests on one metric alone")),
        "{:?}",
        verdict.limits
    );
    let two = judged(slow_and_failing(0), &Expectations::default());
    assert!(!two.services[0].rests_on_one_metric);
}

#[test]
fn what_falls_silent_when_the_fault_ends_has_not_come_back_unless_the_watch_was_over() {
    let stopped = |gone: fn(&str) -> bool| -> Vec<Series> {
        slow_and_failing(0)
            .into_iter()
            .map(|one| {
                let end = if gone(&one.key.service) { recipe().timeline().fault().to.ms() } else { i64::MAX };
                let kept = one.between(0, end).collect();
                Series::from_raw(one.key.clone(), one.kind, kept).0
            })
            .collect()
    };
    let verdict = judged(stopped(|service| service == "service-03"), &impact(&[], None));
    assert_eq!(said(&verdict), (Outcome::Fail, vec![ReasonId::NeverRecovered]), "{:?}", verdict.reasons);
    let verdict = judged(stopped(|_| true), &impact(&[], None));
    assert_eq!(said(&verdict), (Outcome::Warn, vec![ReasonId::RecoveryUnknown]), "{:?}", verdict.reasons);
    assert_eq!(verdict.services[0].state, RecoveryState::CannotTell);
}

#[test]
fn an_overshoot_is_told_with_its_size_in_natural_units_and_its_end() {
    let mut all = slow_and_failing(0);
    all.push(series("request_queue_length", "service-03", |sample| {
        let by = match sample {
            120..140 => 40.0,
            140..160 => -6.0,
            _ => 0.0,
        };
        Some(10.0 + 5.0 * noise(sample) + by)
    }));
    let verdict = judged(all, &impact(&[], None));
    let overshoot = verdict.services[0].overshoot.as_ref().expect("twenty samples far below normal");
    assert_eq!(overshoot.key.metric, "request_queue_length");
    assert!(overshoot.effect < -5.0 && (overshoot.value - 4.25).abs() < 0.5, "{overshoot:?}");
    let end = recipe().timeline().fault().to.ms() + 20 * STEP_MS;
    assert_eq!(overshoot.until.ms(), end);
}

#[test]
fn who_has_not_come_back_is_to_be_watched_longer() {
    let verdict = judged(slow_and_failing(60), &impact(&[], None));
    assert_eq!(verdict.services[0].state, RecoveryState::NotRecovered);
    assert_eq!(verdict.services[0].watch_longer_seconds, Some(900.0), "as long again as it was watched");
    assert!(verdict.reasons[0].text.ends_with("watch at least 900 s longer"), "{:?}", verdict.reasons);
}
