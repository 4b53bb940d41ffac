//! Did the load change, and what would that alone have done to each series?
//!
//! In: the request rates of all services, before and during. Out: the logarithm of the change of the load that they
//! share, and statistics from which it is taken out. How strongly a series follows the load is not known after a
//! short baseline, so it is not estimated but averaged over: an elasticity of .35 ± .6 (detection plan, S2), whose
//! uncertainty widens the error, unless quiet windows taught more ([`crate::habits`]). Subtracting an estimated elasticity instead fails (87 % false alarms there).

use std::collections::BTreeMap;

use crate::detectors::level::{LEAST_SHARE, is_graded};
use crate::habits::Expected;
use crate::math::median_in_place;
use crate::scores::SeriesScore;
use crate::scores::side::SideScore;
use crate::semantics::counts_requests;

/// By what share a series follows a change of the load, on average over telemetry.
pub(crate) const ELASTICITY: f64 = 0.35;
/// How much that differs from series to series: one standard deviation.
pub(crate) const ELASTICITY_SPREAD: f64 = 0.6;
/// A load that changes by more than half within one experiment is no swing of the load but an event: what goes beyond
/// is not explained away. (The plan asks for calm under steps of a fifth.)
const MOST_EXPLAINED: f64 = 1.5;
/// Fewer services than this have no load in common that a median could tell from a hit.
const LEAST_SERVICES: usize = 3;

/// The natural logarithm of the change of the shared load: the median over services, so that it takes more than half of
/// them to be hit before their own change is taken for that of the load. 0 where too few of them count requests.
pub(crate) fn change(series: &[&SeriesScore]) -> f64 {
    let mut by_service: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for score in series.iter().filter(|score| counts_requests(&score.key.metric)) {
        if let (Some(before), Some(during)) = (score.baseline, score.fault)
            && before > 0.0
            && during > 0.0
        {
            by_service.entry(&score.key.service).or_default().push((during / before).ln());
        }
    }
    if by_service.len() < LEAST_SERVICES {
        return 0.0;
    }
    let mut of_services: Vec<f64> = by_service.values_mut().map(|changes| median_in_place(changes)).collect();
    median_in_place(&mut of_services)
}

/// As much of that change as is explained away.
pub(crate) fn explained(log_change: f64) -> f64 {
    log_change.clamp(-MOST_EXPLAINED.ln(), MOST_EXPLAINED.ln())
}

/// Whether a change of the load is large enough to be told (its logarithm is given): as large as a change that matters.
pub(crate) fn is_told(log_change: f64) -> bool {
    log_change.exp_m1().abs() >= LEAST_SHARE
}

/// What the change of the load is expected to do to the statistic of a series of which nothing was learned.
pub(crate) fn expected(score: &SeriesScore, load: f64) -> Expected {
    let per_elasticity = f64::from(score.per_load) * load;
    Expected { deviate: ELASTICITY * per_elasticity, variance: (ELASTICITY_SPREAD * per_elasticity).powi(2) }
}

/// The statistic of another kind than the level's, once the load has been allowed for.
pub(crate) fn adjusted_side(side: &SideScore, load: f64) -> f64 {
    let per_elasticity = f64::from(side.per_load) * load;
    let variance = (ELASTICITY_SPREAD * per_elasticity).powi(2);
    Expected { deviate: ELASTICITY * per_elasticity, variance }.left_of(f64::from(side.deviate))
}

/// The statistic of the fault window once the load has been allowed for.
pub(crate) fn adjusted(score: &SeriesScore, load: f64) -> f64 {
    let deviate = f64::from(score.deviate);
    if is_graded(deviate) { expected(score, load).left_of(deviate) } else { deviate }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(service: &str, before: f64, during: f64) -> SeriesScore {
        SeriesScore {
            measure: "per second",
            deviate: 4.0,
            effect: 4.0,
            per_load: 20.0,
            baseline: Some(before),
            fault: Some(during),
            ..SeriesScore::named("http_requests_total", service)
        }
    }

    #[test]
    fn a_change_that_most_services_share_is_load_and_that_of_one_is_not() {
        let all = [requests("a", 10.0, 12.0), requests("b", 50.0, 60.0), requests("c", 7.0, 0.7)];
        let load = change(&all.iter().collect::<Vec<_>>());
        assert!((load - 1.2_f64.ln()).abs() < 1e-12);
        assert!(
            change(&all[..2].iter().collect::<Vec<_>>()).abs() < f64::EPSILON,
            "two services share nothing"
        );
    }

    #[test]
    fn what_the_load_explains_is_not_certain_any_more() {
        let score = requests("a", 10.0, 12.0);
        assert!((adjusted(&score, 0.0) - 4.0).abs() < 1e-9);
        assert!(adjusted(&score, 0.2) < 1.5);
        assert!(adjusted(&score, -0.2) < 4.0, "a change against the load is less certain too");
    }
}
