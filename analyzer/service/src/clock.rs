//! The clock of this machine.

use aftermath_model::Timestamp;

use crate::failure::Failure;

/// The present.
///
/// # Errors
/// A [`Failure`] when the clock of this machine lies outside the calendar.
pub fn now() -> Result<Timestamp, Failure> {
    Timestamp::from_ms(jiff::Timestamp::now().as_millisecond()).map_err(Failure::error)
}
