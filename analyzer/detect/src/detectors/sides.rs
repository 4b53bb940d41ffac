//! How else did a series change, besides its level?
//!
//! In: a [`Standardized`] and two stretches of it. Out: [`Sides`], one [`Side`] for each further kind of change.

use std::ops::Range;

use aftermath_model::Channel;

use super::burst::Threes;
use super::level::Standardized;
use super::running::Running;
use super::{Side, burst, spread, trend};

/// A fault shorter than three bursts has no shape that could be told from its level.
pub(crate) const LEAST_SAMPLES: usize = 3 * burst::WIDTH;

/// The kinds of change that are looked for besides that of the level, in the order of [`Sides`].
pub(crate) const SIDES: [Channel; 3] = [Channel::Spread, Channel::Burst, Channel::Trend];

/// One of each kind in [`SIDES`]; `None` where it cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sides(pub(crate) [Option<Side>; SIDES.len()]);

impl Sides {
    pub(crate) fn of_fault(standardized: &Standardized) -> Self {
        Self::of(
            standardized,
            standardized.baseline.values.whole(),
            &standardized.fault,
            standardized.fault.values.whole(),
        )
    }

    pub(crate) fn of_placebo(
        standardized: &Standardized,
        reference: Range<usize>,
        test: Range<usize>,
    ) -> Self {
        Self::of(standardized, reference, &standardized.baseline, test)
    }

    fn of(standardized: &Standardized, reference: Range<usize>, during: &Track, test: Range<usize>) -> Self {
        let before = standardized.baseline.values.moments(reference.clone());
        let after = during.values.moments(test.clone());
        let usual = (&before, &standardized.baseline.threes, reference.clone());
        Self([
            spread::side(&standardized.baseline.moves, reference, &during.moves, test.clone()),
            burst::side(usual, (&after, &during.threes, test), standardized.level),
            trend::side(&before, &after, standardized.level),
        ])
    }
}

/// A stretch of a series in units of its own spread: its values, the moves from each to the
/// next, and the means of three in a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    pub(crate) values: Running,
    pub(crate) moves: Running,
    pub(crate) threes: Threes,
}

impl Track {
    pub(crate) fn of(values: Vec<f64>) -> Self {
        let (moves, threes) = (spread::moves(&values), Threes::of(&values));
        Self { values: Running::of(values), moves, threes }
    }
}
