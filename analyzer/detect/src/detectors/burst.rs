//! Did a series leave its level for a short while?
//!
//! In: a stretch before and the samples during the fault. Out: a [`Side`]: how far the farthest three samples in a row lie
//! from the rest of the fault window, which had as many chances as it has places for them. Held against the rest of the
//! same window, neither a moved level nor a changed load is a burst.

use std::ops::Range;

use super::Side;
use super::level::{LARGEST_GRADED, LEAST_SHARE};
use super::running::Moments;
use crate::math::{mean, normal_deviate_of_t, variance_inflation};

/// Samples in a burst: one sample may be a glitch of the scrape, and three are still short against any fault window.
pub(crate) const WIDTH: usize = 3;

/// The means of every three samples in a row, and how far they reach from the start and towards the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Threes {
    means: Vec<f64>,
    from_start: Vec<Reach>,
    to_end: Vec<Reach>,
}

/// The lowest and the highest of some means.
#[derive(Clone, Copy, Debug)]
struct Reach {
    lowest: f64,
    highest: f64,
}

impl Threes {
    pub(crate) fn of(values: &[f64]) -> Self {
        let means: Vec<f64> = values.windows(WIDTH).map(mean).collect();
        let from_start = reaches(means.iter());
        let mut to_end = reaches(means.iter().rev());
        to_end.reverse();
        Self { means, from_start, to_end }
    }

    /// The place of the first sample and the mean of the three that lie farthest from a level, within a stretch of samples.
    pub(crate) fn farthest(&self, stretch: Range<usize>, level: f64) -> Option<(usize, f64)> {
        let inside = self.means.get(inside(&stretch))?.iter().copied().enumerate();
        let farthest = inside.max_by(|a, b| (a.1 - level).abs().total_cmp(&(b.1 - level).abs()))?;
        Some((stretch.start + farthest.0, farthest.1))
    }

    /// How far the means of a stretch of samples get from a level; 0 of none.
    fn distance(&self, stretch: &Range<usize>, level: f64) -> f64 {
        let inside = inside(stretch);
        if inside.is_empty() {
            return 0.0;
        }
        // Placebo windows are held against all samples on one side of them.
        let Reach { lowest, highest } = if inside.start == 0 {
            self.from_start[inside.end - 1]
        } else if inside.end == self.means.len() {
            self.to_end[inside.start]
        } else {
            self.means[inside].iter().fold(Reach::NONE, |reach, &mean| reach.and(mean))
        };
        (highest - level).max(level - lowest).max(0.0)
    }
}

impl Reach {
    const NONE: Self = Self { lowest: f64::INFINITY, highest: f64::NEG_INFINITY };

    const fn and(self, mean: f64) -> Self {
        Self { lowest: self.lowest.min(mean), highest: self.highest.max(mean) }
    }
}

fn reaches<'a>(means: impl Iterator<Item = &'a f64>) -> Vec<Reach> {
    let widened = |reach: &mut Reach, &mean: &f64| {
        *reach = reach.and(mean);
        Some(*reach)
    };
    means.scan(Reach::NONE, widened).collect()
}

/// The means of three that lie inside a stretch of samples, by the place of their first one.
const fn inside(stretch: &Range<usize>) -> Range<usize> {
    let end = stretch.end.saturating_sub(WIDTH - 1);
    stretch.start..if end > stretch.start { end } else { stretch.start }
}

