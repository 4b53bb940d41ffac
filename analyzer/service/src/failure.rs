//! Why a command could not do its work, in words for the person who gave it.

use crate::exit_code::ExitCode;

/// Why a command could not do its work: every problem at once, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process tells a script.
    pub code: ExitCode,
    /// One sentence for each problem: the thing, what is wrong with it, a hint.
    pub problems: Vec<String>,
}

impl Failure {
    /// The caller gave something wrong.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands the problem over")]
    pub fn bad_input(problem: impl ToString) -> Self {
        Self { code: ExitCode::BadInput, problems: vec![problem.to_string()] }
    }

    /// Something broke.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands the problem over")]
    pub fn error(problem: impl ToString) -> Self {
        Self { code: ExitCode::Error, problems: vec![problem.to_string()] }
    }

    /// A person stopped the command.
    #[must_use]
    pub fn interrupted() -> Self {
        Self { code: ExitCode::Interrupted, problems: vec!["interrupted".to_owned()] }
    }
}

impl From<aftermath_baselines::BaselineError> for Failure {
    fn from(problem: aftermath_baselines::BaselineError) -> Self {
        if problem.is_bad_input() { Self::bad_input(problem) } else { Self::error(problem) }
    }
}

/// Collects problems so that all are told at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Keeps the value of a good result, and the problem of a bad one.
    pub fn check<T, E: ToString>(&mut self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                self.0.push(problem.to_string());
                None
            }
        }
    }

    /// Adds a problem.
    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands the problem over")]
    pub fn add(&mut self, problem: impl ToString) {
        self.0.push(problem.to_string());
    }

    /// All problems as one failure, if there are any.
    ///
    /// # Errors
    /// A [`Failure`] with the code for bad input.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(Failure { code: ExitCode::BadInput, problems: self.0 })
    }
}
