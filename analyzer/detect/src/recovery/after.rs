//! What did a series do after the fault besides coming back, or not?
//!
//! In: one series before and after the fault. Out: [`After`]: whether it went beyond normal on its way back, whether it
//! fell silent, and how much longer it should have been watched.

use aftermath_model::{Overshoot, Timestamp};

use super::{BACK_WITHIN_ERRORS, BACK_WITHIN_SD, BLOCK, BLOCKS_IN_A_ROW, Normal};
use crate::math::mean;
use crate::service::Judged;

/// Blocks in a row on the other side of normal that make an overshoot: one block is beyond by chance once in two hundred
/// (half of the two-sided 1 % that a block's band leaves), and there may be dozens of them.
const BLOCKS_BEYOND: usize = 2;
/// A way back that takes longer than this many watches is no advice any more.
const MOST_WATCHES: f64 = 10.0;
/// Where no trend tells how long the way back is, the watch is to be doubled: a search for an unknown length that doubles
/// looks at no more than four times of it (Bentley & Yao 1976).
const UNKNOWN_WAY: f64 = 1.0;

/// What a series did after the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct After {
    overshoot: Option<SeriesOvershoot>,
    /// Milliseconds of watching that would have to be added; 0 where none would help.
    watch_longer_ms: i64,
    /// Whether it was there during the fault and never afterwards, though it was watched.
    pub(crate) silent: bool,
}

/// How far beyond normal, on the side opposite to the change.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SeriesOvershoot {
    /// In standard deviations; positive for above.
    effect: f64,
    /// The block furthest from normal, in natural units.
    value: f64,
    until_ms: i64,
}

/// What was watched after the fault.
pub(crate) struct Watched<'a> {
    pub(crate) times_ms: &'a [i64],
    /// In the units of the baseline.
    pub(crate) steady: &'a [f64],
    pub(crate) natural: &'a [f64],
    /// How long the watch was, and how long the fault.
    pub(crate) watch_ms: i64,
    pub(crate) fault_ms: i64,
    pub(crate) step_ms: i64,
}

impl After {
    /// The series fell silent when the fault ended.
    pub(crate) const SILENT: Self = Self { overshoot: None, watch_longer_ms: 0, silent: true };

    /// What a series did that the fault moved in the direction of `change`.
    pub(crate) fn of(normal: Option<&Normal>, watched: &Watched, change: f64) -> Self {
        let least_ms = watched.step_ms * i64::try_from((BLOCKS_IN_A_ROW + 1) * BLOCK).unwrap_or(i64::MAX);
        let least_ms = least_ms.max(watched.fault_ms);
        let enough = watched.steady.len() >= BLOCKS_IN_A_ROW;
        let Some(normal) = normal.filter(|normal| enough && normal.samples >= 3) else {
            return Self { watch_longer_ms: (least_ms - watched.watch_ms).max(0), ..Self::default() };
        };
        let way_ms = way_back(normal, watched.steady) * watched.watch_ms as f64;
        // Bounded by `MOST_WATCHES`, far inside the range.
        #[allow(clippy::cast_possible_truncation)]
        let way_ms = way_ms as i64;
        Self {
            overshoot: overshoot(normal, watched, change),
            watch_longer_ms: way_ms.max(least_ms - watched.watch_ms),
            silent: false,
        }
    }

    /// How much longer it should have been watched; `None` where that would not help.
    pub(crate) fn watch_longer_ms(self) -> Option<i64> {
        (self.watch_longer_ms > 0).then_some(self.watch_longer_ms)
    }
}

fn block_of(samples: usize) -> usize {
    BLOCK.min(samples / (BLOCKS_IN_A_ROW + 1)).max(1)
}

/// The first stretch of blocks beyond normal on the side opposite to `change`.
fn overshoot(normal: &Normal, watched: &Watched, change: f64) -> Option<SeriesOvershoot> {
    let block = block_of(watched.steady.len());
    let band = (BACK_WITHIN_SD * normal.deviation).max(BACK_WITHIN_ERRORS * normal.error(block));
    let distances: Vec<f64> =
        watched.steady.chunks_exact(block).map(|chunk| normal.signed_distance(chunk)).collect();
    let beyond = |distance: &f64| distance * change < 0.0 && distance.abs() > band;
    let first = distances.windows(BLOCKS_BEYOND).position(|row| row.iter().all(beyond))?;
    let length = distances[first..].iter().take_while(|distance| beyond(distance)).count();
    let stretch = first..first + length;
    let furthest = stretch.max_by(|&a, &b| distances[a].abs().total_cmp(&distances[b].abs()))?;
    let of_block = furthest * block..(furthest + 1) * block;
    let end = (first + length) * block;
    Some(SeriesOvershoot {
        effect: distances[furthest] / normal.deviation.max(f64::MIN_POSITIVE),
        value: mean(&watched.natural[of_block]),
        until_ms: watched.times_ms[end.min(watched.times_ms.len() - 1)],
    })
}

