//! The rows of the tables, every name harmless and every number in words.

use crate::export::names;
use crate::export::numbers::{count, digits, probability};
use crate::export::report::{
    CheckEntry, DirectionWord, FindingEntry, GapEntry, ReasonEntry, Report, ServiceEntry, ServiceState,
};
use crate::export::story;

/// One reason.
pub(super) struct ReasonRow {
    pub(super) id: String,
    pub(super) text: String,
}

/// One service.
pub(super) struct ServiceRow {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) role_class: &'static str,
    pub(super) severity: String,
    /// The severity in whole per cent, for the length of a bar.
    pub(super) severity_percent: u8,
    pub(super) began: String,
    pub(super) recovered: String,
    pub(super) recovery_class: &'static str,
    pub(super) p_value: String,
}

/// One series that changed.
pub(super) struct FindingRow {
    pub(super) service: String,
    pub(super) series: String,
    pub(super) labels: String,
    pub(super) change: String,
    pub(super) factor: String,
    pub(super) arrow: &'static str,
    pub(super) effect: String,
    pub(super) lasted: String,
    pub(super) q_value: String,
}

/// One service that may have changed.
pub(super) struct DoubtfulRow {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) role_class: &'static str,
    /// Its strongest series, each with what happened to it.
    pub(super) evidence: Vec<FindingRow>,
    /// How many more series of it changed; may be empty.
    pub(super) more: String,
    pub(super) p_value: String,
}

/// One candidate for the origin.
pub(super) struct OriginRow {
    pub(super) service: String,
    pub(super) score: String,
    /// The score in whole per cent of the best one.
    pub(super) share_percent: u8,
}

/// One predefined check.
pub(super) struct CheckRow {
    pub(super) name: String,
    pub(super) passed: bool,
    pub(super) detail: String,
}

/// One cause for which series were not judged.
pub(super) struct GapRow {
    pub(super) cause: String,
    pub(super) series: String,
}

impl ReasonRow {
    pub(super) fn new(reason: &ReasonEntry) -> Self {
        Self { id: names::visible(&reason.id), text: names::visible(&reason.text) }
    }
}

/// How a service stands to what was foreseen: the word, and the class of its colour.
fn role(report: &Report, service: &ServiceEntry) -> (&'static str, &'static str) {
    let is_target = report.target.as_deref() == Some(service.name.as_str());
    match (is_target, service.expected, service.affected) {
        (true, _, _) => ("target", "expected"),
        (false, true, _) => ("expected", "expected"),
        (false, false, true) => ("unexpected", "unexpected"),
        (false, false, false) => ("", ""),
    }
}

const DOUBTFUL_FINDINGS: usize = 3;

/// Services that may have changed, each with its strongest series.
pub(super) fn may_have_changed(report: &Report) -> Vec<DoubtfulRow> {
    let groups = story::strongest(report, story::may_have_changed(report), DOUBTFUL_FINDINGS);
    let row = |(service, findings): story::Evidence| {
        let (role, role_class) = role(report, service);
        let more = story::findings_of(report, service).count() - findings.len();
        DoubtfulRow {
            name: names::service(&service.name),
            role,
            role_class,
            evidence: findings.into_iter().map(|finding| FindingRow::new(report, finding)).collect(),
            more: if more == 0 { String::new() } else { format!("and {more} more series") },
            p_value: probability(service.p_value),
        }
    };
    groups.into_iter().map(row).collect()
}

impl ServiceRow {
    pub(super) fn new(report: &Report, service: &ServiceEntry) -> Self {
        let (role, role_class) = role(report, service);
        let severity = service.severity.unwrap_or(0.0);
        Self {
            name: names::service(&service.name),
            role,
            role_class,
            severity: service.severity.map_or_else(|| "–".to_owned(), |severity| format!("{severity:.0}")),
            severity_percent: whole_percent(severity / 100.0),
            began: story::since_fault(report, service.onset),
            recovered: story::recovery(report, service),
            recovery_class: match service.state {
                ServiceState::NotRecovered => "bad",
                ServiceState::Recovered => "good",
                ServiceState::Unaffected | ServiceState::CannotTell => "",
            },
            p_value: probability(service.p_value),
        }
    }
}

/// A share of 1 in whole per cent, kept between 0 and 100.
fn whole_percent(share: f64) -> u8 {
    // In range: clamped to 0..=100, and a NaN becomes 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let percent = (share.clamp(0.0, 1.0) * 100.0).round() as u8;
    percent
}

impl FindingRow {
    pub(super) fn new(report: &Report, finding: &FindingEntry) -> Self {
        Self {
            service: names::service(&finding.service),
            series: story::measured(&finding.metric, "", &finding.measure),
            labels: names::label_set(&finding.labels),
            change: story::before_and_during(finding),
            factor: story::factor(finding),
            arrow: match finding.direction {
                DirectionWord::Up => "▲",
                DirectionWord::Down => "▼",
                DirectionWord::Appeared => "＋",
                DirectionWord::Vanished => "✕",
            },
            effect: finding.effect.map_or_else(|| "–".to_owned(), digits),
            lasted: story::lasted(report, finding),
            q_value: probability(finding.q_value),
        }
    }
}

const ORIGINS: usize = 5;

/// The likeliest origins, with bars in proportion to the best one.
pub(super) fn origin(report: &Report) -> Vec<OriginRow> {
    let origins = story::origins(report, ORIGINS);
    let best = origins.first().map_or(1.0, |(_, score)| *score);
    let row = |(service, score): (String, f64)| OriginRow {
        service,
        score: digits(score),
        share_percent: whole_percent(score / best),
    };
    origins.into_iter().map(row).collect()
}

impl CheckRow {
    pub(super) fn new(check: &CheckEntry) -> Self {
        Self {
            name: names::visible(&check.name),
            passed: check.passed,
            detail: names::visible(&check.detail),
        }
    }
}

impl GapRow {
    pub(super) fn new(gap: &GapEntry) -> Self {
        Self { cause: story::gap_cause(&gap.cause), series: count(gap.series, "series", "series") }
    }
}
