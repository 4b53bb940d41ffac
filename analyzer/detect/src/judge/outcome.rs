//! Which of the four words, and why? In: the evidence of every service. Out: the outcome and its reasons.

use aftermath_model::{GapCause, Outcome, Reason, ReasonId, RecoveryState, Timestamp};

use super::Case;
use crate::cut::SHORTEST;
use crate::detectors::presence::Presence;
use crate::pattern::Pattern;
use crate::recovery::of_service;
use crate::scores::Scores;
use crate::service::{Judged, Service};
use crate::severity::severity;
use crate::steady::short_baseline;
use crate::windows::Plan;

/// A verdict of fail is wrong at most this often when nothing happened.
pub(crate) const FAIL_AT: f64 = 0.01;
/// A verdict of warn at most this often.
const WARN_AT: f64 = 0.05;
/// Beyond this share of series that cannot be judged the rest does not speak for the system.
const MOST_GAPS: f64 = 0.2;
/// A system most of whose series are too seldom there to be judged is not seen, whoever is to blame.
const MOST_SELDOM: f64 = 0.5;
/// When more than half of all series end together, the watching has ended rather than the system.
const MOST_VANISHED: f64 = 0.5;

/// One service, its evidence, and what follows from it.
pub(super) struct Hit<'a> {
    pub(super) name: &'a str,
    pub(super) affected: bool,
    pub(super) suspicious: bool,
    /// How many of its series are signs; a suspicious service without any is one for the pattern of its series alone.
    pub(super) signs: usize,
    pub(super) expected: bool,
    pub(super) p_value: f64,
    /// That of its signs, where it is affected or suspicious.
    pub(super) severity: f64,
    pub(super) onset: Option<Timestamp>,
    pub(super) recovered_at: Option<Timestamp>,
    pub(super) recovery_seconds: Option<f64>,
    pub(super) state: RecoveryState,
}

/// What follows for each service, the worst hit first.
pub(super) fn hits<'a>(case: &Case, services: &[Service<'a>]) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit> = services.iter().map(|service| hit(case, service)).collect();
    hits.sort_by(|a, b| {
        let worse = b.severity.total_cmp(&a.severity);
        (b.affected.cmp(&a.affected))
            .then(worse)
            .then(a.p_value.total_cmp(&b.p_value))
            .then(a.name.cmp(b.name))
    });
    hits
}

fn hit<'a>(case: &Case, service: &Service<'a>) -> Hit<'a> {
    let signs: Vec<Judged> = service.signs().copied().collect();
    let affected = service.q_value <= FAIL_AT && service.is_corroborated();
    let has_pattern = service.pattern.as_ref().is_some_and(Pattern::is_sign);
    let suspicious = service.q_value <= WARN_AT && (!signs.is_empty() || has_pattern);
    let (state, recovered_ms) = if affected {
        of_service(&signs.iter().map(|one| one.score.recovery).collect::<Vec<_>>())
    } else {
        (RecoveryState::Unaffected, None)
    };
    let at = |ms: i64| Timestamp::from_ms(ms).ok();
    let onset = signs.iter().filter_map(|one| one.score.onset_ms).min();
    Hit {
        name: service.name,
        affected,
        suspicious,
        signs: signs.len(),
        expected: case.expectations.foresees(service.name),
        p_value: service.p_value,
        severity: if affected || suspicious { severity(&signs) } else { 0.0 },
        onset: onset.filter(|_| affected).and_then(at),
        recovered_at: recovered_ms.and_then(at),
        recovery_seconds: recovered_ms.map(|ms| (ms - case.plan.fault.to.ms()).max(0) as f64 / 1000.0),
        state,
    }
}

/// What may have happened counts half as much as what did: it is as likely something as nothing.
const DOUBT: f64 = 0.5;
/// A warning scores at most this, however small the change that it warns of.
const BEST_WARNING: f64 = 99.0;

