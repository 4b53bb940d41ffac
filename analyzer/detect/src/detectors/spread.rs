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
    Some(Side { deviate: shift.deviate, effect: shift.effect })
}
