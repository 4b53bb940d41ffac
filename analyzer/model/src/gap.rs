//! What could not be judged, and why. No data is never good news.

use crate::series::SeriesKey;

/// Why a series could not be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// Too few samples before the fault to know what is normal.
    TooFewBaselineSamples,
    /// Too few samples during the fault, though the series did not vanish.
    TooFewFaultSamples,
    /// It comes and goes by itself, so that its silence during the fault tells nothing.
    TooManyMissingSamples,
    /// A series that only carries labels.
    Info,
    /// A histogram without the parts needed to read it.
    IncompleteHistogram,
    /// Buckets of a histogram without their bounds, as a source leaves them that cannot read native histograms.
    NativeHistogram,
    /// The source cut the series off at a limit.
    LimitReached,
}

impl GapCause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::TooFewBaselineSamples,
        Self::TooFewFaultSamples,
        Self::TooManyMissingSamples,
        Self::Info,
        Self::IncompleteHistogram,
        Self::NativeHistogram,
        Self::LimitReached,
    ];

    /// The cause with that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }

    /// The name used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooFewBaselineSamples => "too_few_baseline_samples",
            Self::TooFewFaultSamples => "too_few_fault_samples",
            Self::TooManyMissingSamples => "too_many_missing_samples",
            Self::Info => "info_series",
            Self::IncompleteHistogram => "incomplete_histogram",
            Self::NativeHistogram => "native_histogram",
            Self::LimitReached => "limit_reached",
        }
    }
}

/// One series that could not be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which series.
    pub key: SeriesKey,
    /// Why.
    pub cause: GapCause,
}
