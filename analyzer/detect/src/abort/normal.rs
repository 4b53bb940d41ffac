//! What is normal for an indicator, and how much does the next sample speak against it?
//!
//! In: a baseline whose harmful direction is up. Out: the odds of each bet on the next sample.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::EXCESSES_SD;
use super::bet::Bet;
use crate::math::{mean, variance_inflation};

/// A level this many standard deviations from normal is still within the margin: a smaller change would not end an
/// experiment even if it were certain.
const MARGIN_SD: f64 = 0.5;
/// The margin also holds this many standard errors of the baseline's level: a one-sided 2.3 % point.
const MARGIN_ERRORS: f64 = 2.0;
/// Standard errors by which the autocorrelation is moved against aborting.
const PHI_ERRORS: f64 = 1.0;
/// An autocorrelation beyond this cannot be told from a random walk in a short baseline.
const PHI_LIMIT: f64 = 0.97;
/// The chance that the noise is larger than assumed.
const NOISE_RISK: f64 = 0.05;
/// A bet on a smaller shift than this in units of noise gains nothing in any run.
const LEAST_SHIFT: f64 = 0.02;
/// A baseline is constant if it moves by less than this share of its level: rounding.
const ROUNDING: f64 = 1e-9;
/// In n samples an event that never occurred has at most a chance of 3/n, with 95 % confidence (Hanley & Lippman-Hand 1983).
const NEVER_SEEN: f64 = 3.0;
/// Harm to an indicator that never moved moves at least half of its samples.
const MOVED_UNDER_HARM: f64 = 0.5;

/// What a stake of one becomes with the next sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Odds {
    /// If the harm begins with this sample.
    pub(super) first: f64,
    /// If it began before.
    pub(super) later: f64,
}

/// What is normal for an indicator.
#[derive(Clone, Debug)]
pub(super) enum Normal {
    /// It moved in the baseline.
    Moving(Box<Moving>),
    /// It never moved.
    Still {
        /// Where it stood.
        level: f64,
        /// The largest chance of moving that the baseline does not rule out.
        chance: f64,
    },
}

/// An AR(1) process with known bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    /// The harmful end of the margin.
    edge: f64,
    /// The standard deviation of a sample.
    deviation: f64,
    phi_low: f64,
    phi: f64,
    phi_high: f64,
    /// The upper bound of the noise that each step adds.
    noise: f64,
    first: [Bet; EXCESSES_SD.len()],
    later: [Bet; EXCESSES_SD.len()],
}

impl Normal {
    pub(super) fn of(baseline: &[Option<f64>]) -> Self {
        let known: Vec<f64> = baseline.iter().flatten().copied().collect();
        let level = mean(&known);
        let moves = known.iter().any(|value| (value - known[0]).abs() > ROUNDING * known[0].abs());
        if moves {
            Self::Moving(Box::new(Moving::of(baseline, &known, level)))
        } else {
            let chance = (NEVER_SEEN / known.len() as f64).min(MOVED_UNDER_HARM);
            Self::Still { level: known[0] + ROUNDING * known[0].abs(), chance }
        }
    }

    /// How far a sample lies beyond the margin; negative inside.
    pub(super) fn beyond(&self, value: f64) -> f64 {
        match self {
            Self::Moving(moving) => value - moving.edge,
            Self::Still { level, .. } => value - level,
        }
    }

    /// The odds of each bet, given the previous sample `steps` ago, both as told by [`Self::beyond`].
    pub(super) fn odds(&self, previous: f64, beyond: f64, steps: u32) -> [Odds; EXCESSES_SD.len()] {
        match self {
            Self::Moving(moving) => moving.odds(previous, beyond, steps),
            Self::Still { chance, .. } => {
                let paid = if beyond > 0.0 {
                    MOVED_UNDER_HARM / chance
                } else {
                    (1.0 - MOVED_UNDER_HARM) / (1.0 - chance)
                };
                [Odds { first: paid, later: paid }; EXCESSES_SD.len()]
            }
        }
    }
}

impl Moving {
    fn of(baseline: &[Option<f64>], known: &[f64], level: f64) -> Self {
        let n = known.len() as f64;
        let squares: f64 = known.iter().map(|value| (value - level).powi(2)).sum();
        let pairs: Vec<(f64, f64)> =
            baseline.windows(2).filter_map(|pair| Some((pair[0]? - level, pair[1]? - level))).collect();
        let products: f64 = pairs.iter().map(|(before, after)| before * after).sum();
        // As many products as squares, however many samples are missing.
        let raw = products / squares * (n - 1.0) / (pairs.len() as f64).max(1.0);
        // The bias of a sample autocorrelation is -(1+4φ)/n (Marriott & Pope 1954).
        let phi = (raw + (1.0 + 4.0 * raw) / n).clamp(0.0, PHI_LIMIT);
        let phi_error = PHI_ERRORS * ((1.0 - phi * phi) / n).sqrt();
        let inflation = variance_inflation(phi, known.len());
        let deviation = (squares / (n - inflation).max(2.0)).sqrt();
        let residuals: Vec<f64> = pairs.iter().map(|(before, after)| after - phi * before).collect();
        let noise = upper_deviation(&residuals).unwrap_or(deviation);
        let in_noise: Vec<f64> = residuals.iter().map(|residual| residual / noise).collect();
        let phi_high = (phi + phi_error).min(1.0);
        let first = EXCESSES_SD.map(|excess| Bet::new(excess * deviation / noise, &in_noise));
        let later = EXCESSES_SD.map(|excess| {
            Bet::new(((1.0 - phi_high) * excess * deviation / noise).max(LEAST_SHIFT), &in_noise)
        });
        let edge = level + (MARGIN_SD + MARGIN_ERRORS * (inflation / n).sqrt()) * deviation;
        Self { edge, deviation, phi_low: (phi - phi_error).max(0.0), phi, phi_high, noise, first, later }
    }

    fn odds(&self, previous: f64, beyond: f64, steps: u32) -> [Odds; EXCESSES_SD.len()] {
        let phi = if previous > 0.0 { self.phi_high } else { self.phi_low };
        let power = |base: f64| base.powi(i32::try_from(steps).unwrap_or(i32::MAX));
        let residual = (beyond - power(phi) * previous) / self.noise_over(steps);
        std::array::from_fn(|arm| Odds {
            first: self.first[arm].pays(residual),
            later: self.later[arm].pays(residual),
        })
    }

    /// The noise that gathers over several steps, never more than that of a sample seen alone.
    fn noise_over(&self, steps: u32) -> f64 {
        let forgotten =
            |steps: u32| 1.0 - self.phi.powi(i32::try_from(steps).unwrap_or(i32::MAX).saturating_mul(2));
        let gathered = self.noise * (forgotten(steps) / forgotten(1)).sqrt();
        gathered.min(self.deviation.max(self.noise))
    }
}

/// The upper confidence bound of the standard deviation of residuals around zero, two of whose degrees of freedom were
/// spent on the level and the autocorrelation; `None` if they are too few.
fn upper_deviation(residuals: &[f64]) -> Option<f64> {
    let degrees = residuals.len() as f64 - 2.0;
    let chi_squared = ChiSquared::new(degrees).ok().filter(|_| degrees >= 1.0)?;
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    Some((squares / chi_squared.inverse_cdf(NOISE_RISK)).sqrt()).filter(|&noise| noise > 0.0)
}
