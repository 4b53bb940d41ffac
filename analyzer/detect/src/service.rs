//! Was this service hit?
//!
//! In: series with their statistics. Out: for each service what its series say together, as a p-value that is
//! calibrated on quiet windows of the same services.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::LearnedNull;

use crate::calibrate::Null;
use crate::calibrate::service::ServiceNull;
use crate::detectors::level::{LEAST_EFFECT_SD, LEAST_SHARE};
use crate::evidence::{Evidence, SIGN, Stems, evidence};
use crate::multiple::{q_values, simes};
use crate::scores::SeriesScore;
use crate::semantics::{Concern, stem};

/// False discoveries among findings that are tolerated: the usual 5 %.
const FALSE_DISCOVERIES: f64 = 0.05;

/// One series with the verdict of chance on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) score: &'a SeriesScore,
    pub(crate) p_value: f64,
    pub(crate) q_value: f64,
    pub(crate) strength: f64,
    /// Whether the change is large enough to matter.
    pub(crate) matters: bool,
    /// Whether other services report the very same series: it then belongs to none of them.
    pub(crate) shared: bool,
}

/// What the series of one service say together. Series without a service form one without a name.
#[derive(Clone, Debug)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) p_value: f64,
    /// The share of false discoveries among the services with at least this much evidence.
    pub(crate) q_value: f64,
    pub(crate) series: Vec<Judged<'a>>,
}

impl Judged<'_> {
    /// Certain enough to stand for itself among all series.
    pub(crate) fn is_finding(&self) -> bool {
        self.matters && self.q_value <= FALSE_DISCOVERIES
    }

    /// Certain enough to speak for a service that was hit.
    pub(crate) fn is_sign(&self) -> bool {
        self.matters && self.p_value <= SIGN
    }
}

impl<'a> Service<'a> {
    pub(crate) fn signs(&self) -> impl Iterator<Item = &Judged<'a>> {
        self.series.iter().filter(|one| one.is_sign())
    }

    /// Whether at least two different things changed, or one that users feel.
    pub(crate) fn is_corroborated(&self) -> bool {
        let stems: BTreeSet<String> = self.signs().map(|one| stem(&one.score.key.metric)).collect();
        stems.len() > 1 || self.signs().any(|one| Concern::of(&one.score.key.metric).is_service_level())
    }
}

/// Every series with its p-value and q-value.
pub(crate) fn judge_series<'a>(series: &[&'a SeriesScore], null: &Null) -> Vec<Judged<'a>> {
    let p_values: Vec<f64> = series.iter().map(|score| null.p_value(score)).collect();
    let q_values = q_values(&p_values);
    let shared = shared(series);
    (0..series.len())
        .map(|index| Judged {
            score: series[index],
            p_value: p_values[index],
            q_value: q_values[index],
            strength: null.strength(series[index]),
            matters: matters(series[index]),
            shared: shared[index],
        })
        .collect()
}

/// Whether the change is large enough to matter in natural units.
fn matters(score: &SeriesScore) -> bool {
    let (Some(before), Some(during)) = (score.baseline, score.fault) else { return true };
    let moved = (during - before).abs();
    let enough = moved > 0.0 && moved >= LEAST_SHARE * before.abs();
    enough && (score.constant || f64::from(score.effect.abs()) >= LEAST_EFFECT_SD)
}

/// Which series several services report with the same numbers, such as the load of a node for every pod on it.
fn shared(series: &[&SeriesScore]) -> Vec<bool> {
    let mut owners: BTreeMap<Numbers, BTreeSet<&str>> = BTreeMap::new();
    for score in series {
        owners.entry(numbers(score)).or_default().insert(&score.key.service);
    }
    // A constant that changes in many services has the same numbers everywhere without being one series.
    series
        .iter()
        .map(|score| !score.constant && score.deviate != 0.0 && owners[&numbers(score)].len() > 1)
        .collect()
}

/// Metric, measure, statistic, and the values before and during the fault, bit by bit.
type Numbers<'a> = (&'a str, &'a str, u32, Option<u64>, Option<u64>);

fn numbers(score: &SeriesScore) -> Numbers<'_> {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    (&score.key.metric, score.measure, score.deviate.to_bits(), bits(score.baseline), bits(score.fault))
}

/// Every service, sorted by name.
pub(crate) fn services<'a>(judged: &[Judged<'a>], null: &ServiceNull) -> Vec<Service<'a>> {
    let mut by_name: BTreeMap<&str, Vec<Judged<'a>>> = BTreeMap::new();
    for one in judged {
        by_name.entry(&one.score.key.service).or_default().push(*one);
    }
    let mut services: Vec<Service> = by_name
        .into_iter()
        .map(|(name, series)| {
            let mut stems = Stems::new();
            for one in &series {
                stems.entry(stem(&one.score.key.metric)).or_default().push(one.p_value);
            }
            Service { name, p_value: null.p_value(evidence(stems)), q_value: 1.0, series }
        })
        .collect();
    let p_values: Vec<f64> = services.iter().map(|service| service.p_value).collect();
    for (service, q_value) in services.iter_mut().zip(q_values(&p_values)) {
        service.q_value = q_value;
    }
    services
}

/// The chance that no service changed: Simes over services, so that it agrees with their q-values.
pub(crate) fn system_p_value(mut of_services: Vec<f64>) -> Option<f64> {
    (!of_services.is_empty()).then(|| simes(&mut of_services))
}

/// The evidence of every service in a quiet window, when each series has the p-value that is given.
pub(crate) fn quiet_evidence(
    series: &[&SeriesScore],
    p_value: impl Fn(&SeriesScore) -> Option<f64>,
) -> Vec<Evidence> {
    let mut by_service: BTreeMap<&str, Stems> = BTreeMap::new();
    for score in series {
        if let Some(p_value) = p_value(score) {
            let stems = by_service.entry(&score.key.service).or_default();
            stems.entry(stem(&score.key.metric)).or_default().push(p_value);
        }
    }
    by_service.into_values().map(evidence).collect()
}

/// The service null: from learned windows where there are any, otherwise from placebo windows.
pub(crate) fn service_null(
    series: &[&SeriesScore],
    null: &Null,
    placebos: impl Iterator<Item = usize>,
    learned: Option<&LearnedNull>,
) -> ServiceNull {
    if let Some(learned) = learned.filter(|learned| !learned.service_evidence.is_empty()) {
        let quiet: Vec<Evidence> =
            learned.service_evidence.iter().map(|&[any, joint]| Evidence { any, joint }).collect();
        return ServiceNull::of(&quiet);
    }
    let quiet: Vec<Evidence> = placebos
        .flat_map(|window| quiet_evidence(series, |score| null.placebo_p_value(score, window)))
        .collect();
    ServiceNull::of(&quiet)
}
