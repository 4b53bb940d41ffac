//! The course of a series before the fault in a few bytes: means of blocks of its samples, which tell later what series
//! do together.
//!
//! In: the samples of the clean baseline. Out: a [`Profile`]. All series of a run have the same [`Blocks`], so that a
//! block is the same stretch of time in each of them.

use std::ops::Range;

use crate::detectors::running::Running;

/// At least so many blocks, where the baseline has as many steps, and fewer than twice as many. A block is a byte a
/// series; of 24 three components can be learned that hold beyond them (detection plan, section 4).
const LEAST_BLOCKS: i64 = 24;
/// How many parts of a standard deviation are told apart, so that eight deviations fit into a byte.
const PARTS_OF_SD: f64 = 15.0;
/// A block without samples.
const EMPTY: i8 = i8::MIN;

/// How clean time is cut: into blocks of equal length, the last of which ends where the baseline ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    length_ms: i64,
    first_ms: i64,
    count: usize,
}

impl Blocks {
    /// The blocks of a baseline of that length.
    pub(crate) fn of(clean_ms: i64, step_ms: i64) -> Self {
        let length_ms = (clean_ms / LEAST_BLOCKS / step_ms * step_ms).max(step_ms);
        let count = clean_ms / length_ms;
        Self {
            length_ms,
            first_ms: clean_ms - count * length_ms,
            count: usize::try_from(count).unwrap_or_default(),
        }
    }

    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        self.count
    }

    /// The blocks that a stretch of clean time touches.
    pub(crate) fn touched(self, from_ms: i64, to_ms: i64) -> Range<usize> {
        let passed =
            |ms: i64| usize::try_from(ms.max(0) / self.length_ms).unwrap_or_default().min(self.count);
        passed(from_ms - self.first_ms)..passed(to_ms - self.first_ms + self.length_ms - 1)
    }

    fn starts(self) -> impl Iterator<Item = i64> {
        (self.first_ms..).step_by(usize::try_from(self.length_ms).unwrap_or(usize::MAX)).take(self.count)
    }
}

/// Block means, as distances from the mean of the series in parts of its standard deviation. Empty of a series that never
/// moves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Profile(Box<[i8]>);

impl Profile {
    /// `clean_ms` are the clean times of the values, ascending, and the values lie in units of their spread.
    pub(crate) fn of(clean_ms: &[i64], values: &Running, blocks: Blocks) -> Self {
        let whole = values.moments(values.whole());
        let deviation = whole.deviation();
        if whole.is_constant() {
            return Self::default();
        }
        let mut next = 0;
        let block = |from: i64| {
            let before = |place: usize, limit: i64| {
                let rest = clean_ms[place..].iter();
                place + rest.take_while(|&&ms| ms < limit).count()
            };
            let start = before(next, from);
            next = before(start, from + blocks.length_ms);
            let inside = values.moments(start..next);
            if inside.count == 0 { EMPTY } else { parts((inside.mean - whole.mean) / deviation) }
        };
        Self(blocks.starts().map(block).collect())
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mean of every block in standard deviations; `None` where there are no samples.
    pub(crate) fn values(&self) -> impl Iterator<Item = Option<f64>> {
        self.0.iter().map(|&parts| (parts != EMPTY).then(|| f64::from(parts) / PARTS_OF_SD))
    }
}

#[allow(clippy::cast_possible_truncation)] // clamped to the range of the type
fn parts(deviations: f64) -> i8 {
    (deviations * PARTS_OF_SD).round().clamp(-127.0, 127.0) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::mean;

    #[test]
    fn every_baseline_is_cut_into_24_to_47_blocks_unless_it_has_fewer_steps() {
        for steps in 1..2000_i64 {
            let blocks = Blocks::of(steps * 15_000, 15_000);
            let wanted = usize::try_from(steps.min(24)).unwrap();
            assert!((wanted..48).contains(&blocks.count()), "{steps} steps: {}", blocks.count());
        }
    }

    #[test]
    fn a_stretch_touches_the_blocks_that_it_overlaps() {
        // 50 steps: 25 blocks of two.
        let blocks = Blocks::of(50_000, 1_000);
        assert_eq!(blocks.touched(0, 50_000), 0..25);
        assert_eq!(blocks.touched(46_000, 50_000), 23..25);
        assert_eq!(blocks.touched(3_000, 5_000), 1..3);
    }

    #[test]
    fn a_profile_follows_its_series_in_standard_deviations() {
        let times: Vec<i64> = (0..240).collect();
        let values: Vec<f64> = (0..240).map(|step| 100.0 + 30.0 * (f64::from(step) / 20.0).sin()).collect();
        let profile = Profile::of(&times, &Running::of(values.clone()), Blocks::of(240, 1));
        let kept: Vec<f64> = profile.values().map(|value| value.expect("no block is empty")).collect();
        assert_eq!(kept.len(), 24);
        let deviation = 30.0 / 2.0_f64.sqrt();
        for (block, kept) in kept.iter().enumerate() {
            let truth = mean(&values[10 * block..10 * block + 10]) - mean(&values);
            assert!((kept - truth / deviation).abs() < 0.15, "block {block}: {kept}");
        }
    }

    #[test]
    fn a_block_without_samples_says_so_and_a_constant_says_nothing() {
        let times: Vec<i64> = (0..24).filter(|&step| step != 5).collect();
        let values: Vec<f64> = times.iter().map(|&step| (step % 3) as f64).collect();
        let profile = Profile::of(&times, &Running::of(values), Blocks::of(24, 1));
        let missing: Vec<usize> = profile
            .values()
            .enumerate()
            .filter(|(_, value)| value.is_none())
            .map(|(block, _)| block)
            .collect();
        assert_eq!(missing, [5]);
        assert!(Profile::of(&times, &Running::of(vec![1.0; 23]), Blocks::of(24, 1)).is_empty());
    }
}
