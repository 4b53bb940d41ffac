//! Evidence: one series that changed more than chance allows.

use crate::series::SeriesKey;
use crate::time::Timestamp;

/// The kind of change that a detector looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// The level of the series moved.
    Level,
    /// The series vanished or appeared.
    Presence,
    /// A start time moved: a process started again.
    Restart,
    /// It moves more, or less, from one sample to the next.
    Spread,
    /// It left its level for a short while.
    Burst,
    /// It climbs or sinks during the fault.
    Trend,
    /// The series is one of several of its service that together lie where they never do, without being remarkable by
    /// itself. The p-value and q-value are those of the service then.
    Pattern,
}

impl Channel {
    /// The name used in reports and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Presence => "presence",
            Self::Restart => "restart",
            Self::Spread => "spread",
            Self::Burst => "burst",
            Self::Trend => "trend",
            Self::Pattern => "pattern",
        }
    }
}

/// Where a series went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Higher than before.
    Up,
    /// Lower than before.
    Down,
    /// It did not exist before.
    Appeared,
    /// It existed before.
    Vanished,
}

/// One series that changed more than chance allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which series. For a histogram, `metric` is the family and `labels` has no `le`.
    pub key: SeriesKey,
    /// What was measured of it, in words of its unit: `value`, `per second`, `mean`, `p99`, `shape`.
    pub measure: &'static str,
    /// The kind of change.
    pub channel: Channel,
    /// Where it went.
    pub direction: Direction,
    /// How often it started again; 0 unless the channel is [`Channel::Restart`].
    pub restarts: usize,
    /// The change in units of the series' own standard deviation before the fault.
    pub effect: f64,
    /// The typical value before the fault, in the unit of [`Self::measure`]; `None` if there was none. For a change of the
    /// spread the typical move from sample to sample; for a trend the value when the fault began.
    pub baseline: Option<f64>,
    /// The typical value during the fault; `None` if there was none. For a change of the spread the typical move, for a
    /// burst its mean, for a trend the value at the end of the fault.
    pub fault: Option<f64>,
    /// The chance of so large a change when nothing happened.
    pub p_value: f64,
    /// The share of false discoveries among the findings at least as strong as this one.
    pub q_value: f64,
    /// When the change began; `None` where the series does not tell.
    pub onset: Option<Timestamp>,
    /// When it was over; `None` if it was not, or cannot be told.
    pub recovered_at: Option<Timestamp>,
}
