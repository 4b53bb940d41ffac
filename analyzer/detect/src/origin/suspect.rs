//! What speaks against each service?
//!
//! In: services with judged series. Out: a [`Suspect`] for each: its harmful changes, how strong they are and how large,
//! and how much of it fell silent.

use std::collections::BTreeMap;

use super::Suspects;
use crate::detectors::presence::Presence;
use crate::semantics::{Concern, stem};
use crate::service::{Judged, Service};

/// A strength beyond this says nothing more about the origin: the far tail is a matter of luck.
pub(super) const MOST: f64 = 12.0;
/// A service is silent once at least this share of its series, or of its replicas, is gone.
const SILENT: f64 = 0.5;

/// One series that changed, seen from the harm it means.
pub(super) struct Change<'a> {
    pub(super) series: &'a Judged<'a>,
    pub(super) stem: String,
    pub(super) concern: Concern,
    /// How strong the change is in the direction that hurts, 0 to [`MOST`].
    pub(super) strength: f64,
}

/// What speaks against one service.
pub(super) struct Suspect<'a> {
    /// The chance of so much change of the service when nothing happened.
    pub(super) p_value: f64,
    pub(super) changes: Vec<Change<'a>>,
    /// What its silence is worth, 0 to [`MOST`].
    pub(super) silence: f64,
    /// The harm of each series in its own unit, for comparison with the same series of other services.
    amounts: BTreeMap<SeriesOfAny<'a>, f64>,
}

/// A series without its service: metric, measure and labels.
type SeriesOfAny<'a> = (&'a str, &'a str, &'a BTreeMap<String, String>);

impl Suspect<'_> {
    /// The harm in the unit of the series, positive for worse; `None` where this service has no such series.
    pub(super) fn amount(&self, like: &Judged) -> Option<f64> {
        self.amounts.get(&series_of_any(like)).copied()
    }

    /// The strongest change of that concern.
    pub(super) fn worst(&self, concern: Concern) -> f64 {
        let of_concern = self.changes.iter().filter(|change| change.concern == concern);
        of_concern.map(|change| change.strength).fold(0.0, f64::max)
    }

    /// The mean of the largest values, one for each stem: p50 and p99 of one latency are one voice. One change may be a
    /// fluke, and all of them would favour services with many metrics.
    pub(super) fn mean_of_strongest(&self, value: impl Fn(&Change) -> f64) -> f64 {
        const STRONGEST: usize = 3;
        let mut of_stems: BTreeMap<&str, f64> = BTreeMap::new();
        for change in &self.changes {
            let best = of_stems.entry(&change.stem).or_insert(0.0);
            *best = best.max(value(change));
        }
        let mut values: Vec<f64> = of_stems.into_values().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values.iter().take(STRONGEST).sum::<f64>() / STRONGEST as f64
    }
}

/// Every service that can be blamed. Series without a service blame nobody, unless there is nothing else.
pub(super) fn suspects<'a>(services: &'a [Service<'a>]) -> Suspects<'a> {
    let named = services.iter().any(|service| !service.name.is_empty());
    let candidates = || services.iter().filter(|service| !named || !service.name.is_empty());
    // A silence that several services share tells of who watches them, and of each the less the more they are.
    let silent = candidates().filter(|&service| silence(service) > 0.0).count();
    let gone = MOST / silent.max(1) as f64;
    candidates().map(|service| (service.name, suspect(service, gone))).collect()
}

fn suspect<'a>(service: &'a Service<'a>, gone: f64) -> Suspect<'a> {
    let silence = silence(service);
    let own = || service.series.iter().filter(|one| !one.shared);
    let mut vanished = own().filter(|one| one.score.presence == Presence::Vanished);
    let unasked =
        silence <= 0.0 && vanished.all(|one| comes_from_requests(Concern::of(&one.score.key.metric)));
    let change = |series: &'a Judged<'a>| {
        let metric = &series.score.key.metric;
        let concern = Concern::of(metric);
        let strength = match series.score.presence {
            // Nobody asks a service any more that is otherwise alive: that is the doing of those who would ask.
            Presence::Vanished if unasked => 0.0,
            Presence::Vanished => gone,
            _ => harmful(series, concern).clamp(0.0, MOST),
        };
        Change { series, stem: stem(metric), concern, strength }
    };
    let amounts = own().filter_map(|series| Some((series_of_any(series), amount(series)?))).collect();
    Suspect {
        p_value: service.p_value,
        changes: own().map(change).collect(),
        silence: gone * silence,
        amounts,
    }
}

/// Whether a series only moves while somebody sends requests.
const fn comes_from_requests(concern: Concern) -> bool {
    matches!(concern, Concern::Errors | Concern::Latency | Concern::Traffic)
}

/// The share of a service that fell silent during the fault: of its series that are gone, or of its replicas that
/// Prometheus could not reach (`up` at 0) though it could before; 0 below [`SILENT`].
fn silence(service: &Service) -> f64 {
    let share = |of: Vec<bool>| of.iter().filter(|&&silent| silent).count() as f64 / of.len().max(1) as f64;
    let own = || service.series.iter().filter(|one| !one.shared && one.score.covers > 0);
    let gone = share(own().map(|one| one.score.presence == Presence::Vanished).collect());
    let fell = |one: &Judged| {
        one.score.baseline.is_some_and(|before| before > SILENT)
            && one.score.fault.is_some_and(|during| during < SILENT)
    };
    let unreachable = share(own().filter(|one| &*one.score.key.metric == "up").map(fell).collect());
    let silent = gone.max(unreachable);
    if silent >= SILENT { silent } else { 0.0 }
}

/// The strength of the change, positive if it hurts.
fn harmful(one: &Judged, concern: Concern) -> f64 {
    match concern {
        Concern::Errors if is_good(one) => -one.strength,
        Concern::Errors | Concern::Latency => one.strength,
        Concern::Saturation | Concern::Traffic | Concern::Other => one.strength.abs(),
    }
}

/// Whether more of it is better although it is about errors: successes, availability.
pub(super) fn is_good(one: &Judged) -> bool {
    let metric = one.score.key.metric.to_ascii_lowercase();
    ["success", "availab"].iter().any(|word| metric.contains(word))
}

/// The harm in the unit of the series; `None` where it has no value before or during the fault, or where up and down may
/// both hurt.
fn amount(one: &Judged) -> Option<f64> {
    let change = one.score.fault? - one.score.baseline?;
    match Concern::of(&one.score.key.metric) {
        Concern::Errors if is_good(one) => Some(-change),
        Concern::Errors | Concern::Latency => Some(change),
        Concern::Saturation | Concern::Traffic | Concern::Other => None,
    }
}

fn series_of_any<'a>(one: &'a Judged) -> SeriesOfAny<'a> {
    (&one.score.key.metric, one.score.measure, &one.score.key.labels)
}
