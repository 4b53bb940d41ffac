//! Which series moved, measured in units of their own noise? One module for each kind of change.
//!
//! A change of the level counts most and is asked of every series. The others ([`Side`]) are asked of series that have a
//! noise to be measured in, when the fault lasts long enough to have a shape.

pub(crate) mod burst;
pub(crate) mod counts;
pub(crate) mod level;
pub(crate) mod presence;
pub(crate) mod running;
pub(crate) mod sides;
pub(crate) mod spread;
pub(crate) mod trend;

/// A change of another kind than that of the level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Side {
    /// Roughly standard normal when nothing happened.
    pub(crate) deviate: f64,
    /// The change in standard deviations of the reference.
    pub(crate) effect: f64,
    /// By how much the deviate moves when the noise of the series grows by a factor of e, near the reference.
    pub(crate) per_log_noise: f64,
}
