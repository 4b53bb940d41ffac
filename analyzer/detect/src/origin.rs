//! Where did the trouble start?
//!
//! In: every service and, if known, who calls whom and how well each rule found the targets of past experiments. Out:
//! every service, the most likely origin first, and why it was ranked like this.
//!
//! No rule is best on every system (regret up to 25 points between systems, arXiv 2606.29159), so there are several,
//! each in a file with its source, and [`choice`] decides.

pub(crate) mod choice;
mod earliest_onset;
mod largest_jump;
pub(crate) mod past;
mod relative_size;
mod strongest_changes;
mod suspect;

use std::collections::BTreeMap;

use aftermath_model::{LearnedNull, OriginCandidate, OriginScorer, Topology};

use crate::service::Service;
use suspect::{Suspect, suspects};

/// Every service by name.
type Suspects<'a> = BTreeMap<&'a str, Suspect<'a>>;

/// Every service with its score, the most likely origin first, and what the ranking rests on, in a sentence.
pub(crate) fn origin(
    services: &[Service],
    topology: Option<&Topology>,
    learned: Option<&LearnedNull>,
) -> (Vec<OriginCandidate>, String) {
    let choice = choice::choose(learned.map_or(&[], |learned| &learned.experiments));
    (ranking(&suspects(services), topology, choice.scorer), choice.basis)
}

/// The ranking of one rule. Of equals, such as services of which several series vanished, the one comes first whose
/// change as a whole is less likely by chance; then by name.
fn ranking(suspects: &Suspects, topology: Option<&Topology>, scorer: OriginScorer) -> Vec<OriginCandidate> {
    let span = if scorer == OriginScorer::EarliestOnset { earliest_onset::span(suspects) } else { None };
    let score = |name: &str, own: &Suspect| match scorer {
        OriginScorer::StrongestChanges => strongest_changes::score(name, own, suspects, topology),
        OriginScorer::RelativeSize => relative_size::score(own),
        OriginScorer::LargestJump => largest_jump::score(name, own, suspects, topology),
        OriginScorer::EarliestOnset => earliest_onset::score(own, span),
    };
    let mut ranked: Vec<(f64, f64, &str)> =
        suspects.iter().map(|(&name, own)| (score(name, own), own.p_value, name)).collect();
    // The sort is stable and the services come by name.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let candidate = |(score, _, name): (f64, f64, &str)| OriginCandidate { service: name.to_owned(), score };
    ranked.into_iter().map(candidate).collect()
}

/// Those that a service calls, without itself.
fn called<'a>(name: &'a str, suspects: &'a Suspects, topology: Option<&'a Topology>) -> Vec<&'a Suspect<'a>> {
    let names = topology.into_iter().flat_map(|graph| graph.callees(name));
    names.filter(|&other| other != name).filter_map(|other| suspects.get(other)).collect()
}

/// Those that call a service, without itself.
fn calling<'a>(
    name: &'a str,
    suspects: &'a Suspects,
    topology: Option<&'a Topology>,
) -> Vec<&'a Suspect<'a>> {
    let names = topology.into_iter().flat_map(|graph| graph.callers(name));
    names.filter(|&other| other != name).filter_map(|other| suspects.get(other)).collect()
}
