//! What quiet windows teach about load, seasons and copies, and that a verdict uses it.

use aftermath_detect::{LearnedSummary, Scorer, Scores, judge, learn, merge, summary};
use aftermath_generator::{FaultKind, Scenario, System};
use aftermath_model::learned::LearnedHabit;
use aftermath_model::{
    Block, Expectations, LearnedNull, Outcome, Series, SeriesKey, SeriesKind, Timeline, Timestamp, Verdict,
    Window,
};

const BASELINE: usize = 120;
const FAULT: usize = 20;

/// The windows of one long run that begin at these steps; `keeps` chooses among its metrics.
fn cut(system: &System, first: usize, keeps: impl Fn(&str) -> bool) -> (Scores, Timeline) {
    let (start, step_ms) = (system.timeline.baseline().from.ms(), system.timeline.step_ms());
    let at = |step: usize| {
        let ms = start + i64::try_from(step).expect("few steps") * step_ms;
        Timestamp::from_ms(ms).expect("inside the calendar")
    };
    let window = |from, to| Window::new(at(from), at(to)).expect("not empty");
    let (fault, end) = (first + BASELINE, first + BASELINE + FAULT);
    let timeline = Timeline::new(window(first, fault), window(fault, end), None, Vec::new(), step_ms)
        .expect("the windows follow each other");
    let judge_of_series = Scorer::new(&timeline);
    let mut scores = Scores::default();
    for block in &system.blocks {
        let series = block.series.iter().filter(|series| keeps(&series.key.metric)).map(|series| {
            let samples = series.between(at(first).ms(), at(end).ms()).collect();
            Series::from_raw(series.key.clone(), series.kind, samples).0
        });
        scores.merge(
            judge_of_series.score(&Block { series: series.filter(|series| !series.is_empty()).collect() }),
        );
    }
    (scores, timeline)
}

fn judged((scores, timeline): &(Scores, Timeline), learned: Option<&LearnedNull>) -> Verdict {
    judge(scores, timeline, &Expectations::default(), learned, false)
}

/// A run of many windows, of which the last is hit.
fn run(windows: usize, every: usize, scenario: &Scenario, seed: u64) -> System {
    let scenario = Scenario {
        services: 10,
        baseline_steps: windows * every + BASELINE,
        recovery_steps: 0,
        ..scenario.clone()
    };
    System::generate(&scenario, seed)
}

/// What that run taught, and the verdict on its last window with that and without the elasticities in it.
fn with_and_without_elasticities(seed: u64, fault: Option<FaultKind>) -> (System, [Verdict; 2]) {
    let swinging = Scenario { season_steps: 600.0, load_step: 0.2, fault, ..Scenario::quiet() };
    let system = run(20, BASELINE + FAULT, &swinging, seed);
    let windows: Vec<_> = (0..20).map(|index| cut(&system, index * (BASELINE + FAULT), |_| true)).collect();
    let learned = learn(&windows);
    let mut without = learned.clone();
    without.series.values_mut().for_each(|series| series.habit = LearnedHabit::default());
    let last = cut(&system, 20 * (BASELINE + FAULT), |_| true);
    let verdicts = [judged(&last, Some(&learned)), judged(&last, Some(&without))];
    (system, verdicts)
}

#[test]
fn known_elasticities_find_more_under_a_step_of_the_load() {
    let mut found = [0, 0];
    for seed in 0..5 {
        let (system, verdicts) = with_and_without_elasticities(seed, Some(FaultKind::step(1.5)));
        for (found, verdict) in found.iter_mut().zip(verdicts) {
            let hit = |name: &String| system.truth.hit.contains_key(name);
            let affected = verdict.services.iter().filter(|service| service.affected);
            *found += affected.filter(|service| hit(&service.name)).count();
        }
    }
    assert!(found[0] >= found[1] + 3, "{found:?} of 25 services");
}

#[test]
fn known_elasticities_raise_no_alarm_under_a_step_of_the_load() {
    let mut told = 0;
    for seed in 10..14 {
        let (_, [with, _]) = with_and_without_elasticities(seed, None);
        assert_ne!(with.outcome, Outcome::Fail, "seed {seed}: {:?}", with.reasons);
        let says = |text: &str| with.limits.iter().any(|limit| limit.contains(text));
        assert_eq!(says("the load changed by"), says("series follow the load is known"), "{:?}", with.limits);
        told += usize::from(says("series follow the load is known"));
    }
    assert!(told >= 2, "the step is told unless a swing the other way hides it");
}

