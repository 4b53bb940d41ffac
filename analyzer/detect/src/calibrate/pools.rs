//! What do the quiet statistics of all series say together, and those of each kind of metric?
//!
//! In: absolute quiet statistics by the stem of the metric. Out: p-values.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::LearnedNull;
use aftermath_model::learned::LearnedRate;

use super::pool::Pool;
use crate::evidence::StemOf;

/// Fewer values than this make no null.
const LEAST_IN_POOL: usize = 40;
/// A metric's own null is believed as far as its values fill it, against the null of all series: half at this many, of
/// which the 2 % that shape the tail are 20.
const HALF_BELIEVED_AT: f64 = 1000.0;

/// The pools of one set of quiet windows, and how often things came, went or left a standstill in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    /// By the number of the stem; `None` of too few statistics.
    metrics: Vec<Option<Pool>>,
    of_all: Option<Pool>,
    pub(super) constants: LearnedRate,
    pub(super) presence: LearnedRate,
}

impl Pools {
    /// Pools without rates, of statistics by the number of their stem.
    pub(super) fn of(values: Vec<Vec<f64>>) -> Self {
        let all: Vec<f64> = values.iter().flatten().copied().collect();
        let pool = |values: Vec<f64>| (values.len() >= LEAST_IN_POOL).then(|| Pool::of(values));
        Self { of_all: pool(all), metrics: values.into_iter().map(pool).collect(), ..Self::default() }
    }

    /// The same of statistics by the name of their stem; those of stems that this system does not have count among all.
    pub(super) fn by_stem(values: &BTreeMap<String, Vec<f64>>, stems: &StemOf) -> Self {
        let of_stem = |stem| values.get(stem).cloned().unwrap_or_default();
        let mut numbered: Vec<Vec<f64>> = stems.all().map(of_stem).collect();
        let known: BTreeSet<&str> = stems.all().collect();
        let others = values.iter().filter(|(stem, _)| !known.contains(stem.as_str()));
        numbered.push(others.flat_map(|(_, values)| values.iter().copied()).collect());
        Self::of(numbered)
    }

    pub(super) fn of_learned(learned: &LearnedNull, stems: &StemOf) -> Self {
        Self {
            constants: learned.constants_moved,
            presence: learned.presence_changed,
            ..Self::by_stem(&learned.statistics, stems)
        }
    }

    /// The p-value of a statistic between those of its metric and of all series, on a logarithmic scale; `None` of too
    /// few statistics.
    pub(super) fn p_value(&self, stem: usize, statistic: f64) -> Option<f64> {
        let general = self.of_all.as_ref()?.p_value(statistic);
        let Some(metric) = self.metrics.get(stem).and_then(Option::as_ref) else { return Some(general) };
        let belief = metric.count() / (metric.count() + HALF_BELIEVED_AT);
        Some(metric.p_value(statistic).powf(belief) * general.powf(1.0 - belief))
    }
}
