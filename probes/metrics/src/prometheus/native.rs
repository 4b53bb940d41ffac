//! Native histograms become the parts of classic ones, which everything behind this border understands: `_count`,
//! `_sum`, and `_bucket` with the bounds that all samples of the series can tell.
//!
//! A bucket of one sample may be cut in two in another, when its resolution changed in between; then only the bounds
//! that no sample has inside a bucket are kept. So each part stays a running total over the whole window, and falls
//! only when the histogram itself was reset.

use std::collections::BTreeMap;

use super::selector::NAME;
use super::wire::{Bucket, NativeHistogram};

type Labels = BTreeMap<String, String>;
type Samples<V> = Vec<(i64, V)>;

/// More bounds than this are merged in pairs. A histogram of one service rarely spans more than three orders of
/// magnitude, which 64 bounds cut into steps of 11 %; the default buckets of classic histograms double.
const BOUNDS_MAX: usize = 64;
/// Bounds that lie within this share of a power of 2 to the power of 2^-8, the finest grid of Prometheus, lie on it:
/// servers compute them by a table, we by a function, and the two differ in the last digits.
const SAME_BOUND: f64 = 1e-9;

/// The classic parts of one native histogram: their labels and samples.
pub(crate) fn classic_parts(
    labels: &Labels,
    samples: &Samples<NativeHistogram>,
) -> Vec<(Labels, Samples<f64>)> {
    let samples: Vec<(i64, NativeHistogram)> =
        samples.iter().map(|(ms, histogram)| (*ms, on_grid(histogram))).collect();
    let part = |suffix: &str, bound: Option<String>, value: &dyn Fn(&NativeHistogram) -> f64| {
        let mut part = labels.clone();
        let name = labels.get(NAME).map_or("", String::as_str);
        part.insert(NAME.to_owned(), format!("{name}{suffix}"));
        part.extend(bound.map(|bound| ("le".to_owned(), bound)));
        (part, samples.iter().map(|(ms, histogram)| (*ms, value(histogram))).collect())
    };
    let mut parts = vec![
        part("_count", None, &|histogram| histogram.count),
        part("_sum", None, &|histogram| histogram.sum),
        // Observations that are not a number are in no bucket but counted, as in a classic histogram.
        part("_bucket", Some("+Inf".to_owned()), &|histogram| histogram.count),
    ];
    for bound in shared_bounds(&samples) {
        parts.push(part("_bucket", Some(bound_text(bound)), &|histogram| up_to(bound, histogram)));
    }
    parts
}

/// How many observations lie at or below a bound that no bucket has inside.
fn up_to(bound: f64, histogram: &NativeHistogram) -> f64 {
    histogram.buckets.iter().filter(|bucket| bucket.upper <= bound).map(|bucket| bucket.count).sum()
}

/// The finite bounds of buckets, rising, that lie inside no bucket of any sample.
fn shared_bounds(samples: &[(i64, NativeHistogram)]) -> Vec<f64> {
    let mut buckets: Vec<(f64, f64)> = samples
        .iter()
        .flat_map(|(_, histogram)| &histogram.buckets)
        .map(|bucket| (bucket.lower, bucket.upper))
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    buckets.dedup();
    let has_negative = buckets.iter().any(|&(_, upper)| upper < 0.0);
    let mut bounds: Vec<f64> = buckets
        .iter()
        .flat_map(|&(lower, upper)| [lower, upper])
        .filter(|bound| bound.is_finite() && (has_negative || *bound >= 0.0))
        .collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    for (lower, upper) in buckets {
        let inside =
            bounds.partition_point(|&bound| bound <= lower)..bounds.partition_point(|&bound| bound < upper);
        if !inside.is_empty() {
            bounds.drain(inside);
        }
    }
    while bounds.len() > BOUNDS_MAX {
        // The largest stays, so that only what was above it is in the open bucket.
        bounds = bounds.into_iter().rev().step_by(2).collect();
        bounds.reverse();
    }
    bounds
}

/// The same histogram with bounds that do not depend on how it was read.
fn on_grid(histogram: &NativeHistogram) -> NativeHistogram {
    let bucket = |bucket: &Bucket| Bucket {
        lower: bound_on_grid(bucket.lower),
        upper: bound_on_grid(bucket.upper),
        count: bucket.count,
    };
    NativeHistogram { buckets: histogram.buckets.iter().map(bucket).collect(), ..*histogram }
}

fn bound_on_grid(bound: f64) -> f64 {
    const STEPS_PER_DOUBLING: f64 = 256.0;
    if bound == 0.0 {
        return 0.0;
    }
    let nearest = ((bound.abs().log2() * STEPS_PER_DOUBLING).round() / STEPS_PER_DOUBLING).exp2();
    if (nearest - bound.abs()).abs() <= SAME_BOUND * nearest { nearest.copysign(bound) } else { bound }
}

