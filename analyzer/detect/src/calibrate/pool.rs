//! How often do alike series show so large a statistic by chance?
//!
//! In: absolute quiet statistics. Out: p-values: counted where there are enough, continued by a generalised Pareto
//! tail beyond (Pickands 1975), whose shape and width come from the moments of the excesses (Hosking & Wallis 1987).

use crate::math::{mean, share_of, standard_deviation};

/// The share of a pool that shapes its tail, and the least number of values that can.
const TAIL_SHARE: f64 = 0.02;
const LEAST_IN_TAIL: usize = 20;
/// The shape of the tail is kept between nearly exponential and so heavy that its variance is barely finite.
const TAIL_SHAPES: (f64, f64) = (0.02, 0.4);

/// A pool keeps at most about so many values to count by: enough to tell a p-value of 2 %, where the tail begins, to one
/// part in eighty, and few enough to stay in a processor's cache.
const MOST_KEPT: usize = 4096;

/// A pooled null distribution of absolute statistics.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    count: usize,
    /// Every `stride`th value from the largest down, ascending.
    kept: Vec<f64>,
    stride: usize,
    threshold: f64,
    share_beyond: f64,
    shape: f64,
    width: f64,
}

impl Pool {
    /// The pool of at least two values.
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len();
        let beyond = LEAST_IN_TAIL.max(share_of(count, TAIL_SHARE)).min(count / 4).max(1);
        let threshold = values[count - beyond - 1];
        let excesses: Vec<f64> = values[count - beyond..].iter().map(|value| value - threshold).collect();
        let centre = mean(&excesses);
        let variance = standard_deviation(&excesses).powi(2).max(f64::MIN_POSITIVE);
        let shape = (0.5 * (1.0 - centre * centre / variance)).clamp(TAIL_SHAPES.0, TAIL_SHAPES.1);
        let share_beyond = beyond as f64 / count as f64;
        let stride = count.div_ceil(MOST_KEPT);
        let mut kept: Vec<f64> = values.into_iter().rev().step_by(stride).collect();
        kept.reverse();
        Self {
            count,
            kept,
            stride,
            threshold,
            share_beyond,
            shape,
            width: (centre * (1.0 - shape)).max(1e-9),
        }
    }

    /// How many values it rests on.
    pub(super) fn count(&self) -> f64 {
        self.count as f64
    }

    /// The chance of a statistic at least this large.
    pub(super) fn p_value(&self, statistic: f64) -> f64 {
        if statistic > self.threshold {
            let reach = 1.0 + self.shape * (statistic - self.threshold) / self.width;
            return (self.share_beyond * reach.powf(-1.0 / self.shape)).min(1.0);
        }
        let at_least = self.kept.len() - self.kept.partition_point(|&value| value < statistic);
        ((1 + self.stride * at_least) as f64 / (self.count + 1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{two_sided_normal_tail, upper_normal_deviate};

    /// The absolute quantiles of a standard normal.
    fn normal(count: u32) -> Vec<f64> {
        (0..count)
            .map(|rank| upper_normal_deviate((f64::from(rank) + 0.5) / f64::from(count) / 2.0))
            .collect()
    }

    #[test]
    fn p_values_inside_the_pool_are_counted() {
        let pool = Pool::of(normal(2000));
        for statistic in [0.5, 1.0, 1.96] {
            let truth = two_sided_normal_tail(statistic);
            assert!((pool.p_value(statistic) / truth - 1.0).abs() < 0.05, "{statistic}");
        }
    }

    #[test]
    fn a_pool_of_many_values_counts_as_one_that_keeps_them_all() {
        let values = normal(100_000);
        let pool = Pool::of(values.clone());
        assert!(pool.kept.len() <= MOST_KEPT);
        for statistic in [0.1, 1.0, 2.0, 2.3] {
            let counted = values.iter().filter(|&&value| value >= statistic).count() as f64 / 1e5;
            assert!((pool.p_value(statistic) - counted).abs() < 1.0 / 4096.0, "{statistic}");
        }
    }

    #[test]
    fn p_values_beyond_the_pool_keep_falling_but_never_below_the_truth() {
        let pool = Pool::of(normal(2000));
        let (near, far) = (pool.p_value(4.0), pool.p_value(8.0));
        assert!(far < near && near < 1e-3);
        assert!(near > two_sided_normal_tail(4.0) && far > two_sided_normal_tail(8.0));
    }

    #[test]
    fn a_p_value_never_rises_with_the_statistic() {
        let pool = Pool::of(normal(300));
        let p_values: Vec<f64> = (0..200).map(|step| pool.p_value(f64::from(step) * 0.05)).collect();
        assert!(p_values.windows(2).all(|pair| pair[1] <= pair[0]));
    }
}
