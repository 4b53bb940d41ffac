//! How often does so large a change happen when nothing happens?
//!
//! In: the placebo statistics of all series, and what quiet windows taught. Out: a [`Null`] that turns a series'
//! statistics into a p-value. Three steps: each series is measured against its own placebos ([`moderate`]); the
//! results are pooled over series of the same metric ([`pools`]); beyond the last few of the pool a generalised Pareto
//! tail continues it ([`pool`]). Services have a null of their own ([`service`]).
//!
//! What was learned takes the place of the placebos as far as it is to be trusted: not for series that it does not know,
//! and only in part after few windows, one of which may have been an incident.

pub(crate) mod moderate;
mod pool;
mod pools;
pub(crate) mod service;
pub(crate) mod side;

use aftermath_model::learned::LearnedRate;
use aftermath_model::{Channel, LearnedNull, Timeline};

use crate::circumstances::Circumstances;
use crate::copies;
use crate::detectors::level::is_graded;
use crate::detectors::presence::Presence;
use crate::evidence::{SIGN, StemOf};
use crate::habits::{Expected, Habits, Sums};
use crate::learn::fit::likeness;
use crate::load::{self, is_told};
use crate::math::{normal_deviate_of_t, two_sided_normal_tail};
use crate::prepare::workload_labels;
use crate::scores::SeriesScore;
use crate::scores::side::SideScore;
use moderate::{History, moderated};
use pools::Pools;
use side::SideNull;

/// So many learned windows replace the placebo windows: the least number whose ranks can say 5 %, the level of a
/// warning. Fewer share the say with the placebo windows in proportion.
const REPLACES_PLACEBOS_AT: f64 = 19.0;
/// Without any placebo the statistic is read as a Student t with so few degrees of freedom that its tail is heavier
/// than that of a normal by far: at 5 deviates 1.5 % instead of one in a million.
const THEORETICAL_DEGREES: f64 = 3.0;

/// What chance does to the series of this system.
#[derive(Clone, Debug, Default)]
pub(crate) struct Null<'a> {
    stems: StemOf,
    /// The group in which each series counts as corroboration: see [`copies::groups`].
    groups: Vec<usize>,
    placebos: Pools,
    sides: SideNull,
    learned: Option<Learned<'a>>,
    /// The change of the load during the fault, and that of the seasons.
    pub(crate) circumstances: Circumstances,
    /// A placebo window that must not speak, because it is being judged itself.
    left_out: Option<usize>,
    /// Whether only changes of the level count.
    levels_only: bool,
}

/// What quiet windows taught, and how far to trust it.
#[derive(Clone, Debug)]
struct Learned<'a> {
    null: &'a LearnedNull,
    pools: Pools,
    sides: SideNull,
    habits: Habits,
    trust: f64,
}

/// What chance says of one series in one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighed {
    /// The chance of such a window when nothing happened, all kinds of change together.
    pub(crate) p_value: f64,
    /// The statistic of the kind that speaks, in units of what chance does to this series.
    pub(crate) strength: f64,
    /// The kind of change that speaks: that of the level as long as it is a sign by itself, else the one that surprises
    /// most.
    pub(crate) channel: Channel,
}

/// What is known of one series before its fault window is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The number of the stem of its metric.
    stem: usize,
    placebos: History,
    learned: History,
    /// What load and season are expected to do to the statistic of the fault window.
    expected: Expected,
    /// How far the learned null speaks for this series, 0 to 1.
    pub(crate) trust: f64,
}

impl Known {
    /// How much noisier than theory says the series is, at least 1.
    pub(crate) fn noise(self) -> f64 {
        1.0 / moderated(1.0, self.history())
    }

    /// By how much the error grows because nobody knows exactly how the series follows the load and the seasons.
    pub(crate) fn widening(self) -> f64 {
        self.expected.variance.sqrt().hypot(1.0)
    }

    fn history(self) -> History {
        self.learned.scaled(self.trust).and(self.placebos)
    }
}

