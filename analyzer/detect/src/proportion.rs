//! How often something happens, and how well that is known. In: counts. Out: a rate with its interval.

use statrs::distribution::{Beta, ContinuousCDF};

/// A rate that was counted, with its exact 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proportion {
    /// How often it happened.
    pub hits: usize,
    /// Out of how many.
    pub trials: usize,
    /// The lower end of the interval, 0 to 1.
    pub lower: f64,
    /// The upper end of the interval, 0 to 1.
    pub upper: f64,
}

/// Each tail of a two-sided 95 % interval.
const TAIL: f64 = 0.025;

impl Proportion {
    /// `hits` out of `trials`, with the interval of Clopper and Pearson (1934, Biometrika 26, 404), which never covers
    /// less often than it says. The trials must not depend on each other; see [`Self::of_dependent`].
    #[must_use]
    pub fn of(hits: usize, trials: usize) -> Self {
        Self::of_dependent(hits, trials, trials)
    }

    /// The same for trials of which only `independent` do not share anything with each other, such as windows that
    /// overlap: the rate is that of all trials, the interval that of as many as are independent.
    #[must_use]
    pub fn of_dependent(hits: usize, trials: usize, independent: usize) -> Self {
        let hits = hits.min(trials);
        let share = if trials == 0 { 1.0 } else { independent.min(trials) as f64 / trials as f64 };
        let (successes, failures) = (hits as f64 * share, (trials - hits) as f64 * share);
        let lower = if hits == 0 { 0.0 } else { quantile(successes, failures + 1.0, TAIL) };
        let upper = if hits == trials { 1.0 } else { quantile(successes + 1.0, failures, 1.0 - TAIL) };
        Self { hits, trials, lower, upper }
    }

    /// The rate itself; `None` when nothing was tried.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.trials > 0).then(|| self.hits as f64 / self.trials as f64)
    }
}

/// Halvings of the unit interval that leave nothing to tell apart in double precision.
const HALVINGS: usize = 60;

/// The quantile of a beta distribution, by halving: the library's own search does not end for millions of trials.
fn quantile(a: f64, b: f64, probability: f64) -> f64 {
    let Ok(beta) = Beta::new(a, b) else { return f64::NAN };
    let (mut below, mut above) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(below, above);
        if beta.cdf(middle) < probability { below = middle } else { above = middle }
    }
    f64::midpoint(below, above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_published_tables() {
        // 0 of n: upper = 1 - 0.025^(1/n). 1 of 10 and 5 of 20: R's binom.test.
        let table = [(0, 10, 0.0, 0.308_497), (1, 10, 0.002_529, 0.445_016), (5, 20, 0.086_571, 0.491_046)];
        for (hits, trials, lower, upper) in table {
            let found = Proportion::of(hits, trials);
            // Six digits are printed in the sources.
            assert!((found.lower - lower).abs() < 1e-5, "{found:?}");
            assert!((found.upper - upper).abs() < 1e-5, "{found:?}");
        }
    }

    #[test]
    fn ten_million_trials_have_an_interval_too() {
        let never = Proportion::of(0, 10_000_000);
        assert!((never.upper / 3.688_879e-7 - 1.0).abs() < 1e-3, "{never:?}");
        let often = Proportion::of(5_000_000, 10_000_000);
        assert!(often.lower > 0.4996 && often.upper < 0.5004, "{often:?}");
    }

    #[test]
    fn trials_that_share_samples_know_less() {
        let (all, few) = (Proportion::of(4, 40), Proportion::of_dependent(4, 40, 10));
        assert_eq!(all.rate(), few.rate());
        assert!(few.lower < all.lower && all.upper < few.upper, "{all:?} {few:?}");
        let one_of_ten = Proportion::of(1, 10);
        assert!((few.upper - one_of_ten.upper).abs() < 1e-12, "{few:?} {one_of_ten:?}");
    }

    #[test]
    fn all_and_none_reach_the_ends() {
        assert!((Proportion::of(7, 7).upper - 1.0).abs() < f64::EPSILON);
        let nothing = Proportion::of(0, 0);
        assert_eq!((nothing.rate(), nothing.lower), (None, 0.0));
        assert!((nothing.upper - 1.0).abs() < f64::EPSILON);
    }
}
