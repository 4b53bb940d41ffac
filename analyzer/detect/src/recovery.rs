//! When was the change over?
//!
//! In: one series before and after the fault. Out: a [`Recovery`], and from several that of their service. A series is
//! back at the first of three blocks in a row that lie within its normal band; at the end of the watch it must also still
//! be there.

pub(crate) mod after;

use aftermath_model::RecoveryState;

use crate::cut::single;
use crate::detectors::level::{LARGEST_GRADED, LEAST_SHARE, Scale};
use crate::detectors::running::{Moments, Running};
use crate::math::{normal_deviate_of_t, share_of, variance_inflation};
use crate::multiple::simes;

/// Within this many standard deviations of normal counts as back: the margin at which the prototype's time to
/// recover agreed with the truth.
const BACK_WITHIN_SD: f64 = 0.75;
/// Or within the noise of a block: the two-sided 1 % point of a normal. At 10 % (1.64), which serves a single series, the
/// slowest of a dozen series is late by chance alone: 20 samples in the median on synthetic systems, instead of 0.
const BACK_WITHIN_ERRORS: f64 = 2.58;
/// Still different at the end: once in a hundred by chance.
const STILL_DIFFERENT: f64 = 0.01;
/// The share of its changed series that a service need not wait for: some changed by chance only, and each returns late
/// by chance now and then, which the last of many always does. On generated systems of 12 and of 60 series a service,
/// whose truth is known, the median error is -0.5 to +0.2 steps; a tenth gives +0.1 to +3.5, a half -4.
const SERIES_THAT_MAY_LAG: f64 = 0.25;
/// Blocks in a row that must be back.
const BLOCKS_IN_A_ROW: usize = 3;
/// Samples in a block, where there are enough.
pub(crate) const BLOCK: usize = 5;

/// When a series came back, and how far from normal it was at the end of the watch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Recovery {
    /// The first of three normal blocks in a row; `None` if there were none.
    pub(crate) at_ms: Option<i64>,
    /// The distance from normal at the end, as a statistic like that of the level: roughly standard normal when all is
    /// over, and held against the same placebo windows. 0 where it is too small to matter or was not watched, infinite
    /// where the series is gone.
    pub(crate) lasting: f32,
}

impl Recovery {
    /// Nothing was watched, or nothing can be told from it.
    pub(crate) const UNKNOWN: Self = Self { at_ms: None, lasting: 0.0 };
    /// It was there, and is not any more.
    pub(crate) const GONE: Self = Self { at_ms: None, lasting: f32::INFINITY };

    /// It was back then, and is still there.
    pub(crate) const fn back(at_ms: i64) -> Self {
        Self { at_ms: Some(at_ms), lasting: 0.0 }
    }
}

/// Whether a chance of being so far from normal after all is over says that it is not over.
pub(crate) fn is_lasting(p_value: f64) -> bool {
    p_value <= STILL_DIFFERENT
}

/// What is normal for a series, in its own softly bounded units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normal {
    scale: Scale,
    level: f64,
    deviation: f64,
    pub(crate) phi: f64,
    of_level: f64,
    samples: usize,
}

impl Normal {
    /// What is normal in these samples; `None` of nothing.
    pub(crate) fn of(baseline: &[f64]) -> Option<Self> {
        let &first = baseline.first()?;
        let spread = (1e-9 * first.abs()).max(f64::MIN_POSITIVE);
        let scale = Scale::of(baseline).unwrap_or(Scale { centre: first, spread });
        let bounded = Running::of(baseline.iter().map(|&value| scale.bounded(value)).collect());
        Some(Self::scaled(scale, &bounded.moments(bounded.whole())))
    }

    /// The same of samples that are scaled already.
    pub(crate) fn scaled(scale: Scale, baseline: &Moments) -> Self {
        let phi = baseline.phi();
        Self {
            scale,
            level: baseline.mean,
            deviation: baseline.deviation(),
            phi,
            of_level: baseline.inflation(phi) / baseline.n(),
            samples: baseline.count,
        }
    }

    /// How far the mean of these values lies from normal.
    fn distance(&self, values: &[f64]) -> f64 {
        self.signed_distance(values).abs()
    }

    /// The same, negative where it lies below.
    fn signed_distance(&self, values: &[f64]) -> f64 {
        let sum: f64 = values.iter().map(|&value| self.scale.bounded(value)).sum();
        sum / values.len().max(1) as f64 - self.level
    }

    /// Values as distances from the normal level, each without what the one before foretells; `before` is the value
    /// before the first.
    pub(crate) fn whitened(&self, before: f64, values: &[f64]) -> Vec<f64> {
        let mut last = self.scale.bounded(before) - self.level;
        let whitened = values.iter().map(|&value| {
            let distance = self.scale.bounded(value) - self.level;
            let foretold = self.phi * std::mem::replace(&mut last, distance);
            distance - foretold
        });
        whitened.collect()
    }

    /// The variance of whitened values.
    pub(crate) fn innovation_variance(&self) -> f64 {
        self.deviation * self.deviation * (1.0 - self.phi * self.phi)
    }