/// How far the burst of a stretch lies from the rest of it; `None` where there is no room for one. `level` is the usual
/// level in the unit of the values.
///
/// One of `m` places reaches the tail probability `p` with at most `m · p`; with the normal tail `exp(-z²/2)` this takes
/// `2 ln m` off the square of the deviate. By the same token the farthest of `m` means reaches about `√(2 ln m)` errors: a
/// reference that got further than that has a larger error than its variance says, because of heavy tails or long moods.
pub(crate) fn side(
    (before, threes_before, reference): (&Moments, &Threes, Range<usize>),
    (after, threes_after, test): (&Moments, &Threes, Range<usize>),
    level: f64,
) -> Option<Side> {
    if before.count <= WIDTH || after.count <= WIDTH || before.is_constant() {
        return None;
    }
    let (_, burst) = threes_after.farthest(test, after.mean)?;
    let width = WIDTH as f64;
    let rest = (after.n() - width).max(1.0);
    let difference = burst - (after.n() * after.mean - width * burst) / rest;
    let phi = before.phi();
    let inflation = before.inflation(phi);
    let variance = before.variance(inflation);
    let of_means = variance_inflation(phi, WIDTH) / width + after.inflation(phi) / rest;
    let chances = |moments: &Moments| 2.0 * (moments.n() - width + 1.0).ln();
    let as_seen = threes_before.distance(&reference, before.mean) / chances(before).sqrt().max(1.0);
    let error = (variance * of_means).sqrt().max(as_seen).hypot(LEAST_SHARE * level);
    let degrees = (before.n() / inflation - 1.0).max(2.0);
    let alone = normal_deviate_of_t(difference / error.max(f64::MIN_POSITIVE), degrees);
    let size = alone.mul_add(alone, -chances(after)).max(0.0).sqrt().min(LARGEST_GRADED);
    let deviate = size.copysign(alone);
    let effect = difference / variance.sqrt().max(f64::MIN_POSITIVE);
    Some(Side { deviate, effect, per_log_noise: deviate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::sides::Track;

    fn waver(count: usize, by: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..count)
            .map(|index| by(index) + ((index * 7 + index * index * 3) % 21) as f64 / 10.0 - 1.0)
            .collect()
    }

    fn deviate(values: Vec<f64>) -> f64 {
        let (before, after) = (Track::of(waver(100, |_| 0.0)), Track::of(values));
        let of = |track: &Track| track.values.moments(track.values.whole());
        let (whole_before, whole_after) = (before.values.whole(), after.values.whole());
        side((&of(&before), &before.threes, whole_before), (&of(&after), &after.threes, whole_after), 0.0)
            .expect("room for a burst")
            .deviate
    }

    #[test]
    fn four_high_samples_of_twenty_are_a_burst_in_their_direction() {
        let burst = |by: f64| waver(20, move |index| if (8..12).contains(&index) { by } else { 0.0 });
        assert!(deviate(burst(5.0)) > 4.0 && deviate(burst(-5.0)) < -4.0);
    }

    #[test]
    fn a_level_that_moved_for_good_is_no_burst() {
        assert!(deviate(waver(20, |_| 50.0)).abs() < 2.0);
    }

    #[test]
    fn among_many_places_the_same_excursion_is_less_surprising() {
        let at_five = |index| if (5..8).contains(&index) { 2.0 } else { 0.0 };
        assert!(deviate(waver(10, at_five)) > deviate(waver(90, at_five)));
    }

    #[test]
    fn a_series_that_always_bursts_proves_less() {
        let moody = Track::of(waver(100, |index| if index % 30 < 3 { 4.0 } else { 0.0 }));
        let calm = Track::of(waver(100, |_| 0.0));
        let burst = Track::of(waver(20, |index| if index < 3 { 6.0 } else { 0.0 }));
        let of = |before: &Track| {
            let (reference, test) = (before.values.whole(), burst.values.whole());
            let (whole, part) =
                (before.values.moments(reference.clone()), burst.values.moments(test.clone()));
            side((&whole, &before.threes, reference), (&part, &burst.threes, test), 0.0)
                .expect("room")
                .deviate
        };
        assert!(of(&calm) > 2.0 * of(&moody), "{} {}", of(&calm), of(&moody));
    }

    #[test]
    fn the_farthest_three_are_found_where_they_are() {
        let threes = Threes::of(&[0.0, 0.1, 5.0, 6.0, 5.5, 0.2]);
        let (place, mean) = threes.farthest(0..6, 0.0).expect("six samples hold three");
        assert!(place == 2 && (mean - 5.5).abs() < 1e-12);
        assert_eq!(threes.farthest(0..2, 0.0), None);
        for stretch in [0..6, 0..4, 2..6, 1..5] {
            let (_, farthest) = threes.farthest(stretch.clone(), 0.0).expect("at least three");
            assert!((threes.distance(&stretch, 0.0) - farthest.abs()).abs() < 1e-12, "{stretch:?}");
        }
    }
}
