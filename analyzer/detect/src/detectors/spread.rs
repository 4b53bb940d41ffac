//! Does a series move more, or less, from one sample to the next?
//!
//! In: a stretch before and one during the fault, as distances of neighbouring samples. Out: a [`Side`]. Neighbours tell
//! the noise of a series whatever its level and its slow movements do (von Neumann, Annals of Mathematical Statistics
//! 12, 1941), so a moved level is not counted twice.

use std::ops::Range;

use super::Side;
use super::level::shift;
use super::running::Running;

/// The distances between neighbours; one fewer than values.
pub(crate) fn moves(values: &[f64]) -> Running {
    Running::of(values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect())
}

/// The moves inside a stretch of values.
pub(crate) const fn inside(stretch: Range<usize>) -> Range<usize> {
    stretch.start..if stretch.end > stretch.start { stretch.end - 1 } else { stretch.start }
}

/// How much more a series moves in one stretch than in another, both given in samples; `None` with fewer than three moves
/// before or none after.
pub(crate) fn side(
    before: &Running,
    reference: Range<usize>,
    after: &Running,
    test: Range<usize>,
) -> Option<Side> {
    let (before, after) = (before.moments(inside(reference)), after.moments(inside(test)));
    if before.count < 3 || after.count == 0 || before.is_constant() {
        return None;
    }
    let shift = shift(&before, &after, before.mean);
    Some(Side { deviate: shift.deviate, effect: shift.effect, per_log_noise: shift.per_log_level })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that waver by `size` around a level without memory.
    fn waver(count: usize, size: f64, level: f64) -> Vec<f64> {
        (0..count)
            .map(|index| level + size * (((index * 7 + index * index * 3) % 21) as f64 / 10.0 - 1.0))
            .collect()
    }

    fn deviate(before: &[f64], after: &[f64]) -> f64 {
        let (reference, test) = (moves(before), moves(after));
        side(&reference, 0..before.len(), &test, 0..after.len()).expect("enough moves").deviate
    }

    #[test]
    fn a_series_that_trembles_more_or_less_is_told_apart_from_one_that_moved() {
        let usual = waver(100, 1.0, 0.0);
        assert!(deviate(&usual, &waver(20, 4.0, 0.0)) > 4.0);
        assert!(deviate(&usual, &waver(20, 0.1, 0.0)) < -3.0);
        assert!(deviate(&usual, &waver(20, 1.0, 50.0)).abs() < 1.0);
    }

    #[test]
    fn a_stretch_holds_one_move_fewer_than_samples() {
        assert_eq!((inside(3..7), inside(3..4), inside(3..3)), (3..6, 3..3, 3..3));
    }
}
