//! What is left of many p-values when chance has had many chances?
//!
//! In: p-values. Out: q-values (Benjamini & Hochberg 1995) and one p-value for a group (Simes 1986). Both hold for
//! p-values that depend on each other positively, as the series of one system do.

/// P-values outside of these bounds count as the bound: one near 1 must not outweigh a small one (its score is minus
/// infinity), and the least keeps scores finite.
const MOST_CAUCHY: f64 = 0.9;
/// See [`MOST_CAUCHY`].
const LEAST_CAUCHY: f64 = 1e-300;

/// The share of false discoveries among all p-values at most as large, for each p-value, in the given order.
pub(crate) fn q_values(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]).then(a.cmp(&b)));
    let mut q_values = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, &index) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * p_values.len() as f64 / (rank + 1) as f64);
        q_values[index] = smallest;
    }
    q_values
}

/// One p-value of two that may depend on each other in any way (the Cauchy combination of Liu & Xie, Journal of the
/// American Statistical Association 115, 2020); the second has the given share of the weight. Unlike the smaller of both
/// times their number it costs little where both are small.
pub(crate) fn cauchy(first: f64, second: f64, share_of_second: f64) -> f64 {
    let score =
        |p_value: f64| (std::f64::consts::PI * p_value.clamp(LEAST_CAUCHY, MOST_CAUCHY)).tan().recip();
    let joined = (1.0 - share_of_second) * score(first) + share_of_second * score(second);
    1.0_f64.atan2(joined) / std::f64::consts::PI
}

/// The p-value of "none of these changed"; 1 of nothing.
pub(crate) fn simes(p_values: &mut [f64]) -> f64 {
    p_values.sort_by(f64::total_cmp);
    let count = p_values.len() as f64;
    p_values.iter().enumerate().map(|(rank, p)| p * count / (rank + 1) as f64).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_follow_the_table_of_benjamini_and_hochberg() {
        let q = q_values(&[0.04, 0.001, 0.03, 0.5]);
        let expected = [0.053_333, 0.004, 0.053_333, 0.5];
        for (got, want) in q.iter().zip(expected) {
            assert!((got - want).abs() < 1e-5, "{q:?}");
        }
    }

    #[test]
    fn two_equal_p_values_are_that_p_value_together() {
        for p_value in [1e-200, 1e-9, 0.01, 0.4] {
            assert!((cauchy(p_value, p_value, 0.3) / p_value - 1.0).abs() < 1e-6, "{p_value}");
        }
    }

    #[test]
    fn one_small_p_value_pays_its_share_and_an_unlikely_one_hides_nothing() {
        assert!((cauchy(1e-6, 0.5, 0.25) / (1e-6 / 0.75) - 1.0).abs() < 1e-3);
        assert!((cauchy(0.5, 1e-6, 0.25) / (1e-6 / 0.25) - 1.0).abs() < 1e-3);
        assert!(cauchy(1e-3, 1.0, 0.25) < 1.5e-3);
    }

    #[test]
    fn simes_of_equal_p_values_is_that_p_value() {
        assert!((simes(&mut [0.2; 7]) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_group_of_nothing_did_not_change() {
        assert!((simes(&mut []) - 1.0).abs() < f64::EPSILON);
    }
}
