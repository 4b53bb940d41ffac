//! Where did the trouble start?
//!
//! In: the evidence of every service and, if known, who calls whom. Out: every service, the most likely origin first.

use aftermath_model::{OriginCandidate, Topology};

use crate::service::ServiceEvidence;

/// So many of the strongest series speak for a service: one may be a fluke, all would favour services with few series.
const STRONGEST: usize = 3;

/// Every service with its score, the most likely origin first; ties by name.
pub(crate) fn origin(services: &[ServiceEvidence], _topology: Option<&Topology>) -> Vec<OriginCandidate> {
    let mut ranked: Vec<OriginCandidate> = services
        .iter()
        .map(|service| OriginCandidate { service: service.name.to_owned(), score: strength(service) })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.service.cmp(&b.service)));
    ranked
}

fn strength(service: &ServiceEvidence) -> f64 {
    let mut strengths: Vec<f64> = service.series.iter().map(|one| one.strength.abs()).collect();
    strengths.sort_by(|a, b| b.total_cmp(a));
    strengths.iter().take(STRONGEST).sum::<f64>() / STRONGEST as f64
}