/// 100 when nothing unexpected happened, less by the severity of the worst unexpected hit: in full where it is certain,
/// by half where the signs are weak or it cannot be told whether an expected hit is over.
pub(super) fn score(outcome: Outcome, hits: &[Hit]) -> f64 {
    let weight = |hit: &Hit| match (hit.affected, hit.expected, hit.state) {
        (true, false, _) | (true, true, RecoveryState::NotRecovered) => 1.0,
        (true, true, RecoveryState::CannotTell) => DOUBT,
        (false, false, _) if hit.suspicious => DOUBT,
        _ => 0.0,
    };
    let lost = hits.iter().map(|hit| weight(hit) * hit.severity).fold(0.0, f64::max);
    if outcome == Outcome::Warn { (100.0 - lost).min(BEST_WARNING) } else { 100.0 - lost }
}

/// The verdict: what makes it impossible first, then what is worst.
pub(super) fn decide(case: &Case, hits: &[Hit]) -> (Outcome, Vec<Reason>) {
    let blind = blind(case);
    if !blind.is_empty() {
        return (Outcome::Inconclusive, blind);
    }
    let failures = failures(hits);
    if !failures.is_empty() {
        return (Outcome::Fail, failures);
    }
    let doubts = doubts(case, hits);
    if !doubts.is_empty() {
        return (Outcome::Inconclusive, doubts);
    }
    let warnings = warnings(hits);
    if !warnings.is_empty() {
        return (Outcome::Warn, warnings);
    }
    let hit: Vec<&str> = names(hits, |hit| hit.affected);
    let reason = if hit.is_empty() {
        Reason { id: ReasonId::NothingChanged, text: "no service changed more than chance allows".to_owned() }
    } else {
        let text = format!("only {} changed, as expected, and recovered", listed(&hit));
        Reason { id: ReasonId::OnlyExpectedImpact, text }
    };
    (Outcome::Pass, vec![reason])
}

/// What forbids any verdict.
fn blind(case: &Case) -> Vec<Reason> {
    let scores = case.scores;
    let mut reasons: Vec<Reason> = short_baseline(&case.plan, &scores.series).into_iter().collect();
    reasons.extend(short_fault(&case.plan));
    if reasons.is_empty() && scores.series.is_empty() {
        reasons.push(nothing_judged(scores));
    }
    let vanished = scores.series.iter().filter(|score| score.presence == Presence::Vanished).count();
    if vanished as f64 > MOST_VANISHED * scores.series.len() as f64 {
        let read = scores.series_read();
        let text = format!("{vanished} of {read} series fall silent during the fault: was it still watched?");
        reasons.push(Reason { id: ReasonId::NoData, text });
    }
    reasons
}

/// Whether the fault is shorter than any statement about it needs.
fn short_fault(plan: &Plan) -> Option<Reason> {
    let steps = plan.fault_steps();
    (steps < SHORTEST).then(|| Reason {
        id: ReasonId::FaultTooShort,
        text: format!(
            "the fault holds {steps} steps; at least {SHORTEST} are needed to tell a level from a blip"
        ),
    })
}

/// Why no series could be judged: the cause that most of them share.
fn nothing_judged(scores: &Scores) -> Reason {
    let read = scores.series_read();
    let most = |cause| 2 * count(scores, |gap| gap == cause) > read;
    let (id, why) = if most(GapCause::TooFewBaselineSamples) {
        (ReasonId::BaselineTooShort, ": most have too few samples before the fault")
    } else if most(GapCause::TooFewFaultSamples) {
        (ReasonId::FaultTooShort, ": most have too few samples during the fault")
    } else {
        (ReasonId::NoData, "")
    };
    Reason { id, text: format!("none of {read} series could be judged{why}") }
}

/// What forbids a pass, though not a fail: what was seen is bad enough whatever was not seen.
fn doubts(case: &Case, hits: &[Hit]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = case.unsteady.iter().cloned().collect();
    reasons.extend(gaps(case));
    if case.source_partial {
        let text = "the source said that its answer is not complete".to_owned();
        reasons.push(Reason { id: ReasonId::SourcePartial, text });
    }
    if let Some(target) = &case.expectations.target {
        let seen = hits.iter().any(|hit| hit.name == target && (hit.affected || hit.suspicious));
        if !seen {
            let text = format!("the target {target} shows no change, so the fault probably did nothing");
            reasons.push(Reason { id: ReasonId::TargetNotAffected, text });
        }
    }
    reasons
}

