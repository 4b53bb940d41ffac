//! What a learned null says, for people.
//!
//! In: a [`LearnedNull`]. Out: a few numbers and the metrics that move most by themselves.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::learned::LearnedSeries;
use aftermath_model::{LearnedNull, OriginScorer, PastExperiment};

use crate::calibrate::{service_and_metric, trust_after};
use crate::habits::{Elasticity, Habits, Sums};
use crate::origin::choice::{choose, mean_reciprocal_rank};
use crate::proportion::Proportion;
use crate::semantics::stem;

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
    /// How many series are known to follow the load, or not to, at least twice as well as without quiet windows.
    pub elasticities_known: usize,
    /// Those of them that follow it most, at most [`MOST_MOVERS`].
    pub followers: Vec<Follower>,
    /// On how many days quiet windows began.
    pub days: usize,
    /// Whether a season of the day was found, and whether one that differs between days of the week.
    pub seasons: (bool, bool),
    /// Series that say the same as another of their service: metric, the metric that it copies, and the service; without
    /// those whose metrics have the same name.
    pub copies: Vec<Copies>,
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

/// A series that follows the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Follower {
    /// Its service; empty for series without one.
    pub service: String,
    /// Its metric.
    pub metric: String,
    /// By what share it changes for each share that the load changes by.
    pub elasticity: f64,
    /// The standard deviation of what is known of that.
    pub spread: f64,
}

/// Two metrics of one service that say the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copies {
    /// The service; empty for series without one.
    pub service: String,
    /// The metric that counts.
    pub first: String,
    /// The metric that says the same.
    pub copy: String,
}

/// As many metrics as a person looks through.
pub const MOST_MOVERS: usize = 10;
/// The probabilities whose quantiles are shown.
const PROBABILITIES: [f64; 6] = [0.0, 0.05, 0.25, 0.5, 0.75, 1.0];

/// What a learned null says, in short.
#[must_use]
pub fn summary(learned: &LearnedNull) -> LearnedSummary {
    let share = |rate: aftermath_model::learned::LearnedRate| Proportion::of(rate.times, rate.chances);
    let habits = Habits::of(learned, trust_after(learned.windows));
    let mut followers = followers(learned, &habits);
    let elasticities_known = followers.len();
    followers.truncate(MOST_MOVERS);
    LearnedSummary {
        windows: learned.windows,
        services: learned.services.clone(),
        series: learned.series.len(),
        movers: movers(learned),
        elasticities_known,
        followers,
        days: learned.days.len(),
        seasons: habits.seasons(),
        copies: copies(learned),
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

/// Every series whose elasticity is known twice as well as without quiet windows, the largest first.
fn followers(learned: &LearnedNull, habits: &Habits) -> Vec<Follower> {
    let known = |(name, seen): (&String, &LearnedSeries)| {
        let (service, metric) = service_and_metric(name);
        let trust = trust_after(learned.windows);
        let habit = habits.of_one(&stem(metric), &Sums::of(&seen.habit), seen.into(), trust);
        let Elasticity { mean, variance } = habit.elasticity();
        (!seen.habit.is_empty() && 4.0 * variance < Elasticity::PRIOR.variance).then(|| Follower {
            service: service.to_owned(),
            metric: metric.to_owned(),
            elasticity: mean,
            spread: variance.sqrt(),
        })
    };
    let mut followers: Vec<Follower> = learned.series.iter().filter_map(known).collect();
    // The sort is stable: equals stay in the order of their names.
    followers.sort_by(|a, b| b.elasticity.total_cmp(&a.elasticity));
    followers
}

fn copies(learned: &LearnedNull) -> Vec<Copies> {
    let pair = |(copy, first): (&String, &String)| {
        let ((service, copy), (_, first)) = (service_and_metric(copy), service_and_metric(first));
        (copy != first).then(|| Copies {
            service: service.to_owned(),
            first: first.to_owned(),
            copy: copy.to_owned(),
        })
    };
    let pairs: BTreeSet<Copies> = learned.copies.iter().filter_map(pair).collect();
    pairs.into_iter().collect()
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
