//! Which of the four words, and why? In: the evidence of every service. Out: the outcome and its reasons.

use aftermath_model::{GapCause, Outcome, Reason, ReasonId, RecoveryState};

use super::Case;
use super::hit::Hit;
use super::limits::{Kept, kept};
use crate::cut::SHORTEST;
use crate::detectors::presence::Presence;
use crate::recovery::BLOCK;
use crate::scores::{Scores, SeriesScore};
use crate::similar::similar;
use crate::steady::short_baseline;
use crate::windows::Plan;

/// A verdict of fail is wrong at most this often when nothing happened.
pub(crate) const FAIL_AT: f64 = 0.01;
/// A verdict of warn at most this often.
pub(super) const WARN_AT: f64 = 0.05;
/// Beyond this share of series that cannot be judged the rest does not speak for the system.
const MOST_GAPS: f64 = 0.2;
/// A system most of whose series are too seldom there to be judged is not seen, whoever is to blame.
const MOST_SELDOM: f64 = 0.5;
/// When more than half of all series end together, the watching has ended rather than the system.
const MOST_VANISHED: f64 = 0.5;

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
    let limits = kept(&case.expectations.limits, case.scores);
    let failures = failures(case, hits, &limits);
    if !failures.is_empty() {
        return (Outcome::Fail, failures);
    }
    let doubts = doubts(case, hits, limits);
    if !doubts.is_empty() {
        return (Outcome::Inconclusive, doubts);
    }
    let warnings = warnings(case, hits);
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
    if most(&scores.series.iter().collect::<Vec<_>>(), |score| score.presence == Presence::Vanished) {
        let read = scores.series_read();
        let text = format!("{vanished} of {read} series fall silent during the fault: was it still watched?");
        reasons.push(Reason { id: ReasonId::NoData, text });
    }
    reasons
}

/// Whether so many series of a system do something together that it was the watching rather than the system.
pub(super) fn most(series: &[&SeriesScore], does: impl Fn(&SeriesScore) -> bool) -> bool {
    series.iter().filter(|score| does(score)).count() as f64 > MOST_VANISHED * series.len() as f64
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
fn doubts(case: &Case, hits: &[Hit], limits: Kept) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = case.unsteady.iter().cloned().collect();
    reasons.extend(gaps(case));
    if case.source_partial {
        let text = "the source said that its answer is not complete".to_owned();
        reasons.push(Reason { id: ReasonId::SourcePartial, text });
    }
    reasons.extend(limits.unmeasured);
    if let Some(target) = &case.expectations.target {
        let seen = hits.iter().any(|hit| hit.name == target && (hit.affected || hit.suspicious));
        if !seen {
            let text = unmoved(case, hits, target);
            reasons.push(Reason { id: ReasonId::TargetNotAffected, text });
        }
    }
    reasons
}

/// Why nothing is seen of the target: it did not change, could not be judged, or has another name here.
fn unmoved(case: &Case, hits: &[Hit], target: &str) -> String {
    if hits.iter().any(|hit| hit.name == target) {
        return format!("the target {target} shows no change, so the fault probably did nothing");
    }
    let unread = case.scores.gaps.iter().filter(|gap| gap.key.service == target).count();
    if unread > 0 {
        return format!("none of the {unread} series of the target {target} could be judged");
    }
    let hint = similar(target, hits.iter().map(|hit| hit.name));
    let hint = hint.map_or_else(String::new, |names| format!("; did you mean {names}?"));
    format!("no series belongs to the target {target}, so nothing is known of it{hint}")
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

fn failures(case: &Case, hits: &[Hit], limits: &Kept) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let unexpected = names(hits, |hit| hit.affected && !hit.expected);
    if !unexpected.is_empty() {
        let text = format!("{} changed though nobody expected it", listed(&unexpected));
        reasons.push(Reason { id: ReasonId::UnexpectedServiceHit, text });
    }
    let lasting = names(hits, |hit| hit.state == RecoveryState::NotRecovered);
    if !lasting.is_empty() {
        let text = format!(
            "{} did not come back while it was watched{}",
            listed(&lasting),
            longer(hits, RecoveryState::NotRecovered)
        );
        reasons.push(Reason { id: ReasonId::NeverRecovered, text });
    }
    reasons.extend(limits.broken.iter().cloned());
    reasons.extend(surprises(hits, true));
    reasons.extend(late(case, hits, true));
    reasons
}