/// As short as it can be without loss; very large and small bounds as powers of ten.
fn bound_text(bound: f64) -> String {
    let plain = bound == 0.0 || (1e-6..1e15).contains(&bound.abs());
    if plain { format!("{bound}") } else { format!("{bound:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(f64, f64, f64)]) -> NativeHistogram {
        let buckets: Vec<Bucket> =
            buckets.iter().map(|&(lower, upper, count)| Bucket { lower, upper, count }).collect();
        NativeHistogram { count: buckets.iter().map(|bucket| bucket.count).sum(), sum: 1.0, buckets }
    }

    /// The bounds and, for each sample, how many observations lie at or below each.
    fn converted(samples: &[NativeHistogram]) -> Vec<(String, Vec<f64>)> {
        let labels = Labels::from([(NAME.to_owned(), "m".to_owned())]);
        let samples = (0..).zip(samples.iter().cloned()).collect();
        let mut parts = classic_parts(&labels, &samples);
        let buckets = parts.split_off(3);
        assert_eq!(
            buckets.iter().map(|(labels, _)| labels[NAME].as_str()).find(|name| *name != "m_bucket"),
            None
        );
        buckets
            .into_iter()
            .map(|(labels, samples)| {
                (labels["le"].clone(), samples.into_iter().map(|(_, count)| count).collect())
            })
            .collect()
    }

    fn expected(parts: &[(&str, &[f64])]) -> Vec<(String, Vec<f64>)> {
        parts.iter().map(|&(bound, counts)| (bound.to_owned(), counts.to_vec())).collect()
    }

    #[test]
    fn bounds_that_another_sample_cannot_tell_are_left_out() {
        let fine = histogram(&[(1.0, 2.0_f64.sqrt(), 1.0), (2.0_f64.sqrt(), 2.0, 2.0)]);
        let coarse = histogram(&[(1.0, 2.0, 6.0), (4.0, 8.0, 1.0)]);
        let both = [fine.clone(), coarse];
        let shared: [(&str, &[f64]); 4] =
            [("1", &[0.0, 0.0]), ("2", &[3.0, 6.0]), ("4", &[3.0, 6.0]), ("8", &[3.0, 7.0])];
        assert_eq!(converted(&both), expected(&shared));
        assert_eq!(converted(&[fine]).len(), 3);
    }

    #[test]
    fn a_zero_bucket_that_grows_swallows_the_bounds_inside_it() {
        let before = histogram(&[(-0.001, 0.001, 1.0), (0.25, 0.5, 2.0), (0.5, 1.0, 3.0)]);
        let after = histogram(&[(-0.3, 0.3, 4.0), (0.5, 1.0, 5.0)]);
        let shared: [(&str, &[f64]); 2] = [("0.5", &[3.0, 4.0]), ("1", &[6.0, 9.0])];
        assert_eq!(converted(&[before, after]), expected(&shared));
    }

    #[test]
    fn buckets_below_zero_keep_their_order() {
        let sample = histogram(&[(-4.0, -2.0, 1.0), (-0.5, 0.5, 2.0), (1.0, 2.0, 3.0)]);
        let bounds: [(&str, &[f64]); 6] =
            [("-4", &[0.0]), ("-2", &[1.0]), ("-0.5", &[1.0]), ("0.5", &[3.0]), ("1", &[3.0]), ("2", &[6.0])];
        assert_eq!(converted(&[sample]), expected(&bounds));
    }

    #[test]
    fn many_bounds_are_merged_and_counts_stay_what_they_were() {
        let bound = |index: i32| (f64::from(index) / 8.0).exp2();
        let wide: Vec<(f64, f64, f64)> =
            (0..300).map(|index| (bound(index), bound(index + 1), 1.0)).collect();
        let parts = converted(&[histogram(&wide)]);
        assert!((BOUNDS_MAX / 2..=BOUNDS_MAX).contains(&parts.len()), "{}", parts.len());
        for (text, counts) in &parts {
            let index = (text.parse::<f64>().expect("a number").log2() * 8.0).round();
            assert!((counts[0] - index).abs() < f64::EPSILON, "{text}");
        }
        assert_eq!(parts.last().map(|(_, counts)| counts[0]), Some(300.0));
    }

    #[test]
    fn bounds_of_a_table_and_of_a_function_are_the_same() {
        for (shown, index) in
            [(1.090_507_732_665_257_7, 1), (0.917_004_043_204_671_1, -1), (1.542_210_825_407_940_7, 5)]
        {
            let computed = (f64::from(index) / 8.0).exp2();
            assert_eq!(bound_on_grid(shown).to_bits(), bound_on_grid(computed).to_bits());
        }
        for kept in [0.001, 0.1, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(bound_on_grid(kept).to_bits(), kept.to_bits());
        }
        assert_eq!(bound_on_grid(-0.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn bounds_are_written_so_that_they_are_read_back() {
        for (bound, text) in
            [(0.25, "0.25"), (2.0_f64.powi(-128), "2.938735877055719e-39"), (0.0, "0"), (1e20, "1e20")]
        {
            assert_eq!(bound_text(bound), text);
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bound.to_bits()));
        }
    }
}
