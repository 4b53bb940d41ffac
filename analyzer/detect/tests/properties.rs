//! What a verdict owes to its numbers: more harm never looks like less, and how the data is cut, dated or measured is no news.

mod common;

use aftermath_detect::{Scorer, Scores, judge};
use aftermath_generator::{FaultKind, Random, Scenario, System};
use aftermath_model::{
    Block, Expectations, Outcome, Series, SeriesKey, SeriesKind, Timeline, Timestamp, Verdict, Window,
};
use common::Recipe;

fn judged(blocks: &[Block], timeline: &Timeline) -> Verdict {
    let scorer = Scorer::new(timeline);
    let mut kept = Scores::default();
    for block in blocks {
        kept.merge(scorer.score(block));
    }
    judge(&kept, timeline, &Expectations::default(), None, false)
}

fn broken_system(seed: u64) -> System {
    let scenario = Scenario {
        services: 8,
        series_per_service: 16,
        fault: Some(FaultKind::mixed(4.0)),
        ..Scenario::quiet()
    };
    System::generate(&scenario, seed)
}

/// One sample anew: its time and its value.
fn mapped(series: &Series, map: impl Fn(i64, f64) -> (i64, f64)) -> Series {
    let samples = series.timestamps_ms().iter().zip(series.values()).map(|(&ms, &value)| map(ms, value));
    Series::from_raw(series.key.clone(), series.kind, samples.collect()).0
}

/// The family that a series belongs to: the parts of a histogram must stay together.
fn family(series: &Series) -> String {
    let parts = ["_bucket", "_sum", "_count"];
    let is_part = matches!(
        series.kind,
        SeriesKind::HistogramBucket | SeriesKind::HistogramSum | SeriesKind::HistogramCount
    );
    let stem = parts.iter().find_map(|part| series.key.metric.strip_suffix(part)).filter(|_| is_part);
    format!("{} {}", series.key.service, stem.unwrap_or(&series.key.metric))
}

#[test]
fn blocks_may_come_whole_or_cut_by_family_and_in_any_order() {
    for seed in 0..4 {
        let system = broken_system(seed);
        let whole = judged(&system.blocks, &system.timeline);
        let mut families = std::collections::BTreeMap::<String, Block>::new();
        for series in system.blocks.iter().flat_map(|block| &block.series) {
            families.entry(family(series)).or_default().series.push(series.clone());
        }
        let families: Vec<Block> = families.into_values().collect();
        let mut random = Random::new(seed);
        let shuffled: Vec<Block> =
            random.order(families.len()).into_iter().map(|index| families[index].clone()).collect();
        assert_eq!(whole, judged(&shuffled, &system.timeline), "seed {seed}: cut and shuffled");
        let joined = Block { series: families.into_iter().rev().flat_map(|block| block.series).collect() };
        assert_eq!(whole, judged(&[joined], &system.timeline), "seed {seed}: one block");
        assert!(!whole.findings.is_empty());
    }
}

/// A verdict whose times are counted from the beginning of the baseline.
fn dated_from(mut verdict: Verdict, origin: Timestamp) -> Verdict {
    let anew = |at: &mut Option<Timestamp>| *at = at.map(|at| at.plus_ms(-origin.ms()));
    for service in &mut verdict.services {
        anew(&mut service.onset);
        anew(&mut service.recovered_at);
        let interval = service.onset_interval;
        let counted = |at: Timestamp| at.plus_ms(-origin.ms());
        service.onset_interval = interval.map(|(from, to)| (counted(from), counted(to)));
    }
    for finding in &mut verdict.findings {
        anew(&mut finding.onset);
        anew(&mut finding.recovered_at);
    }
    verdict
}

