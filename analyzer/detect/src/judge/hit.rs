//! What follows from the evidence of one service?
//!
//! In: a judged service and what was foreseen. Out: a [`Hit`].

use aftermath_model::{DetectableChange, Overshoot, RecoveryState, Timestamp};

use super::Case;
use super::foreseen::{Unforeseen, unforeseen};
use super::outcome::{FAIL_AT, WARN_AT};
use crate::onset::{self, Onset};
use crate::pattern::Pattern;
use crate::recovery::after::overshoot_of_service;
use crate::recovery::of_service;
use crate::service::{Judged, Service};
use crate::severity::severity;

/// One service, its evidence, and what follows from it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the service")]
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
    /// Where it is affected.
    pub(super) onset: Option<Onset>,
    pub(super) recovered_at: Option<Timestamp>,
    pub(super) recovery_seconds: Option<f64>,
    pub(super) state: RecoveryState,
    pub(super) watch_longer_seconds: Option<f64>,
    pub(super) overshoot: Option<Overshoot>,
    /// Whether it counts as hit by the word of a single metric that users feel.
    pub(super) rests_on_one_metric: bool,
    /// Metrics that changed with the certainty of a failure, where the service does not count as hit.
    pub(super) uncorroborated: Vec<&'a str>,
    /// What changed of an expected service in a way that was not expected.
    pub(super) unforeseen: Option<Unforeseen>,
    pub(super) detectable: Option<DetectableChange>,
}

/// What follows for each service, the worst hit first.
pub(super) fn hits<'a>(
    case: &Case,
    services: &[Service<'a>],
    detectable: impl Fn(&Service<'a>) -> Option<DetectableChange>,
) -> Vec<Hit<'a>> {
    let mut hits: Vec<Hit> = services
        .iter()
        .map(|service| Hit { detectable: detectable(service), ..hit(case, service) })
        .collect();
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
    let recoveries: Vec<(Option<i64>, f64)> = signs.iter().map(|one| recovery_of(case, one)).collect();
    let (state, recovered_ms) =
        if affected { of_service(&recoveries) } else { (RecoveryState::Unaffected, None) };
    let at = |ms: i64| Timestamp::from_ms(ms).ok();
    let onsets: Vec<(Onset, f64)> =
        signs.iter().filter_map(|one| Some((one.onset()?, one.strength.abs()))).collect();
    let expected = case.expectations.foresees(service.name);
    let unanswered = matches!(state, RecoveryState::NotRecovered | RecoveryState::CannotTell);
    let longer = signs.iter().filter_map(|one| one.score.after.watch_longer_ms()).max();
    Hit {
        name: service.name,
        affected,
        suspicious,
        signs: signs.len(),
        expected,
        p_value: service.p_value,
        severity: if affected || suspicious { severity(&signs, service) } else { 0.0 },
        onset: onset::of_service(&onsets).filter(|_| affected),
        recovered_at: recovered_ms.and_then(at),
        recovery_seconds: recovered_ms.map(|ms| (ms - case.plan.fault.to.ms()).max(0) as f64 / 1000.0),
        state,
        watch_longer_seconds: longer.filter(|_| unanswered).map(|ms| ms as f64 / 1000.0),
        overshoot: if affected { overshoot_of_service(&signs) } else { None },
        rests_on_one_metric: affected && service.rests_on_one_metric(),
        uncorroborated: if affected { Vec::new() } else { uncorroborated(service) },
        unforeseen: if affected && expected { unforeseen(case.expectations, service) } else { None },
        detectable: None,
    }
}

/// The recovery of a series, which has not come back if it fell silent when the fault ended, unless most of the system
/// did: then only the watch was over.
fn recovery_of(case: &Case, one: &Judged) -> (Option<i64>, f64) {
    if one.score.after.silent && !case.watch_ended { (None, 0.0) } else { (one.back_ms(), one.lasting_p) }
}

/// The metrics of a service that changed, among all series, with the certainty that a failure needs.
fn uncorroborated<'a>(service: &Service<'a>) -> Vec<&'a str> {
    let certain = service.series.iter().filter(|one| one.matters && one.q_value <= FAIL_AT);
    let mut metrics: Vec<&str> = certain.map(|one| one.score.key.metric.as_ref()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    metrics
}
