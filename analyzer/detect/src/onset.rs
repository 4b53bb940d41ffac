//! When did a change begin, how surely, and which service was first?
//!
//! In: one series before and during the fault. Out: an [`Onset`] with its interval; from those of its changed series
//! that of a service; from those of several services the order in which they were reached, as far as it can be told.
//!
//! The change is taken for a step to a new level. For every sample at which it may have begun, the likelihood is that of
//! an AR(1) process around the baseline's level before and another level from there on; the onset is the most likely
//! sample (Hinkley, Biometrika 57, 1970; whitening: Bai, Review of Economics and Statistics 79, 1997).

use crate::recovery::Normal;

/// The interval holds every sample whose logarithm of the likelihood is at most this much below the best. For a change
/// point its drop at the truth is the larger of two independent exponential variables (the limit of Siegmund,
/// International Statistical Review 56, 1988), not half a chi-squared: 95 % are below −ln(1 − √0.95).
const LIKELIHOOD_DROP: f64 = 3.676;

/// When a change began: the likeliest moment, and an interval that holds the true one in 95 of 100
/// cases. Milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onset {
    pub(crate) at: i64,
    /// The last moment at which the change had surely not begun.
    pub(crate) from: i64,
    /// The first moment at which it surely had.
    pub(crate) to: i64,
}

/// When the change of the fault window began; `None` if the window is as likely without any change.
/// `before` is what was normal and the last value; `None` of a series that appeared.
pub(crate) fn onset(before: Option<(&Normal, f64)>, times_ms: &[i64], values: &[f64]) -> Option<Onset> {
    let &first_ms = times_ms.first()?;
    let Some((normal, before)) = before else {
        return Some(Onset { at: first_ms, from: first_ms, to: first_ms });
    };
    let whitened = normal.whitened(before, values);
    let gains = gains(&whitened, 1.0 - normal.phi);
    let best = (0..gains.len()).max_by(|&a, &b| gains[a].total_cmp(&gains[b]).then(b.cmp(&a)))?;
    let squares: f64 = whitened.iter().map(|value| value * value).sum();
    let left = (squares - gains[best]).max(0.0) / values.len() as f64;
    // Noise may grow with the level; the interval must not be narrower than the noise that is there now.
    let variance = normal.innovation_variance().max(left).max(f64::MIN_POSITIVE);
    let drop = |gain: f64| (gains[best] - gain) / (2.0 * variance);
    if drop(0.0) <= LIKELIHOOD_DROP {
        return None;
    }
    let likely = |index: &usize| drop(gains[*index]) <= LIKELIHOOD_DROP;
    let first = (0..=best).find(likely).unwrap_or(best);
    let last = (best..gains.len()).rev().find(likely).unwrap_or(best);
    Some(Onset { at: times_ms[best], from: times_ms[first.saturating_sub(1)], to: times_ms[last] })
}

/// By how much a step that begins with each sample lowers the sum of squares: `(Σ w u)² / Σ w²` over the samples from
/// there on, where whitening turns a step into `w`: 1 at its first sample and `kept` ever after.
fn gains(whitened: &[f64], kept: f64) -> Vec<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    let mut gains: Vec<f64> = whitened
        .iter()
        .rev()
        .map(|&value| {
            let along = value + kept * sum;
            let gain = along * along / (1.0 + kept * kept * count);
            sum += value;
            count += 1.0;
            gain
        })
        .collect();
    gains.reverse();
    gains
}

/// When a service was reached, given the onsets of its changed series and the weight of each: their weighted medians,
/// which half of the weight may be wrong about.
pub(crate) fn of_service(series: &[(Onset, f64)]) -> Option<Onset> {
    let of = |part: fn(&Onset) -> i64| {
        weighted_median(series.iter().map(|(onset, weight)| (part(onset), *weight)))
    };
    Some(Onset { at: of(|onset| onset.at)?, from: of(|onset| onset.from)?, to: of(|onset| onset.to)? })
}

/// The smallest value that at least half of the weight does not exceed.
fn weighted_median(values: impl Iterator<Item = (i64, f64)>) -> Option<i64> {
    let mut sorted: Vec<(i64, f64)> = values.collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = sorted.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut so_far = 0.0;
    let reached = sorted.iter().find(|(_, weight)| {
        so_far += weight;
        so_far >= half
    });
    reached.or(sorted.last()).map(|(value, _)| *value)
}

