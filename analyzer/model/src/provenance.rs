//! Where the evidence of a verdict comes from, so that it can be replayed.

use crate::expectations::Expectations;
use crate::time::Window;
use crate::timeline::Timeline;
use crate::verdict::GapCount;

/// The system that the samples were read from, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDescription {
    /// `prometheus`, `scrape`, `recording`.
    pub kind: String,
    /// The address without credentials, or the file name.
    pub address: String,
    /// What the server says of itself, such as `Prometheus 2.42.0`; empty where it says nothing.
    pub version: String,
}

/// Everything needed to understand and to replay a verdict, apart from the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The version of Aftermath that read the samples.
    pub aftermath_version: String,
    /// Where the samples come from.
    pub source: SourceDescription,
    /// The selectors that chose the series; empty means all.
    pub selectors: Vec<String>,
    /// The label that named the service, in the order in which labels were tried.
    pub service_labels: Vec<String>,
    /// The stretch of time that was read.
    pub window: Window,
    /// The spacing of the samples in milliseconds.
    pub step_ms: i64,
    /// Warnings of the source, limits that were reached, samples that had to be mended.
    pub notes: Vec<String>,
    /// Whether the source itself said, or showed, that its answer is not complete.
    pub partial: bool,
    /// Series that the source has and that could not be read.
    pub unread: Vec<GapCount>,
}

/// What a predefined check said. Stands beside the verdict, never mixed into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOutcome {
    /// The name of the check.
    pub name: String,
    /// Whether it was green.
    pub passed: bool,
    /// What it saw, in a few words.
    pub detail: String,
}

/// What was done and foreseen: with it an evidence file replays its verdict without further arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// The windows.
    pub timeline: Timeline,
    /// What was foreseen.
    pub expectations: Expectations,
    /// What the predefined checks said at the end.
    pub checks: Vec<CheckOutcome>,
}
