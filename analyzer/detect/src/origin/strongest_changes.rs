//! The strongest harmful changes, as far as the called services do not explain them.
//!
//! Simple scores of the strongest changes win in the literature (Pham et al., ASE 2024), and a service that fell silent is
//! the first suspect: trouble elsewhere slows a service down but seldom makes it disappear. Latency and errors travel
//! from the called to the caller, so a service is only blamed for what goes beyond the services that it calls, and it
//! is more suspicious if those who call it suffer likewise.
//!
//! How much a called service explains is a matter of amounts: the time of a request is the time of its parts, and of its
//! errors no more can come from a part than the part has. A database that became 30 ms slower explains 3 % of a caller
//! that became a second slower, however certain its own change is. Only where the two have no series in common are the
//! strengths compared instead. A caller that asks many times in one request is blamed for more than its share.

use aftermath_model::Topology;

use super::suspect::{Change, Suspect};
use super::{Suspects, called, calling};
use crate::semantics::Concern;

/// Suffering callers count half: they are a second witness of the same change, not a second change.
const CALLERS: f64 = 0.5;
/// Traffic counts half: it mostly follows from what happened elsewhere.
const TRAFFIC: f64 = 0.5;

pub(super) fn score(name: &str, own: &Suspect, all: &Suspects, topology: Option<&Topology>) -> f64 {
    let (called, calling) = (called(name, all, topology), calling(name, all, topology));
    let blame = |change: &Change| match change.concern {
        Concern::Traffic => TRAFFIC * change.strength,
        Concern::Errors | Concern::Latency => {
            let explained = called.iter().map(|other| explained(change, own, other)).fold(0.0, f64::max);
            let witnessed = calling.iter().map(|other| witnessed(change, own, other)).fold(0.0, f64::max);
            change.strength - explained + CALLERS * witnessed
        }
        Concern::Saturation | Concern::Other => change.strength,
    };
    own.silence + own.mean_of_strongest(blame)
}

/// How much of a change a called service accounts for.
fn explained(change: &Change, own: &Suspect, called: &Suspect) -> f64 {
    match (own.amount(change.series), called.amount(change.series)) {
        (Some(whole), Some(part)) if whole > 0.0 => change.strength * (part / whole).clamp(0.0, 1.0),
        _ => change.strength.min(called.worst(change.concern)),
    }
}

/// How much of a change a caller confirms: as much as it suffers, as far as that can come from here.
fn witnessed(change: &Change, own: &Suspect, calling: &Suspect) -> f64 {
    let likewise = change.strength.min(calling.worst(change.concern));
    match (own.amount(change.series), calling.amount(change.series)) {
        (Some(part), Some(whole)) if whole > 0.0 => likewise * (part / whole).clamp(0.0, 1.0),
        (Some(_), Some(_)) => 0.0,
        _ => likewise,
    }
}
