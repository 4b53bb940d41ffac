//! What does each series say on its own? One pass over the samples, which are then forgotten.
//!
//! In: blocks of complete metric families. Out: [`Scores`], a few numbers a series: how far the fault window lies from
//! the baseline, how far each placebo window does, when the change began and ended.

pub(crate) mod key;
pub(crate) mod side;

use std::collections::BTreeSet;

use aftermath_model::{Block, Gap, GapCause, Timeline};
use rayon::prelude::*;

use crate::cut::{Cut, SHORTEST, is_enough_to_test, single};
use crate::detectors::level::{CERTAIN, Precision, Shift};
use crate::detectors::presence::{Presence, Seen, presence};
use crate::math::{mean, median};
use crate::onset::{Onset, onset};
use crate::prepare::{Measure, measures};
use crate::profile::Profile;
use crate::recovery::after::{After, Watched};
use crate::recovery::{Recovery, recovery};
use crate::steady::LEAST_BASELINE_STEPS;
use crate::windows::{Placebo, Plan};
use key::{Names, ScoreKey};
use side::{SideScore, side_scores};

/// The shift of a series that vanished: as certain as the change of a constant, and without a size.
const GONE: Shift =
    Shift { deviate: -CERTAIN, effect: 0.0, per_log_level: 0.0, constant: false, precision: Precision::NONE };
/// A series that has less than half of the samples that it could have is not really watched.
const HALF: f64 = 0.5;

/// Turns blocks of samples into [`Scores`]. Shared between threads; blocks may come in any order.
#[derive(Clone, Debug)]
pub struct Scorer {
    timeline: Timeline,
    plan: Plan,
}

/// Everything that a verdict needs to know of the series that were read, without their samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    pub(crate) series: Vec<SeriesScore>,
    pub(crate) gaps: Vec<Gap>,
}

/// What is kept of one measure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeriesScore {
    pub(crate) key: ScoreKey,
    pub(crate) measure: &'static str,
    /// Whether it never moved before the fault.
    pub(crate) constant: bool,
    pub(crate) covers: usize,
    pub(crate) presence: Presence,
    /// How many values there were before the fault.
    pub(crate) baseline_samples: usize,
    /// How far the fault window lies from the baseline; see [`crate::detectors::level::Shift::deviate`].
    pub(crate) deviate: f32,
    /// See [`crate::detectors::level::Shift::effect`].
    pub(crate) effect: f32,
    /// By how much the deviate moves when the load changes by a factor of e and the series follows it.
    pub(crate) per_load: f32,
    /// The same statistic of each placebo window; not a number where it has too few samples.
    pub(crate) placebos: Box<[f32]>,
    /// How often it restarted during the fault; 0 for everything but start times.
    pub(crate) restarts: usize,
    /// Its course before the fault in a few bytes; see [`crate::profile`].
    pub(crate) profile: Profile,
    /// The typical value before the fault, in natural units.
    pub(crate) baseline: Option<f64>,
    /// The typical value during the fault.
    pub(crate) fault: Option<f64>,
    pub(crate) onset: Option<Onset>,
    pub(crate) recovery: Recovery,
    /// Changes besides that of the level.
    pub(crate) sides: Box<[SideScore]>,
    /// What it did after the fault besides.
    pub(crate) after: After,
    /// How small a change of it could have been seen.
    pub(crate) precision: Precision,
}

impl Scores {
    /// Takes in the scores of further blocks. The order of merging does not matter to any verdict.
    pub fn merge(&mut self, other: Self) {
        self.series.extend(other.series);
        self.gaps.extend(other.gaps);
    }

    /// How many series were read.
    #[must_use]
    pub fn series_read(&self) -> usize {
        self.gaps.len() + self.series.iter().map(|score| score.covers).sum::<usize>()
    }

    /// Every service that a series was read of, judged or not.
    #[must_use]
    pub fn services(&self) -> BTreeSet<&str> {
        let judged = self.series.iter().map(|score| score.key.service.as_ref());
        judged.chain(self.gaps.iter().map(|gap| gap.key.service.as_str())).collect()
    }

    /// The series in an order that does not depend on how the blocks came.
    pub(crate) fn sorted(&self) -> Vec<&SeriesScore> {
        let mut sorted: Vec<&SeriesScore> = self.series.iter().collect();
        sorted.sort_by(|a, b| (&a.key, a.measure).cmp(&(&b.key, b.measure)));
        sorted
    }
}

