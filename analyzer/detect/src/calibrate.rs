//! How often does so large a change happen when nothing happens?
//!
//! In: the placebo statistics of all series, and what quiet windows taught. Out: a [`Null`] that turns a series'
//! statistic into a p-value. Three steps: each series is measured against its own placebos ([`moderate`]); the
//! results are pooled over series of the same metric; beyond the last few of the pool a generalised Pareto tail
//! continues it ([`pool`]). Services have a null of their own ([`service`]).

pub(crate) mod moderate;
mod pool;
pub(crate) mod service;

use std::collections::BTreeMap;

use aftermath_model::LearnedNull;
use aftermath_model::learned::{LearnedRate, LearnedSeries};

use crate::detectors::level::is_graded;
use crate::detectors::presence::Presence;
use crate::load;
use crate::math::{normal_deviate_of_t, two_sided_normal_tail};
use crate::prepare::workload_labels;
use crate::scores::SeriesScore;
use crate::semantics::stem;
use moderate::{History, moderated};
use pool::Pool;

/// Fewer values than this make no null.
const LEAST_IN_POOL: usize = 40;
/// A metric's own null is believed as far as its values fill it, against the null of all series: half at this many, of
/// which the 2 % that shape the tail are 20.
const HALF_BELIEVED_AT: f64 = 1000.0;
/// Without any placebo the statistic is read as a Student t with so few degrees of freedom that its tail is heavier
/// than that of a normal by far: at 5 deviates 1.5 % instead of one in a million.
const THEORETICAL_DEGREES: f64 = 3.0;

/// What chance does to the series of this system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Null {
    metrics: BTreeMap<String, Pool>,
    of_all: Option<Pool>,
    constants: LearnedRate,
    presence: LearnedRate,
    learned: BTreeMap<String, LearnedSeries>,
    /// The logarithm of the change of the load during the fault.
    pub(crate) load: f64,
    /// A placebo window that must not speak, because it is being judged itself.
    left_out: Option<usize>,
}

/// The name of a series in a learned null: without what names a single pod.
pub(crate) fn learned_name(score: &SeriesScore) -> String {
    let labels: Vec<String> =
        workload_labels(&score.key.labels).iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}|{}|{}|{}", score.key.service, score.key.metric, score.measure, labels.join(","))
}

impl Null {
    /// The null of this system: from the placebo windows of these series, and from what was learned before.
    pub(crate) fn of(series: &[&SeriesScore], learned: Option<&LearnedNull>) -> Self {
        let mut null = Self::of_placebos(series, None);
        null.load = load::change(series);
        if let Some(learned) = learned.filter(|learned| learned.windows > 0) {
            null.take_in(learned);
        }
        null
    }

    /// The null of the placebo windows, without one that is to be judged.
    pub(crate) fn of_placebos(series: &[&SeriesScore], left_out: Option<usize>) -> Self {
        let mut null = Self { left_out, ..Self::default() };
        let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for score in series {
            let history = null.placebo_history(score);
            let own = null.placebos(score).filter(|&deviate| is_graded(deviate));
            let statistics = own.map(|deviate| moderated(deviate, history.without(deviate)).abs());
            values.entry(stem(&score.key.metric)).or_default().extend(statistics);
            let (mut constants, mut presence) = (null.constants, null.presence);
            null.placebos(score).for_each(|deviate| count_moves(&mut constants, &mut presence, deviate));
            (null.constants, null.presence) = (constants, presence);
        }
        null.set_pools(values);
        null
    }

    fn set_pools(&mut self, values: BTreeMap<String, Vec<f64>>) {
        let all: Vec<f64> = values.values().flatten().copied().collect();
        self.of_all = (all.len() >= LEAST_IN_POOL).then(|| Pool::of(all));
        self.metrics = values
            .into_iter()
            .filter(|(_, values)| values.len() >= LEAST_IN_POOL)
            .map(|(stem, values)| (stem, Pool::of(values)))
            .collect();
    }

    fn take_in(&mut self, learned: &LearnedNull) {
        self.set_pools(learned.statistics.clone());
        for (rate, learned) in
            [(&mut self.constants, learned.constants_moved), (&mut self.presence, learned.presence_changed)]
        {
            rate.chances += learned.chances;
            rate.times += learned.times;
        }
        self.learned.clone_from(&learned.series);
    }

