//! How often would this system raise a false alarm? Judges many quiet windows as if a fault had been there.
//!
//! In: an evidence file in which nothing happened, the lengths of the windows. Out: a [`Calibration`].

use std::collections::BTreeMap;

use aftermath_baselines::Evidence;
use aftermath_detect::Proportion;
use aftermath_model::{Expectations, LearnedNull, Outcome, ReasonId, Timeline, Timestamp, Verdict, Window};

use crate::failure::Failure;
use crate::progress::Progress;
use crate::score::score_file;

/// The lengths of the windows that are judged, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The baseline.
    pub baseline_ms: i64,
    /// The pretended fault.
    pub fault_ms: i64,
    /// The pretended recovery; 0 for none.
    pub recovery_ms: i64,
    /// From the beginning of one set of windows to the beginning of the next.
    pub every_ms: i64,
}

/// What quiet windows showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How many windows were judged.
    pub windows: usize,
    /// How many of them share no sample with each other: what is known rests on these.
    pub independent_windows: usize,
    /// How often each verdict was given.
    pub outcomes: Vec<(Outcome, Proportion)>,
    /// How often a fail rested on services of which one metric alone spoke, one that users feel.
    pub failed_on_one_metric: Proportion,
    /// How often each service was said to be hit, the worst first; services that never were are left out.
    pub services: Vec<(String, Proportion)>,
    /// How often each metric of a service was a finding, the worst first, at most [`WORST_METRICS`].
    pub metrics: Vec<(String, String, Proportion)>,
    /// How often each reason was given for a verdict other than pass.
    pub reasons: Vec<(ReasonId, usize)>,
    /// The same of those that were inconclusive.
    pub inconclusive: Vec<(ReasonId, usize)>,
    /// What to change, in sentences.
    pub advice: Vec<String>,
}

/// As many metrics as a person looks through.
pub const WORST_METRICS: usize = 10;
/// A false alarm rate of the verdict fail above this calls for a change: what a verdict promises.
const PROMISED_FAIL_RATE: f64 = 0.02;
/// So many inconclusive verdicts make the windows useless for a pipeline.
const TOLERABLE_INCONCLUSIVE_RATE: f64 = 0.10;
/// Below so many independent windows a rate of 2 % cannot be told from 0: the interval of 0 hits ends above it.
const FEW_WINDOWS: usize = 180;

/// Every set of windows of this shape inside `extent`, as if a fault had begun in each. Sets that touch an excluded
/// stretch are left out.
#[must_use]
pub fn quiet_timelines(extent: Window, shape: Shape, exclude: &[Window], step_ms: i64) -> Vec<Timeline> {
    let length_ms = shape.baseline_ms + shape.fault_ms + shape.recovery_ms;
    let mut timelines = Vec::new();
    let mut from = extent.from;
    while from.plus_ms(length_ms) <= extent.to {
        let whole = Window { from, to: from.plus_ms(length_ms) };
        if !exclude.iter().any(|other| other.overlaps(whole)) {
            timelines.extend(timeline(from, shape, step_ms));
        }
        from = from.plus_ms(shape.every_ms.max(1));
    }
    timelines
}

fn timeline(from: Timestamp, shape: Shape, step_ms: i64) -> Option<Timeline> {
    let begun = from.plus_ms(shape.baseline_ms);
    let ended = begun.plus_ms(shape.fault_ms);
    let recovery = Window::new(ended, ended.plus_ms(shape.recovery_ms));
    Timeline::new(Window::new(from, begun)?, Window::new(begun, ended)?, recovery, Vec::new(), step_ms).ok()
}

/// Judges a file in each of the timelines.
///
/// # Errors
/// A [`Failure`] when the file cannot be read.
pub fn judge_quiet(
    file: &Evidence,
    timelines: &[Timeline],
    learned: Option<&LearnedNull>,
    progress: &Progress,
) -> Result<Vec<Verdict>, Failure> {
    let mut verdicts = Vec::with_capacity(timelines.len());
    for (index, timeline) in timelines.iter().enumerate() {
        progress.tick(&format!("judging quiet window {} of {}", index + 1, timelines.len()));
        let scores = score_file(file, timeline)?;
        verdicts.push(aftermath_detect::judge(&scores, timeline, &Expectations::default(), learned, false));
    }
    Ok(verdicts)
}

/// What the verdicts of quiet windows say about the false alarm rate. `independent_windows` of them share no sample.
#[must_use]
pub fn summarise(verdicts: &[Verdict], independent_windows: usize) -> Calibration {
    let windows = verdicts.len();
    let (mut services, mut metrics, mut reasons) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut inconclusive = BTreeMap::new();
    for verdict in verdicts {
        for service in verdict.services.iter().filter(|service| service.affected) {
            *services.entry(service.name.clone()).or_insert(0) += 1;
        }
        let mut found: Vec<_> = verdict
            .findings
            .iter()
            .map(|finding| (finding.key.service.clone(), finding.key.metric.clone()))
            .collect();
        found.sort();
        found.dedup();
        for metric in found {
            *metrics.entry(metric).or_insert(0) += 1;
        }
        for reason in verdict.reasons.iter().filter(|_| verdict.outcome != Outcome::Pass) {
            *reasons.entry(reason.id).or_insert(0) += 1;
            if verdict.outcome == Outcome::Inconclusive {
                *inconclusive.entry(reason.id).or_insert(0) += 1;
            }
        }
    }
    let proportion = |hits| Proportion::of_dependent(hits, windows, independent_windows);
    let outcomes = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Inconclusive].map(|outcome| {
        let hits = verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
        (outcome, proportion(hits))
    });
    let mut metrics: Vec<(String, String, Proportion)> = worst_first(metrics)
        .into_iter()
        .map(|((service, metric), hits)| (service, metric, proportion(hits)))
        .collect();
    metrics.truncate(WORST_METRICS);
    let mut calibration = Calibration {
        windows,
        independent_windows,
        outcomes: outcomes.to_vec(),
        failed_on_one_metric: proportion(
            verdicts.iter().filter(|verdict| failed_on_one_metric(verdict)).count(),
        ),
        services: worst_first(services)
            .into_iter()
            .map(|(service, hits)| (service, proportion(hits)))
            .collect(),
        metrics,
        reasons: worst_first(reasons),
        inconclusive: worst_first(inconclusive),
        advice: Vec::new(),
    };
    calibration.advice = advice(&calibration);
    calibration
}

