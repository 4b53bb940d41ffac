//! How often does so large a change happen when nothing happens?
//!
//! In: the placebo statistics of all series, and what quiet windows taught. Out: a [`Null`] that turns a series' statistic
//! into a p-value. Three steps: each series is measured against its own placebos, drawn towards those of its class
//! (empirical Bayes, Smyth 2004); the results are pooled by class; beyond the last few of the pool a generalised
//! Pareto tail continues it.

use std::collections::BTreeMap;

use aftermath_model::LearnedNull;
use aftermath_model::learned::{LearnedClass, LearnedRate, LearnedSeries};

use crate::detectors::level::CERTAIN;
use crate::detectors::presence::Presence;
use crate::math::{mean, normal_deviate_of_t, standard_deviation, two_sided_normal_tail};
use crate::moderate::{History, Prior, moderated};
use crate::prepare::workload_labels;
use crate::scores::{Class, SeriesScore};

/// The share of a pool that shapes its tail, and the least number of values that can.
const TAIL_SHARE: f64 = 0.02;
const LEAST_IN_TAIL: usize = 20;
/// A pool of fewer values is no pool: its class borrows that of all series.
const LEAST_IN_POOL: usize = 600;
/// Fewer values than this in all leave nothing but theory.
const LEAST_IN_ALL: usize = 40;
/// The shape of the tail is kept between nearly exponential and so heavy that the variance is barely finite.
const TAIL_SHAPES: (f64, f64) = (0.02, 0.4);
/// Without any placebo the statistic is read as a Student t with so few degrees of freedom that its tail is heavier
/// than any that recorded quiet windows showed.
const THEORETICAL_DEGREES: f64 = 3.0;

/// A pooled null distribution of absolute statistics.
#[derive(Clone, Debug)]
struct Pool {
    sorted: Vec<f64>,
    threshold: f64,
    share_beyond: f64,
    shape: f64,
    width: f64,
}

/// What chance does to the series of this system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Null {
    pools: BTreeMap<Class, Pool>,
    of_all: Option<Pool>,
    priors: BTreeMap<Class, Prior>,
    constants: LearnedRate,
    presence: LearnedRate,
    learned: BTreeMap<String, LearnedSeries>,
}

impl Pool {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let count = values.len();
        let beyond = LEAST_IN_TAIL.max(share_of(count, TAIL_SHARE)).min(count / 4).max(1);
        let threshold = values[count - beyond - 1];
        let excesses: Vec<f64> = values[count - beyond..].iter().map(|value| value - threshold).collect();
        let centre = mean(&excesses);
        let variance = standard_deviation(&excesses).powi(2).max(f64::MIN_POSITIVE);
        let shape = (0.5 * (1.0 - centre * centre / variance)).clamp(TAIL_SHAPES.0, TAIL_SHAPES.1);
        let share_beyond = beyond as f64 / count as f64;
        Self { threshold, share_beyond, shape, width: centre * (1.0 - shape), sorted: values }
    }

    fn p_value(&self, statistic: f64) -> f64 {
        if statistic > self.threshold {
            let reach = 1.0 + self.shape * (statistic - self.threshold) / self.width.max(1e-9);
            return self.share_beyond * reach.powf(-1.0 / self.shape);
        }
        let at_least = self.sorted.len() - self.sorted.partition_point(|&value| value < statistic);
        (1 + at_least) as f64 / (self.sorted.len() + 1) as f64
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a length is a length
fn share_of(count: usize, share: f64) -> usize {
    (count as f64 * share) as usize
}

/// The name of a series in a learned null: without what names a single pod.
pub(crate) fn learned_name(score: &SeriesScore) -> String {
    let labels: Vec<String> =
        workload_labels(&score.key.labels).iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}|{}|{}|{}", score.key.service, score.key.metric, score.measure, labels.join(","))
}

/// The placebo statistics of a series that moved at all before.
pub(crate) fn usable(score: &SeriesScore) -> impl Iterator<Item = f64> + '_ {
    score.placebos.iter().map(|&deviate| f64::from(deviate)).filter(|&deviate| is_graded(deviate))
}

/// Whether a statistic says how much, rather than only whether, a series moved.
pub(crate) fn is_graded(deviate: f64) -> bool {
    deviate.is_finite() && deviate != 0.0 && deviate.abs() < CERTAIN
}

impl Null {
    /// The null of this system: from the placebo windows of these series, and from what was learned before.
    pub(crate) fn of(series: &[&SeriesScore], learned: Option<&LearnedNull>) -> Self {
        let mut null = Self::of_placebos(series);
        if let Some(learned) = learned.filter(|learned| learned.windows > 0) {
            null.take_in(learned);
        }
        null
    }

    fn of_placebos(series: &[&SeriesScore]) -> Self {
        let mut histories: BTreeMap<Class, Vec<History>> = BTreeMap::new();
        for score in series {
            histories.entry(score.class).or_default().push(History::of(usable(score)));
        }
        let priors: BTreeMap<Class, Prior> =
            histories.iter().map(|(&class, histories)| (class, Prior::of(histories))).collect();
        let mut null = Self { priors, ..Self::default() };
        let mut values: BTreeMap<Class, Vec<f64>> = BTreeMap::new();
        for score in series {
            let history = History::of(usable(score));
            let own = usable(score).map(|deviate| null.moderated(score.class, deviate, history.without(deviate)).abs());
            values.entry(score.class).or_default().extend(own);
            for &deviate in &score.placebos {
                count_moves(&mut null.constants, &mut null.presence, f64::from(deviate));
            }
        }
        null.set_pools(values);
        null
    }

