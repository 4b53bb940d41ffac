//! Kayenta's rule for one metric, from its published description: High or Low when the 98 % confidence interval of the
//! Mann-Whitney shift between experiment and control lies beyond a quarter of the estimated shift. Written anew.

/// The confidence of the interval and the tolerance relative to the shift that the judge named `NetflixACAJudge-v1.0` uses.
const UPPER_DEVIATE: f64 = 2.326_348;
const TOLERANCE: f64 = 0.25;

/// Whether the rule calls the metric High or Low.
pub(crate) fn flags(control: &[f64], experiment: &[f64]) -> bool {
    let mut differences: Vec<f64> =
        experiment.iter().flat_map(|after| control.iter().map(move |before| after - before)).collect();
    differences.sort_by(f64::total_cmp);
    let Some((lower, estimate, upper)) = interval(&differences, control.len(), experiment.len()) else {
        return false;
    };
    let bound = TOLERANCE * estimate.abs();
    lower > bound || upper < -bound
}

/// The Hodges-Lehmann shift and its interval by inverting the normal approximation of the rank sum with continuity
/// correction: order statistics of the pairwise differences.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ranks among at most some thousand differences
fn interval(differences: &[f64], n: usize, m: usize) -> Option<(f64, f64, f64)> {
    let pairs = (n * m) as f64;
    let deviation = (pairs * (n + m + 1) as f64 / 12.0).sqrt();
    let cut = (pairs / 2.0 - 0.5 - UPPER_DEVIATE * deviation).floor().max(0.0) as usize;
    let last = differences.len().checked_sub(1)?;
    Some((differences[cut.min(last)], differences[differences.len() / 2], differences[last - cut.min(last)]))
}
