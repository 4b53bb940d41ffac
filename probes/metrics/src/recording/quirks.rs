//! What recordings do not say and their samples show.

use std::collections::BTreeMap;

/// How often each spacing between neighbouring samples occurs.
#[derive(Default)]
pub(super) struct Spacings(BTreeMap<i64, usize>);

impl Spacings {
    /// The spacings of series, given their times in any order.
    pub(super) fn of(series: impl Iterator<Item = Vec<i64>>) -> Self {
        let mut spacings = Self::default();
        for mut times_ms in series {
            times_ms.sort_unstable();
            for pair in times_ms.windows(2) {
                let spacing_ms = pair[1].saturating_sub(pair[0]);
                if spacing_ms > 0 {
                    *spacings.0.entry(spacing_ms).or_default() += 1;
                }
            }
        }
        spacings
    }

    /// The spacing of most samples, in milliseconds: the median, which a few gaps or doubled scrapes do not move.
    pub(super) fn median_ms(&self) -> Option<i64> {
        let total: usize = self.0.values().sum();
        let mut seen = 0;
        self.0.iter().find_map(|(&spacing_ms, &count)| {
            seen += count;
            (2 * seen >= total).then_some(spacing_ms)
        })
    }
}

/// The earliest time of recordings whose times are probably milliseconds: March 1973. The same number of seconds lies in
/// the year 5138.
const SECONDS_BELOW: u64 = 100_000_000_000;
/// The latest time of recordings whose times are probably milliseconds: the year 5138. The same number of microseconds
/// lies in March 1973.
const MICROSECONDS_ABOVE: i64 = 100_000_000_000_000;
/// From here on a number of microseconds lies in the year 5138, and a number of nanoseconds in March 1973.
const NANOSECONDS_FROM: u64 = 100_000_000_000_000_000;

/// What may be wrong with a recording all of whose times, in milliseconds, lie between these two.
pub(super) const fn unit_hint(first_ms: i64, last_ms: i64) -> Option<&'static str> {
    if first_ms.unsigned_abs() < SECONDS_BELOW && last_ms.unsigned_abs() < SECONDS_BELOW {
        return Some(
            "all its times lie around 1970: are the timestamps in seconds? They have to be milliseconds",
        );
    }
    if first_ms > MICROSECONDS_ABOVE {
        return Some(
            "all its times lie after the year 5000: are the timestamps in microseconds? They have to be milliseconds",
        );
    }
    None
}

/// What may be wrong with a time that no calendar has.
pub(super) const fn impossible_time_hint(ms: i64) -> &'static str {
    if ms == i64::MIN {
        return "pandas writes a missing time (NaT) like this: leave such rows out";
    }
    if ms.unsigned_abs() >= NANOSECONDS_FROM {
        return "are the timestamps in nanoseconds? They have to be milliseconds";
    }
    "are the timestamps in microseconds? They have to be milliseconds"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacings_at_the_ends_of_the_numbers_do_not_overflow() {
        assert_eq!(median(&[i64::MIN, 0]), Some(i64::MAX));
        assert_eq!(median(&[i64::MAX, i64::MIN]), Some(i64::MAX), "rows may come in any order");
    }

    #[test]
    fn times_in_other_units_are_suspected() {
        const NOW_MS: i64 = 1_772_000_000_000;
        for (first_ms, last_ms, expected) in [
            (NOW_MS / 1_000, NOW_MS / 1_000 + 600, Some("in seconds?")),
            (NOW_MS * 100, NOW_MS * 100 + 600, Some("in microseconds?")),
            (NOW_MS, NOW_MS + 600_000, None),
            (0, NOW_MS, None),
            (i64::MIN, i64::MAX, None),
        ] {
            let hint = unit_hint(first_ms, last_ms);
            assert_eq!(hint.is_some(), expected.is_some(), "{first_ms}");
            assert!(hint.unwrap_or_default().contains(expected.unwrap_or_default()), "{hint:?}");
        }
        for (ms, expected) in [
            (NOW_MS * 1_000, "microseconds?"),
            (-NOW_MS * 1_000, "microseconds?"),
            (NOW_MS * 1_000_000, "nanoseconds?"),
            (i64::MIN, "NaT"),
        ] {
            assert!(impossible_time_hint(ms).contains(expected), "{ms}");
        }
    }

    fn median(times_ms: &[i64]) -> Option<i64> {
        Spacings::of(std::iter::once(times_ms.to_vec())).median_ms()
    }

    #[test]
    fn the_order_of_rows_does_not_move_the_spacing() {
        assert_eq!(median(&[300, 15, 60, 0, 45, 31, 75, 315, 30]), Some(15));
    }

    #[test]
    fn gaps_and_doubled_scrapes_do_not_move_the_spacing() {
        assert_eq!(median(&[0, 15, 30, 31, 45, 60, 75, 300, 315]), Some(15));
    }

    #[test]
    fn one_sample_has_no_spacing() {
        assert_eq!(median(&[7]), None);
    }
}