    /// How far these last values lie from normal, see [`Recovery::lasting`].
    fn lasting(&self, end: &[f64]) -> f32 {
        let away = self.signed_distance(end);
        if away.abs() <= BACK_WITHIN_SD * self.deviation {
            return 0.0;
        }
        let least = LEAST_SHARE * self.scale.centre.abs() / self.scale.spread;
        let error = self.error(end.len()).hypot(least).max(f64::MIN_POSITIVE);
        let degrees = (1.0 / self.of_level - 1.0).max(2.0);
        single(normal_deviate_of_t(away / error, degrees).clamp(-LARGEST_GRADED, LARGEST_GRADED))
    }

    /// The standard error of that distance.
    fn error(&self, samples: usize) -> f64 {
        let of_mean = variance_inflation(self.phi, samples) / samples as f64;
        self.deviation * (of_mean + self.of_level).sqrt()
    }
}

/// Whether and when the series came back after the fault.
pub(crate) fn recovery(normal: &Normal, times_ms: &[i64], values: &[f64]) -> Recovery {
    let block = BLOCK.min(values.len() / (BLOCKS_IN_A_ROW + 1)).max(1);
    if normal.samples < 3 || values.len() < BLOCKS_IN_A_ROW {
        return Recovery::UNKNOWN;
    }
    let band = (BACK_WITHIN_SD * normal.deviation).max(BACK_WITHIN_ERRORS * normal.error(block));
    let back: Vec<bool> = values.chunks_exact(block).map(|chunk| normal.distance(chunk) <= band).collect();
    let first = back.windows(BLOCKS_IN_A_ROW).position(|row| row.iter().all(|&inside| inside));
    let last = &values[values.len() - values.len().div_ceil(3).max(BLOCKS_IN_A_ROW)..];
    Recovery { at_ms: first.map(|index| times_ms[index * block]), lasting: normal.lasting(last) }
}

/// Whether and when a service is back, given when each of its series that changed was, and the chance of its distance from
/// normal at the end: not while they show, all chances counted, that one is still different; and back when three quarters
/// of them are.
pub(crate) fn of_service(series: &[(Option<i64>, f64)]) -> (RecoveryState, Option<i64>) {
    let mut lasting: Vec<f64> = series.iter().map(|&(_, p_value)| p_value).collect();
    if is_lasting(simes(&mut lasting)) {
        return (RecoveryState::NotRecovered, None);
    }
    let mut back: Vec<i64> = series.iter().filter_map(|&(at_ms, _)| at_ms).collect();
    back.sort_unstable();
    let needed = series.len() - share_of(series.len(), SERIES_THAT_MAY_LAG);
    match back.get(needed.saturating_sub(1)) {
        Some(&at_ms) => (RecoveryState::Recovered, Some(at_ms)),
        None => (RecoveryState::CannotTell, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovery(baseline: &[f64], times_ms: &[i64], values: &[f64]) -> Recovery {
        super::recovery(&Normal::of(baseline).unwrap(), times_ms, values)
    }

    fn wave(count: usize, by: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..count)
            .map(|index| 100.0 + by(index) + ((index * 7 + index * index * 3) % 21) as f64 - 10.0)
            .collect()
    }

    fn times(count: usize) -> Vec<i64> {
        (0_i64..).map(|index| index * 1000).take(count).collect()
    }

    #[test]
    fn a_series_is_back_at_the_first_of_three_normal_blocks() {
        let healing = wave(60, |index| if index < 20 { 80.0 } else { 0.0 });
        let back = recovery(&wave(100, |_| 0.0), &times(60), &healing);
        assert_eq!((back.at_ms, back.lasting), (Some(20_000), 0.0));
    }

    #[test]
    fn a_series_that_stays_away_or_leaves_again_has_not_recovered() {
        for by in [|_: usize| 80.0, |index: usize| if index < 35 { 0.0 } else { 80.0 }] {
            let lasting = recovery(&wave(100, |_| 0.0), &times(60), &wave(60, by)).lasting;
            assert!(lasting > 5.0, "{lasting}");
        }
    }

    #[test]
    fn nothing_is_claimed_from_two_samples() {
        assert_eq!(recovery(&wave(100, |_| 0.0), &times(2), &[100.0, 100.0]), Recovery::UNKNOWN);
    }

    #[test]
    fn late_series_up_to_a_quarter_do_not_hold_their_service_back() {
        let back = |at_ms| (Some(at_ms), 1.0);
        let mut series: Vec<(Option<i64>, f64)> = (0..6).map(back).collect();
        series.extend([back(900), (None, 1.0)]);
        assert_eq!(of_service(&series), (RecoveryState::Recovered, Some(5)));
        series.extend([(None, 1.0); 3]);
        assert_eq!(of_service(&series), (RecoveryState::CannotTell, None), "more than a quarter is missing");
        series.push((None, 1e-6));
        assert_eq!(of_service(&series), (RecoveryState::NotRecovered, None));
    }
}
