//! What quiet windows teach, and what they must not be able to hide.

mod common;

use aftermath_detect::{Scores, fit, judge, learn, merge, repeated, shared_windows, summary, suspicious};
use aftermath_model::{Expectations, LearnedNull, Outcome, Series, Timeline, Verdict};
use common::{Recipe, cut_out, lift};

fn shape() -> Recipe {
    Recipe { baseline: 40, fault: 10, drifting: 0.0, ..Recipe::default() }
}

/// Windows of one long quiet run, side by side.
fn windows(run: &[Series], count: usize) -> Vec<(Scores, Timeline)> {
    (0..count).map(|index| cut_out(run, index * 50, &shape())).collect()
}

fn quiet_run(windows: usize, seed: u64) -> Vec<Series> {
    Recipe { baseline: 50 * windows, ..shape() }.system(seed)
}

fn judged(window: &(Scores, Timeline), learned: Option<&LearnedNull>) -> Verdict {
    judge(&window.0, &window.1, &Expectations::default(), learned, false)
}

#[test]
fn an_incident_that_was_learned_from_does_not_pass() {
    let incident = cut_out(&lift(&quiet_run(1, 3), "service-03", 40, 1.0), 0, &shape());
    assert_eq!(judged(&incident, None).outcome, Outcome::Fail);
    let learned = learn(std::slice::from_ref(&incident));
    assert_eq!(judged(&incident, Some(&learned)).outcome, Outcome::Fail);
}

#[test]
fn an_incident_among_few_quiet_windows_does_not_pass_either() {
    let run = quiet_run(6, 4);
    let mut all = windows(&run, 5);
    let incident = cut_out(&lift(&run, "service-03", 5 * 50 + 40, 1.0), 5 * 50, &shape());
    all.push(incident.clone());
    assert_eq!(judged(&incident, Some(&learn(&all))).outcome, Outcome::Fail);
}

#[test]
fn a_window_in_which_something_happened_is_named_and_quiet_ones_are_not() {
    let run = quiet_run(8, 5);
    let mut all = windows(&run, 8);
    assert_eq!(suspicious(&all), Vec::<usize>::new());
    all[2] = cut_out(&lift(&run, "service-03", 2 * 50 + 40, 1.0), 2 * 50, &shape());
    assert_eq!(suspicious(&all), vec![2]);
}

#[test]
fn a_null_of_another_system_is_no_fit_and_changes_no_p_value() {
    let mine = windows(&quiet_run(1, 6), 1).remove(0);
    let learned = learn(&windows(&quiet_run(21, 6), 21));
    let own = fit(&mine.0, &learned);
    assert!(own.is_fit() && own.services_known == own.services, "{own:?}");
    let renamed = quiet_run(21, 6).into_iter().map(|mut series| {
        series.key.service = format!("other-{}", series.key.service);
        series
    });
    let other = learn(&windows(&renamed.collect::<Vec<_>>(), 21));
    let foreign = fit(&mine.0, &other);
    assert!(!foreign.is_fit(), "{foreign:?}");
    assert_eq!((foreign.services_known, foreign.series_known), (0, 0));
    let p_values = |learned| judged(&mine, learned).services.into_iter().map(|service| service.p_value);
    assert!(p_values(Some(&other)).eq(p_values(None)), "what it does not know it says nothing about");
}

#[test]
fn how_often_quiet_windows_fail_is_measured_and_said() {
    let all = windows(&quiet_run(21, 7), 21);
    let learned = learn(&all);
    assert_eq!(learned.failed.chances, 21);
    assert!(learned.failed.times <= 1, "{:?}", learned.failed);
    let system = judged(&all[0], Some(&learned)).system;
    assert!(system.false_alarm_rate.is_some_and(|rate| rate <= 0.05), "{system:?}");
    assert!(system.false_alarm_basis.contains("of 21 quiet windows"), "{system:?}");
    let single = learn(&all[..1]);
    assert_eq!(single.failed.chances, 0);
    assert_eq!(judged(&all[1], Some(&single)).system.false_alarm_rate, None);
}

