//! How many observations, how large on average, how large the slow ones, and are they spread as usual? In: the parts of
//! one histogram or summary. Out: rate, mean, p50, p90, p99 and shape between one scrape and the next.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{Gap, GapCause, Series, SeriesKey, Timeline};

use super::counter::{increase, rate};
use super::role::Role;
use super::shape::shape;
use super::{Measure, Nature, Prepared};

/// The quantiles that are followed.
const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// What the buckets gained between one scrape and the next.
pub(super) struct Step {
    /// The time of the later scrape.
    pub(super) ms: i64,
    /// The bounds of the buckets, rising, with the observations up to each.
    pub(super) cumulative: Vec<(f64, f64)>,
}

impl Step {
    pub(super) fn observations(&self) -> f64 {
        self.cumulative.last().map_or(0.0, |&(_, count)| count)
    }

    /// The bounds of the buckets with the observations in each. Parts that were scraped while they changed may say
    /// less up to a larger bound; that is no observation.
    pub(super) fn in_buckets(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let mut below = 0.0_f64;
        self.cumulative
            .iter()
            .map(move |&(bound, count)| (bound, (count - std::mem::replace(&mut below, count)).max(0.0)))
    }
}

pub(crate) fn measure_family(
    key: &SeriesKey,
    parts: &[(Role, &Series)],
    timeline: &Timeline,
    prepared: &mut Prepared,
) {
    let sum = find(parts, Role::Sum);
    let buckets = buckets(parts);
    let count = find(parts, Role::Count)
        .or_else(|| buckets.last().filter(|(bound, _)| bound.is_infinite()).map(|&(_, series)| series));
    let Some(count) = count else {
        prepared.gaps.extend(
            parts
                .iter()
                .map(|(_, series)| Gap { key: series.key.clone(), cause: GapCause::IncompleteHistogram }),
        );
        return;
    };
    prepared.measures.push(Measure { key: key.clone(), covers: parts.len(), ..rate(count) });
    let resets = resets(count);
    if let Some(sum) = sum {
        prepared.measures.push(mean_of(key, count, sum, &resets));
    }
    if buckets.len() > 1 {
        let steps = steps(&buckets, &resets);
        prepared.measures.extend(quantiles(key, &steps));
        prepared.measures.push(shape(key, &steps, timeline));
    }
}

/// When the total fell because the process started again. All parts did then, also those that have already grown
/// beyond what they were.
fn resets(count: &Series) -> BTreeSet<i64> {
    let (times, totals) = (count.timestamps_ms(), count.values());
    (1..times.len()).filter(|&index| totals[index] < totals[index - 1]).map(|index| times[index]).collect()
}

fn find<'a>(parts: &[(Role, &'a Series)], role: Role) -> Option<&'a Series> {
    parts.iter().find(|(part, _)| *part == role).map(|&(_, series)| series)
}

