//! What leaves the program: one versioned report, and every format that maps from it.
//!
//! [`Report`] is built from the verdict once, and each of its `to_` methods gives one format. They read only the
//! report, so a report that was stored as JSON is shown again exactly as on the day it was made. Nothing here reads
//! a clock, a file or the environment: the same report gives the same bytes.

mod entries;
mod from_model;
mod report;

mod headline;
mod names;
mod numbers;
mod power;
mod story;

mod html;
mod json;
mod markdown;
mod text;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod samples;

pub use entries::{DetectableEntry, ExpectationsEntry, ImpactEntry, MetricLimitEntry, OvershootEntry};
pub use from_model::ChartSeries;
pub use json::ReportReadError;
pub use names::visible;
pub use report::{
    ChartEntry, CheckEntry, CoverageEntry, DirectionWord, FindingEntry, GapEntry, Moment, OriginEntry,
    ProvenanceEntry, REPORT_VERSION, ReasonEntry, Report, ServiceEntry, ServiceState, SourceEntry,
    SystemEntry, VerdictWord, WindowEntry, Windows,
};
pub use text::{ReportFile, Style, TextOptions};
