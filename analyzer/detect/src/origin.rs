//! Where did the trouble start?
//!
//! In: every service and, if known, who calls whom. Out: every service, the most likely origin first.
//!
//! Simple scores of the strongest changes win in the literature (Pham et al., ASE 2024; Orchard et al., `NeurIPS` 2025),
//! a service that fell silent is the first suspect, because trouble elsewhere slows a service down but seldom makes it
//! disappear, and a call graph helps: latency and errors travel from the called to the caller, so a service is only blamed for
//! what goes beyond the services that it calls, and it is more suspicious if those who call it suffer likewise.

use std::collections::BTreeMap;

use aftermath_model::{OriginCandidate, Topology};

use crate::detectors::presence::Presence;
use crate::semantics::{Concern, stem};
use crate::service::{Judged, Service};

/// So many of the strongest different changes speak for a service: one may be a fluke, all would favour services with
/// many metrics.
const STRONGEST: usize = 3;
/// Suffering callers count half: they are a second witness of the same change, not a second change.
const CALLERS: f64 = 0.5;
/// Traffic counts half: it mostly follows from what happened elsewhere.
const TRAFFIC: f64 = 0.5;
/// A strength beyond this says nothing more about the origin: the far tail is a matter of luck.
const MOST: f64 = 12.0;

/// A service is silent once at least this share of its series, or of its replicas, is gone.
const SILENT: f64 = 0.5;

/// The strongest harmful change of each stem of a service, by what it is about.
type Changes = BTreeMap<String, (Concern, f64)>;

/// Every service with its score, the most likely origin first; ties by name. Series without a service blame nobody,
/// unless there is nothing else.
pub(crate) fn origin(services: &[Service], topology: Option<&Topology>) -> Vec<OriginCandidate> {
    let named = services.iter().any(|service| !service.name.is_empty());
    let candidates = || services.iter().filter(|service| !named || !service.name.is_empty());
    // A silence that several services share tells of who watches them, and of each the less the more they are.
    let silent = candidates().filter(|&service| silence(service) > 0.0).count();
    let gone = MOST / silent.max(1) as f64;
    let changes: BTreeMap<&str, Changes> =
        candidates().map(|service| (service.name, changes(service, gone))).collect();
    let mut ranked: Vec<OriginCandidate> = candidates()
        .map(|service| OriginCandidate {
            service: service.name.to_owned(),
            score: gone * silence(service) + blame(service.name, &changes[service.name], &changes, topology),
        })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.service.cmp(&b.service)));
    ranked
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
    let unreachable = share(own().filter(|one| one.score.key.metric == "up").map(fell).collect());
    let silent = gone.max(unreachable);
    if silent >= SILENT { silent } else { 0.0 }
}

fn changes(service: &Service, gone: f64) -> Changes {
    let mut changes = Changes::new();
    for one in service.series.iter().filter(|one| !one.shared) {
        let metric = &one.score.key.metric;
        let change = changes.entry(stem(metric)).or_insert((Concern::of(metric), 0.0));
        change.1 = change.1.max(harm(one, gone));
    }
    changes
}

/// How strong the change is in the direction that hurts; `gone` if the series vanished.
fn harm(one: &Judged, gone: f64) -> f64 {
    let metric = one.score.key.metric.to_ascii_lowercase();
    if one.score.presence == Presence::Vanished {
        // Whatever it measured, nobody answers any more.
        return gone;
    }
    let good = ["success", "availab"].iter().any(|word| metric.contains(word));
    let harmful = match Concern::of(&metric) {
        Concern::Errors if good => -one.strength,
        Concern::Errors | Concern::Latency => one.strength,
        Concern::Saturation | Concern::Traffic | Concern::Other => one.strength.abs(),
    };
    harmful.clamp(0.0, MOST)
}

fn blame(name: &str, own: &Changes, all: &BTreeMap<&str, Changes>, topology: Option<&Topology>) -> f64 {
    let worst = |neighbours: &[&str], concern: Concern| {
        neighbours
            .iter()
            .filter_map(|neighbour| all.get(neighbour))
            .map(|changes| of(changes, concern))
            .fold(0.0, f64::max)
    };
    let called: Vec<&str> = topology.map(|graph| graph.callees(name).collect()).unwrap_or_default();
    let calling: Vec<&str> = topology.map(|graph| graph.callers(name).collect()).unwrap_or_default();
    let mut parts: Vec<f64> = own
        .values()
        .map(|&(concern, strength)| match concern {
            Concern::Traffic => TRAFFIC * strength,
            Concern::Errors | Concern::Latency => {
                let beyond = (strength - worst(&called, concern)).max(0.0);
                beyond + CALLERS * strength.min(worst(&calling, concern))
            }
            Concern::Saturation | Concern::Other => strength,
        })
        .collect();
    parts.sort_by(|a, b| b.total_cmp(a));
    parts.iter().take(STRONGEST).sum::<f64>() / STRONGEST as f64
}

fn of(changes: &Changes, concern: Concern) -> f64 {
    changes.values().filter(|(about, _)| *about == concern).map(|&(_, strength)| strength).fold(0.0, f64::max)
}
