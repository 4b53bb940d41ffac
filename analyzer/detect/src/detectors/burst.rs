//! Did a series leave its level for a short while?
//!
//! In: a stretch before and the samples during the fault. Out: a [`Side`]: how far the farthest three samples in a row lie
//! from the rest of the fault window, which had as many chances as it has places for them. Held against the rest of the
//! same window, neither a moved level nor a changed load is a burst.

use super::Side;
use super::level::{LARGEST_GRADED, LEAST_SHARE};
use super::running::Moments;
use crate::math::{mean, normal_deviate_of_t, variance_inflation};

/// Samples in a burst: one sample may be a glitch of the scrape, and three are still short against any fault window.
pub(crate) const WIDTH: usize = 3;

/// The first sample and the mean of the three in a row that lie farthest from the mean of all; `None` of fewer.
pub(crate) fn farthest(values: &[f64], of_all: f64) -> Option<(usize, f64)> {
    let means = values.windows(WIDTH).map(mean).enumerate();
    means.max_by(|a, b| (a.1 - of_all).abs().total_cmp(&(b.1 - of_all).abs()))
}

/// How far the burst lies from the rest of the window; `None` where there is no room for one. `level` is the usual level
/// in the unit of the values.
///
/// One of `m` places reaches the tail probability `p` with at most `m · p`; with the normal tail `exp(-z²/2)` this takes
/// `2 ln m` off the square of the deviate.
pub(crate) fn side(before: &Moments, after: &Moments, values: &[f64], level: f64) -> Option<Side> {
    if before.count < 3 || after.count <= WIDTH || before.is_constant() {
        return None;
    }
    let (_, burst) = farthest(values, after.mean)?;
    let rest = (after.n() - WIDTH as f64).max(1.0);
    let difference = burst - (after.n() * after.mean - WIDTH as f64 * burst) / rest;
    let phi = before.phi();
    let inflation = before.inflation(phi);
    let variance = before.variance(inflation);
    let of_means = variance_inflation(phi, WIDTH) / WIDTH as f64 + after.inflation(phi) / rest;
    let error = (variance * of_means).sqrt().hypot(LEAST_SHARE * level).max(f64::MIN_POSITIVE);
    let degrees = (before.n() / inflation - 1.0).max(2.0);
    let alone = normal_deviate_of_t(difference / error, degrees);
    let places = (values.len() - WIDTH + 1) as f64;
    let size = alone.mul_add(alone, -2.0 * places.ln()).max(0.0).sqrt().min(LARGEST_GRADED);
    Some(Side { deviate: size.copysign(alone), effect: difference / variance.sqrt().max(f64::MIN_POSITIVE) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::running::Running;

    fn waver(count: usize, by: impl Fn(usize) -> f64) -> Vec<f64> {
        (0..count)
            .map(|index| by(index) + ((index * 7 + index * index * 3) % 21) as f64 / 10.0 - 1.0)
            .collect()
    }

    fn deviate(values: Vec<f64>) -> f64 {
        let (before, after) = (Running::of(waver(100, |_| 0.0)), Running::of(values));
        let moments = after.moments(after.whole());
        side(&before.moments(before.whole()), &moments, after.values(), 0.0)
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
    fn the_farthest_three_are_found_where_they_are() {
        let values = [0.0, 0.1, 5.0, 6.0, 5.5, 0.2];
        let (place, mean) = farthest(&values, 0.0).expect("six samples hold three");
        assert!(place == 2 && (mean - 5.5).abs() < 1e-12);
        assert_eq!(farthest(&values[..2], 0.0), None);
    }
}
