//! Did rare events become more or less frequent?
//!
//! In: how many events each sample saw and over which time, before and during. Out: a [`Shift`]. Given their sum,
//! the events of the test stretch are binomial when the rate did not change: exact, however few there are. Counts
//! are first divided by their dispersion, because events come in clumps.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use super::level::Shift;
use crate::math::{mean, standard_deviation, upper_normal_deviate};

/// Samples with at least this many events on average are judged as levels: the square root of a Poisson count is
/// then close to normal (Anscombe 1948).
pub(crate) const SPARSE_BELOW: f64 = 1.0;

/// The dispersion of few blocks is guesswork: it is drawn towards 1 as if this many blocks had been seen there.
const DISPERSION_PRIOR_BLOCKS: f64 = 4.0;
/// Samples whose clumping is measured together.
const BLOCK: usize = 5;

/// Events and the seconds in which they were counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub(crate) events: Vec<f64>,
    pub(crate) seconds: f64,
}

/// The change of a rate of rare events; `None` without time on either side.
pub(crate) fn shift(reference: &Counted, test: &Counted) -> Option<Shift> {
    if reference.seconds <= 0.0 || test.seconds <= 0.0 || reference.events.len() < 3 {
        return None;
    }
    let dispersion = dispersion(&reference.events);
    let before = reference.events.iter().sum::<f64>() / dispersion;
    let during = test.events.iter().sum::<f64>() / dispersion;
    let constant = before == 0.0;
    let total = (before + during).round();
    if total < 1.0 {
        return Some(Shift { constant, ..Shift::default() });
    }
    let share = test.seconds / (test.seconds + reference.seconds);
    let deviate = binomial_deviate(during.round().min(total), total, share);
    let expected = total * share;
    let effect = (during - expected) / (expected * (1.0 - share)).sqrt().max(f64::MIN_POSITIVE);
    let per_log_level = (expected * (1.0 - share)).sqrt();
    Some(Shift { deviate, effect, per_log_level, ..Shift::default() })
}

/// The mid-p tail of a binomial count as a normal deviate.
fn binomial_deviate(count: f64, total: f64, share: f64) -> f64 {
    // Both are rounded and not negative, and far below 2^53.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (count, total) = (count as u64, total as u64);
    let Ok(binomial) = Binomial::new(share, total) else { return 0.0 };
    let here = binomial.pmf(count);
    let above = binomial.sf(count) + 0.5 * here;
    let below = if count == 0 { 0.0 } else { binomial.cdf(count - 1) } + 0.5 * here;
    if above < below { upper_normal_deviate(above) } else { -upper_normal_deviate(below) }
}

fn dispersion(events: &[f64]) -> f64 {
    let blocks: Vec<f64> = events.chunks_exact(BLOCK).map(|block| block.iter().sum()).collect();
    let centre = mean(&blocks);
    if blocks.len() < 2 || centre <= 0.0 {
        return 1.0;
    }
    let raw = (standard_deviation(&blocks).powi(2) / centre).max(1.0);
    let seen = blocks.len() as f64;
    (raw * seen + DISPERSION_PRIOR_BLOCKS) / (seen + DISPERSION_PRIOR_BLOCKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(events: &[f64]) -> Counted {
        Counted { events: events.to_vec(), seconds: 15.0 * events.len() as f64 }
    }

    fn every(nth: usize, count: usize) -> Vec<f64> {
        (0..count).map(|index| f64::from(u8::from(index % nth == 0))).collect()
    }

    #[test]
    fn the_same_rate_is_no_change_and_a_tenfold_rate_is() {
        let before = counted(&every(10, 100));
        let same = shift(&before, &counted(&every(10, 20))).expect("time on both sides");
        let tenfold = shift(&before, &counted(&every(1, 20))).expect("time on both sides");
        assert!(same.deviate.abs() < 1.0 && tenfold.deviate > 4.0, "{same:?} {tenfold:?}");
    }

    #[test]
    fn one_event_proves_nothing() {
        let one = shift(&counted(&[0.0; 100]), &counted(&every(20, 20))).expect("time on both sides");
        assert!(one.deviate < 2.0, "{one:?}");
    }

    #[test]
    fn events_that_come_in_clumps_prove_less() {
        let even = counted(&every(5, 100));
        let clumped: Vec<f64> = (0..100).map(|index| if index % 50 == 0 { 10.0 } else { 0.0 }).collect();
        let burst = counted(&every(1, 10));
        let after_even = shift(&even, &burst).expect("time on both sides");
        let after_clumps = shift(&counted(&clumped), &burst).expect("time on both sides");
        assert!(after_clumps.deviate < 0.7 * after_even.deviate, "{after_clumps:?} {after_even:?}");
    }
}