/// Whether too much could not be judged. Every cause counts but those of series that carry no measurement at all, and of
/// series that come so seldom by themselves that a longer watch is the only cure; unless that is most of the system.
fn gaps(case: &Case) -> Option<Reason> {
    let (scores, read) = (case.scores, case.scores.series_read());
    let beyond = |count: usize, share: f64| count as f64 > share * read as f64;
    let short_before = count(scores, |cause| cause == GapCause::TooFewBaselineSamples);
    let short_during = count(scores, |cause| cause == GapCause::TooFewFaultSamples);
    let seldom = count(scores, |cause| cause == GapCause::TooManyMissingSamples);
    let blind = count(scores, |cause| match cause {
        GapCause::Info | GapCause::TooManyMissingSamples => false,
        GapCause::TooFewBaselineSamples
        | GapCause::TooFewFaultSamples
        | GapCause::IncompleteHistogram
        | GapCause::NativeHistogram
        | GapCause::LimitReached => true,
    });
    if beyond(short_during, MOST_GAPS) {
        let text = format!("{short_during} of {read} series have too few samples during the fault");
        return Some(Reason { id: ReasonId::FaultTooShort, text });
    }
    if beyond(short_before, MOST_SELDOM) {
        let text = format!("{short_before} of {read} series have too few samples before the fault");
        return Some(Reason { id: ReasonId::BaselineTooShort, text });
    }
    (beyond(blind, MOST_GAPS) || beyond(blind + seldom, MOST_SELDOM)).then(|| Reason {
        id: ReasonId::TooManyGaps,
        text: format!("{} of {read} series could not be judged", blind + seldom),
    })
}

fn count(scores: &Scores, wanted: impl Fn(GapCause) -> bool) -> usize {
    scores.gaps.iter().filter(|gap| wanted(gap.cause)).count()
}

fn failures(hits: &[Hit]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let unexpected = names(hits, |hit| hit.affected && !hit.expected);
    if !unexpected.is_empty() {
        let text = format!("{} changed though nobody expected it", listed(&unexpected));
        reasons.push(Reason { id: ReasonId::UnexpectedServiceHit, text });
    }
    let lasting = names(hits, |hit| hit.state == RecoveryState::NotRecovered);
    if !lasting.is_empty() {
        let text = format!("{} did not come back while it was watched", listed(&lasting));
        reasons.push(Reason { id: ReasonId::NeverRecovered, text });
    }
    reasons
}

fn warnings(hits: &[Hit]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let weak = names(hits, |hit| hit.suspicious && !hit.affected && !hit.expected);
    if !weak.is_empty() {
        let mut text =
            format!("{} may have changed; the signs are weaker than a failure needs", listed(&weak));
        let together = names(hits, |hit| hit.suspicious && hit.signs == 0 && !hit.affected && !hit.expected);
        if !together.is_empty() {
            let these =
                if together == weak { "they are" } else { &format!("for {} they are", listed(&together)) };
            text = format!("{text}: {these} many small changes at the same time");
        }
        reasons.push(Reason { id: ReasonId::WeakUnexpectedChange, text });
    }
    let unknown = names(hits, |hit| hit.affected && hit.state == RecoveryState::CannotTell);
    if !unknown.is_empty() {
        let text = format!("it cannot be told whether {} came back; watch longer", listed(&unknown));
        reasons.push(Reason { id: ReasonId::RecoveryUnknown, text });
    }
    reasons
}

fn names<'a>(hits: &[Hit<'a>], which: impl Fn(&Hit) -> bool) -> Vec<&'a str> {
    let called = |hit: &Hit<'a>| if hit.name.is_empty() { "(no service)" } else { hit.name };
    hits.iter().filter(|hit| which(hit)).map(called).collect()
}

/// Names in a sentence; beyond the first few only their number.
fn listed(names: &[&str]) -> String {
    const NAMED: usize = 5;
    if names.len() <= NAMED {
        return names.join(", ");
    }
    format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED)
}