/// The order in which services were reached, as waves of indices: everything in a wave surely began after something of
/// the wave before it, so that their intervals share not even a moment; what lies in one wave cannot be ordered.
pub(crate) fn waves(onsets: &[Onset]) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..onsets.len()).collect();
    let mut waves = Vec::new();
    while let Some(first_end) = left.iter().map(|&index| onsets[index].to).min() {
        // What was reached before all others ends first, so only it can be surely before anything.
        let (later, wave) = left.into_iter().partition(|&index| first_end < onsets[index].from);
        waves.push(wave);
        left = later;
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn onset(baseline: &[f64], times_ms: &[i64], values: &[f64]) -> Option<Onset> {
        let normal = Normal::of(baseline);
        super::onset(normal.as_ref().zip(baseline.last().copied()), times_ms, values)
    }

    /// Normal noise with memory, the same on every machine.
    fn noise(seed: u64, count: usize, phi: f64) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut last = 0.0;
        let mut next = || {
            let normal = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            last = phi * last + (1.0 - phi * phi).sqrt() * normal;
            last
        };
        (0..50 + count).map(|_| next()).skip(50).collect()
    }

    /// 120 samples, then 30 of a fault in which the level rises by `size` deviations from the `at`th on.
    fn stepped(seed: u64, phi: f64, size: f64, at: usize) -> Option<Onset> {
        let all = noise(seed, 150, phi);
        let (baseline, fault) = all.split_at(120);
        let moved: Vec<f64> = fault
            .iter()
            .enumerate()
            .map(|(index, value)| value + if index < at { 0.0 } else { size })
            .collect();
        let times: Vec<i64> = (0..30).map(|index| index * 1000).collect();
        onset(baseline, &times, &moved)
    }

    #[test]
    fn a_clear_step_is_dated_to_its_first_sample() {
        let found = stepped(1, 0.3, 12.0, 8).unwrap();
        assert_eq!(found, Onset { at: 8_000, from: 7_000, to: 8_000 });
    }

    #[test]
    fn the_interval_holds_the_true_onset_in_95_of_100_cases() {
        for (phi, size) in [(0.0, 1.5), (0.0, 4.0), (0.5, 3.0), (0.8, 4.0)] {
            let found: Vec<Onset> = (0..400).filter_map(|seed| stepped(seed, phi, size, 10)).collect();
            let held = found.iter().filter(|onset| onset.from < 10_000 && 10_000 <= onset.to).count();
            let share = held as f64 / found.len() as f64;
            assert!(found.len() > 150 && share >= 0.93, "φ {phi}, {size} sd: {share} of {}", found.len());
        }
    }

    #[test]
    fn what_did_not_change_has_no_onset() {
        let dated = (0..400).filter(|&seed| stepped(seed, 0.4, 0.0, 10).is_some()).count();
        assert!(dated < 80, "{dated} of 400");
    }

    #[test]
    fn a_series_that_appears_began_with_its_first_sample() {
        assert_eq!(onset(&[], &[5, 6], &[1.0, 1.0]).map(|onset| onset.at), Some(5));
        assert_eq!(onset(&[1.0], &[], &[]), None);
    }

    #[test]
    fn a_constant_that_changes_is_dated_exactly() {
        let mut values = vec![1.0; 10];
        values[6..].fill(0.0);
        let times: Vec<i64> = (0..10).collect();
        assert_eq!(onset(&[1.0; 50], &times, &values), Some(Onset { at: 6, from: 5, to: 6 }));
    }

    #[test]
    fn half_of_a_service_may_be_wrong_about_its_onset() {
        let at = |ms| Onset { at: ms, from: ms - 1, to: ms };
        assert_eq!(of_service(&[(at(90), 1.0), (at(5), 3.0), (at(1), 1.0)]), Some(at(5)));
        assert_eq!(of_service(&[]), None);
    }

    #[test]
    fn only_what_is_apart_has_an_order() {
        let between = |from, to| Onset { at: to, from, to };
        let onsets = [between(30, 40), between(0, 10), between(5, 35), between(50, 60), between(10, 20)];
        assert_eq!(waves(&onsets), [vec![1, 2, 4], vec![0], vec![3]]);
        assert_eq!(waves(&[]), Vec::<Vec<usize>>::new());
    }
}