/// The name of a series in a learned null: without what names a single pod.
pub(crate) fn learned_name(score: &SeriesScore) -> String {
    let labels: Vec<String> =
        workload_labels(&score.key.labels).iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}|{}|{}|{}", score.key.service, score.key.metric, score.measure, labels.join(","))
}

/// The service and the metric of a [`learned_name`].
pub(crate) fn service_and_metric(learned_name: &str) -> (&str, &str) {
    let (service, rest) = learned_name.split_once('|').unwrap_or_default();
    (service, rest.split('|').next().unwrap_or_default())
}

/// How far a null that was learned from so many windows is trusted, 0 to 1; see [`REPLACES_PLACEBOS_AT`].
pub(crate) fn trust_after(windows: usize) -> f64 {
    (windows as f64 / REPLACES_PLACEBOS_AT).min(1.0)
}

/// The p-value between two on a logarithmic scale; `trust` is the weight of the first. What has no weight is not asked.
pub(crate) fn between(trust: f64, first: impl FnOnce() -> f64, second: impl FnOnce() -> f64) -> f64 {
    if trust <= 0.0 {
        return second();
    }
    if trust >= 1.0 {
        return first();
    }
    first().powf(trust) * second().powf(1.0 - trust)
}

impl<'a> Null<'a> {
    /// The null of this system: from the placebo windows of these series, and from what was learned before.
    pub(crate) fn of(series: &[&SeriesScore], timeline: &Timeline, learned: Option<&'a LearnedNull>) -> Self {
        let mut null = Self::of_placebos(series, None);
        null.circumstances = Circumstances::of(load::explained(load::change(series)), timeline);
        null.learned = learned.filter(|learned| learned.windows > 0).map(|learned| {
            let trust = trust_after(learned.windows) * likeness(learned, timeline);
            Learned {
                null: learned,
                pools: Pools::of_learned(learned, &null.stems),
                sides: SideNull::of_learned(learned, &null.stems),
                habits: Habits::of(learned, trust),
                trust,
            }
        });
        if let Some(learned) = &null.learned {
            copies::follow_learned(&mut null.groups, series, &learned.null.copies);
        }
        null
    }

    /// The null of the placebo windows, without one that is to be judged.
    pub(crate) fn of_placebos(series: &[&SeriesScore], left_out: Option<usize>) -> Self {
        let mut null = Self { left_out, stems: StemOf::of(series), ..Self::default() };
        null.groups = copies::groups(series, &null.stems);
        let mut values = vec![Vec::new(); null.stems.all().count()];
        let (mut constants, mut presence) = (LearnedRate::default(), LearnedRate::default());
        for score in series {
            let history = null.placebo_history(score);
            let own = null.placebos_of(score).filter(|&deviate| is_graded(deviate));
            let statistics = own.map(|deviate| moderated(deviate, history.without(deviate)).abs());
            values[null.stems.number(&score.key.metric)].extend(statistics);
            null.placebos_of(score).for_each(|deviate| count_moves(&mut constants, &mut presence, deviate));
        }
        let mut pools = Pools::of(values);
        (pools.constants, pools.presence) = (constants, presence);
        null.placebos = pools;
        null.sides = SideNull::of_placebos(series, &null.stems, left_out);
        null
    }

    /// The same null for changes of the level alone.
    #[must_use]
    pub(crate) fn of_levels_only(self) -> Self {
        Self { levels_only: true, ..self }
    }

