//! The report: what a verdict looks like outside the program, version 1.
//!
//! Every other format (text, Markdown, HTML) maps from these types and from nothing else, so a stored report can be
//! shown again later. The order of the fields here is the order in the JSON.
//!
//! Within version 1 fields are only ever added, each with a default. A reader therefore ignores fields that it does
//! not know; a change of meaning, a removal or a rename is version 2.

use std::collections::BTreeMap;

use aftermath_model::{Timestamp, Window};
use serde::{Deserialize, Serialize};

use super::entries::{DetectableEntry, ExpectationsEntry, OvershootEntry};

/// The version of the report format that this program writes and reads.
pub const REPORT_VERSION: u32 = 1;

/// The report of one verdict, version 1.
///
/// Numbers are always finite; a number that could not be computed, or was not finite, is `null`. Times are RFC 3339
/// in UTC with milliseconds. Windows hold their start and not their end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// The version of this format: 1.
    #[cfg_attr(test, schemars(extend("const" = REPORT_VERSION)))]
    pub report_version: u32,
    /// The verdict in one word. `inconclusive` is never a pass.
    pub verdict: VerdictWord,
    /// 0 to 100: 100 when nothing unexpected happened; always `null` beside `inconclusive`.
    pub score: Option<f64>,
    /// Why, the weightiest first.
    pub reasons: Vec<ReasonEntry>,
    /// The evidence that the system as a whole changed, and how far it can be trusted.
    pub system: SystemEntry,
    /// When what happened.
    pub windows: Windows,
    /// The service that the fault acts on; `null` if nobody said.
    pub target: Option<String>,
    /// Further services that were expected to be hit: those that were named, and those within reach of the target.
    pub expected: Vec<String>,
    /// In which way, how much and for how long, where that was said.
    #[serde(default)]
    pub expectations: ExpectationsEntry,
    /// Every service, the worst hit first.
    pub services: Vec<ServiceEntry>,
    /// Every service, the most likely origin of the trouble first.
    pub origin: Vec<OriginEntry>,
    /// By which rule the origin was ranked, and why.
    #[serde(default)]
    pub origin_basis: String,
    /// The order in which affected services were reached, in waves: each service of a wave surely began to change after
    /// one of the wave before it; what shares a wave cannot be ordered.
    #[serde(default)]
    pub propagation: Vec<Vec<String>>,
    /// The series that changed more than chance allows, the strongest first.
    pub findings: Vec<FindingEntry>,
    /// How much of the system the verdict rests on.
    pub coverage: CoverageEntry,
    /// What was cut, mended or missing, in sentences, and what the source warned of: the notes of the provenance are
    /// among them.
    pub limits: Vec<String>,
    /// Predefined checks of the same run. They stand beside the verdict and never change it.
    pub checks: Vec<CheckEntry>,
    /// The course of some of the series behind the findings, thinned out for drawing.
    pub charts: Vec<ChartEntry>,
    /// Where the samples come from, so that the verdict can be replayed.
    pub provenance: ProvenanceEntry,
}

/// A verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum VerdictWord {
    /// Nothing beyond what was expected.
    Pass,
    /// Something worth a look.
    Warn,
    /// Something was hit that nobody expected, or never came back.
    Fail,
    /// It cannot be told.
    Inconclusive,
}

/// One reason for the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReasonEntry {
    /// Its name; `docs/reasons/<id>.md` explains it.
    pub id: String,
    /// One sentence with the facts of this run.
    pub text: String,
}

/// The evidence that the system as a whole changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SystemEntry {
    /// The chance of so much change anywhere when nothing happened, 0 to 1.
    pub p_value: Option<f64>,
    /// How many quiet windows of the same length the fault was compared with.
    pub placebo_windows: usize,
    /// How often this procedure says `fail` when nothing happened, 0 to 1; `null` if nothing is known about it.
    pub false_alarm_rate: Option<f64>,
    /// How that rate was obtained.
    pub false_alarm_basis: String,
    /// The change, in standard deviations, that would have been called a hit in half of the services; `null` if that
    /// cannot be said.
    #[serde(default)]
    pub detectable_effect: Option<f64>,
}

/// When the system was left alone, when the fault acted on it, and when it was watched healing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Windows {
    /// The system was left alone.
    pub baseline: WindowEntry,
    /// The fault acted.
    pub fault: WindowEntry,
    /// The system was watched healing; `null` if it was not.
    pub recovery: Option<WindowEntry>,
    /// Stretches that belong to other events and were taken out of the baseline.
    pub exclude: Vec<WindowEntry>,
    /// The spacing of the grid on which series were compared, in seconds.
    pub step_seconds: f64,
}

/// A stretch of time; `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WindowEntry {
    /// The first point inside.
    pub from: Moment,
    /// The first point after it.
    pub to: Moment,
}

/// A point in time, written as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub Timestamp);

