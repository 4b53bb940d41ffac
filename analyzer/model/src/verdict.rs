//! What is said at the end.

use crate::finding::Finding;
use crate::gap::GapCause;
use crate::reason::Reason;
use crate::series::SeriesKey;
use crate::time::Timestamp;

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing beyond what was expected.
    Pass,
    /// Something worth a look.
    Warn,
    /// Something was hit that nobody expected, or never came back.
    Fail,
    /// It cannot be told. Never a pass.
    Inconclusive,
}

/// Whether a service that was hit came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecoveryState {
    /// It was not hit.
    Unaffected,
    /// It is back where it was.
    Recovered,
    /// It is still different at the end of the watch.
    NotRecovered,
    /// The watch was too short or too noisy to tell.
    CannotTell,
}

/// What happened to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceVerdict {
    /// The service.
    pub name: String,
    /// Whether it changed more than chance allows.
    pub affected: bool,
    /// Whether a change of it was foreseen.
    pub expected: bool,
    /// The chance of so much change of this service when nothing happened.
    pub p_value: f64,
    /// How badly it was hit, 0 to 100.
    pub severity: f64,
    /// When its changes began: the weighted median of those that speak for it.
    pub onset: Option<Timestamp>,
    /// The interval that holds that moment in 95 of 100 cases: had not begun, had begun.
    pub onset_interval: Option<(Timestamp, Timestamp)>,
    /// When its last change was over.
    pub recovered_at: Option<Timestamp>,
    /// From the end of the fault until then, in seconds; never negative.
    pub recovery_seconds: Option<f64>,
    /// Whether it came back.
    pub state: RecoveryState,
    /// How much longer it should have been watched for an answer, in seconds; `None` where that would not help, or is
    /// not needed.
    pub watch_longer_seconds: Option<f64>,
    /// The furthest that one of its changed series went beyond normal on its way back.
    pub overshoot: Option<Overshoot>,
    /// Whether it counts as hit although only one metric, which users feel, says so.
    pub rests_on_one_metric: bool,
    /// The smallest change of it that would have been called a hit; `None` if none would have been, or if that cannot be
    /// said.
    pub detectable: Option<DetectableChange>,
}

/// A series that went beyond normal in the opposite direction after the fault, such as a queue of retries that is worked
/// off.
#[derive(Clone, Debug, PartialEq)]
pub struct Overshoot {
    /// Which series.
    pub key: SeriesKey,
    /// What was measured of it.
    pub measure: &'static str,
    /// How far beyond normal, in standard deviations of the series before the fault; negative for below.
    pub effect: f64,
    /// The typical value before the fault, in the unit of the measure.
    pub baseline: Option<f64>,
    /// The value furthest beyond it, averaged over a few samples.
    pub value: f64,
    /// When it was back within normal, or the end of what was seen.
    pub until: Timestamp,
}

/// The smallest change that would have been called a hit in four of five runs like this one.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectableChange {
    /// The series that would have shown it.
    pub key: SeriesKey,
    /// What is measured of it.
    pub measure: &'static str,
    /// The change, in standard deviations of the series before the fault.
    pub effect: f64,
    /// The change as a share of the typical value before the fault; `None` where that is 0.
    pub relative: Option<f64>,
    /// The typical value before the fault, in the unit of the measure.
    pub baseline: Option<f64>,
    /// How many different metrics would have had to change as clearly: 2 where none is one that users feel.
    pub metrics_needed: usize,
}

/// A service and how likely the trouble started there.
#[derive(Clone, Debug, PartialEq)]
pub struct OriginCandidate {
    /// The service.
    pub service: String,
    /// Larger is likelier. Comparable within one verdict only.
    pub score: f64,
}

/// The evidence that the system as a whole changed, and how far it can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemEvidence {
    /// The chance of so much change anywhere when nothing happened; `None` if it could not be computed.
    pub p_value: Option<f64>,
    /// How many quiet windows of the same length it was compared with.
    pub placebo_windows: usize,
    /// How often this procedure says `fail` when nothing happened; `None` if nothing is known about it.
    pub false_alarm_rate: Option<f64>,
    /// How that rate was obtained, in one sentence.
    pub false_alarm_basis: String,
    /// The change, in standard deviations, that would have been called a hit in half of the services; `None` if that
    /// cannot be said of half of them.
    pub detectable_effect: Option<f64>,
}

/// Series that could not be judged for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapCount {
    /// The cause.
    pub cause: GapCause,
    /// How many series.
    pub series: usize,
}

/// How much of the system the verdict rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Series that were read.
    pub series: usize,
    /// Series that were judged.
    pub judged: usize,
    /// The others, by cause.
    pub gaps: Vec<GapCount>,
}

/// The verdict of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// 0 to 100: 100 when nothing unexpected happened.
    pub score: f64,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// The system as a whole.
    pub system: SystemEvidence,
    /// Every service, the worst hit first.
    pub services: Vec<ServiceVerdict>,
    /// Every service, the most likely origin first.
    pub origin: Vec<OriginCandidate>,
    /// By which rule the origin was ranked and why, in a sentence.
    pub origin_basis: String,
    /// The order in which affected services were reached, in waves: each service of a wave surely began to change after
    /// one of the wave before it; what shares a wave cannot be ordered. Services whose beginning cannot be told are
    /// left out.
    pub propagation: Vec<Vec<String>>,
    /// The evidence, the strongest first.
    pub findings: Vec<Finding>,
    /// How much the verdict rests on.
    pub coverage: Coverage,
    /// What was cut, mended or missing, in sentences.
    pub limits: Vec<String>,
}

impl Verdict {
    /// The verdict of a run that ended before anything was judged, for these reasons. `series` were read until then.
    #[must_use]
    pub fn without_judgement(reasons: Vec<Reason>, series: usize) -> Self {
        Self {
            outcome: Outcome::Inconclusive,
            score: 0.0,
            reasons,
            system: SystemEvidence {
                p_value: None,
                placebo_windows: 0,
                false_alarm_rate: None,
                false_alarm_basis: "nothing was judged".to_owned(),
                detectable_effect: None,
            },
            services: Vec::new(),
            origin: Vec::new(),
            origin_basis: String::new(),
            propagation: Vec::new(),
            findings: Vec::new(),
            coverage: Coverage { series, ..Coverage::default() },
            limits: Vec::new(),
        }
    }
}
