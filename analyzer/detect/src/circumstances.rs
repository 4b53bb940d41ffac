//! What was going on around a window apart from any fault: by how much did the load change, and what would the time of
//! day and week change?
//!
//! In: the change of the shared load, and a [`Timeline`]. Out: [`Circumstances`], the same numbers for every series.

use std::f64::consts::TAU;

use aftermath_model::{Timeline, Window};

/// The load, and cosine and sine of each season.
pub(crate) const CIRCUMSTANCES: usize = 1 + 2 * WEEKLY_TURNS.len();
/// The load alone.
pub(crate) const LOAD_ONLY: usize = 1;
/// The load and the time of day.
pub(crate) const WITH_DAY: usize = 5;
/// How often each season turns in a week: a day and half a day, which draw the course of a day; then the two neighbours
/// of a day, which let that course grow and shrink over the week (a product of waves is a sum of waves).
const WEEKLY_TURNS: [f64; 4] = [7.0, 14.0, 6.0, 8.0];
const WEEK_MS: i64 = 7 * 86_400_000;

/// What a series may follow, from the baseline to the fault window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Circumstances {
    changes: [f64; CIRCUMSTANCES],
}

impl Circumstances {
    /// `load` is the logarithm of the change of the load. Stretches that are excluded from the baseline are not taken
    /// out here: they hardly move the mean of a wave as slow as these.
    pub(crate) fn of(load: f64, timeline: &Timeline) -> Self {
        let mut changes = [load; CIRCUMSTANCES];
        for (season, &turns) in WEEKLY_TURNS.iter().enumerate() {
            let before = mean_wave(turns, timeline.baseline());
            let during = mean_wave(turns, timeline.fault());
            changes[1 + 2 * season] = during.0 - before.0;
            changes[2 + 2 * season] = during.1 - before.1;
        }
        Self { changes }
    }

    /// The logarithm of the change of the load.
    pub(crate) const fn load(&self) -> f64 {
        self.changes[0]
    }

    /// What each of them may do to a statistic that moves by `per_level` when the level changes by a factor of e.
    pub(crate) fn times(&self, per_level: f64) -> [f64; CIRCUMSTANCES] {
        self.changes.map(|change| change * per_level)
    }
}

/// The means of the cosine and the sine over a window, exactly.
fn mean_wave(turns: f64, window: Window) -> (f64, f64) {
    // Counted from the beginning of its week, which keeps the angles small enough to be exact.
    let angle = |ms: i64| TAU * turns * ms as f64 / WEEK_MS as f64;
    let from = angle(window.from.ms().rem_euclid(WEEK_MS));
    let width = angle(window.duration_ms());
    let to = from + width;
    ((to.sin() - from.sin()) / width, (from.cos() - to.cos()) / width)
}

#[cfg(test)]
mod tests {
    use aftermath_model::Timestamp;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    fn window(from_hour: i64, to_hour: i64) -> Window {
        let at = |hour: i64| Timestamp::from_ms(1_772_000_000_000 + hour * HOUR_MS).unwrap();
        Window::new(at(from_hour), at(to_hour)).unwrap()
    }

    fn seasons(from: i64, between: i64, to: i64) -> [f64; CIRCUMSTANCES] {
        let timeline =
            Timeline::new(window(from, between), window(between, to), None, Vec::new(), 15_000).unwrap();
        Circumstances::of(0.1, &timeline).times(2.0)
    }

    #[test]
    fn the_same_time_of_day_has_the_same_daily_seasons_and_of_week_all() {
        let (today, tomorrow, next_week) = (seasons(3, 5, 6), seasons(27, 29, 30), seasons(171, 173, 174));
        for index in 0..CIRCUMSTANCES {
            assert!((today[index] - next_week[index]).abs() < 1e-9, "{index}");
            if index < WITH_DAY {
                assert!((today[index] - tomorrow[index]).abs() < 1e-9, "{index}");
            }
        }
        assert!((today[WITH_DAY] - tomorrow[WITH_DAY]).abs() > 0.01, "days of the week differ");
    }

    #[test]
    fn a_baseline_of_whole_days_against_a_whole_day_shows_no_time_of_day() {
        let seasons = seasons(0, 48, 72);
        assert!(seasons[1..WITH_DAY].iter().all(|change| change.abs() < 1e-9), "{seasons:?}");
        assert!((seasons[0] - 0.2).abs() < 1e-12);
    }
}
