//! The named reasons of a verdict. Each has a page in `docs/reasons/`.

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonId {
    /// Pass: nothing changed more than chance.
    NothingChanged,
    /// Pass: only expected services changed, and they recovered.
    OnlyExpectedImpact,
    /// Fail: a service that nobody expected was hit.
    UnexpectedServiceHit,
    /// Fail: a service was hit and did not come back while it was watched.
    NeverRecovered,
    /// Fail: a metric left the limit that was set for it.
    LimitExceeded,
    /// Fail, or warn where the signs are weaker: an expected service changed in another way than foreseen.
    UnexpectedKindOfChange,
    /// Fail, or warn where it is less than can be resolved: a service came back later than was set.
    RecoveredTooLate,
    /// Warn: one metric that users do not feel changed for sure, and nothing else in its service.
    UncorroboratedChange,
    /// Warn: there are signs of an unexpected change, weaker than a failure needs.
    WeakUnexpectedChange,
    /// Warn: it cannot be told whether a service that was hit came back.
    RecoveryUnknown,
    /// Inconclusive: no series at all.
    NoData,
    /// Inconclusive: too little was recorded before the fault to know what is normal.
    BaselineTooShort,
    /// Inconclusive: too little was recorded during the fault.
    FaultTooShort,
    /// Inconclusive: too many series could not be judged.
    TooManyGaps,
    /// Inconclusive: the source said that its answer is not complete.
    SourcePartial,
    /// Inconclusive: the system was not steady before the fault.
    NotSteady,
    /// Inconclusive: the target shows no change, so the fault probably did nothing.
    TargetNotAffected,
    /// Inconclusive: a limit was set for something that was not measured.
    LimitNotMeasured,
}

/// A reason with the facts of this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which reason.
    pub id: ReasonId,
    /// One sentence with the services, numbers and times of this run.
    pub text: String,
}

impl ReasonId {
    /// Every reason.
    pub const ALL: [Self; 18] = [
        Self::NothingChanged,
        Self::OnlyExpectedImpact,
        Self::UnexpectedServiceHit,
        Self::NeverRecovered,
        Self::LimitExceeded,
        Self::UnexpectedKindOfChange,
        Self::RecoveredTooLate,
        Self::UncorroboratedChange,
        Self::WeakUnexpectedChange,
        Self::RecoveryUnknown,
        Self::NoData,
        Self::BaselineTooShort,
        Self::FaultTooShort,
        Self::TooManyGaps,
        Self::SourcePartial,
        Self::NotSteady,
        Self::TargetNotAffected,
        Self::LimitNotMeasured,
    ];

    /// The name used in reports and as the name of its page.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingChanged => "nothing_changed",
            Self::OnlyExpectedImpact => "only_expected_impact",
            Self::UnexpectedServiceHit => "unexpected_service_hit",
            Self::NeverRecovered => "never_recovered",
            Self::LimitExceeded => "limit_exceeded",
            Self::UnexpectedKindOfChange => "unexpected_kind_of_change",
            Self::RecoveredTooLate => "recovered_too_late",
            Self::UncorroboratedChange => "uncorroborated_change",
            Self::WeakUnexpectedChange => "weak_unexpected_change",
            Self::RecoveryUnknown => "recovery_unknown",
            Self::NoData => "no_data",
            Self::BaselineTooShort => "baseline_too_short",
            Self::FaultTooShort => "fault_too_short",
            Self::TooManyGaps => "too_many_gaps",
            Self::SourcePartial => "source_partial",
            Self::NotSteady => "not_steady",
            Self::TargetNotAffected => "target_not_affected",
            Self::LimitNotMeasured => "limit_not_measured",
        }
    }
}