    fn placebos<'a>(&self, score: &'a SeriesScore) -> impl Iterator<Item = f64> + use<'a> {
        let left_out = self.left_out;
        let kept = score.placebos.iter().enumerate().filter(move |(window, _)| Some(*window) != left_out);
        kept.map(|(_, &deviate)| f64::from(deviate))
    }

    fn placebo_history(&self, score: &SeriesScore) -> History {
        History::of(self.placebos(score).filter(|&deviate| is_graded(deviate)))
    }

    /// What is known of a series' own noise.
    fn history(&self, score: &SeriesScore) -> History {
        let placebos = self.placebo_history(score);
        if self.learned.is_empty() {
            return placebos;
        }
        match self.learned.get(&learned_name(score)) {
            Some(&learned) => placebos.and(learned.into()),
            None => placebos,
        }
    }

    /// The statistic of the fault window in units of what chance does to this series; a change of a series that
    /// never moved before is worth the deviate of its p-value.
    pub(crate) fn strength(&self, score: &SeriesScore) -> f64 {
        let deviate = load::adjusted(score, self.load);
        if is_graded(deviate) {
            return moderated(deviate, self.history(score));
        }
        deviate.clamp(-STRENGTH_OF_CERTAIN, STRENGTH_OF_CERTAIN)
    }

    /// The chance of such a fault window when nothing happened.
    pub(crate) fn p_value(&self, score: &SeriesScore) -> f64 {
        let statistic = self.strength(score).abs();
        self.p_of(score, f64::from(score.deviate), statistic)
    }

    /// The chance of a fault window that this null has learned from, without what it taught.
    pub(crate) fn quiet_p_value(&self, score: &SeriesScore) -> f64 {
        let deviate = load::adjusted(score, self.load);
        self.p_of(score, deviate, moderated(deviate, self.history(score).without(deviate)).abs())
    }

    /// The chance of the placebo window with that number, as if it had been the fault; `None` where it cannot be
    /// told.
    pub(crate) fn placebo_p_value(&self, score: &SeriesScore, window: usize) -> Option<f64> {
        let deviate = f64::from(*score.placebos.get(window)?);
        if deviate.is_nan() {
            return None;
        }
        if deviate.is_infinite() {
            return Some(chance(self.presence));
        }
        if !is_graded(deviate) {
            return Some(if deviate == 0.0 { 1.0 } else { chance(self.constants) });
        }
        let history = self.history(score);
        let others = if self.left_out == Some(window) { history } else { history.without(deviate) };
        Some(self.pooled(score, moderated(deviate, others).abs()))
    }

    fn p_of(&self, score: &SeriesScore, deviate: f64, statistic: f64) -> f64 {
        match score.presence {
            Presence::Vanished | Presence::Appeared => chance(self.presence),
            Presence::Steady | Presence::Patchy if deviate == 0.0 => 1.0,
            _ if score.constant || !is_graded(deviate) => chance(self.constants),
            _ => self.pooled(score, statistic),
        }
    }

    /// The p-value of a statistic between those of its metric and of all series, on a logarithmic scale.
    fn pooled(&self, score: &SeriesScore, statistic: f64) -> f64 {
        let Some(of_all) = &self.of_all else {
            return two_sided_normal_tail(normal_deviate_of_t(statistic, THEORETICAL_DEGREES));
        };
        let general = of_all.p_value(statistic);
        let Some(metric) = self.metrics.get(&stem(&score.key.metric)) else { return general };
        let belief = metric.count() / (metric.count() + HALF_BELIEVED_AT);
        metric.p_value(statistic).powf(belief) * general.powf(1.0 - belief)
    }
}

/// As strong as the strongest graded statistics of recorded faults: a series that never moved before and does now is
/// as clear a sign as any, and no clearer.
const STRENGTH_OF_CERTAIN: f64 = 12.0;

/// A rate after few chances: half a case more than was seen, the median-unbiased guess of Jeffreys' prior.
fn chance(rate: LearnedRate) -> f64 {
    ((rate.times as f64 + 0.5) / (rate.chances as f64 + 1.0)).min(1.0)
}

/// Counts what one quiet statistic says about series that only ever stand still, come or go.
pub(crate) fn count_moves(constants: &mut LearnedRate, presence: &mut LearnedRate, deviate: f64) {
    if deviate.is_nan() {
        return;
    }
    presence.chances += 1;
    presence.times += usize::from(deviate.is_infinite());
    if deviate.is_finite() && !is_graded(deviate) {
        constants.chances += 1;
        constants.times += usize::from(deviate != 0.0);
    }
}
