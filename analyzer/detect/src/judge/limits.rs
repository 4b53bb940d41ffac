//! Did every metric keep the limit that was set for it?
//!
//! In: limits in natural units, and the typical values of all series during the fault. Out: reasons. A limit is a fact
//! about values, not a test: whether a value is beyond it needs no null distribution.

use aftermath_model::{Bound, MetricLimit, Reason, ReasonId};

use crate::scores::{Scores, SeriesScore};
use crate::similar::similar;

/// What became of the limits: those that were broken, and those that nothing was measured for.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) broken: Vec<Reason>,
    pub(super) unmeasured: Vec<Reason>,
}

/// Holds every limit against what was measured during the fault.
pub(super) fn kept(limits: &[MetricLimit], scores: &Scores) -> Kept {
    let mut kept = Kept::default();
    for limit in limits {
        let measured: Vec<&SeriesScore> =
            scores.series.iter().filter(|score| is_of(limit, score) && score.fault.is_some()).collect();
        if measured.is_empty() {
            kept.unmeasured.push(unmeasured(limit, scores));
        }
        let broken = measured.into_iter().filter(|score| !limit.bound.holds(score.fault.unwrap_or(f64::NAN)));
        if let Some(worst) = worst(limit.bound, broken) {
            kept.broken.push(broken_by(limit, worst));
        }
    }
    kept
}

/// Limits that nothing was measured for, in sentences: also where the verdict has weightier reasons.
pub(super) fn unmeasured_notes(limits: &[MetricLimit], scores: &Scores) -> Vec<String> {
    kept(limits, scores).unmeasured.into_iter().map(|reason| reason.text).collect()
}

fn is_of(limit: &MetricLimit, score: &SeriesScore) -> bool {
    *score.key.service == *limit.service
        && *score.key.metric == *limit.metric
        && limit.measure.as_deref().is_none_or(|measure| measure == score.measure)
}

/// The series furthest beyond its bound.
fn worst<'a>(bound: Bound, broken: impl Iterator<Item = &'a SeriesScore>) -> Option<&'a SeriesScore> {
    let beyond = |score: &&SeriesScore| match bound {
        Bound::Below(_) => score.fault.unwrap_or(f64::INFINITY),
        Bound::Above(_) => -score.fault.unwrap_or(f64::NEG_INFINITY),
    };
    broken.max_by(|a, b| beyond(a).total_cmp(&beyond(b)).then(b.key.cmp(&a.key)))
}

fn broken_by(limit: &MetricLimit, worst: &SeriesScore) -> Reason {
    let value = worst.fault.map_or_else(String::new, |value| format!(" {value:.4}"));
    let before = match worst.baseline {
        Some(before) if !limit.bound.holds(before) => format!("; it was {before:.4} before it already"),
        Some(before) => format!("; it was {before:.4} before"),
        None => String::new(),
    };
    let text = format!("the limit {limit} was broken: typically{value} during the fault{before}");
    Reason { id: ReasonId::LimitExceeded, text }
}

fn unmeasured(limit: &MetricLimit, scores: &Scores) -> Reason {
    let of_service = || scores.series.iter().filter(|score| *score.key.service == *limit.service);
    let hint = if of_service().any(|score| *score.key.metric == *limit.metric) {
        let mut measures: Vec<&str> = of_service()
            .filter(|score| *score.key.metric == *limit.metric && score.fault.is_some())
            .map(|score| score.measure)
            .collect();
        measures.sort_unstable();
        measures.dedup();
        format!("; of this metric there is {}", measures.join(", "))
    } else {
        let metrics = of_service().map(|score| score.key.metric.as_ref());
        similar(&limit.metric, metrics).map_or_else(String::new, |names| format!("; did you mean {names}?"))
    };
    let text =
        format!("the limit {limit} cannot be checked: nothing was measured for it during the fault{hint}");
    Reason { id: ReasonId::LimitNotMeasured, text }
}