    fn placebos_of<'s>(&self, score: &'s SeriesScore) -> impl Iterator<Item = f64> + use<'s> {
        let left_out = self.left_out;
        let kept = score.placebos.iter().enumerate().filter(move |(window, _)| Some(*window) != left_out);
        kept.map(|(_, &deviate)| f64::from(deviate))
    }

    fn placebo_history(&self, score: &SeriesScore) -> History {
        History::of(self.placebos_of(score).filter(|&deviate| is_graded(deviate)))
    }

    /// What is known of a series' own noise, and whether the learned null knows it.
    pub(crate) fn known(&self, score: &SeriesScore) -> Known {
        self.known_by(score, |_| {})
    }

    /// The same, where `forget` may take windows out of what was learned of load and season.
    fn known_by(&self, score: &SeriesScore, forget: impl FnOnce(&mut Sums)) -> Known {
        let placebos = self.placebo_history(score);
        let stem = self.stems.number(&score.key.metric);
        let seen = self
            .learned
            .as_ref()
            .and_then(|learned| learned.null.series.get(&learned_name(score)).map(|seen| (learned, seen)));
        let Some((learned, seen)) = seen else {
            let expected = load::expected(score, self.circumstances.load());
            return Known { stem, placebos, learned: History::default(), expected, trust: 0.0 };
        };
        let mut sums = Sums::of(&seen.habit);
        forget(&mut sums);
        let habit =
            learned.habits.of_one(self.stems.stem(&score.key.metric), &sums, seen.into(), learned.trust);
        let expected = habit.expected(&self.circumstances.times(f64::from(score.per_load)));
        Known { stem, placebos, learned: seen.into(), expected, trust: learned.trust }
    }

    /// The chance of such a distance from normal at the end of the watch when all is over: it is a statistic like those of
    /// the placebo windows, the moves from sample to sample like theirs, and so it is held against them.
    pub(crate) fn lasting_p_value(
        &self,
        score: &SeriesScore,
        known: Known,
        channel: Channel,
        lasting: f64,
    ) -> f64 {
        let spread = score.sides.iter().find(|side| channel == Channel::Spread && side.channel == channel);
        let Some(side) = spread else {
            return self.pooled(known, moderated(lasting, known.history()).abs());
        };
        let statistic = moderated(lasting, side::history(side, self.left_out)).abs();
        self.side_p_value(known, channel, statistic)
    }

    /// What chance says of the fault window of a series.
    pub(crate) fn weigh(&self, score: &SeriesScore, known: Known) -> Weighed {
        let strength = Self::level_strength(score, known);
        let p_value = self.level_p_value(score, known);
        let channel = match score.presence {
            Presence::Vanished | Presence::Appeared => Channel::Presence,
            _ if score.restarts > 0 => Channel::Restart,
            Presence::Steady | Presence::Patchy => Channel::Level,
        };
        let level = Weighed { p_value, strength, channel };
        let sides = score.sides.iter().map(|side| {
            let strength = self.side_strength(side);
            Weighed {
                p_value: self.side_p_value(known, side.channel, strength.abs()),
                strength,
                channel: side.channel,
            }
        });
        together(level, sides)
    }

    /// The chance of such a level in the fault window when nothing happened.
    pub(crate) fn level_p_value(&self, score: &SeriesScore, known: Known) -> f64 {
        let strength = Self::level_strength(score, known);
        self.p_of(score, known, f64::from(score.deviate), strength.abs())
    }

    /// The statistic of the level in the fault window in units of what chance does to this series; a change of a series
    /// that never moved before is worth the deviate of its p-value.
    fn level_strength(score: &SeriesScore, known: Known) -> f64 {
        let deviate = f64::from(score.deviate);
        if is_graded(deviate) {
            return moderated(known.expected.left_of(deviate), known.history());
        }
        deviate.clamp(-STRENGTH_OF_CERTAIN, STRENGTH_OF_CERTAIN)
    }

    /// The chance of a fault window that this null has learned from, without what it taught.
    pub(crate) fn quiet_p_value(&self, score: &SeriesScore) -> f64 {
        let known = self.known(score);
        let sides = score.sides.iter().map(|side| {
            let strength = self.side_strength(side).abs();
            self.side_p_value(known, side.channel, strength)
        });
        any_of(self.quiet_level_p_value(score), sides)
    }

    fn quiet_level_p_value(&self, score: &SeriesScore) -> f64 {
        let deviate = f64::from(score.deviate);
        if !is_graded(deviate) {
            return self.p_of(score, self.known(score), deviate, deviate.abs());
        }
        let row = self.circumstances.times(f64::from(score.per_load));
        let left_by_prior = load::adjusted(score, self.circumstances.load());
        let known = self.known_by(score, |sums| sums.add(&row, deviate, left_by_prior, -1.0));
        let left = known.expected.left_of(deviate);
        let others = Known { learned: known.learned.without(left), ..known };
        self.p_of(score, known, deviate, moderated(left, others.history()).abs())
    }

    /// The chance of the placebo window with that number, as if it had been the fault; `None` where it cannot be
    /// told.
    pub(crate) fn placebo_p_value(&self, score: &SeriesScore, window: usize) -> Option<f64> {
        self.known_placebo_p_value(score, self.known(score), window)
    }

    /// The same of a series that is already known.
    pub(crate) fn known_placebo_p_value(
        &self,
        score: &SeriesScore,
        known: Known,
        window: usize,
    ) -> Option<f64> {
        let level = self.level_placebo_p_value(score, known, window)?;
        if self.levels_only {
            return Some(level);
        }
        let sides = score.sides.iter().filter_map(|side| {
            let deviate = f64::from(*side.placebos.get(window)?);
            let history = side::history(side, self.left_out);
            let others = if self.left_out == Some(window) { history } else { history.without(deviate) };
            let strength = moderated(deviate, others).abs();
            is_graded(deviate).then(|| self.side_p_value(known, side.channel, strength))
        });
        Some(any_of(level, sides))
    }

    /// The same of the level alone.
    pub(crate) fn level_placebo_p_value(
        &self,
        score: &SeriesScore,
        known: Known,
        window: usize,
    ) -> Option<f64> {
        let deviate = f64::from(*score.placebos.get(window)?);
        if deviate.is_nan() {
            return None;
        }
        if deviate.is_infinite() {
            return Some(self.chance(known.trust, |pools| pools.presence));
        }
        if !is_graded(deviate) {
            let moved = || self.chance(known.trust, |pools| pools.constants);
            return Some(if deviate == 0.0 { 1.0 } else { moved() });
        }
        let history = known.history();
        let others = if self.left_out == Some(window) { history } else { history.without(deviate) };
        Some(self.pooled(known, moderated(deviate, others).abs()))
    }

    /// The statistic of another kind than the level's in units of what chance does to this series, once the load has been
    /// allowed for: noise grows with what it is the noise of.
    fn side_strength(&self, side: &SideScore) -> f64 {
        let deviate = load::adjusted_side(side, self.circumstances.load());
        moderated(deviate, side::history(side, self.left_out))
    }

    /// The p-value of a statistic of another kind than the level's.
    fn side_p_value(&self, known: Known, channel: Channel, statistic: f64) -> f64 {
        let placebos =
            || self.sides.p_value(channel, known.stem, statistic).unwrap_or_else(|| theory(statistic));
        let learned = self.learned.as_ref().filter(|_| known.trust > 0.0);
        learned
            .and_then(|learned| learned.sides.p_value(channel, known.stem, statistic))
            .map_or_else(placebos, |learned| between(known.trust, || learned, placebos))
    }

    fn p_of(&self, score: &SeriesScore, known: Known, deviate: f64, statistic: f64) -> f64 {
        match score.presence {
            Presence::Vanished | Presence::Appeared => self.chance(known.trust, |pools| pools.presence),
            Presence::Steady | Presence::Patchy if deviate == 0.0 => 1.0,
            _ if score.constant || !is_graded(deviate) => self.chance(known.trust, |pools| pools.constants),
            _ => self.pooled(known, statistic),
        }
    }

    /// The p-value of a statistic: of the learned pools as far as they are trusted, of the placebo pools for the rest.
    fn pooled(&self, known: Known, statistic: f64) -> f64 {
        let placebos = || self.placebos.p_value(known.stem, statistic).unwrap_or_else(|| theory(statistic));
        let learned = self.learned.as_ref().filter(|_| known.trust > 0.0);
        learned
            .and_then(|learned| learned.pools.p_value(known.stem, statistic))
            .map_or_else(placebos, |learned| between(known.trust, || learned, placebos))
    }

    /// The chance of such a graded statistic of the level while nothing else about the series changed, once it is measured
    /// against the series' own noise.
    pub(crate) fn p_of_statistic(&self, score: &SeriesScore, known: Known, statistic: f64) -> f64 {
        any_of(self.pooled(known, statistic), score.sides.iter().map(|_| 1.0))
    }

    /// A rate after few chances: half a case more than was seen, the median-unbiased guess of Jeffreys' prior.
    fn chance(&self, trust: f64, which: impl Fn(&Pools) -> LearnedRate) -> f64 {
        let of_placebos = which(&self.placebos);
        let learned =
            self.learned.as_ref().map_or_else(LearnedRate::default, |learned| which(&learned.pools));
        let times = of_placebos.times as f64 + trust * learned.times as f64;
        let chances = of_placebos.chances as f64 + trust * learned.chances as f64;
        ((times + 0.5) / (chances + 1.0)).min(1.0)
    }

    /// What of the circumstances was told by quiet windows, in sentences.
    pub(crate) fn habit_notes(&self, series: &[&SeriesScore]) -> Vec<String> {
        let Some(learned) = &self.learned else { return Vec::new() };
        let mut notes = Vec::new();
        if is_told(self.circumstances.load()) {
            let by_prior = |score: &SeriesScore| load::expected(score, self.circumstances.load()).variance;
            let is_learned = |score: &&&SeriesScore| {
                // The doubt is less than half of what it would be without.
                4.0 * self.known(score).expected.variance < by_prior(score)
            };
            notes.push(format!(
                "how strongly {} of {} series follow the load is known from quiet windows; the others are given the \
                 benefit of the doubt",
                series.iter().filter(is_learned).count(),
                series.len()
            ));
        }
        let (of_day, of_week) = learned.habits.seasons();
        if of_day {
            notes.push(format!(
                "the usual change at this time of day{}, learned from quiet windows of {} days, does not count",
                if of_week { " and week" } else { "" },
                learned.null.days.len()
            ));
        }
        notes
    }

    /// The stems of all metric names.
    pub(crate) const fn stems(&self) -> &StemOf {
        &self.stems
    }

    /// The group in which each series counts as corroboration, in the order of the series that the null was made of.
    pub(crate) fn groups(&self) -> &[usize] {
        &self.groups
    }
}

