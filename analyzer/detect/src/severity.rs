//! How badly was a service hit?
//!
//! In: its findings. Out: 0 to 100. Each kind of change counts once, by its largest relative change on a logarithmic
//! scale, weighed by what it is about; the sum saturates.

use std::collections::BTreeMap;

use crate::prepare::SHAPE;
use crate::semantics::{Concern, stem};
use crate::service::Judged;

/// A change by a factor of e³ ≈ 20 is as bad as it gets.
const WORST_LOG_RATIO: f64 = 3.0;
/// Something that appears or vanishes, restarts, or leaves zero, has no ratio: it counts as a doubling or halving.
const WITHOUT_RATIO: f64 = std::f64::consts::LN_2;
/// Errors at their worst make two thirds of the scale: 100 (1 - e^(-9/8)) = 68.
const SCALE: f64 = 8.0;

/// The severity of these findings, 0 to 100.
pub(crate) fn severity(findings: &[Judged]) -> f64 {
    let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
    for finding in findings {
        let metric = &finding.score.key.metric;
        let weighed = Concern::of(metric).weight() * log_ratio(finding).min(WORST_LOG_RATIO);
        let kind = kinds.entry(stem(metric)).or_default();
        *kind = kind.max(weighed);
    }
    100.0 * (1.0 - (-kinds.values().sum::<f64>() / SCALE).exp())
}

/// The size of the relative change, always positive.
pub(crate) fn log_ratio(judged: &Judged) -> f64 {
    if judged.score.restarts > 0 {
        return WITHOUT_RATIO;
    }
    // A share of observations that lie elsewhere is a change of all observations, not of the share.
    let part_of_all =
        |share: Option<f64>| if judged.score.measure == SHAPE { Some(1.0 + share?) } else { share };
    match (part_of_all(judged.score.baseline), part_of_all(judged.score.fault)) {
        (Some(before), Some(during)) if before * during > 0.0 => (during / before).ln().abs(),
        (Some(before), Some(during)) if (before - during).abs() < f64::MIN_POSITIVE => 0.0,
        _ => WITHOUT_RATIO,
    }
}
