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
    Some(Side { deviate, effect: rise / variance.sqrt().max(f64::MIN_POSITIVE) })
}
