//! How noisy is this one series, when few quiet windows of it were seen?
//!
//! In: the squared placebo statistics of each series of a class. Out: a [`Prior`] for the class, and the statistic of a
//! series measured against its own noise drawn towards that prior: the moderated t of Smyth, "Linear models and
//! empirical Bayes methods" (2004), with the prior's degrees of freedom estimated from the series themselves.

use aftermath_model::learned::LearnedSeries;
use statrs::function::gamma::digamma;

use crate::math::{mean, median_in_place, standard_deviation};

/// The mean square of statistics that chance gives to the series of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prior {
    pub(crate) mean_square: f64,
    /// How many windows of a single series the class is worth.
    pub(crate) degrees: f64,
}

/// The squared quiet statistics of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) windows: f64,
    pub(crate) sum_of_squares: f64,
}

/// A class as uniform as this is taken as uniform.
const MOST_DEGREES: f64 = 100.0;
/// And however diverse it is, it is worth one window: a series is never judged by its own few windows alone.
const LEAST_DEGREES: f64 = 1.0;

impl History {
    pub(crate) fn of(deviates: impl Iterator<Item = f64>) -> Self {
        deviates.fold(Self::default(), Self::with)
    }

    #[must_use]
    pub(crate) fn with(self, deviate: f64) -> Self {
        Self { windows: self.windows + 1.0, sum_of_squares: self.sum_of_squares + deviate * deviate }
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            windows: self.windows + other.windows,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
        }
    }

    #[must_use]
    pub(crate) fn without(self, deviate: f64) -> Self {
        Self {
            windows: self.windows - 1.0,
            sum_of_squares: (self.sum_of_squares - deviate * deviate).max(0.0),
        }
    }
}

impl From<LearnedSeries> for History {
    fn from(learned: LearnedSeries) -> Self {
        Self { windows: learned.windows as f64, sum_of_squares: learned.sum_of_squares }
    }
}

impl Prior {
    /// The prior of a class from the histories of its series: moments of the logarithm of their mean squares
    /// (Smyth 2004, section 6.2). Neutral without histories.
    pub(crate) fn of(histories: &[History]) -> Self {
        let seen: Vec<&History> = histories.iter().filter(|history| history.windows > 0.0).collect();
        if seen.len() < 3 {
            return Self { mean_square: 1.0, degrees: MOST_DEGREES };
        }
        let mut squares: Vec<f64> = seen.iter().map(|history| history.sum_of_squares / history.windows).collect();
        let floor = 1e-3 * median_in_place(&mut squares).max(1e-6);
        let logs: Vec<f64> = seen
            .iter()
            .map(|history| {
                let half = history.windows / 2.0;
                (history.sum_of_squares / history.windows).max(floor).ln() - digamma(half) + half.ln()
            })
            .collect();
        let expected: Vec<f64> = seen.iter().map(|history| trigamma(history.windows / 2.0)).collect();
        let beyond_chance = standard_deviation(&logs).powi(2) - mean(&expected);
        let half = if beyond_chance > 0.0 { inverse_trigamma(beyond_chance) } else { MOST_DEGREES / 2.0 };
        let degrees = (2.0 * half).clamp(LEAST_DEGREES, MOST_DEGREES);
        Self { mean_square: (mean(&logs) + digamma(degrees / 2.0) - (degrees / 2.0).ln()).exp(), degrees }
    }
}

/// A statistic in units of what chance does to this very series.
pub(crate) fn moderated(deviate: f64, history: History, prior: Prior) -> f64 {
    let degrees = prior.degrees + history.windows;
    let mean_square = (prior.degrees * prior.mean_square + history.sum_of_squares) / degrees;
    deviate / mean_square.sqrt().max(1e-6)
}

/// The second derivative of ln Γ: recurrence up to 6, then its asymptotic series (Abramowitz & Stegun 6.4.12).
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 6.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    sum + 1.0 / x + inverse / 2.0 + inverse / x * (1.0 / 6.0 - inverse * (1.0 / 30.0 - inverse / 42.0))
}

/// The x whose trigamma is `value`, by bisection on its logarithm: trigamma falls monotonically.
fn inverse_trigamma(value: f64) -> f64 {
    let (mut low, mut high) = (1e-3_f64.ln(), 1e4_f64.ln());
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if trigamma(middle.exp()) > value { low = middle } else { high = middle }
    }
    low.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigamma_agrees_with_known_values() {
        assert!((trigamma(1.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-7);
        assert!((trigamma(0.5) - std::f64::consts::PI.powi(2) / 2.0).abs() < 1e-7);
        assert!((inverse_trigamma(trigamma(2.5)) - 2.5).abs() < 1e-6);
    }

    #[test]
    fn a_series_that_is_always_noisy_needs_a_larger_change() {
        let prior = Prior { mean_square: 1.0, degrees: 4.0 };
        let quiet = History::of([0.5, -0.4, 0.6].into_iter());
        let noisy = History::of([3.0, -4.0, 5.0].into_iter());
        assert!(moderated(6.0, quiet, prior) > 2.0 * moderated(6.0, noisy, prior));
    }

    #[test]
    fn series_of_equal_noise_share_one_prior() {
        // Squares of standard normal quantiles in a scrambled order: what equal series give.
        let histories: Vec<History> = (0..200_u32)
            .map(|index| {
                let quantile = |k: u32| {
                    let share = (f64::from((index * 4 + k) * 37 % 800) + 0.5) / 800.0;
                    if share > 0.5 {
                        crate::math::upper_normal_deviate(1.0 - share)
                    } else {
                        -crate::math::upper_normal_deviate(share)
                    }
                };
                History::of((0..4).map(quantile))
            })
            .collect();
        let prior = Prior::of(&histories);
        assert!(prior.degrees > 10.0 && (prior.mean_square - 1.0).abs() < 0.4, "{prior:?}");
    }
}
