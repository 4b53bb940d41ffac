//! From the nouns of the model to the report.

use std::collections::BTreeMap;

use aftermath_model::{
    Channel, CheckOutcome, Coverage, Direction, Experiment, Finding, GapCause, GapCount, Outcome, Provenance,
    RecoveryState, ServiceVerdict, SystemEvidence, Timeline, Timestamp, Verdict,
};

use super::report::{
    ChartEntry, CheckEntry, CoverageEntry, DirectionWord, FindingEntry, GapEntry, Moment, OriginEntry,
    ProvenanceEntry, REPORT_VERSION, ReasonEntry, Report, ServiceEntry, ServiceState, SourceEntry,
    SystemEntry, VerdictWord, Windows,
};

/// The course of one series, thinned out for drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartSeries {
    /// The service; empty when no label tells.
    pub service: String,
    /// The metric, named as in its finding.
    pub metric: String,
    /// Its labels, as in its finding.
    pub labels: BTreeMap<String, String>,
    /// What is drawn of it, as in its finding: `value`, `per second`, `mean`, `p99`.
    pub measure: String,
    /// `(milliseconds since the epoch, value)` in order of time; at most a few hundred.
    pub points: Vec<(i64, f64)>,
}

impl Report {
    /// The report of a verdict. `charts` holds the series worth drawing, already thinned out.
    #[must_use]
    pub fn new(
        verdict: &Verdict,
        experiment: &Experiment,
        provenance: &Provenance,
        charts: Vec<ChartSeries>,
    ) -> Self {
        let Experiment { timeline, expectations, checks } = experiment;
        Self {
            report_version: REPORT_VERSION,
            verdict: verdict_word(verdict.outcome),
            score: score(verdict),
            reasons: reasons(verdict),
            system: system(&verdict.system),
            windows: windows(timeline),
            target: expectations.target.clone(),
            expected: expectations.expected.iter().cloned().collect(),
            services: verdict.services.iter().map(service).collect(),
            origin: origin(verdict),
            findings: verdict.findings.iter().map(finding).collect(),
            coverage: coverage(&verdict.coverage, &provenance.unread),
            limits: limits(&verdict.limits, &provenance.notes),
            checks: checks.iter().map(check).collect(),
            charts: charts.into_iter().map(chart).collect(),
            provenance: provenance_entry(provenance),
        }
    }
}

/// Digits kept of a number that a statistic produced: more would only show the order of summation.
const DERIVED_DIGITS: usize = 6;

/// Digits kept of a measured number: enough for a time since the epoch in milliseconds.
const MEASURED_DIGITS: usize = 13;

fn derived(value: f64) -> Option<f64> {
    rounded(value, DERIVED_DIGITS)
}

fn measured(value: f64) -> Option<f64> {
    rounded(value, MEASURED_DIGITS)
}

