//! Does a series climb or sink during the fault, as a leak does?
//!
//! In: a stretch before and one during the fault. Out: a [`Side`]: by how much the fault window rises from its first to
//! its last sample beyond what the slope of the baseline makes of it.

use super::Side;
use super::level::{LARGEST_GRADED, LEAST_SHARE};
use super::running::Moments;
use crate::math::normal_deviate_of_t;

/// How far the rise of one stretch lies from that of another; `None` where there is none to measure. `level` is the usual
/// level in the unit of the values. The variance of a slope of least squares is that of the values over the spread of
/// their places, inflated by autocorrelation like that of a mean.
pub(crate) fn side(before: &Moments, after: &Moments, level: f64) -> Option<Side> {
    if before.count < 3 || after.count < 3 || before.is_constant() {
        return None;
    }
    let phi = before.phi();
    let inflation = before.inflation(phi);
    let variance = before.variance(inflation);
    let of_slopes = inflation / before.spread_of_places() + after.inflation(phi) / after.spread_of_places();
    let steps = after.n();
    let error = (steps * (variance * of_slopes).sqrt()).hypot(LEAST_SHARE * level).max(f64::MIN_POSITIVE);
    let rise = steps * (after.slope() - before.slope());
    let degrees = (before.n() / inflation - 1.0).max(2.0);
    let deviate = normal_deviate_of_t(rise / error, degrees).clamp(-LARGEST_GRADED, LARGEST_GRADED);
    Some(Side { deviate, effect: rise / variance.sqrt().max(f64::MIN_POSITIVE), per_log_noise: deviate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::running::Running;

    fn waver(count: usize, by: impl Fn(f64) -> f64) -> Running {
        let value =
            |index: usize| by(index as f64) + ((index * 7 + index * index * 3) % 21) as f64 / 10.0 - 1.0;
        Running::of((0..count).map(value).collect())
    }

    fn deviate(before: &Running, after: &Running) -> f64 {
        side(&before.moments(before.whole()), &after.moments(after.whole()), 0.0)
            .expect("enough samples")
            .deviate
    }

    #[test]
    fn a_leak_climbs_and_a_moved_level_does_not() {
        let usual = waver(100, |_| 0.0);
        assert!(deviate(&usual, &waver(20, |step| 0.3 * step)) > 4.0);
        assert!(deviate(&usual, &waver(20, |step| -0.3 * step)) < -4.0);
        let moved = deviate(&usual, &waver(20, |_| 30.0));
        let still = deviate(&usual, &waver(20, |_| 0.0));
        assert!((moved - still).abs() < 1e-9 && moved.abs() < 3.0, "{moved} {still}");
    }

    #[test]
    fn a_series_that_always_climbs_does_not_begin_to() {
        let (before, after) = (waver(100, |step| 0.3 * step), waver(20, |step| 30.0 + 0.3 * step));
        assert!(deviate(&before, &after).abs() < 1.0);
    }
}
