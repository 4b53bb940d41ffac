//! The maths: which series changed more than chance allows, what that means for each service, and for the system.
//!
//! Pure: no clock, no files, no network, no environment, no randomness. The way of a datum through this crate:
//! [`prepare`] makes measures of series, [`Scorer`] keeps a few numbers of each, [`steady`] asks whether the baseline
//! can carry a verdict, [`judge`] forms it, and [`learn`] turns quiet windows into a null distribution.

pub mod prepare;

mod cut;
mod math;
mod pattern;
mod profile;
mod scores;
mod windows;

mod detectors;
mod onset;
mod recovery;

mod calibrate;
mod circumstances;
mod copies;
mod evidence;
mod habits;
mod load;
mod multiple;
mod proportion;

mod origin;
mod semantics;
mod service;
mod severity;

mod similar;

mod abort;
mod judge;
mod learn;
mod steady;

pub use abort::{AbortDecision, AbortGuard, AbortTest, Alarm, GuardDecision, GuardError, Harm, Indicator};
pub use judge::judge;
pub use learn::fit::{LearnedFit, fit};
pub use learn::merge::{merge, shared_windows};
pub use learn::summary::{Copies, Follower, LearnedSummary, MOST_MOVERS, Mover, summary};
pub use learn::{learn, repeated, suspicious};
pub use origin::past::past_experiment;
pub use proportion::Proportion;
pub use scores::{Scorer, Scores};
pub use similar::similar;
pub use steady::{Steadiness, steady};
