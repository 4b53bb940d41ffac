//! What quiet windows of a system taught: the null distribution that later verdicts are held against.

mod experiments;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use experiments::{OriginScorer, PastExperiment};

/// The null distribution of one system, learned from windows in which nothing happened.
///
/// The one noun that is also a file format: it is data from end to end, and `baselines` wraps it with a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedNull {
    /// How many quiet windows it was learned from.
    pub windows: usize,
    /// How long those windows were; `None` in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geometry: Option<LearnedGeometry>,
    /// A fingerprint of what was measured in each of them, so that none is learned from twice; empty in files of older
    /// versions.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fingerprints: BTreeSet<u64>,
    /// The services that were seen, sorted.
    pub services: Vec<String>,
    /// What was seen of each series, by its workload identity and measure; series that never moved are listed too, so
    /// that a file of another system can be told by what it does not know.
    pub series: BTreeMap<String, LearnedSeries>,
    /// For each kind of metric, by the stem of its name, absolute statistics, each measured against its own series'
    /// other windows; ascending.
    pub statistics: BTreeMap<String, Vec<f64>>,
    /// The same for the other kinds of change, by the name of their channel; empty in files of older versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<String, BTreeMap<String, Vec<f64>>>,
    /// How often series that never moved before did so in a quiet window.
    pub constants_moved: LearnedRate,
    /// How often series came or went in a quiet window.
    pub presence_changed: LearnedRate,
    /// For each quiet window and service the strength of the evidence that anything in it changed and that several
    /// things changed jointly, in natural logarithms; ascending.
    pub service_evidence: Vec<[f64; 2]>,
    /// For each quiet window the smallest p-value of any service, after correction for their number; ascending.
    pub system_p_values: Vec<f64>,
    /// How often the verdict was fail when a quiet window was judged with what the others taught. No chances if that was
    /// not measured.
    #[serde(default)]
    pub failed: LearnedRate,
    /// How well each rule found the origin of past experiments, in the order in which they were learned. Left out where
    /// there are none, so that programs from before them can read the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub experiments: Vec<PastExperiment>,
    /// For each day that quiet windows began on, in days since the Unix epoch: the logarithm of the likelihood of its
    /// statistics as predicted from all other days, by the load alone, by load and time of day, and by load, time of day
    /// and day of week. A season was found if it predicts days that it was not learned from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<i64, [f64; 3]>,
    /// Series whose statistics agree over the quiet windows, and what each is a copy of: the first such series of its
    /// service by name. Copies do not corroborate each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copies: BTreeMap<String, String>,
}

/// How long quiet windows were, in milliseconds: the least and the most of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedGeometry {
    /// The spacing of samples.
    pub step_ms: [i64; 2],
    /// The baseline, without what was excluded.
    pub baseline_ms: [i64; 2],
    /// The window that stood for the fault.
    pub fault_ms: [i64; 2],
}

impl LearnedGeometry {
    /// That of windows of either.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let widest = |a: [i64; 2], b: [i64; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        Self {
            step_ms: widest(self.step_ms, other.step_ms),
            baseline_ms: widest(self.baseline_ms, other.baseline_ms),
            fault_ms: widest(self.fault_ms, other.fault_ms),
        }
    }
}

/// More windows than anyone will ever learn from.
const MOST_WINDOWS: usize = 1_000_000;

impl LearnedNull {
    /// What cannot be true of a learned null: numbers that no measurement gives. Empty if all is well.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        check(self.windows <= MOST_WINDOWS, "`windows` is larger than a million");
        let counted = |rate: LearnedRate| rate.times <= rate.chances;
        let rates = [self.constants_moved, self.presence_changed, self.failed];
        check(rates.into_iter().all(counted), "something happened more often than it could have");
        let squares = |seen: &LearnedSeries| seen.sum_of_squares.is_finite() && seen.sum_of_squares >= 0.0;
        check(self.series.values().all(squares), "a `sum_of_squares` is negative or not finite");
        let seen = |seen: &LearnedSeries| seen.windows <= self.windows.saturating_mul(MOST_PODS);
        check(self.series.values().all(seen), "a series moved in more windows than there are");
        let moved = |seen: &LearnedSeries| seen.windows > 0 || seen.sum_of_squares == 0.0;
        check(self.series.values().all(moved), "a series has squares though it never moved");
        let channels = self.channels.values().flat_map(BTreeMap::values);
        let statistics = self.statistics.values().chain(channels).flatten();
        let mut statistics = statistics.chain(self.service_evidence.iter().flatten());
        check(
            statistics.all(|statistic| statistic.is_finite() && *statistic >= 0.0),
            "a statistic is negative or not finite",
        );
        let is_share = |p_value: &f64| (0.0..=1.0).contains(p_value);
        check(self.system_p_values.iter().all(is_share), "a system p-value lies outside 0 and 1");
        problems
    }
}

/// More pods of one workload than a series of it can stand for in one window.
const MOST_PODS: usize = 100_000;

/// The quiet statistics of one series: how wide chance makes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedSeries {
    /// In how many quiet windows it moved at all.
    pub windows: usize,
    /// The sum of its squared statistics in them, load and season allowed for.
    pub sum_of_squares: f64,
    /// How it follows load and season.
    #[serde(default, skip_serializing_if = "LearnedHabit::is_empty")]
    pub habit: LearnedHabit,
}

/// How a series follows load and season: the sums of a linear regression of its statistics on the circumstances of
/// their windows. They add up over windows, and those of one window can be taken out again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedHabit {
    /// The sums of the products of every two circumstances, the lower triangle row by row: 1 + 2 + … + 9 numbers, or none
    /// if the series cannot follow anything. The circumstances are the logarithm of the change of the load, then cosine
    /// and sine of the seasons with periods of 24, 12, 28 and 21 hours (the last two tell days of the week apart), as
    /// their change from the baseline to the fault window, each times what a change of the level by a factor of e does
    /// to the statistic.
    pub products: Vec<f32>,
    /// The sums of the products of each circumstance with the statistic.
    pub responses: Vec<f32>,
}

impl LearnedHabit {
    /// Whether nothing is known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.responses.is_empty()
    }
}

/// How often something happened by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedRate {
    /// How often it could have happened.
    pub chances: usize,
    /// How often it did.
    pub times: usize,
}
