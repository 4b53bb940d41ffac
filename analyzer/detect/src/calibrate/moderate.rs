//! How noisy is this one series, when few quiet windows of it were seen?
//!
//! In: the squared quiet statistics of a series. Out: its statistic measured against its own noise, drawn towards
//! the noise that theory expects: the moderated t of Smyth, "Linear models and empirical Bayes methods for assessing
//! differential expression" (2004). A series is never taken to be calmer than theory says, because few quiet windows
//! are no proof of calm.

use aftermath_model::learned::LearnedSeries;

/// Theory is believed as much as this many quiet windows: between 1 and 1000 no figure on recorded cases changes by
/// more than chance, so the choice is the smallest that keeps two windows from deciding alone.
const PRIOR_WINDOWS: f64 = 4.0;

/// The squared quiet statistics of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) windows: f64,
    pub(crate) sum_of_squares: f64,
}

impl History {
    pub(crate) fn of(deviates: impl Iterator<Item = f64>) -> Self {
        deviates.fold(Self::default(), |history, deviate| Self {
            windows: history.windows + 1.0,
            sum_of_squares: history.sum_of_squares + deviate * deviate,
        })
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            windows: self.windows + other.windows,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
        }
    }

    /// The same history with so many of its windows as this share says.
    #[must_use]
    pub(crate) fn scaled(self, share: f64) -> Self {
        Self { windows: share * self.windows, sum_of_squares: share * self.sum_of_squares }
    }

    /// The variance of its statistics, drawn towards that of theory.
    pub(crate) fn mean_square(self) -> f64 {
        (PRIOR_WINDOWS + self.sum_of_squares) / (PRIOR_WINDOWS + self.windows)
    }

    #[must_use]
    pub(crate) fn without(self, deviate: f64) -> Self {
        Self {
            windows: (self.windows - 1.0).max(0.0),
            sum_of_squares: (self.sum_of_squares - deviate * deviate).max(0.0),
        }
    }
}

impl From<&LearnedSeries> for History {
    fn from(learned: &LearnedSeries) -> Self {
        Self { windows: learned.windows as f64, sum_of_squares: learned.sum_of_squares }
    }
}

/// A statistic in units of what chance does to this very series.
pub(crate) fn moderated(deviate: f64, history: History) -> f64 {
    deviate / history.mean_square().sqrt().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_is_always_noisy_needs_a_larger_change() {
        let quiet = History::of([0.5, -0.4, 0.6].into_iter());
        let noisy = History::of([3.0, -4.0, 5.0].into_iter());
        assert!(moderated(6.0, quiet) > 2.0 * moderated(6.0, noisy));
    }

    #[test]
    fn a_series_is_never_taken_to_be_calmer_than_theory() {
        let calm = History::of([0.01; 20].into_iter());
        assert!((moderated(2.0, calm) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_was_added_can_be_taken_away() {
        let history = History::of([1.0, 2.0].into_iter());
        assert_eq!(history.without(2.0), History::of([1.0].into_iter()));
    }
}
