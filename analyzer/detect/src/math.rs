//! Small numbers work shared by the detectors: order statistics, autocorrelation, tails of distributions.
//!
//! In: slices of finite numbers. Out: numbers. No series, no windows.

use statrs::function::erf::erfc;

/// Turns a median absolute deviation into the standard deviation of a normal sample: 1 / Φ⁻¹(3/4).
pub(crate) const MAD_TO_SD: f64 = 1.4826;

/// The arithmetic mean; 0 of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The sample standard deviation (n - 1); 0 of fewer than two values.
pub(crate) fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// The median by selection; reorders `values`; 0 of nothing. Of an even number it is the mean of the middle two.
pub(crate) fn median_in_place(values: &mut [f64]) -> f64 {
    let length = values.len();
    if length == 0 {
        return 0.0;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(length / 2, f64::total_cmp);
    if length % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

/// The median of a slice that must keep its order.
pub(crate) fn median(values: &[f64]) -> f64 {
    median_in_place(&mut values.to_vec())
}

/// The median absolute deviation from `centre`, scaled to the standard deviation of a normal sample.
pub(crate) fn robust_deviation(values: &[f64], centre: f64) -> f64 {
    let mut distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    MAD_TO_SD * median_in_place(&mut distances)
}

/// How much autocorrelation inflates the variance of a mean of `count` samples of an AR(1) process:
/// (1+φ)/(1-φ) - 2φ/n · (1-φⁿ)/(1-φ)², exact for finite n.
pub(crate) fn variance_inflation(phi: f64, count: usize) -> f64 {
    let n = count.max(1) as f64;
    let one_less = 1.0 - phi;
    // Beyond the range of the exponent the power of a number below 1 is 0 anyway.
    let power = phi.powi(i32::try_from(count.max(1)).unwrap_or(i32::MAX));
    ((1.0 + phi) / one_less - 2.0 * phi / n * (1.0 - power) / (one_less * one_less)).max(1e-3)
}

/// A Student t statistic as the normal deviate of the same tail.
///
/// Wallace, Annals of Mathematical Statistics 30 (1959): monotone in t and never underflowing, which is what
/// the placebo calibration after it needs.
pub(crate) fn normal_deviate_of_t(t: f64, degrees: f64) -> f64 {
    let size = (degrees * (t * t / degrees).ln_1p()).sqrt();
    t.signum() * size * (8.0 * degrees + 1.0) / (8.0 * degrees + 3.0)
}

/// The Student t statistic that [`normal_deviate_of_t`] makes this deviate of; not below 0.
pub(crate) fn t_of_normal_deviate(deviate: f64, degrees: f64) -> f64 {
    let size = deviate.max(0.0) * (8.0 * degrees + 3.0) / (8.0 * degrees + 1.0);
    (degrees * (size * size / degrees).exp_m1()).sqrt()
}

/// The chance that a standard normal lies further from 0 than `z`.
pub(crate) fn two_sided_normal_tail(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The normal deviate whose upper tail is `probability`, for probabilities up to one half.
pub(crate) fn upper_normal_deviate(probability: f64) -> f64 {
    let bounded = probability.clamp(1e-300, 0.5);
    std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * bounded)
}

/// How many of `count` things a share is, rounded down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a length is a length
pub(crate) fn share_of(count: usize, share: f64) -> usize {
    (count as f64 * share) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < 1e-12);
        assert!((median(&[5.0, 1.0, 3.0]) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_variance_inflation_of_independent_samples_is_one() {
        assert!((variance_inflation(0.0, 20) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_variance_inflation_agrees_with_the_sum_of_autocorrelations() {
        let (phi, n) = (0.7_f64, 12_usize);
        let direct = 1.0
            + 2.0
                * (1..n)
                    .map(|lag| (1.0 - lag as f64 / n as f64) * phi.powi(i32::try_from(lag).unwrap()))
                    .sum::<f64>();
        assert!((variance_inflation(phi, n) - direct).abs() < 1e-9);
    }

    #[test]
    fn a_t_statistic_becomes_the_deviate_of_the_same_tail() {
        // Tables of Student's t: 2.228 is the two-sided 5 % point at 10 degrees of freedom.
        assert!((two_sided_normal_tail(normal_deviate_of_t(2.228, 10.0)) - 0.05).abs() < 0.002);
        assert!(normal_deviate_of_t(-1.0, 5.0) < 0.0);
    }

    #[test]
    fn the_deviate_of_a_t_statistic_leads_back_to_it() {
        for (t, degrees) in [(0.5, 3.0), (2.0, 10.0), (9.0, 60.0)] {
            let back = t_of_normal_deviate(normal_deviate_of_t(t, degrees), degrees);
            assert!((back - t).abs() < 1e-9, "{t} {degrees}");
        }
    }

    #[test]
    fn the_upper_deviate_inverts_the_tail() {
        assert!((upper_normal_deviate(0.025) - 1.959_964).abs() < 1e-4);
    }
}