/// How many more watches of the same length a series needs until it is within its band, if it goes on as it did: its
/// distance from normal is taken to decay exponentially, as that of a queue or a cache that fills does, at the pace of
/// the middle third to the last third. Where it does not come nearer, [`UNKNOWN_WAY`].
fn way_back(normal: &Normal, values: &[f64]) -> f64 {
    let third = values.len() / 3;
    let middle = normal.signed_distance(&values[third..2 * third]).abs();
    let last = normal.signed_distance(&values[values.len() - third..]).abs();
    let band = BACK_WITHIN_SD * normal.deviation;
    let noise = normal.error(third);
    if last <= band || middle - last <= 2.0 * noise || band <= 0.0 {
        return UNKNOWN_WAY;
    }
    let thirds = (last / band).ln() / (middle / last).ln();
    // Three blocks in a row have to be seen within the band, hence a third more.
    ((thirds + 1.0) / 3.0).min(MOST_WATCHES)
}

/// The largest overshoot of these series.
pub(crate) fn overshoot_of_service(signs: &[Judged]) -> Option<Overshoot> {
    let (score, most) = signs.iter().filter_map(|one| Some((one.score, one.score.after.overshoot?))).max_by(
        |(a, most), (b, other)| most.effect.abs().total_cmp(&other.effect.abs()).then(b.key.cmp(&a.key)),
    )?;
    Some(Overshoot {
        key: score.key.to_series_key(),
        measure: score.measure,
        effect: most.effect,
        baseline: score.baseline,
        value: most.value,
        until: Timestamp::from_ms(most.until_ms).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(count: usize, by: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..count)
            .map(|index| 100.0 + by(index) + ((index * 7 + index * index * 3) % 21) as f64 - 10.0)
            .collect()
    }

    fn after(values: &[f64], change: f64) -> After {
        let times: Vec<i64> = (0_i64..).map(|index| index * 1000).take(values.len()).collect();
        let watched = Watched {
            times_ms: &times,
            steady: values,
            natural: values,
            watch_ms: 1000 * i64::try_from(values.len()).unwrap(),
            fault_ms: 20_000,
            step_ms: 1000,
        };
        After::of(Normal::of(&wave(100, |_| 0.0)).as_ref(), &watched, change)
    }

    #[test]
    fn a_series_that_falls_below_normal_after_it_rose_overshoots_until_it_is_back() {
        let values = wave(60, |index| if (10..30).contains(&index) { -60.0 } else { 0.0 });
        let found = after(&values, 5.0).overshoot.expect("twenty samples beyond normal");
        assert!(found.effect < -4.0 && (found.value - 40.0).abs() < 8.0, "{found:?}");
        assert_eq!(found.until_ms, 30_000);
        assert_eq!(after(&values, -5.0).overshoot, None, "that is its change, not an overshoot");
    }

    #[test]
    fn a_quiet_series_does_not_overshoot() {
        assert_eq!(after(&wave(60, |_| 0.0), 5.0).overshoot, None);
    }

    #[test]
    fn who_comes_nearer_is_told_how_long_the_way_is_and_who_does_not_to_double_the_watch() {
        let decaying = wave(60, |index| 300.0 * (-(index as f64) / 30.0).exp());
        let way = after(&decaying, 5.0).watch_longer_ms().expect("still away");
        // From 300 by a factor of e each 30 samples to 0.75 deviations (about 4.5) takes 126 samples, 66 more.
        assert!((40_000..140_000).contains(&way), "{way}");
        assert_eq!(after(&wave(60, |_| 80.0), 5.0).watch_longer_ms(), Some(60_000));
    }

    #[test]
    fn a_watch_that_is_too_short_is_to_become_as_long_as_the_fault() {
        assert_eq!(after(&[100.0, 100.0], 5.0).watch_longer_ms(), Some(18_000));
    }
}
