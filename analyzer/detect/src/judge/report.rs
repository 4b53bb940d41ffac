//! The evidence in the words of the verdict. In: judged series and services. Out: findings, services, coverage.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{Channel, Coverage, Direction, Finding, GapCause, GapCount, ServiceVerdict, Timestamp};

use super::outcome::Hit;
use crate::detectors::level::LEAST_SHARE;
use crate::detectors::presence::Presence;
use crate::scores::Scores;
use crate::service::{Judged, Service};

/// A verdict lists at most this many findings: more than anyone reads, and few enough to send around.
const MOST_FINDINGS: usize = 500;

/// The findings, the strongest first, and what was cut: series that stand for themselves among all, and those that speak
/// for a service that was hit.
pub(super) fn findings(judged: &[Judged], services: &[Service], hits: &[Hit]) -> (Vec<Finding>, Vec<String>) {
    let hit: BTreeSet<&str> =
        hits.iter().filter(|hit| hit.affected || hit.suspicious).map(|hit| hit.name).collect();
    let speaks = |one: &&Judged| one.is_sign() && hit.contains(one.score.key.service.as_str());
    let mut found: Vec<&Judged> = judged.iter().filter(|one| one.is_finding() || speaks(one)).collect();
    found.sort_by(|a, b| {
        let stronger = b.strength.abs().total_cmp(&a.strength.abs());
        let name = (&a.score.key, a.score.measure).cmp(&(&b.score.key, b.score.measure));
        a.p_value.total_cmp(&b.p_value).then(stronger).then(name)
    });
    let mut limits = Vec::new();
    if found.len() > MOST_FINDINGS {
        limits.push(format!("{} findings; only the strongest {MOST_FINDINGS} are listed", found.len()));
        found.truncate(MOST_FINDINGS);
    }
    let mut findings: Vec<Finding> = found.into_iter().map(finding).collect();
    for service in services.iter().filter(|service| hit.contains(service.name)) {
        findings.extend(parts_of_pattern(service, judged));
    }
    findings.truncate(MOST_FINDINGS);
    (findings, limits)
}

/// The series that carry the pattern of a service of which no series is a sign by itself. Listing them beside signs too
/// doubled the share of false findings (decision 0006).
fn parts_of_pattern<'a>(service: &'a Service, judged: &'a [Judged]) -> impl Iterator<Item = Finding> + 'a {
    let alone = service.signs().next().is_none();
    let pattern = service.pattern.iter().filter(move |pattern| alone && pattern.is_sign());
    let parts = pattern.flat_map(|pattern| &pattern.carriers).map(|&index| &judged[index]);
    parts.filter(|part| !part.is_finding()).map(|part| Finding {
        channel: Channel::Pattern,
        p_value: service.p_value,
        q_value: service.q_value,
        ..finding(part)
    })
}

/// A change of the load that was large enough to matter, in a sentence.
pub(super) fn load_note(log_change: f64) -> Option<String> {
    let share = log_change.exp_m1();
    (share.abs() >= LEAST_SHARE).then(|| {
        format!(
            "the load changed by {:+.0} % when the fault began; changes that such a load may explain do not count",
            100.0 * share
        )
    })
}

fn finding(judged: &Judged) -> Finding {
    let score = judged.score;
    let (channel, direction) = match score.presence {
        Presence::Vanished => (Channel::Presence, Direction::Vanished),
        Presence::Appeared => (Channel::Presence, Direction::Appeared),
        Presence::Steady | Presence::Patchy if score.deviate < 0.0 => (Channel::Level, Direction::Down),
        Presence::Steady | Presence::Patchy => (Channel::Level, Direction::Up),
    };
    let at = |ms: i64| Timestamp::from_ms(ms).ok();
    Finding {
        key: score.key.clone(),
        measure: score.measure,
        channel,
        direction,
        effect: f64::from(score.effect),
        baseline: score.baseline,
        fault: score.fault,
        p_value: judged.p_value,
        q_value: judged.q_value,
        onset: score.onset_ms.and_then(at),
        recovered_at: score.recovery.at_ms.and_then(at),
    }
}

pub(super) fn services(hits: &[Hit]) -> Vec<ServiceVerdict> {
    hits.iter()
        .map(|hit| ServiceVerdict {
            name: hit.name.to_owned(),
            affected: hit.affected,
            expected: hit.expected,
            p_value: hit.p_value,
            severity: if hit.affected { hit.severity } else { 0.0 },
            onset: hit.onset,
            recovered_at: hit.recovered_at,
            recovery_seconds: hit.recovery_seconds,
            state: hit.state,
        })
        .collect()
}

pub(super) fn coverage(scores: &Scores) -> Coverage {
    let mut causes: BTreeMap<GapCause, usize> = BTreeMap::new();
    for gap in &scores.gaps {
        *causes.entry(gap.cause).or_default() += 1;
    }
    Coverage {
        series: scores.series_read(),
        judged: scores.series_read() - scores.gaps.len(),
        gaps: causes.into_iter().map(|(cause, series)| GapCount { cause, series }).collect(),
    }
}
