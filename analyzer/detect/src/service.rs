//! Was this service hit?
//!
//! In: series with their p-values. Out: a [`ServiceEvidence`] for each service: the chance of its strongest evidence
//! (Simes), and whether series of different kinds agree.

use std::collections::{BTreeMap, BTreeSet};

use crate::calibrate::Null;
use crate::multiple::{q_values, simes};
use crate::scores::{Class, SeriesScore};
use crate::semantics::{Concern, stem};

/// False discoveries among findings that are tolerated: the usual 5 %.
pub(crate) const FALSE_DISCOVERIES: f64 = 0.05;
/// A change below this many standard deviations does not matter, however certain.
const LEAST_EFFECT_SD: f64 = 0.75;
/// Nor does one below this share of the usual value.
const LEAST_EFFECT_SHARE: f64 = 0.05;

/// One series with the verdict of chance on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) score: &'a SeriesScore,
    pub(crate) p_value: f64,
    pub(crate) q_value: f64,
    pub(crate) strength: f64,
    /// Whether the change is large enough to matter.
    pub(crate) matters: bool,
}

impl Judged<'_> {
    pub(crate) fn is_finding(&self) -> bool {
        self.matters && self.q_value <= FALSE_DISCOVERIES
    }
}

/// What the series of one service say together.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceEvidence<'a> {
    pub(crate) name: &'a str,
    pub(crate) p_value: f64,
    pub(crate) series: Vec<Judged<'a>>,
    /// How many different things changed: stems of metric names among the findings.
    pub(crate) stems: usize,
    /// Whether something that users feel changed.
    pub(crate) service_level: bool,
}

/// Every series with its p-value and q-value.
pub(crate) fn judge_series<'a>(series: &[&'a SeriesScore], null: &Null) -> Vec<Judged<'a>> {
    let p_values: Vec<f64> = series.iter().map(|score| null.p_value(score)).collect();
    let q_values = q_values(&p_values);
    series
        .iter()
        .zip(p_values.iter().zip(q_values))
        .map(|(&score, (&p_value, q_value))| Judged {
            score,
            p_value,
            q_value,
            strength: null.strength(score),
            matters: matters(score),
        })
        .collect()
}

/// Whether the change is large enough to matter in natural units.
fn matters(score: &SeriesScore) -> bool {
    let (Some(before), Some(during)) = (score.baseline, score.fault) else { return true };
    let moved = (during - before).abs();
    let enough = moved >= LEAST_EFFECT_SHARE * before.abs() && moved > 0.0;
    enough && (score.class == Class::Constant || f64::from(score.effect.abs()) >= LEAST_EFFECT_SD)
}

/// The evidence of each service, sorted by name. Series without a service speak for the system only.
pub(crate) fn services<'a>(judged: &[Judged<'a>]) -> Vec<ServiceEvidence<'a>> {
    let mut by_service: BTreeMap<&str, Vec<Judged<'a>>> = BTreeMap::new();
    for one in judged.iter().filter(|one| !one.score.key.service.is_empty()) {
        by_service.entry(&one.score.key.service).or_default().push(*one);
    }
    by_service.into_iter().map(|(name, series)| evidence(name, series)).collect()
}

fn evidence<'a>(name: &'a str, series: Vec<Judged<'a>>) -> ServiceEvidence<'a> {
    let findings = || series.iter().filter(|one| one.is_finding());
    let stems: BTreeSet<String> = findings().map(|one| stem(&one.score.key.metric)).collect();
    let service_level = findings().any(|one| Concern::of(&one.score.key.metric).is_service_level());
    let mut p_values: Vec<f64> = series.iter().map(|one| one.p_value).collect();
    ServiceEvidence { name, p_value: simes(&mut p_values), stems: stems.len(), service_level, series }
}

/// The smallest p-value of any service, corrected for their number; `None` if nothing can be told.
pub(crate) fn system_p_value(
    series: &[&SeriesScore],
    p_value: impl Fn(&SeriesScore) -> Option<f64>,
) -> Option<f64> {
    let mut by_service: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for score in series.iter().filter(|score| !score.key.service.is_empty()) {
        if let Some(p_value) = p_value(score) {
            by_service.entry(&score.key.service).or_default().push(p_value);
        }
    }
    let count = by_service.len() as f64;
    let least = by_service.values_mut().map(|p_values| simes(p_values)).min_by(f64::total_cmp)?;
    Some((least * count).min(1.0))
}
