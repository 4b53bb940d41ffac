//! Parts of the report that say what was foreseen, what could have been seen, and what came after.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::Moment;

/// What was foreseen beyond names of services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExpectationsEntry {
    /// Services that may be hit, and in which way.
    pub impacts: Vec<ImpactEntry>,
    /// How many calls away from the target services may be hit; `null` if nobody said.
    pub hops: Option<usize>,
    /// Along which calls: `callers`, `callees`, `both`.
    pub along: Option<String>,
    /// What had to hold during the fault.
    pub metric_limits: Vec<MetricLimitEntry>,
    /// The longest time from the end of the fault until a service had to be back, in seconds.
    pub recover_within_seconds: Option<f64>,
}

/// A service that may be hit, and in which way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ImpactEntry {
    /// The service.
    pub service: String,
    /// What may change: `errors`, `latency`, `saturation`, `traffic`; empty for anything.
    pub signals: Vec<String>,
    /// `up` or `down`; `null` for either.
    pub trend: Option<String>,
}

/// A bound in natural units that a metric had to keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricLimitEntry {
    /// The service.
    pub service: String,
    /// The metric; for a histogram its family.
    pub metric: String,
    /// What is measured of it; `null` for every measure.
    pub measure: Option<String>,
    /// It had to stay below; `null` if it had to stay above.
    pub below: Option<f64>,
    /// It had to stay above; `null` if it had to stay below.
    pub above: Option<f64>,
}

/// A series that went beyond normal in the opposite direction after the fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OvershootEntry {
    /// The metric; for a histogram its family.
    pub metric: String,
    /// Its labels, as in a finding.
    pub labels: BTreeMap<String, String>,
    /// What was measured of it, as in a finding.
    pub measure: String,
    /// How far beyond normal, in standard deviations of the series before the fault; negative for below.
    pub effect: Option<f64>,
    /// The typical value before the fault, in the unit of the metric and the measure.
    pub baseline: Option<f64>,
    /// The value furthest beyond it, averaged over a few samples.
    pub value: Option<f64>,
    /// When it was back within normal, or the end of what was seen.
    pub until: Moment,
}

/// The smallest change that would have been called a hit in four of five runs like this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DetectableEntry {
    /// The metric that would have shown it; for a histogram its family.
    pub metric: String,
    /// Its labels, as in a finding.
    pub labels: BTreeMap<String, String>,
    /// What is measured of it, as in a finding.
    pub measure: String,
    /// The change, in standard deviations of the series before the fault.
    pub effect: Option<f64>,
    /// The change as a share of the typical value before the fault: 0.12 for 12 % more.
    pub relative: Option<f64>,
    /// The typical value before the fault, in the unit of the metric and the measure.
    pub baseline: Option<f64>,
    /// How many different metrics would have had to change as clearly.
    pub metrics_needed: usize,
}
