//! What a learned null says, for people.
//!
//! In: a [`LearnedNull`]. Out: a few numbers and the metrics that move most by themselves.

use std::collections::BTreeMap;

use aftermath_model::{LearnedNull, OriginScorer, PastExperiment};

use crate::calibrate::service_and_metric;
use crate::origin::choice::{choose, mean_reciprocal_rank};
use crate::proportion::Proportion;

/// What quiet windows of a system taught, in short.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedSummary {
    /// How many quiet windows were learned from.
    pub windows: usize,
    /// Every service that was seen, sorted.
    pub services: Vec<String>,
    /// How many series were seen.
    pub series: usize,
    /// The metrics that move most by themselves, the widest first, at most [`MOST_MOVERS`].
    pub movers: Vec<Mover>,
    /// How often a series that had stood still moved.
    pub constants_moved: Proportion,
    /// How often a series came or went.
    pub presence_changed: Proportion,
    /// How often a quiet window failed when it was judged by what the others taught.
    pub failed: Proportion,
    /// Quantiles of the system p-values of the quiet windows: the probability and the value, for the smallest, 5 %, a
    /// quarter, the half, three quarters and the largest. About equal to their probabilities if all is well.
    pub system_p_quantiles: Vec<(f64, f64)>,
    /// Each rule for the origin with its mean reciprocal rank over the past experiments; empty without any.
    pub origin_rules: Vec<(OriginScorer, f64)>,
    /// By which rule origins are ranked and why, in a sentence.
    pub origin_basis: String,
}

/// A metric of a service that moves by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Mover {
    /// Its service; empty for series without one.
    pub service: String,
    /// Its name.
    pub metric: String,
    /// How many quiet windows its series moved in, all series together.
    pub windows: usize,
    /// The root mean square of its quiet statistics: 1 for a metric that is as noisy within its baseline as from window
    /// to window, 3 for one whose changes must be three times as large to count.
    pub width: f64,
}

/// As many metrics as a person looks through.
pub const MOST_MOVERS: usize = 10;
/// The probabilities whose quantiles are shown.
const PROBABILITIES: [f64; 6] = [0.0, 0.05, 0.25, 0.5, 0.75, 1.0];

/// What a learned null says, in short.
#[must_use]
pub fn summary(learned: &LearnedNull) -> LearnedSummary {
    let share = |rate: aftermath_model::learned::LearnedRate| Proportion::of(rate.times, rate.chances);
    LearnedSummary {
        windows: learned.windows,
        services: learned.services.clone(),
        series: learned.series.len(),
        movers: movers(learned),
        constants_moved: share(learned.constants_moved),
        presence_changed: share(learned.presence_changed),
        failed: share(learned.failed),
        system_p_quantiles: PROBABILITIES
            .iter()
            .filter_map(|&probability| Some((probability, quantile(&learned.system_p_values, probability)?)))
            .collect(),
        origin_rules: origin_rules(&learned.experiments),
        origin_basis: choose(&learned.experiments).basis,
    }
}

fn origin_rules(experiments: &[PastExperiment]) -> Vec<(OriginScorer, f64)> {
    if experiments.is_empty() {
        return Vec::new();
    }
    OriginScorer::ALL.map(|scorer| (scorer, mean_reciprocal_rank(scorer, experiments))).to_vec()
}

fn movers(learned: &LearnedNull) -> Vec<Mover> {
    let mut seen: BTreeMap<(&str, &str), (usize, f64)> = BTreeMap::new();
    for (name, series) in learned.series.iter().filter(|(_, series)| series.windows > 0) {
        let metric = seen.entry(service_and_metric(name)).or_default();
        metric.0 += series.windows;
        metric.1 += series.sum_of_squares;
    }
    let mut movers: Vec<Mover> = seen
        .into_iter()
        .map(|((service, metric), (windows, squares))| Mover {
            service: service.to_owned(),
            metric: metric.to_owned(),
            windows,
            width: (squares / windows as f64).sqrt(),
        })
        .collect();
    // The sort is stable: equally wide metrics stay in the order of their names.
    movers.sort_by(|a, b| b.width.total_cmp(&a.width));
    movers.truncate(MOST_MOVERS);
    movers
}

/// The value of that rank among sorted ones, rounded to the nearest; `None` of nothing.
fn quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    // Rounded, not negative, and at most the length.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (probability * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(rank).copied()
}