/// Whether a fail rests on services of which one metric alone speaks, one that users feel.
fn failed_on_one_metric(verdict: &Verdict) -> bool {
    let mut hit = verdict.services.iter().filter(|service| service.affected);
    verdict.outcome == Outcome::Fail && hit.all(|service| service.rests_on_one_metric)
}

fn worst_first<K: Ord>(counts: BTreeMap<K, usize>) -> Vec<(K, usize)> {
    let mut sorted: Vec<(K, usize)> = counts.into_iter().collect();
    sorted.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    sorted
}

/// How many of these timelines share no time with one before them.
#[must_use]
pub fn independent(timelines: &[Timeline]) -> usize {
    let mut free_from: Option<Timestamp> = None;
    let mut count = 0;
    for span in timelines.iter().map(Timeline::span) {
        if free_from.is_none_or(|free| span.from >= free) {
            count += 1;
            free_from = Some(span.to);
        }
    }
    count
}

impl Calibration {
    /// How often a verdict was given.
    #[must_use]
    pub fn rate(&self, outcome: Outcome) -> Proportion {
        let found = self.outcomes.iter().find(|(other, _)| *other == outcome);
        found.map_or_else(|| Proportion::of(0, self.windows), |(_, proportion)| *proportion)
    }
}

fn advice(calibration: &Calibration) -> Vec<String> {
    let mut advice = Vec::new();
    let above = |outcome, limit| calibration.rate(outcome).rate().is_some_and(|rate| rate > limit);
    if calibration.independent_windows < FEW_WINDOWS {
        advice.push(format!(
            "only {} windows are independent of each other: the rates are rough; read a longer stretch",
            calibration.independent_windows
        ));
    }
    if above(Outcome::Fail, PROMISED_FAIL_RATE) {
        advice.push(
            "quiet windows fail too often: give `aftermath learn` such windows and judge with --learned, or make the \
             baseline longer"
                .to_owned(),
        );
        if let Some((service, metric, proportion)) = calibration.metrics.first() {
            advice.push(format!(
                "{metric} of {service} alone moved in {} of {} quiet windows: see whether it belongs to a job that \
                 runs now and then, and leave it out with --match",
                proportion.hits, proportion.trials
            ));
        }
    }
    if above(Outcome::Inconclusive, TOLERABLE_INCONCLUSIVE_RATE) {
        let causes: Vec<&str> = calibration.inconclusive.iter().take(3).map(|(id, _)| id.as_str()).collect();
        advice.push(format!(
            "too many windows are inconclusive ({}); the page of each reason says what helps, mostly a longer baseline",
            causes.join(", ")
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { baseline_ms: 60_000, fault_ms: 20_000, recovery_ms: 20_000, every_ms: 50_000 };

    fn window(from_ms: i64, to_ms: i64) -> Window {
        let at = |ms| Timestamp::from_ms(ms).unwrap();
        Window::new(at(from_ms), at(to_ms)).unwrap()
    }

    #[test]
    fn windows_of_the_shape_fill_the_extent() {
        let timelines = quiet_timelines(window(0, 200_000), SHAPE, &[], 1_000);
        let starts: Vec<i64> = timelines.iter().map(|timeline| timeline.baseline().from.ms()).collect();
        assert_eq!(starts, [0, 50_000, 100_000]);
        assert_eq!(timelines[2].span(), window(100_000, 200_000));
        assert_eq!(independent(&timelines), 2);
    }

    #[test]
    fn a_shape_without_recovery_has_none() {
        let shape = Shape { recovery_ms: 0, ..SHAPE };
        let timelines = quiet_timelines(window(0, 80_000), shape, &[], 1_000);
        assert_eq!(timelines.len(), 1);
        assert_eq!(timelines[0].recovery(), None);
    }

    #[test]
    fn windows_that_touch_an_excluded_stretch_are_left_out() {
        let timelines = quiet_timelines(window(0, 200_000), SHAPE, &[window(120_000, 121_000)], 1_000);
        let starts: Vec<i64> = timelines.iter().map(|timeline| timeline.baseline().from.ms()).collect();
        assert_eq!(starts, [0]);
    }

    #[test]
    fn an_extent_that_is_too_short_holds_no_window() {
        assert_eq!(quiet_timelines(window(0, 99_999), SHAPE, &[], 1_000), []);
        assert_eq!(independent(&[]), 0);
    }
}
