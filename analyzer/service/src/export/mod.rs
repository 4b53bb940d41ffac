//! What leaves the program: one versioned report, and every format that maps from it.
//!
//! [`Report`] is built from the verdict once, and each of its `to_` methods gives one format. They read only the
//! report, so a report that was stored as JSON is shown again exactly as on the day it was made. Nothing here reads
//! a clock, a file or the environment: the same report gives the same bytes.

mod from_model;
mod report;

mod names;
mod numbers;
mod story;

mod html;
mod json;
mod markdown;
mod text;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod samples;

pub use from_model::ChartSeries;
pub use json::ReportReadError;
pub use names::visible;
pub use report::{
    ChartEntry, CheckEntry, CoverageEntry, DirectionWord, FindingEntry, GapEntry, Moment, OriginEntry,
    ProvenanceEntry, REPORT_VERSION, ReasonEntry, Report, ServiceEntry, ServiceState, SourceEntry,
    SystemEntry, VerdictWord, WindowEntry, Windows,
};
pub use text::{ReportFile, Style, TextOptions};
