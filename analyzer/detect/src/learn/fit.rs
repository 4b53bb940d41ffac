//! Is a learned null one of this system?
//!
//! In: scores and a [`LearnedNull`]. Out: how much of the system the null knows.

use std::collections::BTreeSet;

use aftermath_model::LearnedNull;

use crate::calibrate::learned_name;
use crate::scores::Scores;

/// How much of a system a learned null knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedFit {
    /// Named services of the system that the null knows.
    pub services_known: usize,
    /// Named services of the system.
    pub services: usize,
    /// Judged series that the null knows, by what names a workload rather than a pod.
    pub series_known: usize,
    /// Judged series.
    pub series: usize,
}

impl LearnedFit {
    /// Whether the null is one of this system: it knows at least half of the services and any series at all. Half,
    /// because systems gain and lose a few services between learning and judging but are another system once most are
    /// new; series may all change their labels with one release, which costs power rather than truth, because a series
    /// that the null does not know is judged by its own placebo windows.
    #[must_use]
    pub const fn is_fit(&self) -> bool {
        2 * self.services_known >= self.services && self.series_known > 0
    }
}

/// How much of the system that was scored a learned null knows.
#[must_use]
pub fn fit(scores: &Scores, learned: &LearnedNull) -> LearnedFit {
    let services: BTreeSet<&str> = scores
        .series
        .iter()
        .map(|score| score.key.service.as_ref())
        .filter(|name| !name.is_empty())
        .collect();
    let learned_services: BTreeSet<&str> = learned.services.iter().map(String::as_str).collect();
    LearnedFit {
        services_known: services.intersection(&learned_services).count(),
        services: services.len(),
        series_known: scores
            .series
            .iter()
            .filter(|score| learned.series.contains_key(&learned_name(score)))
            .count(),
        series: scores.series.len(),
    }
}