/// What happened to one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceEntry {
    /// The service; empty for series that no label assigns to a service.
    pub name: String,
    /// Whether it changed more than chance allows.
    pub affected: bool,
    /// Whether a change of it was foreseen: it is the target, or was named as expected.
    pub expected: bool,
    /// The chance of so much change of this service when nothing happened, 0 to 1.
    pub p_value: Option<f64>,
    /// How badly it was hit, 0 to 100.
    pub severity: Option<f64>,
    /// When its changes began: the weighted median of those that speak for it.
    pub onset: Option<Moment>,
    /// Before this moment they had not begun, in 95 of 100 cases.
    #[serde(default)]
    pub onset_from: Option<Moment>,
    /// By this moment they had, in 95 of 100 cases.
    #[serde(default)]
    pub onset_to: Option<Moment>,
    /// When its last change was over.
    pub recovered_at: Option<Moment>,
    /// From the end of the fault until then, in seconds; never negative.
    pub recovery_seconds: Option<f64>,
    /// Whether it came back.
    pub state: ServiceState,
    /// How much longer it should have been watched to tell, in seconds; `null` where that is not needed or no help.
    #[serde(default)]
    pub watch_longer_seconds: Option<f64>,
    /// The furthest that one of its changed series went beyond normal after the fault; `null` if none did.
    #[serde(default)]
    pub overshoot: Option<OvershootEntry>,
    /// Whether it counts as hit although only one metric, which users feel, says so.
    #[serde(default)]
    pub rests_on_one_metric: bool,
    /// The smallest change of it that would have been called a hit; `null` if none would have been, or if that cannot
    /// be said.
    #[serde(default)]
    pub detectable: Option<DetectableEntry>,
}

/// Whether a service came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ServiceState {
    /// It was not hit.
    Unaffected,
    /// It is back where it was.
    Recovered,
    /// It was still different at the end of the watch.
    NotRecovered,
    /// The watch was too short or too noisy to tell.
    CannotTell,
}

/// A service and how likely the trouble started there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OriginEntry {
    /// The service.
    pub service: String,
    /// Larger is likelier. Comparable within one report only.
    pub score: Option<f64>,
}

/// One series that changed more than chance allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingEntry {
    /// The metric; for a histogram its family.
    pub metric: String,
    /// Its labels without the one that named the service; for a histogram without `le`.
    pub labels: BTreeMap<String, String>,
    /// The service; empty when no label tells.
    pub service: String,
    /// What was measured of it: `value`, `per second`, `mean`, `p99`, `shape` (the share of a histogram's observations
    /// that lie in other buckets than usual) and others.
    pub measure: String,
    /// The kind of change: `level`, `presence`, `restart`; later versions of the program may know more.
    pub channel: String,
    /// Where it went.
    pub direction: DirectionWord,
    /// How often the process started again; only where the channel is `restart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<usize>,
    /// The size of the change in standard deviations of the series before the fault.
    pub effect: Option<f64>,
    /// The typical value before the fault, in the unit of the metric and the measure; `null` if there was none.
    pub baseline: Option<f64>,
    /// The typical value during the fault, likewise.
    pub fault: Option<f64>,
    /// The chance of so large a change when nothing happened, 0 to 1.
    pub p_value: Option<f64>,
    /// The share of false discoveries among the findings at least as strong as this one, 0 to 1.
    pub q_value: Option<f64>,
    /// When the change began; `null` where the series does not tell.
    pub onset: Option<Moment>,
    /// When it was over; `null` if it was not, or cannot be told.
    pub recovered_at: Option<Moment>,
}

/// Where a series went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum DirectionWord {
    /// Higher than before.
    Up,
    /// Lower than before.
    Down,
    /// It did not exist before.
    Appeared,
    /// It existed before.
    Vanished,
}

/// How much of the system the verdict rests on, in series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CoverageEntry {
    /// Series that were read.
    pub series: usize,
    /// Series that were judged.
    pub judged: usize,
    /// The others, by cause.
    pub gaps: Vec<GapEntry>,
}

/// Series that could not be judged for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GapEntry {
    /// The cause, such as `too_few_baseline_samples`.
    pub cause: String,
    /// How many series.
    pub series: usize,
}

/// The result of one predefined check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckEntry {
    /// Its name.
    pub name: String,
    /// Whether it is green.
    pub passed: bool,
    /// What it saw.
    pub detail: String,
}

/// The course of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChartEntry {
    /// The service; empty when no label tells.
    pub service: String,
    /// The metric; for a histogram its family.
    pub metric: String,
    /// Its labels, as in the finding.
    pub labels: BTreeMap<String, String>,
    /// What is drawn, as in the finding.
    pub measure: String,
    /// `[milliseconds since the epoch, value]`, in order of time; a missing value is `null`.
    pub points: Vec<(i64, Option<f64>)>,
}

/// Where the samples come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProvenanceEntry {
    /// The version of Aftermath that read the samples.
    pub aftermath_version: String,
    /// The system that they were read from, without secrets.
    pub source: SourceEntry,
    /// The selectors that chose the series; empty means all.
    pub selectors: Vec<String>,
    /// The labels that could name the service, in the order in which they were tried.
    pub service_labels: Vec<String>,
    /// The stretch of time that was read.
    pub window: WindowEntry,
    /// The spacing of the samples in seconds.
    pub step_seconds: f64,
    /// Warnings of the source, limits that were reached, samples that had to be mended. All of them are in the limits
    /// of the report too.
    pub notes: Vec<String>,
    /// Whether the source itself said, or showed, that its answer is not complete.
    pub partial: bool,
}

/// The system that the samples were read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceEntry {
    /// `prometheus`, `scrape`, `recording`.
    pub kind: String,
    /// The address without credentials, or the file name.
    pub address: String,
    /// What the server says of itself; empty where it says nothing.
    pub version: String,
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0.to_string()
    }
}

impl TryFrom<String> for Moment {
    type Error = aftermath_model::TimestampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A point in time: RFC 3339 in UTC with milliseconds.",
            "type": "string",
            "format": "date-time",
            "pattern": "^-?\\d{4,6}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$"
        })
    }
}

impl From<Window> for WindowEntry {
    fn from(window: Window) -> Self {
        Self { from: Moment(window.from), to: Moment(window.to) }
    }
}

impl WindowEntry {
    /// Its length in milliseconds.
    pub(super) fn duration_ms(self) -> i64 {
        self.to.0.ms() - self.from.0.ms()
    }
}