#[test]
fn a_later_date_changes_nothing_but_the_dates() {
    let later_ms = 86_400_000 * 400;
    for seed in 0..4 {
        let recipe = Recipe { hit: Some((2, 0.5, 4.0)), recovery: 40, ..Recipe::default() };
        let (series, timeline) = (recipe.system(seed), recipe.timeline());
        let moved = series.iter().map(|one| mapped(one, |ms, value| (ms + later_ms, value))).collect();
        let later = |window: Window| {
            Window::new(window.from.plus_ms(later_ms), window.to.plus_ms(later_ms)).expect("not empty")
        };
        let later_timeline = Timeline::new(
            later(timeline.baseline()),
            later(timeline.fault()),
            timeline.recovery().map(later),
            Vec::new(),
            timeline.step_ms(),
        )
        .expect("fits as before");
        let now = judged(&[Block { series }], &timeline);
        let then = judged(&[Block { series: moved }], &later_timeline);
        assert!(!now.findings.is_empty());
        assert_eq!(
            dated_from(now, timeline.baseline().from),
            dated_from(then, later_timeline.baseline().from),
            "seed {seed}"
        );
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-3 * (a.abs() + b.abs()) + 1e-9
}

#[test]
fn the_unit_and_the_zero_of_gauges_do_not_matter_to_any_part_of_the_answer() {
    // A power of two, so that no digit is lost; the zero moves only where the level is far from it.
    for (scale, zero_sd) in [(1024.0, 0.0), (1.0, 0.25)] {
        let recipe = Recipe { hit: Some((2, 0.5, 5.0)), recovery: 40, ..Recipe::default() };
        let series = recipe.system(21);
        let converted: Vec<Series> = series
            .iter()
            .map(|one| {
                let level = one.values()[0];
                let convert = |ms, value| (ms, scale * (value + zero_sd * level * 1e-3));
                if one.kind == SeriesKind::Gauge { mapped(one, convert) } else { one.clone() }
            })
            .collect();
        let plain = judged(&[Block { series }], &recipe.timeline());
        let other = judged(&[Block { series: converted }], &recipe.timeline());
        assert_eq!((plain.outcome, &plain.coverage), (other.outcome, &other.coverage));
        assert_eq!(plain.services.len(), other.services.len());
        let tolerance_free = |verdict: &Verdict| -> Vec<(String, bool)> {
            verdict.services.iter().map(|service| (service.name.clone(), service.affected)).collect()
        };
        assert_eq!(tolerance_free(&plain)[0], tolerance_free(&other)[0]);
        assert_eq!(plain.origin[0].service, other.origin[0].service);
        if zero_sd > 0.0 {
            continue;
        }
        for one in &plain.services {
            let same = other.services.iter().find(|service| service.name == one.name).expect("the same ones");
            assert!(
                close(one.p_value, same.p_value) && close(one.severity, same.severity),
                "{one:?} {same:?}"
            );
            assert_eq!((one.affected, one.onset, one.state), (same.affected, same.onset, same.state));
            assert_eq!((one.recovered_at, one.recovery_seconds), (same.recovered_at, same.recovery_seconds));
        }
        for one in &plain.findings {
            let same = other.findings.iter().find(|finding| finding.key == one.key).expect("the same ones");
            assert!(close(one.p_value, same.p_value) && close(one.q_value, same.q_value), "{one:?} {same:?}");
            assert!(close(one.effect, same.effect), "{one:?} {same:?}");
            assert_eq!((one.direction, one.channel, one.onset), (same.direction, same.channel, same.onset));
        }
    }
}

/// How bad an outcome is; the inconclusive is neither better nor worse.
fn badness(outcome: Outcome) -> Option<u8> {
    match outcome {
        Outcome::Pass => Some(0),
        Outcome::Warn => Some(1),
        Outcome::Fail => Some(2),
        Outcome::Inconclusive => None,
    }
}

/// What a verdict says of one service and one of its series.
#[derive(Debug)]
struct Said {
    outcome: Outcome,
    service_p: f64,
    severity: f64,
    series_p: f64,
    effect: f64,
}

fn said(verdict: &Verdict, service: &str, key: &SeriesKey) -> Said {
    let of_service = verdict.services.iter().find(|one| one.name == service).expect("every service is told");
    let finding = verdict.findings.iter().find(|finding| finding.key == *key);
    Said {
        outcome: verdict.outcome,
        service_p: of_service.p_value,
        severity: of_service.severity,
        series_p: finding.map_or(1.0, |finding| finding.p_value),
        effect: finding.map_or(0.0, |finding| finding.effect.abs()),
    }
}

#[test]
fn a_larger_effect_is_never_less_certain_less_severe_or_better() {
    let service = "service-03";
    let mut failed = 0;
    for seed in 0..8 {
        let recipe = Recipe { hit: None, ..Recipe::default() };
        let (quiet, timeline) = (recipe.system(seed), recipe.timeline());
        let gauges = |series: &Series| series.key.service == service && series.kind == SeriesKind::Gauge;
        let key = quiet.iter().find(|one| gauges(one)).expect("a service has gauges").key.clone();
        let by_size: Vec<Said> = [0.0, 2.0, 4.0, 8.0, 16.0, 64.0]
            .into_iter()
            .map(|size| {
                let lifted = quiet
                    .iter()
                    .map(|one| if gauges(one) { raised(one, size, &timeline) } else { one.clone() });
                said(&judged(&[Block { series: lifted.collect() }], &timeline), service, &key)
            })
            .collect();
        for pair in by_size.windows(2) {
            let (less, more) = (&pair[0], &pair[1]);
            // Beyond one in a million nobody counts.
            assert!(more.service_p <= less.service_p.max(1e-6) * 1.000_001, "seed {seed}: {by_size:#?}");
            assert!(more.series_p <= less.series_p.max(1e-6) * 1.000_001, "seed {seed}: {by_size:#?}");
            assert!(more.severity >= less.severity - 1e-9, "seed {seed}: {by_size:#?}");
            assert!(more.effect >= less.effect * 0.999_999, "seed {seed}: {by_size:#?}");
            if let Some((less, more)) = badness(less.outcome).zip(badness(more.outcome)) {
                assert!(more >= less, "seed {seed}: {by_size:#?}");
            }
        }
        failed += usize::from(by_size.last().is_some_and(|most| most.outcome == Outcome::Fail));
    }
    assert_eq!(failed, 8, "the largest effect cannot be overlooked");
}

/// The series with its fault window higher by so many of its own standard deviations.
fn raised(series: &Series, size: f64, timeline: &Timeline) -> Series {
    let baseline = timeline.baseline();
    let before: Vec<f64> =
        series.between(baseline.from.ms(), baseline.to.ms()).map(|(_, value)| value).collect();
    let mean = before.iter().sum::<f64>() / before.len() as f64;
    let spread =
        (before.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / before.len() as f64).sqrt();
    let fault = timeline.fault();
    mapped(series, |ms, value| {
        let inside = (fault.from.ms()..fault.to.ms()).contains(&ms);
        (ms, if inside { value + size * spread } else { value })
    })
}
