//! Did the level of a series move, measured in units of its own noise?
//!
//! In: the samples of a reference stretch and of a test stretch. Out: a [`Shift`]: a deviate that is roughly
//! standard normal when nothing happened. Roughly is enough: `calibrate` holds it against placebo windows.
//!
//! The statistic is a two-window t on bounded values whose variance knows the autocorrelation:
//! `t = (mean_test - mean_ref) / √(s² (V(φ, n_ref) / n_ref + V(φ, n_test) / n_test) + least²)` with `n_ref / V - 1`
//! degrees of freedom, where V is the variance inflation of an AR(1) process and `least` the change that does not
//! matter.

use std::ops::Range;

use super::running::{Moments, Running};
use super::sides::Track;
use crate::cut::single;
use crate::math::{mean, median, normal_deviate_of_t, robust_deviation, standard_deviation};

/// Values further than this many deviations from the median count ever less (asinh): one spike must not decide
/// about a window, and must not blow up the noise either. Six deviations leave a normal sample untouched.
const SOFT_BOUND: f64 = 6.0;

/// A change below this share of the usual value does not matter, however certain (detection plan, S5). Noise below it
/// is taken to be this large, so that a series that hardly ever moves does not cry at every breath.
pub(crate) const LEAST_SHARE: f64 = 0.05;
/// Nor does a change below this many standard deviations matter (detection plan, S5).
pub(crate) const LEAST_EFFECT_SD: f64 = 0.75;

/// The deviate of a constant series that changed: no chance in its own past, so only the past of its like can
/// temper it. Graded deviates stay below.
pub(crate) const CERTAIN: f64 = 1000.0;
/// See [`CERTAIN`].
pub(crate) const LARGEST_GRADED: f64 = 300.0;

/// Whether a deviate says how much, rather than only whether, a series moved.
pub(crate) fn is_graded(deviate: f64) -> bool {
    deviate.is_finite() && deviate != 0.0 && deviate.abs() < CERTAIN
}

/// How far a test stretch lies from its reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shift {
    /// Roughly standard normal when nothing happened; positive for up.
    pub(crate) deviate: f64,
    /// The change in standard deviations of the reference.
    pub(crate) effect: f64,
    /// By how much the deviate moves when the level of the test stretch changes by a factor of e, near the reference.
    pub(crate) per_log_level: f64,
    /// Whether the reference never moved.
    pub(crate) constant: bool,
    /// How small a change could have been seen.
    pub(crate) precision: Precision,
}

/// What it takes to tell how small a change of the level could have been seen, in softly bounded units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Precision {
    /// The error that a change is divided by, with the change that does not matter; 0 where nothing can be said.
    pub(crate) error: f32,
    /// The standard error of a change.
    pub(crate) noise: f32,
    /// The standard deviation of the reference.
    pub(crate) deviation: f32,
    /// The usual level.
    pub(crate) level: f32,
    /// The degrees of freedom of the error.
    pub(crate) degrees: f32,
    /// Whether the units are roots of natural ones.
    pub(crate) is_root: bool,
}

impl Precision {
    /// Nothing can be said.
    pub(crate) const NONE: Self =
        Self { error: 0.0, noise: 0.0, deviation: 0.0, level: 0.0, degrees: 0.0, is_root: false };
}

/// The centre and the spread that values are measured in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) centre: f64,
    pub(crate) spread: f64,
}

impl Scale {
    /// The robust scale of a reference; `None` if it never moves beyond rounding.
    pub(crate) fn of(reference: &[f64]) -> Option<Self> {
        let centre = median(reference);
        let deviation = standard_deviation(reference);
        if deviation <= 1e-9 * centre.abs().max(1e-300) {
            return None;
        }
        let robust = robust_deviation(reference, centre);
        // A robust spread far below the plain one comes from a series that mostly stands still: its moves are its noise.
        let spread = if robust > 0.1 * deviation { robust } else { deviation };
        Some(Self { centre, spread })
    }

    /// A value in units of the spread, softly bounded.
    pub(crate) fn bounded(self, value: f64) -> f64 {
        let far = (value - self.centre) / (self.spread * SOFT_BOUND);
        // asinh by its definition: the standard library guards digits that a statistic does not need, at three times the cost.
        SOFT_BOUND * (far.abs() + far.mul_add(far, 1.0).sqrt()).ln().copysign(far)
    }
}

