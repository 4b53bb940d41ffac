//! What does a bet on a shifted residual pay?
//!
//! In: residuals in units of their noise. Out: odds whose mean is at most 1 while nothing happened.
//!
//! The odds are the likelihood ratio of Student's t with 4 degrees of freedom and unit variance, shifted against not
//! shifted: as heavy as the tails that telemetry shows, so that a far residual pays a bounded sum. The ratio falls again
//! far out; it is kept at its peak, so that worse never pays less and a residual below its null pays no more.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// The noise that bets are fair for, besides the normal: detection.md's generator gives it to 40 % of its series.
const DEGREES: f64 = 4.0;
/// Intervals of Simpson's rule; the integrand is smooth on a scale of one.
const INTERVALS: u32 = 256;

/// A bet that residuals are shifted upwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bet {
    shift: f64,
    /// Residuals between which the ratio rises.
    from: f64,
    to: f64,
    price: f64,
}

impl Bet {
    /// A bet on `shift` units of noise. Its price is the largest mean payment without a shift: under t, under the normal,
    /// and in the residuals of the very baseline, whatever their shape.
    pub(super) fn new(shift: f64, baseline_residuals: &[f64]) -> Self {
        // Where the ratio (1 + u²/2) / (1 + (u - d)²/2) is stationary: u² - d u - 2 = 0.
        let root = (shift * shift + 8.0).sqrt();
        let bet =
            Self { shift, from: f64::midpoint(shift, -root), to: f64::midpoint(shift, root), price: 1.0 };
        let count = baseline_residuals.len().max(1) as f64;
        let in_baseline = baseline_residuals.iter().map(|&residual| bet.pays(residual)).sum::<f64>() / count;
        Self { price: bet.mean_under_t().max(bet.mean_under_normal()).max(in_baseline), ..bet }
    }

    /// What a stake of one becomes.
    pub(super) fn pays(self, residual: f64) -> f64 {
        let bounded = residual.clamp(self.from, self.to);
        let away = bounded - self.shift;
        let ratio = (1.0 + bounded * bounded / 2.0) / (1.0 + away * away / 2.0);
        ratio.powf(f64::midpoint(DEGREES, 1.0)) / self.price
    }

    /// Between the bounds the ratio times the density is the shifted density.
    fn mean_under_t(self) -> f64 {
        let t = StudentsT::new(0.0, std::f64::consts::FRAC_1_SQRT_2, DEGREES)
            .expect("the scale and the degrees of freedom are positive constants");
        let between = t.cdf(self.to - self.shift) - t.cdf(self.from - self.shift);
        between / self.price + self.pays(self.from) * t.cdf(self.from) + self.pays(self.to) * t.sf(self.to)
    }

    fn mean_under_normal(self) -> f64 {
        let normal = Normal::new(0.0, 1.0).expect("the deviation is a positive constant");
        let weighted = |residual: f64| self.pays(residual) * normal.pdf(residual);
        let step = (self.to - self.from) / f64::from(INTERVALS);
        let inner: f64 = (1..INTERVALS)
            .map(|index| {
                let weight = if index % 2 == 1 { 4.0 } else { 2.0 };
                weight * weighted(self.from + f64::from(index) * step)
            })
            .sum();
        let between = (weighted(self.from) + inner + weighted(self.to)) * step / 3.0;
        between + self.pays(self.from) * normal.cdf(self.from) + self.pays(self.to) * normal.sf(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bet_is_fair_under_heavy_tails_and_at_most_fair_under_normal_ones() {
        for shift in [0.05, 0.5, 2.0, 8.0, 16.0] {
            let bet = Bet::new(shift, &[]);
            let dear = bet.mean_under_t().max(bet.mean_under_normal());
            assert!((dear - 1.0).abs() < 1e-9, "shift {shift}: mean payment {dear}");
        }
    }

    #[test]
    fn a_worse_residual_never_pays_less() {
        let bet = Bet::new(3.0, &[]);
        let paid: Vec<f64> = (-200..=400).map(|tenths| bet.pays(f64::from(tenths) / 10.0)).collect();
        assert!(paid.windows(2).all(|pair| pair[1] >= pair[0]));
        assert!(paid[0] < 0.2 && paid[600] > 10.0, "{} {}", paid[0], paid[600]);
    }

    #[test]
    fn a_baseline_with_many_outliers_makes_the_bet_dear() {
        let rough: Vec<f64> = (0..100).map(|index| if index % 20 == 0 { 5.0 } else { -0.26 }).collect();
        let mean = rough.iter().map(|&residual| Bet::new(4.0, &rough).pays(residual)).sum::<f64>() / 100.0;
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        assert!(Bet::new(4.0, &rough).pays(5.0) < 0.2 * Bet::new(4.0, &[]).pays(5.0));
    }
}
