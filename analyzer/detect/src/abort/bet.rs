//! What does a bet on a shifted residual pay?
//!
//! In: residuals in units of their noise. Out: odds whose mean is at most 1 while nothing happened.
//!
//! The odds are the likelihood ratio of shifted against not shifted noise. Under the normal it rises without end. Under
//! Student's t with 4 degrees of freedom, as heavy as the tails that telemetry shows, it falls again far out; it is kept at
//! its peak, so that worse never pays less, and so that a far residual pays a bounded sum.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Heavy tails: detection.md's generator gives them to 40 % of its series.
const DEGREES: f64 = 4.0;
/// ln of the density of Student's t with 4 degrees and unit variance at 0: Γ(5/2) / (Γ(2) √(2π)).
const LN_HEAVY_PEAK: f64 = -0.634_271_2;
/// ln of 1/√(2π).
const LN_NORMAL_PEAK: f64 = -0.918_938_533;
/// A normal bet pays at most e to this power: enough for any proof, and finite.
const MOST_LN_PAID: f64 = 200.0;

/// The shape of noise with unit variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tails {
    /// Normal.
    Light,
    /// Student's t with 4 degrees of freedom.
    Heavy,
}

impl Tails {
    /// The logarithm of the density.
    pub(super) fn ln_density(self, residual: f64) -> f64 {
        let squared = residual * residual / 2.0;
        match self {
            Self::Light => LN_NORMAL_PEAK - squared,
            Self::Heavy => LN_HEAVY_PEAK - f64::midpoint(DEGREES, 1.0) * squared.ln_1p(),
        }
    }

    /// Fisher's information of one residual about the logarithm of the scale.
    pub(super) fn scale_information(self) -> f64 {
        match self {
            Self::Light => 2.0,
            Self::Heavy => 2.0 * DEGREES / (DEGREES + 3.0),
        }
    }
}

/// A bet that residuals are shifted upwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bet {
    tails: Tails,
    shift: f64,
    /// Residuals between which the ratio rises.
    from: f64,
    to: f64,
    price: f64,
}

impl Bet {
    /// A bet on `shift` units of noise. Its price is the largest mean payment without a shift: in noise of these tails, and in
    /// the residuals of the very baseline, whatever their shape.
    pub(super) fn new(tails: Tails, shift: f64, baseline_residuals: &[f64]) -> Self {
        let (from, to) = match tails {
            Tails::Light => (f64::NEG_INFINITY, shift / 2.0 + MOST_LN_PAID / shift),
            // Where the ratio (1 + u²/2) / (1 + (u - d)²/2) is stationary: u² - d u - 2 = 0.
            Tails::Heavy => {
                let root = (shift * shift + 8.0).sqrt();
                (f64::midpoint(shift, -root), f64::midpoint(shift, root))
            }
        };
        let free = Self { tails, shift, from, to, price: 1.0 };
        let count = baseline_residuals.len().max(1) as f64;
        let in_baseline = baseline_residuals.iter().map(|&residual| free.pays(residual)).sum::<f64>() / count;
        Self { price: free.mean_payment().max(in_baseline), ..free }
    }

    /// What a stake of one becomes.
    pub(super) fn pays(self, residual: f64) -> f64 {
        let bounded = residual.clamp(self.from, self.to);
        let away = bounded - self.shift;
        let paid = match self.tails {
            Tails::Light => (self.shift * (bounded - self.shift / 2.0)).exp(),
            Tails::Heavy => {
                let ratio = (1.0 + bounded * bounded / 2.0) / (1.0 + away * away / 2.0);
                // To the power of (4 + 1) / 2.
                ratio * ratio * ratio.sqrt()
            }
        };
        paid / self.price
    }

    /// The mean without a shift.
    fn mean_payment(self) -> f64 {
        match self.tails {
            Tails::Light => 1.0 / self.price,
            // Between the bounds the ratio times the density is the shifted density.
            Tails::Heavy => {
                let t = StudentsT::new(0.0, std::f64::consts::FRAC_1_SQRT_2, DEGREES)
                    .expect("the scale and the degrees of freedom are positive constants");
                let between = t.cdf(self.to - self.shift) - t.cdf(self.from - self.shift);
                let outside = self.pays(self.from) * t.cdf(self.from) + self.pays(self.to) * t.sf(self.to);
                between / self.price + outside
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean payment by the midpoint rule over 800 units of noise: a bet on heavy tails is paid far out.
    fn mean_payment(bet: Bet) -> f64 {
        let width = 0.01;
        (-40_000..40_000)
            .map(|index| (f64::from(index) + 0.5) * width)
            .map(|residual| bet.pays(residual) * bet.tails.ln_density(residual).exp() * width)
            .sum()
    }

    #[test]
    fn a_bet_is_fair_while_nothing_is_shifted() {
        for (tails, shifts) in [(Tails::Light, [0.05, 0.5, 2.0]), (Tails::Heavy, [0.05, 2.0, 8.0])] {
            for shift in shifts {
                let mean = mean_payment(Bet::new(tails, shift, &[]));
                assert!((mean - 1.0).abs() < 1e-3, "{tails:?}, shift {shift}: mean payment {mean}");
            }
        }
    }

    #[test]
    fn a_worse_residual_never_pays_less() {
        for tails in [Tails::Light, Tails::Heavy] {
            let bet = Bet::new(tails, 3.0, &[]);
            let paid: Vec<f64> = (-200..=400).map(|tenths| bet.pays(f64::from(tenths) / 10.0)).collect();
            assert!(paid.windows(2).all(|pair| pair[1] >= pair[0]));
            assert!(paid[0] < 0.2 && paid[600] > 10.0, "{} {}", paid[0], paid[600]);
        }
    }

    #[test]
    fn a_baseline_with_many_outliers_makes_the_bet_dear() {
        let rough: Vec<f64> = (0..100).map(|index| if index % 20 == 0 { 5.0 } else { -0.26 }).collect();
        for tails in [Tails::Light, Tails::Heavy] {
            let bet = Bet::new(tails, 4.0, &rough);
            let mean = rough.iter().map(|&residual| bet.pays(residual)).sum::<f64>() / 100.0;
            assert!((mean - 1.0).abs() < 1e-9, "{mean}");
            assert!(bet.pays(5.0) < 0.2 * Bet::new(tails, 4.0, &[]).pays(5.0));
        }
    }
}
