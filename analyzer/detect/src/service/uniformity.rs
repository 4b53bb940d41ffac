//! p-values of quiet systems are uniform, or larger: the promise that every rate of the verdict rests on.
//!
//! One series and one service are drawn from each of many independent systems, so that exact bounds hold although all
//! p-values of one system share their load and their null. Seeds are fixed; with fresh ones each check would fail by chance at
//! most once in a million times.

use aftermath_generator::{Random, Scenario, System};
use aftermath_model::Expectations;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::judge_series;
use crate::calibrate::Null;
use crate::{Scorer, Scores, judge};

/// The chance that a check fails although the p-values keep their promise.
const FALSE_FAILURE: f64 = 1e-6;
const SYSTEMS: u64 = 250;

/// The p-values of a series that is not constant, and of a service.
fn drawn(scenario: &Scenario, seed: u64) -> (f64, f64) {
    let system = System::generate(scenario, seed);
    let scorer = Scorer::new(&system.timeline);
    let mut kept = Scores::default();
    for block in &system.blocks {
        kept.merge(scorer.score(block));
    }
    let sorted = kept.sorted();
    let judged = judge_series(&sorted, &Null::of(&sorted, &system.timeline, None));
    let moving: Vec<f64> = judged.iter().filter(|one| !one.score.constant).map(|one| one.p_value).collect();
    let mut services = judge(&kept, &system.timeline, &Expectations::default(), None, false).services;
    // They stand in the order of their p-values: the draw must not know it.
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let mut random = Random::new(seed);
    (moving[random.below(moving.len())], services[random.below(services.len())].p_value)
}

/// By how much too many p-values are small somewhere; `None` if chance explains it: the largest excess of the empirical
/// distribution over the uniform one beyond the bound of Massart (1990), `P(sup > e) <= exp(-2 n e²)`.
fn too_small_somewhere(p_values: &[f64]) -> Option<f64> {
    let mut sorted = p_values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let excess = sorted.iter().enumerate().map(|(index, p)| (index + 1) as f64 / n - p).fold(0.0, f64::max);
    Some(excess).filter(|&excess| excess > (-FALSE_FAILURE.ln() / (2.0 * n)).sqrt())
}

/// The level, of those at which decisions fall, that too many p-values reach by exact binomial bounds.
fn too_small_to_decide(p_values: &[f64]) -> Option<f64> {
    [0.05, 0.01].into_iter().find(|&level| {
        let hits = p_values.iter().filter(|&&p| p <= level).count() as u64;
        let chance = Binomial::new(level, p_values.len() as u64).expect("a level is a chance");
        hits > 0 && chance.sf(hits - 1) < FALSE_FAILURE
    })
}

/// The share of p-values at or below a level.
fn share(p_values: &[f64], level: f64) -> f64 {
    p_values.iter().filter(|&&p| p <= level).count() as f64 / p_values.len() as f64
}

/// Series and services of many small systems.
fn of_systems(scenario: &Scenario) -> (Vec<f64>, Vec<f64>) {
    let small = Scenario { services: 6, series_per_service: 12, ..scenario.clone() };
    (0..SYSTEMS).map(|seed| drawn(&small, seed)).unzip()
}

#[test]
fn p_values_of_quiet_systems_keep_their_promise_and_are_not_hopeless() {
    for scenario in [Scenario::quiet(), Scenario::drift()] {
        let (series, services) = of_systems(&scenario);
        for (what, p_values) in [("series", series), ("services", services)] {
            let name = scenario.name;
            assert_eq!(too_small_somewhere(&p_values), None, "{what}, {name}");
            assert_eq!(too_small_to_decide(&p_values), None, "{what}, {name}");
            // Larger than uniform is lost power. The floor is a tenth of what uniform ones would show.
            assert!(share(&p_values, 0.2) >= 0.02, "{what}, {name}: {}", share(&p_values, 0.2));
        }
    }
}

/// Half of the series do follow the load, so their p-values are not uniform: what is promised is that they stay rare
/// where decisions fall, because the load explains them.
#[test]
fn a_load_step_makes_no_p_values_that_decide() {
    let (series, services) = of_systems(&Scenario::load_step_up());
    assert_eq!(too_small_to_decide(&series), None);
    assert_eq!(too_small_somewhere(&services), None);
    assert_eq!(too_small_to_decide(&services), None);
}

#[test]
fn the_checks_notice_p_values_that_are_too_small() {
    let uniform: Vec<f64> = (0..SYSTEMS).map(|index| (index as f64 + 0.5) / SYSTEMS as f64).collect();
    let bent = |power: f64| -> Vec<f64> { uniform.iter().map(|p| p.powf(power)).collect() };
    for kept in [uniform.clone(), bent(0.5)] {
        assert_eq!((too_small_somewhere(&kept), too_small_to_decide(&kept)), (None, None));
    }
    assert!(too_small_somewhere(&bent(2.0)).is_some(), "squares are too small");
    // False certainty in one of ten, as a test for independent samples shows on telemetry.
    let certain: Vec<f64> =
        uniform.iter().enumerate().map(|(index, &p)| if index % 10 == 0 { 1e-4 } else { p }).collect();
    assert_eq!(too_small_to_decide(&certain), Some(0.05));
}
