//! What a verdict says in situations that people know.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aftermath_detect::{Scorer, Steadiness, judge, steady};
use aftermath_model::{
    Block, Channel, Direction, Expectations, GapCause, Outcome, ReasonId, RecoveryState, Series, SeriesKey,
    SeriesKind, Topology, Verdict,
};
use common::{Recipe, STEP_MS};

/// A calm system of ten services with a recovery window, to which each story adds something.
fn recipe() -> Recipe {
    Recipe { recovery: 60, drifting: 0.0, ..Recipe::default() }
}

fn judged(recipe: &Recipe, series: Vec<Series>, expectations: &Expectations) -> Verdict {
    let timeline = recipe.timeline();
    judge(&Scorer::new(&timeline).score(&Block { series }), &timeline, expectations, None, false)
}

fn reasons(verdict: &Verdict) -> Vec<ReasonId> {
    verdict.reasons.iter().map(|reason| reason.id).collect()
}

fn expecting(service: &str) -> Expectations {
    Expectations { target: Some(service.to_owned()), ..Expectations::default() }
}

/// One more series, with a value for each sample that it has.
fn series(metric: &str, service: &str, pod: Option<&str>, value: impl Fn(usize) -> Option<f64>) -> Series {
    let recipe = recipe();
    let labels: BTreeMap<String, String> =
        pod.map(|pod| ("pod".to_owned(), pod.to_owned())).into_iter().collect();
    let key = SeriesKey { metric: metric.to_owned(), service: service.to_owned(), labels };
    let from = recipe.timeline().baseline().from.ms();
    let samples = (0..recipe.baseline + recipe.fault + recipe.recovery)
        .filter_map(|sample| Some((from + i64::try_from(sample).ok()? * STEP_MS, value(sample)?)));
    Series::from_raw(key, SeriesKind::Gauge, samples.collect()).0
}

#[test]
fn an_expected_hit_that_heals_passes() {
    let recipe = Recipe { hit: Some((3, 1.0, 6.0)), ..recipe() };
    let verdict = judged(&recipe, recipe.system(21), &expecting("service-03"));
    assert_eq!((verdict.outcome, reasons(&verdict)), (Outcome::Pass, vec![ReasonId::OnlyExpectedImpact]));
    let hit = &verdict.services[0];
    assert!(hit.name == "service-03" && hit.affected && hit.expected && hit.severity > 0.0);
    assert_eq!(hit.state, RecoveryState::Recovered);
    assert!(hit.recovery_seconds.is_some_and(|seconds| seconds <= 20.0 * 15.0), "{hit:?}");
    assert!((verdict.score - 100.0).abs() < f64::EPSILON);
}