/// A series in units of its own usual spread, softly bounded, ready to be compared with itself.
#[derive(Clone, Debug)]
pub(crate) struct Standardized {
    pub(crate) scale: Scale,
    /// The usual level in the unit of the values.
    pub(crate) level: f64,
    pub(crate) baseline: Track,
    pub(crate) fault: Track,
}

impl Standardized {
    /// A series, scaled by its whole baseline; `None` if that never moves.
    pub(crate) fn of(baseline: &[f64], fault: &[f64]) -> Option<Self> {
        let scale = Scale::of(baseline)?;
        let least = LEAST_SHARE * scale.centre.abs();
        let scale = Scale { spread: scale.spread.max(least), ..scale };
        let track = |values: &[f64]| Track::of(values.iter().map(|&value| scale.bounded(value)).collect());
        let level = scale.centre.abs() / scale.spread;
        Some(Self { scale, level, baseline: track(baseline), fault: track(fault) })
    }

    /// How far the fault lies from the baseline.
    pub(crate) fn shift(&self) -> Option<Shift> {
        self.compare(self.baseline.values.whole(), &self.fault.values, self.fault.values.whole())
    }

    /// How far one stretch of the baseline lies from another.
    pub(crate) fn placebo(&self, reference: Range<usize>, test: Range<usize>) -> Option<Shift> {
        self.compare(reference, &self.baseline.values, test)
    }

    /// `None` with fewer than 3 reference samples or none to test.
    fn compare(&self, reference: Range<usize>, test: &Running, stretch: Range<usize>) -> Option<Shift> {
        if reference.len() < 3 || stretch.is_empty() {
            return None;
        }
        let before = self.baseline.values.moments(reference);
        if before.is_constant() {
            return Some(shift_of_constant(before.mean, before.count, &test.values()[stretch], 1e-4));
        }
        Some(shift(&before, &test.moments(stretch), self.level))
    }
}

/// So unlikely must it be that all samples that moved lie in the test by chance.
const UNLIKELY: f64 = 0.01;

/// The change of a series that stood at `level` for `stood` samples; what differs by less than `tolerance` is the same. It
/// changed if half of the test moved, or so many samples that chance would hardly have put all of them into the test.
pub(crate) fn shift_of_constant(level: f64, stood: usize, test: &[f64], tolerance: f64) -> Shift {
    let moved = test.iter().filter(|&&value| (value - level).abs() > tolerance).count();
    let by_chance = all_in_the_test(moved, stood, test.len());
    // One stray sample is no new level, however long the series stood still.
    let changed = moved > 0 && (2 * moved >= test.len() || (moved > 1 && by_chance <= UNLIKELY));
    let direction = (mean(test) - level).signum();
    let deviate = if changed { direction * CERTAIN } else { 0.0 };
    Shift { deviate, effect: deviate, constant: true, ..Shift::default() }
}

/// The chance that `moved` of all samples lie in the test, if each of them was as likely to move: the first term of
/// Fisher's exact test.
fn all_in_the_test(moved: usize, stood: usize, tested: usize) -> f64 {
    (0..moved).map(|drawn| (tested - drawn) as f64 / (stood + tested - drawn) as f64).product()
}

/// `level` is the usual level in the unit of the values. The change that does not matter is added to the error, so that
/// what counts is by how much a change exceeds it (the fudge factor of Tusher et al., PNAS 98, 2001).
pub(crate) fn shift(before: &Moments, after: &Moments, level: f64) -> Shift {
    let phi = before.phi();
    let inflation = before.inflation(phi);
    let variance = before.variance(inflation);
    let of_means = inflation / before.n() + after.inflation(phi) / after.n();
    let noise = (variance * of_means).sqrt();
    let error = noise.hypot(LEAST_SHARE * level).max(f64::MIN_POSITIVE);
    let difference = after.mean - before.mean;
    let degrees = (before.n() / inflation - 1.0).max(2.0);
    let deviate = normal_deviate_of_t(difference / error, degrees);
    Shift {
        deviate: deviate.clamp(-LARGEST_GRADED, LARGEST_GRADED),
        effect: difference / variance.sqrt().max(f64::MIN_POSITIVE),
        per_log_level: level / error,
        constant: false,
        precision: Precision {
            error: single(error),
            noise: single(noise),
            deviation: single(variance.sqrt()),
            level: single(level),
            degrees: single(degrees),
            is_root: false,
        },
    }
}