/// The tail of a statistic when there is no placebo window at all.
fn theory(statistic: f64) -> f64 {
    two_sided_normal_tail(normal_deviate_of_t(statistic, THEORETICAL_DEGREES))
}

/// The level of a series keeps this share of the chance of a false alarm, and the other kinds of change share the rest:
/// most faults move levels, so those should lose little. On generated faults of seven shapes .8 loses nothing on steps and
/// finds nearly as many bursts and spreads as .5 (decision 0001). Weights as by Genovese, Roeder and Wasserman, Biometrika
/// 93 (2006).
const SHARE_OF_LEVEL: f64 = 0.8;

/// The p-value of "nothing about this series changed": Bonferroni with weights, which holds however the kinds of change
/// depend on each other.
fn any_of(level: f64, sides: impl Iterator<Item = f64>) -> f64 {
    let (mut count, mut least) = (0_u32, 1.0_f64);
    for side in sides {
        count += 1;
        least = least.min(side);
    }
    if count == 0 {
        return level;
    }
    (level / SHARE_OF_LEVEL).min(f64::from(count) * least / (1.0 - SHARE_OF_LEVEL)).min(1.0)
}

/// The same, with what speaks.
fn together(level: Weighed, sides: impl Iterator<Item = Weighed>) -> Weighed {
    let sides: Vec<Weighed> = sides.collect();
    let p_value = any_of(level.p_value, sides.iter().map(|side| side.p_value));
    let loudest = sides.into_iter().min_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let speaks = match loudest {
        Some(side) if level.p_value > SIGN && side.p_value <= SIGN => side,
        _ => level,
    };
    Weighed { p_value, ..speaks }
}

/// As strong as the strongest graded statistics of recorded faults: a series that never moved before and does now is
/// as clear a sign as any, and no clearer.
const STRENGTH_OF_CERTAIN: f64 = 12.0;

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