/// Windows all around four days without any series that counts requests.
fn seasonal(season: f64) -> (LearnedSummary, Verdict) {
    let scenario = Scenario { step_ms: 300_000, season, season_steps: 288.0, ..Scenario::quiet() };
    let (windows, every) = (24, 149);
    let system = run(windows, every, &scenario, 3);
    let no_requests = |metric: &str| !metric.contains("request");
    let quiet: Vec<_> = (0..windows).map(|index| cut(&system, index * every, no_requests)).collect();
    let learned = learn(&quiet);
    (summary(&learned), judged(&cut(&system, windows * every, no_requests), Some(&learned)))
}

#[test]
fn a_season_is_found_where_there_is_one_and_said_so() {
    let (learned, verdict) = seasonal(0.5);
    assert!(learned.seasons.0, "{learned:?}");
    let said = |verdict: &Verdict| verdict.limits.iter().any(|limit| limit.contains("this time of day"));
    assert!(said(&verdict), "{:?}", verdict.limits);
    let (learned, verdict) = seasonal(0.0);
    assert_eq!(learned.seasons, (false, false));
    assert!(!said(&verdict), "{:?}", verdict.limits);
}

#[test]
fn few_windows_and_old_files_teach_no_habits() {
    let system = run(2, BASELINE + FAULT, &Scenario::quiet(), 5);
    let few = learn(&[cut(&system, 0, |_| true), cut(&system, BASELINE + FAULT, |_| true)]);
    let shown = summary(&few);
    assert_eq!((shown.elasticities_known, shown.seasons, shown.copies), (0, (false, false), vec![]));
}

#[test]
fn parts_join_to_the_same_habits() {
    let system = run(24, BASELINE + FAULT, &Scenario { season_steps: 600.0, ..Scenario::quiet() }, 6);
    let windows: Vec<_> = (0..24).map(|index| cut(&system, index * (BASELINE + FAULT), |_| true)).collect();
    let (whole, parts) = (learn(&windows), merge(vec![learn(&windows[..12]), learn(&windows[12..])]));
    let (whole, parts) = (summary(&whole), summary(&parts));
    assert_eq!(whole.days, parts.days);
    assert!(whole.elasticities_known > 10, "{whole:?}");
    let close = |a: usize, b: usize| 10 * a.abs_diff(b) <= a.max(b);
    assert!(close(whole.elasticities_known, parts.elasticities_known), "{whole:?} {parts:?}");
}

/// The same system, in which each service shows one of its gauges in another unit too.
fn with_copies(system: &System) -> System {
    let mut system = system.clone();
    for block in &mut system.blocks {
        let moves = |series: &&Series| {
            series.kind == SeriesKind::Gauge && series.values().windows(2).any(|pair| pair[0] < pair[1])
        };
        let Some(metric) = block.series.iter().find(moves).map(|series| series.key.metric.clone()) else {
            continue;
        };
        let of_pods: Vec<Series> =
            block.series.iter().filter(|series| series.key.metric == metric).cloned().collect();
        for pod in of_pods {
            let key = SeriesKey { metric: "zz_other_unit_of_it".to_owned(), ..pod.key.clone() };
            let samples =
                pod.timestamps_ms().iter().zip(pod.values()).map(|(&ms, &value)| (ms, 1024.0 * value));
            block.series.push(Series::from_raw(key, pod.kind, samples.collect()).0);
        }
    }
    system
}

#[test]
fn a_metric_in_another_unit_is_learned_as_a_copy() {
    let system = with_copies(&run(14, BASELINE + FAULT, &Scenario::quiet(), 8));
    let windows: Vec<_> = (0..14).map(|index| cut(&system, index * (BASELINE + FAULT), |_| true)).collect();
    let copies = summary(&learn(&windows)).copies;
    let in_other_unit = copies.iter().filter(|copies| copies.copy == "zz_other_unit_of_it").count();
    assert!(in_other_unit >= 8, "{copies:?}");
    assert!(copies.len() <= in_other_unit + 2, "hardly any others: {copies:?}");
}