/// What a softly bounded value is in units of the spread.
pub(crate) fn unbounded(bounded: f64) -> f64 {
    SOFT_BOUND * (bounded / SOFT_BOUND).sinh()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far the test lies from the reference.
    fn shift(reference: &[f64], test: &[f64]) -> Option<Shift> {
        Standardized::of(reference, test).map_or_else(
            || Some(shift_of_constant(reference[0], reference.len(), test, 1e-9 * reference[0].abs())),
            |profile| profile.shift(),
        )
    }

    /// A level of 100 that wavers by ±10 without memory, moved by `by`.
    fn wave(count: usize, by: f64) -> Vec<f64> {
        (0..count).map(|index| 100.0 + by + ((index * 7 + index * index * 3) % 21) as f64 - 10.0).collect()
    }

    #[test]
    fn a_moved_level_is_seen_in_its_direction_and_size() {
        let (up, down) = (shift(&wave(100, 0.0), &wave(20, 40.0)), shift(&wave(100, 0.0), &wave(20, -40.0)));
        let (up, down) = (up.expect("enough samples"), down.expect("enough samples"));
        assert!(up.deviate > 3.0 && down.deviate < -3.0 && up.effect > 3.0);
        let still = shift(&wave(100, 0.0), &wave(20, 0.0)).expect("enough samples");
        assert!(still.deviate.abs() < 1.0, "{still:?}");
    }

    #[test]
    fn the_deviate_grows_with_the_change_and_ignores_the_unit() {
        let of = |by: f64, unit: f64| {
            let scaled = |values: Vec<f64>| values.into_iter().map(|value| value * unit).collect::<Vec<_>>();
            shift(&scaled(wave(100, 0.0)), &scaled(wave(20, by))).expect("enough samples").deviate
        };
        assert!(of(10.0, 1.0) < of(20.0, 1.0) && of(20.0, 1.0) < of(200.0, 1.0));
        assert!((of(20.0, 1.0) - of(20.0, 1e6)).abs() < 1e-9);
    }

    #[test]
    fn memory_makes_the_same_change_less_certain() {
        let slow: Vec<f64> = wave(10, 0.0).into_iter().flat_map(|value| [value; 10]).collect();
        let moved: Vec<f64> = slow[..20].iter().map(|value| value + 20.0).collect();
        let remembered = shift(&slow, &moved).expect("enough samples");
        let forgotten = shift(&wave(100, 0.0), &wave(20, 20.0)).expect("enough samples");
        assert!(remembered.deviate < 0.8 * forgotten.deviate, "{remembered:?} {forgotten:?}");
    }

    #[test]
    fn a_change_that_does_not_matter_is_not_certain_however_steady_the_series() {
        let steady: Vec<f64> = (0..100).map(|index| 1000.0 + f64::from(index % 2) * 0.01).collect();
        let barely = shift(&steady, &[1020.0; 20]).expect("enough samples");
        assert!(barely.deviate < 1.0, "{barely:?}");
        assert!(shift(&steady, &[2000.0; 20]).expect("enough samples").deviate > 4.0);
    }

    #[test]
    fn a_constant_that_changes_is_certain_and_a_stray_sample_is_not() {
        let moved = shift(&[1.0; 50], &[0.0; 10]).expect("enough samples");
        assert!(moved.constant && !is_graded(moved.deviate) && moved.deviate < 0.0);
        let mut stray = [1.0; 10];
        stray[4] = 7.0;
        assert!(shift(&[1.0; 50], &stray).expect("enough samples").deviate.abs() < f64::EPSILON);
    }

    #[test]
    fn a_few_samples_move_a_constant_if_it_stood_still_for_long() {
        let of = |stood: usize, moved: usize| {
            let mut test = [100.0; 5];
            test[..moved].fill(40.0);
            !is_graded(shift(&vec![100.0; stood], &test).expect("enough samples").deviate)
                && shift(&vec![100.0; stood], &test).expect("enough samples").deviate != 0.0
        };
        // 5 · 4 / (53 · 52) is less than one in a hundred, 5 · 4 / (25 · 24) is not.
        let cases = [(48, 2, true), (20, 2, false), (20, 3, true), (2000, 1, false)];
        for (stood, moved, expected) in cases {
            assert_eq!(of(stood, moved), expected, "{moved} of 5 after {stood}");
        }
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert!(shift(&[1.0, 2.0], &[3.0]).is_none() && shift(&[1.0, 2.0, 3.0], &[]).is_none());
    }
}