impl Scorer {
    /// A scorer for the windows of one experiment.
    #[must_use]
    pub fn new(timeline: &Timeline) -> Self {
        Self { timeline: timeline.clone(), plan: Plan::new(timeline) }
    }

    /// The scores of one block, which must hold complete metric families.
    #[must_use]
    pub fn score(&self, block: &Block) -> Scores {
        let prepared = measures(block, &self.timeline);
        let mut names = Names::default();
        let keys: Vec<ScoreKey> = prepared.measures.iter().map(|measure| names.share(&measure.key)).collect();
        let pairs = prepared.measures.par_iter().zip(keys);
        let outcomes: Vec<Result<SeriesScore, Vec<Gap>>> =
            pairs.map(|(measure, key)| self.score_measure(measure, key)).collect();
        let mut scores = Scores { series: Vec::with_capacity(outcomes.len()), gaps: prepared.gaps };
        for outcome in outcomes {
            match outcome {
                Ok(score) => scores.series.push(score),
                Err(gaps) => scores.gaps.extend(gaps),
            }
        }
        scores
    }

    fn score_measure(&self, measure: &Measure, key: ScoreKey) -> Result<SeriesScore, Vec<Gap>> {
        let cut = Cut::new(measure, &self.plan);
        let presence = if measure.tells_presence() { self.presence_of(&cut) } else { Presence::Steady };
        if let Some(cause) = self.too_few(&cut, presence, measure.tells_presence()) {
            return Err(vec![Gap { key: measure.key.clone(), cause }; measure.covers]);
        }
        let (before, during) = (&cut.baseline.natural, &cut.fault.natural);
        let shift = if presence == Presence::Vanished { GONE } else { cut.shift().unwrap_or_default() };

        let placebo = |placebo: &Placebo| cut.placebo(*placebo, self.plan.drift_allowance());
        let (onset, recovery) = (self.onset_of(&cut, presence), self.recovery_of(&cut, presence));
        // What is interpolated between the buckets of a histogram is noisier in a wider bucket: its noise tells nothing.
        let has_noise_of_its_own = presence == Presence::Steady && measure.covers > 0;
        Ok(SeriesScore {
            key,
            measure: measure.name,
            constant: shift.constant,
            covers: measure.covers,
            presence,
            baseline_samples: before.len(),
            deviate: single(shift.deviate),
            effect: single(shift.effect),
            per_load: single(shift.per_log_level),
            placebos: self.plan.placebos.iter().map(placebo).collect(),
            restarts: cut.restarts(),
            profile: cut.profile(self.plan.blocks()),
            baseline: typical(before, cut.is_sparse()),
            fault: match cut.restarts() {
                0 => typical(during, cut.is_sparse()).filter(|_| presence != Presence::Vanished),
                _ => during.last().copied(),
            },
            onset,
            recovery,
            sides: if has_noise_of_its_own {
                side_scores(&cut, &self.plan, (onset, recovery))
            } else {
                Box::default()
            },
            after: self.after(&cut, presence, shift.effect, measure.tells_presence()),
            precision: shift.precision,
        })
    }

    /// Why a series cannot be judged; `None` if it can. What exists only when there was something to observe
    /// (`tells_presence` is false) is judged as soon as there is anything to compare.
    fn too_few(&self, cut: &Cut, presence: Presence, tells_presence: bool) -> Option<GapCause> {
        if presence.has_changed() {
            return None;
        }
        let (before, during) = (cut.in_baseline(), cut.in_fault(self.plan.fault));
        if before.times_ms.len() < SHORTEST {
            return Some(GapCause::TooFewBaselineSamples);
        }
        if !tells_presence {
            return during.times_ms.is_empty().then_some(GapCause::TooFewFaultSamples);
        }
        // Half empty, because it began late or because its samples come at odd times: then it needs as many as any.
        let comes_at_odd_times = before.span() >= HALF && before.times_ms.len() >= LEAST_BASELINE_STEPS;
        if before.share() < HALF && !comes_at_odd_times {
            return Some(GapCause::TooFewBaselineSamples);
        }
        if during.times_ms.len() >= SHORTEST && is_enough_to_test(during, before.share()) {
            return None;
        }
        let seldom = before.share() * during.possible() < SHORTEST as f64;
        Some(if seldom && before.share() < HALF {
            GapCause::TooManyMissingSamples
        } else {
            GapCause::TooFewFaultSamples
        })
    }

