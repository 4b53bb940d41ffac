//! The evidence in the words of the verdict. In: judged series and services. Out: findings, services, coverage.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{
    Channel, Coverage, Direction, Finding, GapCause, GapCount, Outcome, ServiceVerdict, Timestamp,
};

use super::hit::Hit;
use super::outcome::FAIL_AT;
use crate::detectors::presence::Presence;
use crate::load::{explained, is_told};
use crate::onset::{Onset, waves};
use crate::scores::Scores;
use crate::service::{Judged, Service};

/// A verdict lists at most this many findings: more than anyone reads, and few enough to send around.
const MOST_FINDINGS: usize = 500;

/// The findings, the strongest first, and what was cut: series that stand for themselves among all, and those that speak
/// for a service that was hit.
pub(super) fn findings(judged: &[Judged], services: &[Service], hits: &[Hit]) -> (Vec<Finding>, Vec<String>) {
    let hit: BTreeSet<&str> =
        hits.iter().filter(|hit| hit.affected || hit.suspicious).map(|hit| hit.name).collect();
    let speaks = |one: &&Judged| one.is_sign() && hit.contains(one.score.key.service.as_ref());
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
    let told = |log_change: f64| format!("{:+.0} %", 100.0 * log_change.exp_m1());
    let most = explained(log_change);
    let beyond = (most.abs() < log_change.abs())
        .then(|| format!("; only {} of it is explained away: the rest may look like a hit", told(most)));
    is_told(log_change).then(|| {
        format!(
            "the load changed by {} when the fault began; changes that such a load may explain do not count{}",
            told(log_change),
            beyond.unwrap_or_default()
        )
    })
}

/// A learned null that speaks only in part, in a sentence.
pub(super) fn learned_note(is_of_other_windows: bool) -> Option<String> {
    is_of_other_windows.then(|| {
        "the learned file was made of windows of other lengths, so it speaks only in part beside the placebo windows of \
         this baseline, and its false alarm rate is not that of this verdict; learn from windows with the baseline, fault \
         and step of the experiment"
            .to_owned()
    })
}

/// What to say where the system changed by more than chance, but nothing changed enough to matter; and where a failure
/// stands though many quiet windows of the system look as odd as a whole.
pub(super) fn moved_note(outcome: Outcome, p_value: Option<f64>) -> Option<String> {
    match (outcome, p_value?) {
        (Outcome::Pass, p_value) if p_value <= FAIL_AT => Some(format!(
            "the system moved by more than chance allows (p = {p_value:.1e}), but no metric by as much as matters"
        )),
        (Outcome::Fail, p_value) if p_value > FAIL_AT => Some(format!(
            "the failure rests on single services; as a whole the system is as odd as in some quiet windows \
             (p = {p_value:.2})"
        )),
        _ => None,
    }
}

/// How often a quiet system fails by the word of one such metric, as the bench `false_alarms` counts it over ten scenarios
/// of 12 services and 16 series each (`docs/decisions/0008-expectations-and-sensitivity.md`).
const LONE_METRIC_ALARMS: &str = "5 of 2,250 made-up quiet systems failed so";

/// Whether a failure rests on services of which a single metric speaks, in a sentence.
pub(super) fn lone_metric_note(outcome: Outcome, hits: &[Hit]) -> Option<String> {
    let failing: Vec<&Hit> = hits.iter().filter(|hit| hit.affected && !hit.expected).collect();
    let alone = !failing.is_empty() && failing.iter().all(|hit| hit.rests_on_one_metric);
    (outcome == Outcome::Fail && alone).then(|| {
        let names: Vec<&str> = failing.iter().map(|hit| hit.name).collect();
        format!(
            "that {} changed unexpectedly rests on one metric alone, which users feel, without a second one beside it; \
             {LONE_METRIC_ALARMS}, and aftermath calibrate counts them on this system",
            names.join(", ")
        )
    })
}

fn finding(judged: &Judged) -> Finding {
    let score = judged.score;
    let direction = match score.presence {
        Presence::Vanished => Direction::Vanished,
        Presence::Appeared => Direction::Appeared,
        Presence::Steady | Presence::Patchy if judged.strength < 0.0 => Direction::Down,
        Presence::Steady | Presence::Patchy => Direction::Up,
    };
    let at = |ms: i64| Timestamp::from_ms(ms).ok();
    let detail = judged.side().and_then(|side| side.detail.as_ref());
    Finding {
        key: score.key.to_series_key(),
        measure: score.measure,
        channel: judged.channel,
        direction,
        restarts: score.restarts,
        effect: f64::from(judged.side().map_or(score.effect, |side| side.effect)),
        baseline: detail.map_or(score.baseline, |detail| Some(detail.baseline)),
        fault: detail.map_or(score.fault, |detail| Some(detail.fault)),
        p_value: judged.p_value,
        q_value: judged.q_value,
        onset: judged.onset().and_then(|onset| at(onset.at)),
        recovered_at: judged.back_ms().and_then(at),
    }
}

/// The affected services in the order in which they were reached, as far as it can be told.
pub(super) fn propagation(hits: &[Hit]) -> Vec<Vec<String>> {
    let mut dated: Vec<(&str, Onset)> = hits
        .iter()
        .filter_map(|hit| Some((hit.name, hit.onset?)))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    dated.sort_unstable_by_key(|&(name, _)| name);
    let onsets: Vec<Onset> = dated.iter().map(|&(_, onset)| onset).collect();
    let named = |wave: Vec<usize>| wave.into_iter().map(|index| dated[index].0.to_owned()).collect();
    waves(&onsets).into_iter().map(named).collect()
}

pub(super) fn services(hits: &[Hit]) -> Vec<ServiceVerdict> {
    let at = |ms: i64| Timestamp::from_ms(ms).ok();
    hits.iter()
        .map(|hit| ServiceVerdict {
            name: hit.name.to_owned(),
            affected: hit.affected,
            expected: hit.expected,
            p_value: hit.p_value,
            severity: if hit.affected { hit.severity } else { 0.0 },
            onset: hit.onset.and_then(|onset| at(onset.at)),
            onset_interval: hit.onset.and_then(|onset| at(onset.from).zip(at(onset.to))),
            recovered_at: hit.recovered_at,
            recovery_seconds: hit.recovery_seconds,
            state: hit.state,
            watch_longer_seconds: hit.watch_longer_seconds,
            overshoot: hit.overshoot.clone(),
            rests_on_one_metric: hit.rests_on_one_metric,
            detectable: hit.detectable.clone(),
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