    fn set_pools(&mut self, values: BTreeMap<Class, Vec<f64>>) {
        let all: Vec<f64> = values.values().flatten().copied().collect();
        self.of_all = (all.len() >= LEAST_IN_ALL).then(|| Pool::of(all));
        self.pools = values
            .into_iter()
            .filter(|(_, values)| values.len() >= LEAST_IN_POOL)
            .map(|(class, values)| (class, Pool::of(values)))
            .collect();
    }

    fn take_in(&mut self, learned: &LearnedNull) {
        let classes = |class: &Class| learned.classes.get(class.as_str());
        let known = Class::ALL.iter().filter_map(|class| classes(class).map(|known| (*class, known)));
        let values: BTreeMap<Class, Vec<f64>> =
            known.clone().map(|(class, known)| (class, known.statistics.clone())).collect();
        self.priors.extend(known.map(|(class, LearnedClass { mean_square, degrees, .. })| {
            (class, Prior { mean_square: *mean_square, degrees: *degrees })
        }));
        self.set_pools(values);
        for (rate, learned) in
            [(&mut self.constants, learned.constants_moved), (&mut self.presence, learned.presence_changed)]
        {
            rate.chances += learned.chances;
            rate.times += learned.times;
        }
        self.learned.clone_from(&learned.series);
    }

    /// What is known of a series' own noise.
    fn history(&self, score: &SeriesScore) -> History {
        let placebos = History::of(usable(score));
        match self.learned.get(&learned_name(score)) {
            Some(&learned) => placebos.and(learned.into()),
            None => placebos,
        }
    }

    fn moderated(&self, class: Class, deviate: f64, history: History) -> f64 {
        self.priors.get(&class).map_or(deviate, |&prior| moderated(deviate, history, prior))
    }

    /// The statistic of the fault window in units of what chance does to this series.
    pub(crate) fn strength(&self, score: &SeriesScore) -> f64 {
        let deviate = f64::from(score.deviate);
        if is_graded(deviate) { self.moderated(score.class, deviate, self.history(score)) } else { deviate }
    }

    /// The chance of such a fault window when nothing happened.
    pub(crate) fn p_value(&self, score: &SeriesScore) -> f64 {
        match score.presence {
            Presence::Vanished | Presence::Appeared => return rate_of(self.presence),
            Presence::Steady | Presence::Patchy => {}
        }
        let deviate = f64::from(score.deviate);
        if score.class == Class::Constant {
            return if deviate == 0.0 { 1.0 } else { rate_of(self.constants) };
        }
        self.p_of(score.class, self.strength(score).abs())
    }

    /// The chance of a fault window that this null has learned from, without what it taught.
    pub(crate) fn quiet_p_value(&self, score: &SeriesScore) -> f64 {
        let deviate = f64::from(score.deviate);
        if !is_graded(deviate) || score.presence != Presence::Steady {
            return self.p_value(score);
        }
        let history = self.history(score).without(deviate);
        self.p_of(score.class, self.moderated(score.class, deviate, history).abs())
    }

    /// The chance of the placebo window with that number, as if it had been the fault; `None` where it cannot be told.
    pub(crate) fn placebo_p_value(&self, score: &SeriesScore, window: usize) -> Option<f64> {
        let deviate = f64::from(*score.placebos.get(window)?);
        if deviate.is_nan() {
            return None;
        }
        if deviate.is_infinite() {
            return Some(rate_of(self.presence));
        }
        if deviate.abs() >= CERTAIN {
            return Some(rate_of(self.constants));
        }
        let history = self.history(score);
        let history = if is_graded(deviate) { history.without(deviate) } else { history };
        Some(self.p_of(score.class, self.moderated(score.class, deviate, history).abs()))
    }

    fn p_of(&self, class: Class, statistic: f64) -> f64 {
        if statistic == 0.0 {
            return 1.0;
        }
        match self.pools.get(&class).or(self.of_all.as_ref()) {
            Some(pool) => pool.p_value(statistic).min(1.0),
            None => two_sided_normal_tail(normal_deviate_of_t(statistic, THEORETICAL_DEGREES)),
        }
    }
}

/// A rate after few chances: half a case more than was seen, the median-unbiased guess of Jeffreys' prior.
fn rate_of(rate: LearnedRate) -> f64 {
    ((rate.times as f64 + 0.5) / (rate.chances as f64 + 1.0)).min(1.0)
}

/// Counts what a placebo says about series that only ever stand still, come or go.
pub(crate) fn count_moves(constants: &mut LearnedRate, presence: &mut LearnedRate, deviate: f64) {
    if deviate.is_nan() {
        return;
    }
    presence.chances += 1;
    presence.times += usize::from(deviate.is_infinite());
    if deviate == 0.0 || (deviate.is_finite() && deviate.abs() >= CERTAIN) {
        constants.chances += 1;
        constants.times += usize::from(deviate != 0.0);
    }
}
