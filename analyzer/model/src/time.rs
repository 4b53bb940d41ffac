//! Points in time and half-open windows.

use std::fmt;

/// A point in time: milliseconds since the Unix epoch, UTC. Printed as RFC 3339 with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a number or a text is not a [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text is not RFC 3339.
    #[error("`{0}` is not an RFC 3339 time such as 2026-03-01T12:00:00Z")]
    NotRfc3339(String),
    /// The number of milliseconds lies outside the years -9999 to 9999.
    #[error("{0} ms since the epoch lies outside the years -9999 to 9999")]
    OutOfRange(i64),
}

impl Timestamp {
    /// A point `ms` milliseconds after the Unix epoch.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] where the calendar ends.
    pub fn from_ms(ms: i64) -> Result<Self, TimestampError> {
        jiff::Timestamp::from_millisecond(ms).map_err(|_| TimestampError::OutOfRange(ms))?;
        Ok(Self(ms))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// This point moved by `offset_ms` milliseconds, kept inside the calendar.
    #[must_use]
    pub fn plus_ms(self, offset_ms: i64) -> Self {
        let moved = self.0.saturating_add(offset_ms);
        Self(moved.clamp(jiff::Timestamp::MIN.as_millisecond() + 1, jiff::Timestamp::MAX.as_millisecond()))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed: jiff::Timestamp =
            text.parse().map_err(|_| TimestampError::NotRfc3339(text.to_owned()))?;
        Ok(Self(parsed.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// A half-open stretch of time: `from` belongs to it, `to` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The first point inside.
    pub from: Timestamp,
    /// The first point after it.
    pub to: Timestamp,
}

impl Window {
    /// The window from `from` up to, but without, `to`; `None` when nothing lies between them.
    #[must_use]
    pub fn new(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Its length in milliseconds.
    #[must_use]
    pub const fn duration_ms(self) -> i64 {
        self.to.ms() - self.from.ms()
    }

    /// Whether the point lies inside.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether the two windows share a point.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms).expect("test times lie inside the calendar")
    }

    #[test]
    fn a_timestamp_is_printed_with_milliseconds_and_read_back() {
        let timestamp = at(1_709_624_232_007);
        assert_eq!(timestamp.to_string(), "2024-03-05T07:37:12.007Z");
        assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let window = Window::new(at(10), at(20)).expect("not empty");
        assert!(window.contains(at(10)) && window.contains(at(19)));
        assert!(!window.contains(at(20)) && !window.contains(at(9)));
    }

    #[test]
    fn an_empty_or_reversed_window_is_refused() {
        assert_eq!(Window::new(at(10), at(10)), None);
        assert_eq!(Window::new(at(11), at(10)), None);
    }

    #[test]
    fn windows_that_only_touch_do_not_overlap() {
        let first = Window::new(at(0), at(10)).expect("not empty");
        let next = Window::new(at(10), at(20)).expect("not empty");
        assert!(!first.overlaps(next) && !next.overlaps(first));
        assert!(first.overlaps(Window::new(at(9), at(11)).expect("not empty")));
    }
}