#[test]
fn the_same_hit_fails_when_nobody_expected_it() {
    let recipe = Recipe { hit: Some((3, 1.0, 6.0)), ..recipe() };
    let verdict = judged(&recipe, recipe.system(21), &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert!(reasons(&verdict).contains(&ReasonId::UnexpectedServiceHit));
    assert!(verdict.score < 100.0);
}

#[test]
fn an_expected_hit_that_stays_fails() {
    let recipe = Recipe { hit: Some((3, 1.0, 6.0)), lingers: 60, ..recipe() };
    let verdict = judged(&recipe, recipe.system(22), &expecting("service-03"));
    assert_eq!((verdict.outcome, reasons(&verdict)), (Outcome::Fail, vec![ReasonId::NeverRecovered]));
}

#[test]
fn a_system_that_healed_at_once_seldom_counts_as_never_recovered() {
    let never = |seed: &u64| {
        let recipe = Recipe { hit: Some((3, 0.5, 6.0)), ..recipe() };
        let verdict = judged(&recipe, recipe.system(*seed), &expecting("service-03"));
        reasons(&verdict).contains(&ReasonId::NeverRecovered)
    };
    // Designed for 1 %, measured as 1.8 %: more than 5 of 60 would happen once in thousands of such tests.
    assert!((100..160).filter(never).count() <= 5);
}

#[test]
fn the_time_to_recover_is_close_to_the_truth() {
    let mut errors: Vec<f64> = (30..45)
        .filter_map(|seed| {
            let recipe = Recipe { hit: Some((3, 1.0, 6.0)), lingers: 15, ..recipe() };
            let verdict = judged(&recipe, recipe.system(seed), &expecting("service-03"));
            verdict.services[0].recovery_seconds.map(|seconds| (seconds / 15.0 - 15.0).abs())
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    assert!(errors.len() >= 8, "only {} of 15 were seen to recover", errors.len());
    assert!(errors[errors.len() / 2] <= 10.0, "in samples: {errors:?}");
}

#[test]
fn without_a_recovery_window_nobody_claims_recovery() {
    let recipe = Recipe { hit: Some((3, 1.0, 6.0)), recovery: 0, ..recipe() };
    let verdict = judged(&recipe, recipe.system(23), &expecting("service-03"));
    assert_eq!((verdict.outcome, reasons(&verdict)), (Outcome::Warn, vec![ReasonId::RecoveryUnknown]));
    assert_eq!(verdict.services[0].state, RecoveryState::CannotTell);
}

#[test]
fn a_target_that_shows_nothing_is_inconclusive() {
    let verdict = judged(&recipe(), recipe().system(24), &expecting("service-05"));
    assert_eq!(
        (verdict.outcome, reasons(&verdict)),
        (Outcome::Inconclusive, vec![ReasonId::TargetNotAffected])
    );
}

#[test]
fn a_source_that_was_cut_off_never_passes() {
    let (recipe, timeline) = (recipe(), recipe().timeline());
    let verdict = judge(&recipe.scores(25), &timeline, &Expectations::default(), None, true);
    assert_eq!((verdict.outcome, reasons(&verdict)), (Outcome::Inconclusive, vec![ReasonId::SourcePartial]));
}

#[test]
fn no_series_and_short_baselines_are_inconclusive() {
    let nothing = judged(&recipe(), Vec::new(), &Expectations::default());
    assert_eq!((nothing.outcome, reasons(&nothing)), (Outcome::Inconclusive, vec![ReasonId::NoData]));
    let short = Recipe { baseline: 5, ..recipe() };
    let verdict = judged(&short, short.system(26), &Expectations::default());
    assert_eq!(
        (verdict.outcome, reasons(&verdict)),
        (Outcome::Inconclusive, vec![ReasonId::BaselineTooShort])
    );
}

#[test]
fn a_watch_that_ends_with_the_baseline_is_no_outage_and_no_pass() {
    let recipe = recipe();
    let end = recipe.timeline().fault().from.ms();
    let cut = recipe.system(27).into_iter().map(|series| {
        let kept = series.between(0, end).collect();
        Series::from_raw(series.key.clone(), series.kind, kept).0
    });
    let verdict = judged(&recipe, cut.collect(), &Expectations::default());
    assert_eq!((verdict.outcome, reasons(&verdict)), (Outcome::Inconclusive, vec![ReasonId::NoData]));
}

#[test]
fn series_that_vanish_are_findings_and_a_replaced_pod_is_none() {
    let recipe = recipe();
    let mut all = recipe.system(28);
    let wave = |sample: usize| 10.0 + f64::from(u32::try_from(sample * 7 % 13).unwrap_or(0));
    for (number, metric) in ["queue_length", "open_files", "replication_lag"].into_iter().enumerate() {
        all.push(series(metric, "service-01", None, |sample| {
            (sample < 120).then(|| wave(sample + 5 * number * number))
        }));
    }
    all.push(series("resident_memory", "service-02", Some("web-5f55b6cf68-77cfw"), |sample| {
        (sample < 125).then(|| wave(sample))
    }));
    all.push(series("resident_memory", "service-02", Some("web-5f55b6cf68-9xk2p"), |sample| {
        (sample >= 125).then(|| wave(sample))
    }));
    let verdict = judged(&recipe, all, &Expectations::default());
    let vanished: BTreeSet<&str> = verdict
        .findings
        .iter()
        .filter(|finding| finding.channel == Channel::Presence && finding.direction == Direction::Vanished)
        .map(|finding| finding.key.metric.as_str())
        .collect();
    assert_eq!(vanished, BTreeSet::from(["open_files", "queue_length", "replication_lag"]));
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
}

#[test]
fn what_cannot_be_measured_is_a_gap_with_its_cause() {
    let recipe = recipe();
    let mut all = recipe.system(29);
    let count = all.len();
    all.push(series("build_info", "service-01", None, |_| Some(1.0)));
    all.push(series("started_late", "service-01", None, |sample| {
        (118..122).contains(&sample).then_some(4.0)
    }));
    all[count].kind = SeriesKind::Info;
    let verdict = judged(&recipe, all, &Expectations::default());
    let gaps: BTreeMap<GapCause, usize> =
        verdict.coverage.gaps.iter().map(|gap| (gap.cause, gap.series)).collect();
    assert_eq!(gaps, BTreeMap::from([(GapCause::Info, 1), (GapCause::TooFewBaselineSamples, 1)]));
    assert_eq!(verdict.coverage.series, count + 2);
    assert_eq!(verdict.coverage.judged, count);
}

#[test]
fn a_restart_is_said_once_and_in_the_right_direction() {
    let recipe = recipe();
    let mut all = recipe.system(31);
    let started = 1.7e9;
    all.push(series("process_start_time_seconds", "service-04", None, |sample| {
        Some(if sample < 124 { started } else { started + 3_000.0 })
    }));
    let verdict = judged(&recipe, all, &Expectations::default());
    let restarts: Vec<_> =
        verdict.findings.iter().filter(|finding| finding.key.metric.starts_with("process_start")).collect();
    assert!(restarts.len() <= 1 && restarts.iter().all(|restart| restart.direction == Direction::Up));
    assert_ne!(verdict.outcome, Outcome::Fail, "a restart alone is not corroborated: {:?}", verdict.reasons);
}

/// A calm system in which a call is delayed on its way from service-06 over service-07 to service-08, and each caller
/// waits longer than the service that it calls.
fn delayed_calls() -> Vec<Series> {
    let mut all = recipe().system(32);
    let noise = |sample: usize| f64::from(u32::try_from(sample * 5 % 11).unwrap_or(0)) * 0.001;
    for (service, base, delay) in
        [("service-06", 0.30, 0.9), ("service-07", 0.20, 0.7), ("service-08", 0.10, 0.5)]
    {
        all.push(series("call_latency_seconds", service, None, |sample| {
            let delayed = (120..140).contains(&sample);
            Some(base + noise(sample) + if delayed { delay } else { 0.0 })
        }));
    }
    all
}

#[test]
fn blame_goes_down_the_call_graph() {
    let edges = [("service-06", "service-07"), ("service-07", "service-08")];
    let graph = |edges: Vec<(&str, &str)>| {
        let edges = edges.into_iter().map(|(from, to)| (from.to_owned(), to.to_owned())).collect();
        Expectations { topology: Some(Topology { edges }), ..Expectations::default() }
    };
    let first = |expectations| judged(&recipe(), delayed_calls(), &expectations).origin[0].service.clone();
    assert_eq!(first(graph(edges.to_vec())), "service-08");
    let reversed = edges.into_iter().map(|(caller, called)| (called, caller)).collect();
    assert_eq!(first(graph(reversed)), "service-06", "the graph decides, not the sizes");
}

#[test]
fn a_service_that_falls_silent_is_the_first_suspect() {
    let recipe = recipe();
    let fault = recipe.timeline().fault();
    let mut frozen: Vec<Series> = delayed_calls()
        .into_iter()
        .map(|one| {
            let silent =
                |ms: i64| one.key.service == "service-02" && ms >= fault.from.ms() && ms < fault.to.ms();
            let kept = one.between(0, i64::MAX).filter(|&(ms, _)| !silent(ms)).collect();
            Series::from_raw(one.key.clone(), one.kind, kept).0
        })
        .collect();
    let first = |all: Vec<Series>| judged(&recipe, all, &Expectations::default()).origin[0].service.clone();
    assert_eq!(first(frozen.clone()), "service-02");

    frozen.retain(|one| one.key.service != "service-02");
    frozen.push(series("up", "service-02", None, |sample| {
        Some(if (121..140).contains(&sample) { 0.0 } else { 1.0 })
    }));
    assert_eq!(first(frozen), "service-02", "unreachable is as good as gone");
}

#[test]
fn a_warning_costs_points_and_an_expected_hit_that_healed_costs_none() {
    let without_recovery = Recipe { hit: Some((3, 1.0, 6.0)), recovery: 0, ..recipe() };
    let doubtful = judged(&without_recovery, without_recovery.system(23), &expecting("service-03"));
    assert_eq!(doubtful.outcome, Outcome::Warn);
    assert!(doubtful.score < 100.0, "{}", doubtful.score);

    let mut weak = (0..60).filter_map(|seed| {
        let recipe = Recipe { hit: Some((3, 0.3, 2.0)), ..recipe() };
        let verdict = judged(&recipe, recipe.system(seed), &Expectations::default());
        (reasons(&verdict) == [ReasonId::WeakUnexpectedChange]).then_some(verdict)
    });
    let weak = weak.next().expect("one in sixty is weak");
    assert!(weak.score <= 99.0, "{}", weak.score);
    let of_hits = weak.services.iter().filter(|service| !service.affected).map(|service| service.severity);
    assert!(of_hits.fold(0.0, f64::max) < f64::EPSILON, "only a service that was hit has a severity");
}

#[test]
fn a_steady_baseline_passes_the_gate_and_a_broken_one_does_not() {
    let recipe = recipe();
    let timeline = recipe.timeline();
    assert_eq!(steady(&recipe.scores(33), &timeline), Steadiness::Steady);
    let broken = (0..10).fold(recipe.system(33), |all, service| {
        common::lift(&all, &format!("service-{service:02}"), 100, 3.0)
    });
    let scores = Scorer::new(&timeline).score(&Block { series: broken });
    let Steadiness::NotSteady(why) = steady(&scores, &timeline) else { panic!("it passed the gate") };
    assert_eq!(why[0].id, ReasonId::NotSteady);
}

#[test]
fn more_findings_than_anyone_reads_are_cut_and_that_is_said() {
    let recipe = Recipe { services: 40, series: 24, hit: Some((0, 1.0, 8.0)), ..recipe() };
    let everything = (0..40).fold(recipe.system(34), |all, service| {
        common::lift(&all, &format!("service-{service:02}"), 120, 4.0)
    });
    let verdict = judged(&recipe, everything, &Expectations::default());
    assert_eq!(verdict.findings.len(), 500);
    assert!(
        verdict.limits.iter().any(|limit| limit.contains("only the strongest 500")),
        "{:?}",
        verdict.limits
    );
    let p_values: Vec<f64> = verdict.findings.iter().map(|finding| finding.p_value).collect();
    assert!(p_values.windows(2).all(|pair| pair[0] <= pair[1]));
}

/// The same series with those samples only that `keep` wants, by the number of the series in its service.
fn thinned(all: Vec<Series>, keep: impl Fn(&str, usize, usize) -> bool) -> Vec<Series> {
    let from = recipe().timeline().baseline().from.ms();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    all.into_iter()
        .map(|series| {
            let number = seen.entry(series.key.service.clone()).or_default();
            *number += 1;
            let sample = |ms: i64| usize::try_from((ms - from) / STEP_MS).expect("not before the baseline");
            let kept = series.timestamps_ms().iter().zip(series.values());
            let kept = kept.filter(|(ms, _)| keep(&series.key.service, *number, sample(**ms)));
            let kept = kept.map(|(&ms, &value)| (ms, value)).collect();
            Series::from_raw(series.key.clone(), series.kind, kept).0
        })
        .collect()
}

#[test]
fn a_service_that_falls_silent_fails_and_is_blamed() {
    type Kept = fn(usize, usize) -> bool;
    let cases: [(&str, Kept, RecoveryState); 4] = [
        ("dies after one sample", |_, sample| sample < 121, RecoveryState::NotRecovered),
        ("dies shortly before the end", |_, sample| sample < 138, RecoveryState::NotRecovered),
        (
            "half of it gone for good",
            |number, sample| number % 2 == 0 || sample < 120,
            RecoveryState::NotRecovered,
        ),
        (
            "silent during the fault and back afterwards",
            |_, sample| !(120..140).contains(&sample),
            RecoveryState::Recovered,
        ),
    ];
    for (name, kept, state) in cases {
        let recipe = recipe();
        let all = thinned(recipe.system(41), |service, number, sample| {
            service != "service-01" || kept(number, sample)
        });
        let verdict = judged(&recipe, all, &Expectations::default());
        assert_eq!(verdict.outcome, Outcome::Fail, "{name}: {:?}", verdict.reasons);
        assert!(reasons(&verdict).contains(&ReasonId::UnexpectedServiceHit), "{name}");
        let hit = &verdict.services[0];
        assert_eq!((hit.name.as_str(), hit.state), ("service-01", state), "{name}: {hit:?}");
        assert_eq!(verdict.origin[0].service, "service-01", "{name}");
    }
}

#[test]
fn two_lost_scrapes_of_a_service_are_no_outage() {
    let recipe = recipe();
    let all = thinned(recipe.system(42), |service, _, sample| {
        service != "service-01" || !(130..132).contains(&sample)
    });
    let verdict = judged(&recipe, all, &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Pass, "{:?}", verdict.reasons);
}

#[test]
fn what_was_hardly_recorded_is_inconclusive_for_that_reason() {
    type Kept = fn(usize) -> bool;
    let cases: [(&str, Kept, ReasonId); 5] = [
        ("3 samples before the fault", |sample| sample >= 117, ReasonId::BaselineTooShort),
        ("10 samples before the fault", |sample| sample >= 110, ReasonId::BaselineTooShort),
        (
            "3 samples all over the baseline",
            |sample| sample % 40 == 0 || sample >= 120,
            ReasonId::BaselineTooShort,
        ),
        ("one sample during the fault", |sample| !(121..140).contains(&sample), ReasonId::NoData),
        (
            "every third scrape during the fault",
            |sample| sample % 3 == 0 || !(120..140).contains(&sample),
            ReasonId::FaultTooShort,
        ),
    ];
    for (name, kept, reason) in cases {
        let recipe = recipe();
        let all = thinned(recipe.system(43), |_, _, sample| kept(sample));
        let verdict = judged(&recipe, all, &Expectations::default());
        let expected = (Outcome::Inconclusive, vec![reason]);
        assert_eq!((verdict.outcome, reasons(&verdict)), expected, "{name}: {:?}", verdict.reasons);
    }
}

#[test]
fn a_fault_of_three_steps_is_judged_and_a_shorter_one_is_not() {
    for (fault, reason) in
        [(1, ReasonId::FaultTooShort), (2, ReasonId::FaultTooShort), (3, ReasonId::NothingChanged)]
    {
        let recipe = Recipe { fault, ..recipe() };
        let verdict = judged(&recipe, recipe.system(44), &Expectations::default());
        assert_eq!(reasons(&verdict), vec![reason], "{fault} steps: {:?}", verdict.reasons);
    }
}

#[test]
fn series_that_come_seldom_by_themselves_do_not_hide_the_rest() {
    let recipe = recipe();
    let mut all = recipe.system(45);
    for number in 0..60 {
        // Bursts of two with a long pause, different for each series: present throughout, and half empty.
        all.push(series(&format!("job_{number}_seconds"), "service-02", None, |sample| {
            ((sample + number) % 11 < 2).then_some(5.0)
        }));
    }
    let verdict = judged(&recipe, all, &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Pass, "{:?} {:?}", verdict.reasons, verdict.coverage);
}

#[test]
fn series_without_a_service_are_judged_like_any_service() {
    let recipe = Recipe { hit: Some((0, 1.0, 6.0)), services: 1, ..recipe() };
    let nameless = recipe.system(46).into_iter().map(|mut series| {
        series.key.service = String::new();
        series
    });
    let verdict = judged(&recipe, nameless.collect(), &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
    assert!(verdict.reasons[0].text.starts_with("(no service) changed"), "{:?}", verdict.reasons);
}

#[test]
fn a_step_in_the_baseline_forbids_a_verdict_but_not_a_failure_beyond_it() {
    let recipe = recipe();
    let stepped = |at: usize, seed: u64| {
        (0..10).fold(recipe.system(seed), |all, service| {
            common::lift(&all, &format!("service-{service:02}"), at, 0.8)
        })
    };
    for at in [85, 95, 105, 110] {
        let verdict = judged(&recipe, stepped(at, 47), &Expectations::default());
        let expected = (Outcome::Inconclusive, vec![ReasonId::NotSteady]);
        assert_eq!((verdict.outcome, reasons(&verdict)), expected, "{at}: {:?}", verdict.reasons);
    }
    let dead = thinned(stepped(95, 47), |service, _, sample| service != "service-01" || sample < 121);
    let verdict = judged(&recipe, dead, &Expectations::default());
    assert_eq!(verdict.outcome, Outcome::Fail, "{:?}", verdict.reasons);
}
