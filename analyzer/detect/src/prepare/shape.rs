//! Do the observations of a histogram lie in other buckets than usual? This shows what mean and quantiles miss, such as
//! a part of the requests that became faster while another became slower.
//!
//! In: how many observations each step brought in each bucket. Out: the share of observations that lie elsewhere.
//!
//! With `p_j` the share of bucket `j` in the whole clean baseline and `x_j` that in one step, the share of observations
//! that would have to move to another bucket to look as usual is the total variation distance `½ Σ |x_j − p_j|`. A step
//! of few observations lies far from `p` by chance alone. What chance makes of it on average is taken off, so that the
//! measure is 0 when nothing changed, at every load: `½ Σ E|x_j − p_j|`, where the count in a bucket is binomial. Its
//! mean deviation is known exactly (De Moivre; Diaconis & Zabell, Statistical Science 6, 1991): with less than one
//! expected observation it is `2 p (1 − p)ⁿ`, and the normal `√(2 p (1 − p) / (π n))` is at most 9 % above it otherwise.

use aftermath_model::{SeriesKey, Timeline};

use super::histogram::Step;
use super::{Measure, Nature};

/// The name of the measure.
pub(crate) const SHAPE: &str = "shape";

/// Steps with fewer observations say too little about shares: one observation more or less would be 5 % of them, the
/// change that begins to matter.
const FEWEST_OBSERVATIONS: f64 = 20.0;

/// The share of observations in other buckets than usual, at each step with enough of them; without values where the
/// clean baseline has none.
pub(super) fn shape(key: &SeriesKey, steps: &[Step], timeline: &Timeline) -> Measure {
    let usual = Usual::of(steps, timeline);
    let mut measure = Measure {
        key: key.clone(),
        name: SHAPE,
        nature: Nature::Shape,
        covers: 0,
        timestamps_ms: Vec::new(),
        values: Vec::new(),
        intervals_s: Vec::new(),
    };
    for step in steps.iter().filter(|step| step.observations() >= FEWEST_OBSERVATIONS) {
        if let Some(usual) = &usual {
            measure.timestamps_ms.push(step.ms);
            measure.values.push(usual.share_elsewhere(step, is_clean(step.ms, timeline)));
        }
    }
    measure
}

fn is_clean(ms: i64, timeline: &Timeline) -> bool {
    let inside = |window: &aftermath_model::Window| window.from.ms() <= ms && ms < window.to.ms();
    inside(&timeline.baseline()) && !timeline.exclude().iter().any(inside)
}

/// Where the observations of the clean baseline lie.
struct Usual {
    shares: Vec<f64>,
    observations: f64,
}

impl Usual {
    fn of(steps: &[Step], timeline: &Timeline) -> Option<Self> {
        let mut counts: Vec<f64> = Vec::new();
        for step in steps.iter().filter(|step| is_clean(step.ms, timeline)) {
            counts.resize(step.cumulative.len(), 0.0);
            for (count, (_, more)) in counts.iter_mut().zip(step.in_buckets()) {
                *count += more;
            }
        }
        let observations: f64 = counts.iter().sum();
        let shares = counts.iter().map(|count| count / observations).collect();
        (observations >= FEWEST_OBSERVATIONS).then_some(Self { shares, observations })
    }

    /// `in_baseline` tells whether the step is itself a part of what is usual, to which it then lies nearer than any
    /// other: the variance of the difference is that of `n` observations less, or else plus, that of the baseline.
    fn share_elsewhere(&self, step: &Step, in_baseline: bool) -> f64 {
        let observations = step.observations();
        let of_usual = if in_baseline { -1.0 } else { 1.0 } / self.observations;
        let effective = 1.0 / (1.0 / observations + of_usual).max(f64::MIN_POSITIVE);
        let mut distance = 0.0;
        for (&share, (_, count)) in self.shares.iter().zip(step.in_buckets()) {
            distance += (count / observations - share).abs() - chance_deviation(share, effective);
        }
        distance / 2.0
    }
}

/// How far the share of a bucket with probability `share` lies from it on average among `observations`.
fn chance_deviation(share: f64, observations: f64) -> f64 {
    let variance = share * (1.0 - share);
    if share * observations < 1.0 {
        return 2.0 * share * (observations * (-share).ln_1p()).exp();
    }
    (2.0 * variance / (std::f64::consts::PI * observations)).sqrt()
}
