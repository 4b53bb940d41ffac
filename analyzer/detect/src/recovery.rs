//! When did the change begin, and when was it over?
//!
//! In: one series before, during and after the fault. Out: its onset and a [`Recovery`]. A series is back at the first
//! of three blocks in a row that lie within its normal band; at the end of the watch it must also still be there.

use aftermath_model::RecoveryState;

use crate::detectors::level::{Scale, autocorrelation};
use crate::math::{mean, standard_deviation, variance_inflation};

/// Within this many standard deviations of normal counts as back: the margin at which the prototype's time to
/// recover agreed with the truth.
const BACK_WITHIN_SD: f64 = 0.75;
/// Or within the noise of a block: the two-sided 10 % point of a normal.
const BACK_WITHIN_ERRORS: f64 = 1.64;
/// Two-sided 1 % point: still different at the end.
const STILL_DIFFERENT: f64 = 2.58;
/// Blocks in a row that must be back.
const BLOCKS_IN_A_ROW: usize = 3;
/// Samples in a block, where there are enough.
const BLOCK: usize = 5;
/// A change begins where the samples first leave the band of three standard deviations, the usual control limit.
const LEAVES_BAND_SD: f64 = 3.0;

/// Whether and when a series came back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Recovery {
    pub(crate) state: RecoveryState,
    pub(crate) at_ms: Option<i64>,
}

impl Recovery {
    /// Nothing was watched, or nothing can be told from it.
    pub(crate) const UNKNOWN: Self = Self { state: RecoveryState::CannotTell, at_ms: None };
}

/// What is normal for a series, in its own softly bounded units.
struct Normal {
    scale: Scale,
    level: f64,
    deviation: f64,
    phi: f64,
    of_level: f64,
}

impl Normal {
    fn of(baseline: &[f64]) -> Self {
        let scale = Scale::of(baseline).unwrap_or(Scale {
            centre: baseline[0],
            spread: (1e-9 * baseline[0].abs()).max(f64::MIN_POSITIVE),
        });
        let bounded: Vec<f64> = baseline.iter().map(|&value| scale.bounded(value)).collect();
        let level = mean(&bounded);
        let deviation = standard_deviation(&bounded);
        let squares: f64 = bounded.iter().map(|value| (value - level).powi(2)).sum();
        let products: f64 = bounded.windows(2).map(|pair| (pair[0] - level) * (pair[1] - level)).sum();
        let n = bounded.len() as f64;
        let phi = autocorrelation(products / squares.max(f64::MIN_POSITIVE), n);
        Self { scale, level, deviation, phi, of_level: variance_inflation(phi, bounded.len()) / n }
    }

    /// How far the mean of these values lies from normal.
    fn distance(&self, values: &[f64]) -> f64 {
        let bounded: Vec<f64> = values.iter().map(|&value| self.scale.bounded(value)).collect();
        (mean(&bounded) - self.level).abs()
    }

    /// The standard error of that distance.
    fn error(&self, samples: usize) -> f64 {
        let of_mean = variance_inflation(self.phi, samples) / samples as f64;
        self.deviation * (of_mean + self.of_level).sqrt()
    }
}

/// When the change of the fault window began: the first sample of the first pair that leaves the normal band; `None` if
/// none does.
pub(crate) fn onset(baseline: &[f64], times_ms: &[i64], values: &[f64]) -> Option<i64> {
    if baseline.is_empty() {
        return times_ms.first().copied();
    }
    let normal = Normal::of(baseline);
    let band = LEAVES_BAND_SD * normal.deviation;
    let outside = |value: f64| normal.distance(&[value]) > band;
    let pair = (0..values.len())
        .find(|&index| outside(values[index]) && values.get(index + 1).is_none_or(|&next| outside(next)))?;
    Some(times_ms[pair])
}

/// Whether and when the series came back after the fault.
pub(crate) fn recovery(baseline: &[f64], times_ms: &[i64], values: &[f64]) -> Recovery {
    let block = BLOCK.min(values.len() / (BLOCKS_IN_A_ROW + 1)).max(1);
    if baseline.len() < 3 || values.len() < BLOCKS_IN_A_ROW {
        return Recovery::UNKNOWN;
    }
    let normal = Normal::of(baseline);
    let band = (BACK_WITHIN_SD * normal.deviation).max(BACK_WITHIN_ERRORS * normal.error(block));
    let back: Vec<bool> = values.chunks_exact(block).map(|chunk| normal.distance(chunk) <= band).collect();
    let first = back.windows(BLOCKS_IN_A_ROW).position(|row| row.iter().all(|&inside| inside));
    let last = &values[values.len() - values.len().div_ceil(3).max(BLOCKS_IN_A_ROW)..];
    let away = normal.distance(last);
    let different =
        away > STILL_DIFFERENT * normal.error(last.len()) && away > BACK_WITHIN_SD * normal.deviation;
    match first {
        _ if different => Recovery { state: RecoveryState::NotRecovered, at_ms: None },
        Some(index) => Recovery { state: RecoveryState::Recovered, at_ms: Some(times_ms[index * block]) },
        None => Recovery::UNKNOWN,
    }
}
