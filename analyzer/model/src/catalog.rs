//! What can be seen: the answer of `discover`.

use crate::series::MetricKind;

/// One metric name that a source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// The metric name, for parts of a histogram with the suffix.
    pub metric: String,
    /// What its family declares itself to be.
    pub kind: MetricKind,
    /// How many series carry this name in the asked stretch of time; `None` where the source cannot tell cheaply.
    pub series: Option<usize>,
}

/// Everything that a source offers in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Sorted by metric name.
    pub entries: Vec<CatalogEntry>,
    /// What the source said about its answer: warnings, partial responses, limits that were reached.
    pub notes: Vec<String>,
}