/// The buckets by rising upper bound.
fn buckets<'a>(parts: &[(Role, &'a Series)]) -> Vec<(f64, &'a Series)> {
    let mut buckets: Vec<(f64, &Series)> = parts
        .iter()
        .filter_map(|&(role, series)| match role {
            Role::Bucket(bound) => Some((bound, series)),
            _ => None,
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    buckets
}

/// A measure that leans on the family's rate for presence and coverage.
fn derived(key: &SeriesKey, name: &'static str) -> Measure {
    Measure {
        key: key.clone(),
        name,
        nature: Nature::Level,
        covers: 0,
        timestamps_ms: Vec::new(),
        values: Vec::new(),
        intervals_s: Vec::new(),
    }
}

/// The growth between neighbouring samples, by the time of the later one.
fn growth(series: &Series, resets: &BTreeSet<i64>) -> BTreeMap<i64, f64> {
    let (times, totals) = (series.timestamps_ms(), series.values());
    let grown = |index: usize| {
        let before = if resets.contains(&times[index]) { 0.0 } else { totals[index - 1] };
        (times[index], increase(before, totals[index]))
    };
    (1..times.len()).map(grown).collect()
}

fn mean_of(key: &SeriesKey, count: &Series, sum: &Series, resets: &BTreeSet<i64>) -> Measure {
    let mut measure = derived(key, "mean");
    let sums = growth(sum, resets);
    for (ms, observations) in growth(count, resets) {
        if let Some(total) = sums.get(&ms)
            && observations > 0.0
        {
            measure.timestamps_ms.push(ms);
            measure.values.push(total / observations);
        }
    }
    measure
}

/// The steps in which every bucket was scraped.
fn steps(buckets: &[(f64, &Series)], resets: &BTreeSet<i64>) -> Vec<Step> {
    let grown: Vec<(f64, BTreeMap<i64, f64>)> =
        buckets.iter().map(|&(bound, series)| (bound, growth(series, resets))).collect();
    let step = |&ms: &i64| {
        let cumulative = grown.iter().map(|(bound, growth)| Some((*bound, *growth.get(&ms)?)));
        Some(Step { ms, cumulative: cumulative.collect::<Option<_>>()? })
    };
    grown[0].1.keys().filter_map(step).collect()
}

fn quantiles(key: &SeriesKey, steps: &[Step]) -> Vec<Measure> {
    let mut measures: Vec<Measure> = QUANTILES.iter().map(|&(name, _)| derived(key, name)).collect();
    for step in steps {
        for (measure, &(_, share)) in measures.iter_mut().zip(&QUANTILES) {
            if let Some(value) = quantile(&step.cumulative, share) {
                measure.timestamps_ms.push(step.ms);
                measure.values.push(value);
            }
        }
    }
    measures
}

/// The value below which `share` of the observations lie, interpolated inside its bucket as `histogram_quantile` in
/// `PromQL` does; in the open last bucket its lower bound. `None` without observations.
fn quantile(cumulative: &[(f64, f64)], share: f64) -> Option<f64> {
    let total = cumulative.last().map(|&(_, count)| count).filter(|&count| count > 0.0)?;
    let rank = share * total;
    let index = cumulative.iter().position(|&(_, count)| count >= rank)?;
    let (upper, count) = cumulative[index];
    let (lower, below) = if index == 0 { (0.0_f64.min(upper), 0.0) } else { cumulative[index - 1] };
    if upper.is_infinite() {
        return (index > 0).then_some(lower);
    }
    let inside = count - below;
    Some(if inside > 0.0 { lower + (upper - lower) * (rank - below) / inside } else { upper })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftermath_model::{SeriesKind, Timestamp, Window};

    use super::*;

    fn part(metric: &str, values: [f64; 3]) -> Series {
        let key = SeriesKey { metric: metric.to_owned(), service: "s".to_owned(), labels: BTreeMap::new() };
        let samples = (0_i64..).map(|index| index * 10_000).zip(values).collect();
        Series::from_raw(key, SeriesKind::Unknown, samples).0
    }

    fn measured(parts: &[(Role, &Series)]) -> Prepared {
        let key =
            SeriesKey { metric: "latency".to_owned(), service: "s".to_owned(), labels: BTreeMap::new() };
        let mut prepared = Prepared::default();
        measure_family(&key, parts, &timeline(), &mut prepared);
        prepared
    }

    fn timeline() -> Timeline {
        let at = |ms| Timestamp::from_ms(ms).expect("inside the calendar");
        let window = |from, to| Window::new(at(from), at(to)).expect("not empty");
        Timeline::new(window(0, 1_000_000), window(1_000_000, 2_000_000), None, Vec::new(), 10_000)
            .expect("fits")
    }

    #[test]
    fn a_histogram_gives_rate_mean_and_quantiles_between_scrapes() {
        // First ten observations of .05 on average, all below .1; then ten between .1 and .2.
        let (tenth, fifth) =
            (part("latency_bucket", [0.0, 10.0, 10.0]), part("latency_bucket", [0.0, 10.0, 20.0]));
        let all = part("latency_bucket", [0.0, 10.0, 20.0]);
        let (count, sum) = (part("latency_count", [0.0, 10.0, 20.0]), part("latency_sum", [0.0, 0.5, 2.0]));
        let prepared = measured(&[
            (Role::Bucket(f64::INFINITY), &all),
            (Role::Bucket(0.1), &tenth),
            (Role::Bucket(0.2), &fifth),
            (Role::Count, &count),
            (Role::Sum, &sum),
        ]);
        let values: BTreeMap<&str, Vec<f64>> =
            prepared.measures.iter().map(|measure| (measure.name, measure.values.clone())).collect();
        assert_eq!(values["per second"], [1.0, 1.0]);
        assert_eq!(values["mean"], [0.05, 0.15]);
        assert!((values["p50"][0] - 0.05).abs() < 1e-12 && (values["p50"][1] - 0.15).abs() < 1e-12);
        assert!((values["p99"][1] - 0.199).abs() < 1e-12);
        assert_eq!(prepared.measures.iter().map(|measure| measure.covers).sum::<usize>(), 5);
    }

    #[test]
    fn stretches_without_observations_have_a_rate_and_no_mean() {
        let (count, sum) = (part("latency_count", [4.0, 4.0, 8.0]), part("latency_sum", [1.0, 1.0, 3.0]));
        let prepared = measured(&[(Role::Count, &count), (Role::Sum, &sum)]);
        assert_eq!(prepared.measures[0].values, [0.0, 0.4]);
        assert_eq!(prepared.measures[1].timestamps_ms, [20_000]);
    }

    #[test]
    fn a_histogram_restarts_as_a_whole() {
        // After the restart the small bucket has already grown beyond what it was.
        let small = part("latency_bucket", [1.0, 4.0, 10.0]);
        let all = part("latency_bucket", [10.0, 40.0, 20.0]);
        let prepared = measured(&[(Role::Bucket(0.1), &small), (Role::Bucket(f64::INFINITY), &all)]);
        let median =
            prepared.measures.iter().find(|measure| measure.name == "p50").expect("there are buckets");
        assert!((median.values[1] - 0.1).abs() < 1e-12, "half of twenty lie below .1: {:?}", median.values);
    }

    #[test]
    fn a_sum_alone_is_an_incomplete_histogram() {
        let sum = part("latency_sum", [0.0, 1.0, 2.0]);
        let prepared = measured(&[(Role::Sum, &sum)]);
        assert!(prepared.measures.is_empty());
        assert_eq!(prepared.gaps[0].cause, GapCause::IncompleteHistogram);
    }
}
