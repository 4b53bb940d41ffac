//! What quiet windows of a system taught: the null distribution that later verdicts are held against.

mod experiments;

use std::collections::BTreeMap;

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
}

/// The quiet statistics of one series: how wide chance makes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedSeries {
    /// In how many quiet windows it moved at all.
    pub windows: usize,
    /// The sum of its squared statistics in them.
    pub sum_of_squares: f64,
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