fn warnings(case: &Case, hits: &[Hit]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    reasons.extend(surprises(hits, false));
    reasons.extend(late(case, hits, false));
    reasons.extend(lonely(hits));
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
        let text = format!(
            "it cannot be told whether {} came back{}",
            listed(&unknown),
            longer(hits, RecoveryState::CannotTell)
        );
        reasons.push(Reason { id: ReasonId::RecoveryUnknown, text });
    }
    reasons
}

/// The advice to watch longer: as long as the service in that state which needs it longest.
fn longer(hits: &[Hit], state: RecoveryState) -> String {
    let waiting = hits.iter().filter(|hit| hit.state == state).filter_map(|hit| hit.watch_longer_seconds);
    match waiting.fold(0.0, f64::max) {
        seconds if seconds > 0.0 => format!("; watch at least {seconds:.0} s longer"),
        _ if state == RecoveryState::CannotTell => "; watch longer".to_owned(),
        _ => String::new(),
    }
}

/// Expected services that changed in another way than foreseen, surely or perhaps.
fn surprises(hits: &[Hit], certain: bool) -> Option<Reason> {
    let of = |hit: &Hit| {
        let surprise = hit.unforeseen.as_ref().filter(|surprise| surprise.is_certain == certain)?;
        Some(format!("{} ({})", called(hit), surprise.changes.join(", ")))
    };
    let surprised: Vec<String> = hits.iter().filter_map(of).collect();
    let surprised: Vec<&str> = surprised.iter().map(String::as_str).collect();
    (!surprised.is_empty()).then(|| Reason {
        id: ReasonId::UnexpectedKindOfChange,
        text: format!(
            "{} changed in another way than expected{}",
            listed(&surprised),
            if certain { "" } else { ", by signs weaker than a failure needs" }
        ),
    })
}

/// Services that came back later than was set: surely where it is later by more than the blocks in which recovery is
/// looked for can resolve.
fn late(case: &Case, hits: &[Hit], certain: bool) -> Option<Reason> {
    let most_ms = case.expectations.recover_within_ms?;
    let resolved_ms = case.plan.step_ms * i64::try_from(BLOCK).unwrap_or(i64::MAX);
    let (most, resolved) = (most_ms as f64 / 1000.0, resolved_ms as f64 / 1000.0);
    let is_late = |hit: &Hit| {
        hit.recovery_seconds.is_some_and(|seconds| seconds > most && (seconds > most + resolved) == certain)
    };
    let late = names(hits, is_late);
    let slowest = hits.iter().filter(|hit| is_late(hit)).filter_map(|hit| hit.recovery_seconds);
    (!late.is_empty()).then(|| Reason {
        id: ReasonId::RecoveredTooLate,
        text: format!(
            "{} came back after up to {:.0} s, later than the {most:.0} s that were set{}",
            listed(&late),
            slowest.fold(0.0, f64::max),
            if certain { "" } else { ", though by less than can be resolved" }
        ),
    })
}

/// Unexpected services in which one metric changed for sure and nothing speaks with it: no failure, and no pass.
fn lonely(hits: &[Hit]) -> Option<Reason> {
    let alone = |hit: &&Hit| !hit.expected && !hit.suspicious && !hit.uncorroborated.is_empty();
    let of = |hit: &Hit| format!("{} of {}", hit.uncorroborated.join(" and "), called(hit));
    let lonely: Vec<String> = hits.iter().filter(alone).map(of).collect();
    let lonely: Vec<&str> = lonely.iter().map(String::as_str).collect();
    (!lonely.is_empty()).then(|| Reason {
        id: ReasonId::UncorroboratedChange,
        text: format!("{} changed for sure, but nothing else of the service speaks with it", listed(&lonely)),
    })
}

/// A service in a sentence.
fn called<'a>(hit: &Hit<'a>) -> &'a str {
    if hit.name.is_empty() { "(no service)" } else { hit.name }
}

fn names<'a>(hits: &[Hit<'a>], which: impl Fn(&Hit) -> bool) -> Vec<&'a str> {
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
