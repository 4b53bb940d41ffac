//! Whether the observations of histograms lie in other buckets than usual.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use aftermath_detect::prepare::measures;
use aftermath_detect::{Scorer, judge};
use aftermath_model::{Block, Expectations, Finding, Series, SeriesKey, SeriesKind, Timeline};
use common::{Random, Recipe, STEP_MS};

const BOUNDS: [f64; 10] = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, f64::INFINITY];
/// Around the fifth bucket, whose middle is mean and median.
const USUAL: [f64; 10] = [0.02, 0.08, 0.15, 0.15, 0.2, 0.15, 0.15, 0.08, 0.02, 0.0];
/// As many to the left and to the right as before, but further out; what lies in the outer buckets stays.
const TWO_HUMPS: [f64; 10] = [0.02, 0.31, 0.02, 0.05, 0.2, 0.05, 0.02, 0.31, 0.02, 0.0];
/// The fast ones are either faster or slower than before: mean, median and everything above stay.
const FAST_DIVIDED: [f64; 10] = [0.123, 0.0, 0.0, 0.277, 0.2, 0.15, 0.15, 0.08, 0.02, 0.0];

fn recipe() -> Recipe {
    Recipe { recovery: 20, ..Recipe::default() }
}

/// The parts of one histogram with about so many observations a step, spread over the buckets by `shares`.
fn histogram(
    service: &str,
    random: &mut Random,
    load: impl Fn(usize) -> f64,
    shares: impl Fn(usize) -> [f64; 10],
) -> Vec<Series> {
    let recipe = recipe();
    let from = recipe.timeline().baseline().from.ms();
    let mut totals = [0.0; 10];
    let mut sum = 0.0;
    let mut parts: Vec<Vec<(i64, f64)>> = vec![Vec::new(); 12];
    for step in 0..recipe.baseline + recipe.fault + recipe.recovery {
        let ms = from + i64::try_from(step).expect("few steps") * STEP_MS;
        let mut seen = 0.0;
        for (bucket, share) in shares(step).into_iter().enumerate() {
            let count = random.poisson(load(step) * share);
            seen += count;
            totals[bucket] += seen;
            sum += count * (0.005 + 0.01 * f64::from(u32::try_from(bucket).expect("ten")));
            parts[bucket].push((ms, totals[bucket]));
        }
        parts[10].push((ms, sum));
        parts[11].push((ms, totals[9]));
    }
    let names =
        ["latency_seconds_bucket"; 10].into_iter().chain(["latency_seconds_sum", "latency_seconds_count"]);
    parts
        .into_iter()
        .zip(names)
        .enumerate()
        .map(|(index, (samples, name))| {
            let label =
                BOUNDS.get(index).map(|bound| ("le".to_owned(), bound.to_string().replace("inf", "+Inf")));
            let labels: BTreeMap<String, String> = label.into_iter().collect();
            let key = SeriesKey { metric: name.to_owned(), service: service.to_owned(), labels };
            Series::from_raw(key, SeriesKind::Unknown, samples).0
        })
        .collect()
}

fn values_of(series: Vec<Series>, timeline: &Timeline) -> Vec<f64> {
    let prepared = measures(&Block { series }, timeline);
    let shape = prepared.measures.into_iter().find(|measure| measure.name == "shape");
    shape.expect("there are buckets").values
}

#[test]
fn the_shape_is_zero_on_average_at_every_load() {
    let timeline = recipe().timeline();
    for (seed, load) in [(1, 30.0), (2, 100.0), (3, 1_000.0), (4, 30_000.0)] {
        let mut random = Random::seeded(seed);
        let values: Vec<f64> = (0..20)
            .flat_map(|_| values_of(histogram("s", &mut random, |_| load, |_| USUAL), &timeline))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        // One step wavers by about .4 / √load.
        let allowed = 4.0 * 0.4 / load.sqrt() / (values.len() as f64).sqrt() + 0.02 / load.sqrt();
        assert!(mean.abs() < allowed, "{mean} at {load} observations a step");
    }
}

#[test]
fn steps_with_few_observations_have_no_shape() {
    let timeline = recipe().timeline();
    let values = values_of(histogram("s", &mut Random::seeded(5), |_| 5.0, |_| USUAL), &timeline);
    assert!(values.is_empty(), "{values:?}");
}

const HIT: [&str; 8] = [
    "service-00",
    "service-01",
    "service-02",
    "service-03",
    "service-04",
    "service-05",
    "service-06",
    "service-07",
];

/// Forty services with one histogram each, of which the first eight change.
fn findings(seed: u64, load: f64, changed: [f64; 10]) -> Vec<Finding> {
    let (recipe, timeline) = (recipe(), recipe().timeline());
    let mut random = Random::seeded(seed);
    let during = recipe.baseline..recipe.baseline + recipe.fault;
    let series = (0..40).flat_map(|service| {
        let shares = |step: usize| if service < 8 && during.contains(&step) { changed } else { USUAL };
        histogram(&format!("service-{service:02}"), &mut random, |_| load, shares)
    });
    let block = Block { series: series.collect() };
    judge(&Scorer::new(&timeline).score(&block), &timeline, &Expectations::default(), None, false).findings
}

#[test]
fn a_change_that_leaves_mean_and_median_alone_is_found_and_sized() {
    // With how many observations in other buckets, and which other measures see it.
    for (changed, elsewhere, also) in [(TWO_HUMPS, 0.46, vec!["p90"]), (FAST_DIVIDED, 0.23, vec![])] {
        let found = findings(6, 400.0, changed);
        let shapes: Vec<&Finding> = found.iter().filter(|one| one.measure == "shape").collect();
        let services: BTreeSet<&str> = shapes.iter().map(|one| one.key.service.as_str()).collect();
        assert_eq!(services, HIT.iter().copied().collect(), "{also:?}");
        let others: BTreeSet<&str> =
            found.iter().map(|one| one.measure).filter(|name| *name != "shape").collect();
        assert_eq!(others, also.into_iter().collect());
        for share in shapes.iter().filter_map(|one| one.fault) {
            // Of a change far beyond chance, what chance would have made of it is missing.
            assert!((elsewhere - 0.05..elsewhere + 0.02).contains(&share), "{share} instead of {elsewhere}");
        }
    }
}

#[test]
fn a_quiet_system_has_no_findings_of_shape() {
    for (seed, load) in [(7, 30.0), (8, 400.0), (9, 10_000.0)] {
        assert_eq!(findings(seed, load, USUAL), [], "{load} observations a step");
    }
}
