//! What do the quiet statistics of all series say together, and those of each kind of metric?
//!
//! In: absolute quiet statistics by the stem of the metric. Out: p-values.

use std::collections::BTreeMap;

use aftermath_model::LearnedNull;
use aftermath_model::learned::LearnedRate;

use super::pool::Pool;

/// Fewer values than this make no null.
const LEAST_IN_POOL: usize = 40;
/// A metric's own null is believed as far as its values fill it, against the null of all series: half at this many, of
/// which the 2 % that shape the tail are 20.
const HALF_BELIEVED_AT: f64 = 1000.0;

/// The pools of one set of quiet windows, and how often things came, went or left a standstill in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    metrics: BTreeMap<String, Pool>,
    of_all: Option<Pool>,
    pub(super) constants: LearnedRate,
    pub(super) presence: LearnedRate,
}

impl Pools {
    /// Pools without rates, of statistics by stem.
    pub(super) fn of(values: impl IntoIterator<Item = (String, Vec<f64>)>) -> Self {
        let mut all = Vec::new();
        let mut metrics = BTreeMap::new();
        for (stem, values) in values {
            all.extend_from_slice(&values);
            if values.len() >= LEAST_IN_POOL {
                metrics.insert(stem, Pool::of(values));
            }
        }
        let of_all = (all.len() >= LEAST_IN_POOL).then(|| Pool::of(all));
        Self { metrics, of_all, ..Self::default() }
    }

    pub(super) fn of_learned(learned: &LearnedNull) -> Self {
        let values = learned.statistics.iter().map(|(stem, values)| (stem.clone(), values.clone()));
        Self { constants: learned.constants_moved, presence: learned.presence_changed, ..Self::of(values) }
    }

    /// The p-value of a statistic between those of its metric and of all series, on a logarithmic scale; `None` of too
    /// few statistics.
    pub(super) fn p_value(&self, stem: &str, statistic: f64) -> Option<f64> {
        let general = self.of_all.as_ref()?.p_value(statistic);
        let Some(metric) = self.metrics.get(stem) else { return Some(general) };
        let belief = metric.count() / (metric.count() + HALF_BELIEVED_AT);
        Some(metric.p_value(statistic).powf(belief) * general.powf(1.0 - belief))
    }
}