    /// A series that vanished did so after its last sample, where its first missing one should have been.
    fn onset_of(&self, cut: &Cut, presence: Presence) -> Option<Onset> {
        if presence == Presence::Vanished {
            let fell_silent = cut.in_fault(self.plan.fault).longest_silence().from_ms;
            let seen = cut.fault.times_ms.contains(&fell_silent);
            let at = if seen { fell_silent + self.plan.step_ms } else { fell_silent };
            return Some(Onset { at, from: fell_silent, to: at });
        }
        let before = cut.normal.as_ref().zip(cut.baseline.steady.last().copied());
        onset(before, &cut.fault.times_ms, &cut.fault.steady)
    }

    fn recovery_of(&self, cut: &Cut, presence: Presence) -> Recovery {
        let watched = &cut.recovery;
        match presence {
            Presence::Steady => cut
                .normal
                .as_ref()
                .map_or(Recovery::UNKNOWN, |normal| recovery(normal, &watched.times_ms, &watched.steady)),
            Presence::Vanished => match self.back_ms(cut) {
                Some(back) => Recovery::back(back),
                None if self.plan.recovery.is_some() => Recovery::GONE,
                None => Recovery::UNKNOWN,
            },
            Presence::Appeared | Presence::Patchy => Recovery::UNKNOWN,
        }
    }

    fn after(&self, cut: &Cut, presence: Presence, change: f64, tells_presence: bool) -> After {
        let Some(window) = self.plan.recovery else { return After::default() };
        let watched = &cut.recovery;
        let then = cut.in_stretch(&watched.times_ms, window);
        if tells_presence && presence == Presence::Steady && is_gone(cut.in_baseline(), then) {
            return After::SILENT;
        }
        let watched = Watched {
            times_ms: &watched.times_ms,
            steady: &watched.steady,
            natural: &watched.natural,
            watch_ms: window.duration_ms(),
            fault_ms: self.plan.fault.duration_ms(),
            step_ms: self.plan.step_ms,
        };
        After::of(cut.normal.as_ref(), &watched, change)
    }

    /// When a series that vanished was there again.
    fn back_ms(&self, cut: &Cut) -> Option<i64> {
        let within_fault = cut.in_fault(self.plan.fault).longest_silence().back_ms;
        within_fault.or_else(|| cut.recovery.times_ms.first().copied())
    }

    fn presence_of(&self, cut: &Cut) -> Presence {
        let (fault_end, watched) = (self.plan.fault.to.ms(), self.plan.recovery);
        let silent_after = match (cut.recovery.times_ms.first(), watched) {
            (Some(back), _) => back - fault_end,
            (None, Some(recovery)) => recovery.to.ms() - fault_end,
            (None, None) => 0,
        };
        presence(cut.in_baseline(), cut.in_fault(self.plan.fault), silent_after)
    }
}

/// Whether a series that came regularly is not there at all any more.
fn is_gone(before: Seen, after: Seen) -> bool {
    after.times_ms.is_empty() && presence(before, after, 0) == Presence::Vanished
}

/// The median, or the mean of rare events, whose median is 0.
fn typical(values: &[f64], rare: bool) -> Option<f64> {
    (!values.is_empty()).then(|| if rare { mean(values) } else { median(values) })
}

#[cfg(test)]
impl SeriesScore {
    /// A series of which nothing is known but its names, for tests to build upon.
    pub(crate) fn named(metric: &str, service: &str) -> Self {
        let (metric, service) = (metric.to_owned(), service.to_owned());
        Self {
            key: Names::default().share(&aftermath_model::SeriesKey {
                metric,
                service,
                labels: std::collections::BTreeMap::new(),
            }),
            measure: "value",
            constant: false,
            covers: 1,
            presence: Presence::Steady,
            baseline_samples: 100,
            deviate: 0.0,
            effect: 0.0,
            per_load: 0.0,
            placebos: Box::default(),
            profile: Profile::default(),
            restarts: 0,
            baseline: None,
            fault: None,
            onset: None,
            recovery: Recovery::UNKNOWN,
            sides: Box::default(),
            after: After::default(),
            precision: Precision::NONE,
        }
    }
}
