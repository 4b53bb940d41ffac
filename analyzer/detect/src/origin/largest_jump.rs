//! The largest jump of the strongest change over that of any called service.
//!
//! In a system without loops a small anomaly hardly causes a large one, so the cause is where the score jumps most along
//! the way of the trouble, without any threshold; if nobody knows who calls whom, it is where the score is largest
//! (Orchard, Okati, Garrido Mejia, Blöbaum & Janzing, `NeurIPS` 2025, arXiv 2406.05014: smooth traversal and score
//! ordering). Traffic is left out: it travels the other way.

use aftermath_model::Topology;

use super::suspect::Suspect;
use super::{Suspects, called};
use crate::semantics::Concern;

pub(super) fn score(name: &str, own: &Suspect, all: &Suspects, topology: Option<&Topology>) -> f64 {
    let called = called(name, all, topology).into_iter().map(strongest).fold(0.0, f64::max);
    strongest(own) - called
}

fn strongest(suspect: &Suspect) -> f64 {
    let changes = suspect.changes.iter().filter(|change| change.concern != Concern::Traffic);
    changes.map(|change| change.strength).fold(suspect.silence, f64::max)
}
