//! What quiet windows of a system taught: the null distribution that later verdicts are held against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The null distribution of one system, learned from windows in which nothing happened.
///
/// The one noun that is also a file format: it is data from end to end, and `baselines` wraps it with a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedNull {
    /// How many quiet windows it was learned from.
    pub windows: usize,
    /// The services that were seen.
    pub services: Vec<String>,
    /// For each stratum of alike series the sorted absolute statistics of quiet windows.
    pub strata: BTreeMap<String, Vec<f64>>,
    /// For each quiet window the smallest p-value of any service.
    pub system_p_values: Vec<f64>,
}