#[test]
fn merging_parts_is_close_to_learning_from_all() {
    let all = windows(&quiet_run(40, 8), 40);
    let (whole, merged) = (learn(&all), merge(vec![learn(&all[..20]), learn(&all[20..])]));
    assert_eq!((merged.windows, &merged.services), (whole.windows, &whole.services));
    assert_eq!(merged.constants_moved, whole.constants_moved);
    assert_eq!(merged.presence_changed, whole.presence_changed);
    assert_eq!(merged.failed.chances, whole.failed.chances);
    assert_eq!(merged.system_p_values.len(), whole.system_p_values.len());
    assert_eq!(merged.service_evidence.len(), whole.service_evidence.len());
    assert!(merged.series.keys().eq(whole.series.keys()));
    for (name, series) in &merged.series {
        let other = &whole.series[name];
        assert_eq!(series.windows, other.windows, "{name}");
        // What is left of a statistic once load and season are allowed for depends on how much is known of them.
        assert!((series.sum_of_squares - other.sum_of_squares).abs() <= 0.2 * (1.0 + other.sum_of_squares));
        for (part, all) in series.habit.products.iter().zip(&other.habit.products) {
            assert!((part - all).abs() <= 1e-3 * (1.0 + all.abs()), "{name}");
        }
    }
    for (stem, statistics) in &merged.statistics {
        let other = &whole.statistics[stem];
        assert_eq!(statistics.len(), other.len(), "{stem}");
        let median = |sorted: &[f64]| sorted[sorted.len() / 2];
        assert!((median(statistics) / median(other) - 1.0).abs() < 0.15, "{stem}");
    }
}

#[test]
fn the_order_of_parts_does_not_matter_and_nothing_teaches_nothing() {
    let all = windows(&quiet_run(6, 9), 6);
    let (a, b) = (learn(&all[..2]), learn(&all[2..]));
    let (ab, ba) = (merge(vec![a.clone(), b.clone()]), merge(vec![b, a.clone()]));
    assert_eq!((ab.statistics, ab.services, ab.failed), (ba.statistics, ba.services, ba.failed));
    assert_eq!(merge(vec![a.clone()]), a);
    assert_eq!(merge(Vec::new()), LearnedNull::default());
}

#[test]
fn a_summary_names_what_moves_by_itself() {
    let all = windows(&quiet_run(12, 10), 12);
    let mut learned = learn(&all);
    for (name, series) in &mut learned.series {
        if name.starts_with("service-04|request_duration_seconds|") {
            series.sum_of_squares = 25.0 * series.windows as f64;
        }
    }
    let summary = summary(&learned);
    assert_eq!((summary.windows, summary.services.len(), summary.failed.trials), (12, 10, 12));
    assert_eq!(summary.series, learned.series.len());
    let widest = &summary.movers[0];
    assert_eq!((widest.service.as_str(), widest.metric.as_str()), ("service-04", "request_duration_seconds"));
    assert!((widest.width - 5.0).abs() < 1e-9 && summary.movers[1].width <= 5.0);
    let quantiles: Vec<f64> = summary.system_p_quantiles.iter().map(|&(_, value)| value).collect();
    assert!(quantiles.len() == 6 && quantiles.windows(2).all(|pair| pair[0] <= pair[1]), "{quantiles:?}");
}

#[test]
fn what_was_learned_from_windows_of_other_lengths_speaks_in_part_and_says_so() {
    let run = quiet_run(24, 12);
    let learned = learn(&windows(&run, 20));
    let of_other_lengths = |verdict: &Verdict| {
        verdict.limits.iter().any(|limit| limit.contains("made of windows of other lengths"))
    };
    let alike = judged(&cut_out(&run, 21 * 50, &shape()), Some(&learned));
    assert!(alike.system.false_alarm_rate.is_some() && !of_other_lengths(&alike), "{:?}", alike.limits);
    let short = Recipe { baseline: 40, fault: 4, ..shape() };
    let other = judged(&cut_out(&run, 21 * 50, &short), Some(&learned));
    assert!(of_other_lengths(&other), "{:?}", other.limits);
    assert_eq!(other.system.false_alarm_rate, None, "nobody measured it for such windows");
}

#[test]
fn a_window_that_was_learned_from_is_recognised() {
    let run = quiet_run(8, 13);
    let all = windows(&run, 8);
    assert_eq!(repeated(&all), Vec::<usize>::new());
    let twice = [all[0].clone(), all[1].clone(), all[0].clone()];
    assert_eq!(repeated(&twice), [2]);
    let (first, second) = (learn(&all[..4]), learn(&all[4..]));
    assert_eq!(shared_windows(&[first.clone(), second]), 0);
    assert_eq!(shared_windows(&[first, learn(&all[3..6])]), 1);
}
