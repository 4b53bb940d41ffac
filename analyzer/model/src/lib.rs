//! The nouns of Aftermath: what is read, what was normal, what was done, what was found, what is said.
//!
//! Modules stand in the order in which a datum meets them. This crate knows no input or output, no clock, no
//! statistics, no vendor and, but for [`learned`], no serialised form: each border of the program maps these
//! types to its own format by hand.

mod time;

mod catalog;
mod samples;
mod series;

mod expectations;
mod provenance;
mod timeline;
mod topology;

mod finding;
mod gap;
mod reason;
mod verdict;

pub mod learned;

pub use catalog::{Catalog, CatalogEntry};
pub use expectations::{Along, Bound, Expectations, ExpectedImpact, MetricLimit, Reach, Signal, Trend};
pub use finding::{Channel, Direction, Finding};
pub use gap::{Gap, GapCause};
pub use learned::{LearnedNull, OriginScorer, PastExperiment};
pub use provenance::{CheckOutcome, Experiment, Provenance, SourceDescription};
pub use reason::{Reason, ReasonId};
pub use samples::{Block, RecordedRun, SampleDefects, Series};
pub use series::{MetricKind, SeriesKey, SeriesKind, family};
pub use time::{Timestamp, TimestampError, Window};
pub use timeline::{Timeline, TimelineProblem};
pub use topology::Topology;
pub use verdict::{
    Coverage, DetectableChange, GapCount, OriginCandidate, Outcome, Overshoot, RecoveryState, ServiceVerdict,
    SystemEvidence, Verdict,
};
