//! How badly was a service hit?
//!
//! In: its findings. Out: 0 to 100. Each kind of change counts once, by its largest size on a logarithmic scale, weighed
//! by what it is about; the sum saturates. Sizes are in units that users feel: latency and everything else by the factor
//! of its change, errors by what they cost of an error budget, wherever a share of failed requests can be told.

use std::collections::BTreeMap;

use crate::prepare::SHAPE;
use crate::scores::SeriesScore;
use crate::semantics::{Concern, counts_requests, counts_successes, stem};
use crate::service::{Judged, Service};

/// A change by a factor of e³ ≈ 20 is as bad as it gets.
const WORST_LOG_RATIO: f64 = 3.0;
/// Something that appears or vanishes, restarts, or leaves zero, has no ratio: it counts as a doubling or halving.
const WITHOUT_RATIO: f64 = std::f64::consts::LN_2;
/// Errors at their worst make two thirds of the scale: 100 (1 - e^(-9/8)) = 68.
const SCALE: f64 = 8.0;
/// The share of requests that may fail: the budget of an objective of 99.9 %, the example of Google's Site Reliability
/// Workbook (2018), chapter 5, which pages at 14.4 budgets. The worst that counts is 19 budgets: e³ = 20 less the one
/// that may be spent.
const ERROR_BUDGET: f64 = 0.001;

/// The severity of these findings of a service, 0 to 100.
pub(crate) fn severity(findings: &[Judged], service: &Service) -> f64 {
    let requests = requests_per_second(service);
    let mut kinds: BTreeMap<String, f64> = BTreeMap::new();
    for finding in findings {
        let metric = &finding.score.key.metric;
        let size = budgets(finding.score, requests).unwrap_or_else(|| log_ratio(finding.score));
        let weighed = Concern::of(metric).weight() * size.min(WORST_LOG_RATIO);
        let kind = kinds.entry(stem(metric)).or_default();
        *kind = kind.max(weighed);
    }
    100.0 * (1.0 - (-kinds.values().sum::<f64>() / SCALE).exp())
}

/// The requests that a service was asked before the fault; `None` where no metric tells.
fn requests_per_second(service: &Service) -> Option<f64> {
    let asked = service.series.iter().map(|one| one.score);
    let asked = asked.filter(|score| score.measure == PER_SECOND && counts_requests(&score.key.metric));
    let most = asked.filter_map(|score| score.baseline).fold(0.0, f64::max);
    (most > 0.0).then_some(most)
}

/// The measure of a running total.
const PER_SECOND: &str = "per second";

/// By what factor the share of failed requests changed, on a logarithmic scale, when the budget is spent before and
/// during; always positive. `None` of what is no share of requests.
fn budgets(score: &SeriesScore, requests: Option<f64>) -> Option<f64> {
    let (before, during) = (score.baseline?, score.fault?);
    let failed = |value| failed_share(score, value, requests);
    Some(((failed(during)? + ERROR_BUDGET) / (failed(before)? + ERROR_BUDGET)).ln().abs())
}

fn failed_share(score: &SeriesScore, value: f64, requests: Option<f64>) -> Option<f64> {
    let metric = score.key.metric.to_ascii_lowercase();
    if Concern::of(&metric) != Concern::Errors {
        return None;
    }
    if score.measure == PER_SECOND {
        return Some((value / requests?).clamp(0.0, 1.0));
    }
    let share = if metric.contains("percent") {
        value / 100.0
    } else if metric.contains("ratio") {
        value
    } else {
        return None;
    };
    let failed = if counts_successes(&metric) { 1.0 - share } else { share };
    (0.0..=1.0).contains(&failed).then_some(failed)
}

/// The size of the relative change, always positive.
pub(crate) fn log_ratio(score: &SeriesScore) -> f64 {
    if score.restarts > 0 {
        return WITHOUT_RATIO;
    }
    // A share of observations that lie elsewhere is a change of all observations, not of the share.
    let part_of_all = |share: Option<f64>| if score.measure == SHAPE { Some(1.0 + share?) } else { share };
    match (part_of_all(score.baseline), part_of_all(score.fault)) {
        (Some(before), Some(during)) if before * during > 0.0 => (during / before).ln().abs(),
        (Some(before), Some(during)) if (before - during).abs() < f64::MIN_POSITIVE => 0.0,
        _ => WITHOUT_RATIO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(metric: &str, measure: &'static str, before: f64, during: f64) -> SeriesScore {
        SeriesScore {
            measure,
            deviate: 9.0,
            effect: 9.0,
            baseline: Some(before),
            fault: Some(during),
            ..SeriesScore::named(metric, "cart")
        }
    }

    /// The severity of a service of which these series changed, the first one being all that is held against it.
    fn severity_of(scores: &[SeriesScore]) -> f64 {
        let series: Vec<Judged> = scores.iter().map(Judged::certain).collect();
        let service = Service {
            name: "cart",
            p_value: 0.0,
            q_value: 0.0,
            series: series.clone(),
            trust: 0.0,
            pattern: None,
        };
        severity(&series[..1], &service)
    }

    #[test]
    fn a_larger_change_is_never_less_severe() {
        let asked = changed("http_requests_total", "per second", 100.0, 100.0);
        let cases: [(&str, &'static str, f64, &[f64]); 5] = [
            ("latency_seconds", "p99", 0.1, &[0.11, 0.2, 0.5, 3.0, 90.0]),
            ("error_ratio", "value", 0.001, &[0.002, 0.01, 0.2, 0.9]),
            ("success_ratio", "value", 0.999, &[0.99, 0.9, 0.5, 0.0]),
            ("errors_total", "per second", 0.0, &[0.1, 1.0, 5.0, 90.0]),
            ("memory_bytes", "value", 1e6, &[2e6, 3e6, 4e7]),
        ];
        for (metric, measure, before, during) in cases {
            let of = |&value: &f64| severity_of(&[changed(metric, measure, before, value), asked.clone()]);
            let severities: Vec<f64> = during.iter().map(of).collect();
            assert!(severities.windows(2).all(|pair| pair[0] <= pair[1]), "{metric}: {severities:?}");
            assert!(
                severities[0] > 0.0 && severities.iter().all(|&it| it <= 100.0),
                "{metric}: {severities:?}"
            );
        }
    }

    #[test]
    fn errors_weigh_by_the_budget_that_they_cost_and_not_by_a_factor_of_nearly_nothing() {
        let of = |before, during| severity_of(&[changed("error_ratio", "value", before, during)]);
        assert!(of(1e-7, 1e-5) < 2.0, "a hundred times nothing is nothing: {}", of(1e-7, 1e-5));
        assert!((of(0.0, 0.001) - 100.0 * (1.0 - (-3.0 * 2.0_f64.ln() / 8.0).exp())).abs() < 1e-9);
        assert!((of(0.0, 0.05) - 67.5).abs() < 0.1, "fifty budgets are as bad as it gets");
    }

    #[test]
    fn errors_are_held_against_the_requests_of_their_service_where_those_are_counted() {
        let errors = changed("errors_total", "per second", 0.0, 0.1);
        let busy = changed("http_requests_total", "per second", 1000.0, 1000.0);
        let idle = changed("http_requests_total", "per second", 1.0, 1.0);
        let alone = severity_of(std::slice::from_ref(&errors));
        let (busy, idle) = (severity_of(&[errors.clone(), busy]), severity_of(&[errors, idle]));
        assert!(busy < alone && alone < idle, "{busy} {alone} {idle}");
    }
}
