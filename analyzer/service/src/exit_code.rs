//! What the process tells a script.

use aftermath_model::{Outcome, ReasonId, Verdict};

/// How a command ended. Documented in `docs/exit-codes.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Pass, or warn unless the caller asked that warn fails.
    Fine = 0,
    /// Something broke that has nothing to do with the verdict.
    Error = 1,
    /// Wrong arguments or wrong files.
    BadInput = 2,
    /// The verdict is fail, or warn where the caller asked that warn fails.
    Fail = 20,
    /// The verdict is inconclusive.
    Inconclusive = 30,
    /// The system was not steady before the fault.
    NotSteady = 31,
    /// Stopped by a signal, as shells number it: 128 + SIGINT.
    Interrupted = 130,
}

/// From which verdict on a command fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Only the verdict fail.
    Fail,
    /// Warn as well.
    Warn,
}

impl ExitCode {
    /// The code for a verdict.
    #[must_use]
    pub fn of(verdict: &Verdict, fail_on: FailOn) -> Self {
        match verdict.outcome {
            Outcome::Pass => Self::Fine,
            Outcome::Warn => match fail_on {
                FailOn::Fail => Self::Fine,
                FailOn::Warn => Self::Fail,
            },
            Outcome::Fail => Self::Fail,
            Outcome::Inconclusive => {
                let not_steady = verdict.reasons.iter().any(|reason| reason.id == ReasonId::NotSteady);
                if not_steady { Self::NotSteady } else { Self::Inconclusive }
            }
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use aftermath_model::{Coverage, Reason, SystemEvidence};

    use super::*;

    fn verdict(outcome: Outcome, reason: ReasonId) -> Verdict {
        Verdict {
            outcome,
            score: 0.0,
            reasons: vec![Reason { id: reason, text: String::new() }],
            system: SystemEvidence {
                p_value: None,
                placebo_windows: 0,
                false_alarm_rate: None,
                false_alarm_basis: String::new(),
                detectable_effect: None,
            },
            services: vec![],
            origin: vec![],
            origin_basis: String::new(),
            propagation: vec![],
            findings: vec![],
            coverage: Coverage::default(),
            limits: vec![],
        }
    }

    #[test]
    fn every_verdict_has_the_documented_exit_code() {
        let table = [
            (Outcome::Pass, ReasonId::NothingChanged, FailOn::Fail, 0),
            (Outcome::Pass, ReasonId::NothingChanged, FailOn::Warn, 0),
            (Outcome::Warn, ReasonId::WeakUnexpectedChange, FailOn::Fail, 0),
            (Outcome::Warn, ReasonId::WeakUnexpectedChange, FailOn::Warn, 20),
            (Outcome::Fail, ReasonId::UnexpectedServiceHit, FailOn::Fail, 20),
            (Outcome::Inconclusive, ReasonId::TooManyGaps, FailOn::Warn, 30),
            (Outcome::Inconclusive, ReasonId::NotSteady, FailOn::Fail, 31),
        ];
        for (outcome, reason, fail_on, code) in table {
            assert_eq!(
                ExitCode::of(&verdict(outcome, reason), fail_on) as u8,
                code,
                "{outcome:?} {reason:?}"
            );
        }
    }
}
