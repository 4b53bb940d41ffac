//! Did an expected service change only in the way that was expected?
//!
//! In: its series and the expectations. Out: what nobody foresaw, and whether that alone would be enough to fail.

use std::collections::BTreeSet;

use aftermath_model::{Expectations, Signal, Trend};

use super::outcome::FAIL_AT;
use crate::detectors::presence::Presence;
use crate::semantics::{Concern, counts_successes, stem};
use crate::service::{Judged, Service};

/// What changed of an expected service in a way that was not expected.
pub(super) struct Unforeseen {
    /// Such as `errors up`, each once.
    pub(super) changes: Vec<String>,
    /// Whether it is as certain and as well corroborated as a failure needs.
    pub(super) is_certain: bool,
}

/// What changed in a service in a way that the expectations do not allow. Only findings count, series that changed for
/// sure among all series: of many series a few lean the wrong way by chance.
pub(super) fn unforeseen(expectations: &Expectations, service: &Service) -> Option<Unforeseen> {
    let found: Vec<(&Judged, Option<Signal>, Trend)> = service
        .series
        .iter()
        .filter(|one| one.is_finding())
        .map(|one| (one, signal_of(&one.score.key.metric), trend_of(one)))
        .filter(|&(_, signal, trend)| !expectations.allows(service.name, signal, trend))
        .collect();
    let changes: BTreeSet<(Option<Signal>, Trend)> =
        found.iter().map(|&(_, signal, trend)| (signal, trend)).collect();
    let certain = || found.iter().filter(|(one, ..)| one.q_value <= FAIL_AT);
    let stems: BTreeSet<String> = certain().map(|(one, ..)| stem(&one.score.key.metric)).collect();
    let felt = certain().any(|(_, signal, _)| matches!(signal, Some(Signal::Errors | Signal::Latency)));
    (!changes.is_empty()).then(|| Unforeseen {
        changes: changes
            .into_iter()
            .map(|(signal, trend)| format!("{} {}", signal.map_or("metrics", Signal::as_str), trend.as_str()))
            .collect(),
        is_certain: felt || stems.len() > 1,
    })
}

fn signal_of(metric: &str) -> Option<Signal> {
    match Concern::of(metric) {
        Concern::Errors => Some(Signal::Errors),
        Concern::Latency => Some(Signal::Latency),
        Concern::Saturation => Some(Signal::Saturation),
        Concern::Traffic => Some(Signal::Traffic),
        Concern::Other => None,
    }
}

fn trend_of(one: &Judged) -> Trend {
    let rises = match one.score.presence {
        Presence::Vanished => false,
        Presence::Appeared => true,
        Presence::Steady | Presence::Patchy => one.strength > 0.0,
    };
    if rises == counts_successes(&one.score.key.metric) { Trend::Down } else { Trend::Up }
}
