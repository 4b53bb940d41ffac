//! Is a learned null one of this system?
//!
//! In: scores and a [`LearnedNull`]. Out: how much of the system the null knows.

use std::collections::BTreeSet;

use aftermath_model::learned::LearnedGeometry;
use aftermath_model::{LearnedNull, Timeline};

use crate::calibrate::learned_name;
use crate::scores::Scores;
use crate::windows::Plan;

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

/// Windows may be this much longer or shorter than those that were learned from: a quarter more or less moves the error of
/// a mean by an eighth, which is no more than is known of it.
const GEOMETRY_TOLERANCE: f64 = 1.25;

/// The lengths of the windows of an experiment.
pub(crate) fn geometry(timeline: &Timeline) -> LearnedGeometry {
    let clean_ms = Plan::new(timeline).clean().to;
    let fault_ms = timeline.fault().duration_ms();
    LearnedGeometry { step_ms: [timeline.step_ms(); 2], baseline_ms: [clean_ms; 2], fault_ms: [fault_ms; 2] }
}

/// How far a null speaks of the statistics of these windows, 0 to 1, given how long those were that it was learned from:
/// the ratio of the errors of the means of fault windows, which goes with the root of their lengths; the same of a step
/// that differs, and of a baseline that is shorter than any that was learned from. Files that do not say how long theirs
/// were are believed.
pub(crate) fn likeness(learned: &LearnedNull, timeline: &Timeline) -> f64 {
    let Some(known) = learned.geometry else { return 1.0 };
    let own = geometry(timeline);
    let least = |known: [i64; 2], own: [i64; 2]| own[0] as f64 / known[0].max(1) as f64;
    let most = |known: [i64; 2], own: [i64; 2]| known[1] as f64 / own[1].max(1) as f64;
    let close = |ratio: f64| if ratio * GEOMETRY_TOLERANCE >= 1.0 { 1.0 } else { ratio.sqrt() };
    let both = |known, own| close(least(known, own)) * close(most(known, own));
    both(known.fault_ms, own.fault_ms)
        * both(known.step_ms, own.step_ms)
        * close(least(known.baseline_ms, own.baseline_ms))
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