/// `value` to `digits` significant digits, without a negative zero; `None` if it is not finite.
fn rounded(value: f64, digits: usize) -> Option<f64> {
    let text = format!("{value:.precision$e}", precision = digits - 1);
    text.parse().ok().filter(|rounded: &f64| rounded.is_finite()).map(|rounded| rounded + 0.0)
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn moment(at: Option<Timestamp>) -> Option<Moment> {
    at.map(Moment)
}

fn verdict_word(outcome: Outcome) -> VerdictWord {
    match outcome {
        Outcome::Pass => VerdictWord::Pass,
        Outcome::Warn => VerdictWord::Warn,
        Outcome::Fail => VerdictWord::Fail,
        Outcome::Inconclusive => VerdictWord::Inconclusive,
    }
}

/// No verdict has no score: a number would be read as an answer.
fn score(verdict: &Verdict) -> Option<f64> {
    match verdict.outcome {
        Outcome::Pass | Outcome::Warn | Outcome::Fail => derived(verdict.score),
        Outcome::Inconclusive => None,
    }
}

/// Everything that limits the verdict in one list: what the judgement cut, and what the source noted while reading.
fn limits(of_judgement: &[String], of_source: &[String]) -> Vec<String> {
    let mut limits: Vec<String> = Vec::new();
    for limit in of_judgement.iter().chain(of_source) {
        if !limits.contains(limit) {
            limits.push(limit.clone());
        }
    }
    limits
}

fn reasons(verdict: &Verdict) -> Vec<ReasonEntry> {
    let entry = |reason: &aftermath_model::Reason| ReasonEntry {
        id: reason.id.as_str().to_owned(),
        text: reason.text.clone(),
    };
    verdict.reasons.iter().map(entry).collect()
}

fn system(evidence: &SystemEvidence) -> SystemEntry {
    SystemEntry {
        p_value: evidence.p_value.and_then(derived),
        placebo_windows: evidence.placebo_windows,
        false_alarm_rate: evidence.false_alarm_rate.and_then(derived),
        false_alarm_basis: evidence.false_alarm_basis.clone(),
    }
}

fn windows(timeline: &Timeline) -> Windows {
    Windows {
        baseline: timeline.baseline().into(),
        fault: timeline.fault().into(),
        recovery: timeline.recovery().map(Into::into),
        exclude: timeline.exclude().iter().copied().map(Into::into).collect(),
        step_seconds: seconds(timeline.step_ms()),
    }
}

fn service(service: &ServiceVerdict) -> ServiceEntry {
    ServiceEntry {
        name: service.name.clone(),
        affected: service.affected,
        expected: service.expected,
        p_value: derived(service.p_value),
        severity: derived(service.severity),
        onset: moment(service.onset),
        recovered_at: moment(service.recovered_at),
        recovery_seconds: service.recovery_seconds.and_then(derived),
        state: match service.state {
            RecoveryState::Unaffected => ServiceState::Unaffected,
            RecoveryState::Recovered => ServiceState::Recovered,
            RecoveryState::NotRecovered => ServiceState::NotRecovered,
            RecoveryState::CannotTell => ServiceState::CannotTell,
        },
    }
}

fn origin(verdict: &Verdict) -> Vec<OriginEntry> {
    let entry = |candidate: &aftermath_model::OriginCandidate| OriginEntry {
        service: candidate.service.clone(),
        score: derived(candidate.score),
    };
    verdict.origin.iter().map(entry).collect()
}

fn finding(finding: &Finding) -> FindingEntry {
    FindingEntry {
        metric: finding.key.metric.clone(),
        labels: finding.key.labels.clone(),
        service: finding.key.service.clone(),
        measure: finding.measure.to_owned(),
        channel: match finding.channel {
            Channel::Level => "level",
            Channel::Presence => "presence",
            Channel::Pattern => "pattern",
        }
        .to_owned(),
        direction: match finding.direction {
            Direction::Up => DirectionWord::Up,
            Direction::Down => DirectionWord::Down,
            Direction::Appeared => DirectionWord::Appeared,
            Direction::Vanished => DirectionWord::Vanished,
        },
        effect: derived(finding.effect),
        baseline: finding.baseline.and_then(measured),
        fault: finding.fault.and_then(measured),
        p_value: derived(finding.p_value),
        q_value: derived(finding.q_value),
        onset: moment(finding.onset),
        recovered_at: moment(finding.recovered_at),
    }
}

/// What was judged of everything that the source has: the series that were read, and those that could not be.
fn coverage(coverage: &Coverage, unread: &[GapCount]) -> CoverageEntry {
    let mut gaps: BTreeMap<GapCause, usize> = BTreeMap::new();
    for gap in coverage.gaps.iter().chain(unread) {
        *gaps.entry(gap.cause).or_default() += gap.series;
    }
    let entry = |(cause, series): (GapCause, usize)| GapEntry { cause: cause.as_str().to_owned(), series };
    CoverageEntry {
        series: coverage.series + unread.iter().map(|gap| gap.series).sum::<usize>(),
        judged: coverage.judged,
        gaps: gaps.into_iter().map(entry).collect(),
    }
}

fn check(check: &CheckOutcome) -> CheckEntry {
    CheckEntry { name: check.name.clone(), passed: check.passed, detail: check.detail.clone() }
}

fn chart(chart: ChartSeries) -> ChartEntry {
    ChartEntry {
        service: chart.service,
        metric: chart.metric,
        labels: chart.labels,
        measure: chart.measure,
        points: chart.points.into_iter().map(|(ms, value)| (ms, measured(value))).collect(),
    }
}

fn provenance_entry(provenance: &Provenance) -> ProvenanceEntry {
    ProvenanceEntry {
        aftermath_version: provenance.aftermath_version.clone(),
        source: SourceEntry {
            kind: provenance.source.kind.clone(),
            address: provenance.source.address.clone(),
            version: provenance.source.version.clone(),
        },
        selectors: provenance.selectors.clone(),
        service_labels: provenance.service_labels.clone(),
        window: provenance.window.into(),
        step_seconds: seconds(provenance.step_ms),
        notes: provenance.notes.clone(),
        partial: provenance.partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_significant_digits_and_nothing_more() {
        let cases = [
            (0.123_456_789, Some(0.123_457)),
            (1.234_567_8e-12, Some(1.234_57e-12)),
            (-0.0, Some(0.0)),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (f64::NEG_INFINITY, None),
        ];
        for (value, expected) in cases {
            assert_eq!(derived(value), expected, "{value}");
        }
        assert!(derived(-0.0).is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn what_the_source_noted_stands_once_among_the_limits() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let limits = limits(&texts(&["cut", "both"]), &texts(&["both", "warning", "warning"]));
        assert_eq!(limits, ["cut", "both", "warning"]);
    }

    #[test]
    fn no_verdict_has_no_score_even_where_a_number_was_computed() {
        assert_eq!(crate::export::samples::target_unmoved().score, None);
        assert_eq!(crate::export::samples::quiet().score, Some(100.0));
    }

    #[test]
    fn a_time_since_the_epoch_survives_with_its_milliseconds() {
        assert_eq!(measured(1_709_624_232.007), Some(1_709_624_232.007));
    }
}
