//! Which samples of one measure belong to which stretch, in the units that the statistics want?
//!
//! In: a [`Measure`] and the [`Plan`]. Out: a [`Cut`] that compares any two stretches.

use aftermath_model::Window;

use crate::detectors::counts::{self, Counted, SPARSE_BELOW};
use crate::detectors::level::{self, CERTAIN, Shift, is_graded};
use crate::detectors::presence::{Presence, Seen, presence};
use crate::math::{mean, median};
use crate::prepare::{Measure, Nature};
use crate::profile::{Blocks, Profile};
use crate::windows::{Placebo, Plan, Stretch};

/// The samples of one stretch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) times_ms: Vec<i64>,
    /// In natural units.
    pub(crate) natural: Vec<f64>,
    /// In units whose noise does not depend on the level.
    pub(crate) steady: Vec<f64>,
    /// Events in each sample, for rates of events only.
    events: Vec<f64>,
    seconds: Vec<f64>,
}

/// One measure, cut by the windows of the experiment.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    nature: Nature,
    sparse: bool,
    pub(crate) baseline: Part,
    /// The clean time of each baseline sample.
    clean_ms: Vec<i64>,
    clean: Stretch,
    pub(crate) fault: Part,
    pub(crate) recovery: Part,
    /// The usual distance between samples.
    pub(crate) cadence_ms: f64,
}

impl Cut {
    pub(crate) fn new(measure: &Measure, plan: &Plan) -> Self {
        let steady = steady_units(measure);
        let part = |indices: Vec<usize>| Part::of(measure, &steady, &indices);
        let (indices, clean_ms): (Vec<usize>, Vec<i64>) = measure
            .timestamps_ms
            .iter()
            .enumerate()
            .filter_map(|(index, &ms)| plan.clean_time(ms).map(|clean| (index, clean)))
            .unzip();
        let within = |window: Window| {
            let first = measure.timestamps_ms.partition_point(|&ms| ms < window.from.ms());
            let end = measure.timestamps_ms.partition_point(|&ms| ms < window.to.ms());
            (first..end.max(first)).collect()
        };
        let baseline = part(indices);
        let sparse = measure.nature == Nature::EventRate && mean(&baseline.events) < SPARSE_BELOW;
        Self {
            nature: measure.nature,
            sparse,
            baseline,
            clean_ms,
            clean: plan.clean(),
            fault: part(within(plan.fault)),
            recovery: plan.recovery.map(|window| part(within(window))).unwrap_or_default(),
            cadence_ms: cadence(&measure.timestamps_ms, plan.step_ms),
        }
    }

    /// How far the fault window lies from the baseline.
    pub(crate) fn shift(&self) -> Option<Shift> {
        self.compare(&self.baseline, 0..self.baseline.natural.len(), &self.fault, 0..self.fault.natural.len())
    }

    /// How far a placebo window lies from its reference, times an allowance for drift; infinite if the series vanished
    /// (negative) or appeared in it, not a number with too few samples to say.
    pub(crate) fn placebo(&self, placebo: Placebo, allowance: f64) -> f32 {
        let range = |stretch: Stretch| {
            let first = self.clean_ms.partition_point(|&ms| ms < stretch.from);
            first..self.clean_ms.partition_point(|&ms| ms < stretch.to)
        };
        let (reference, test) = (range(placebo.reference), range(placebo.test));
        let before = self.seen(&self.clean_ms[reference.clone()], placebo.reference);
        let during = self.seen(&self.clean_ms[test.clone()], placebo.test);
        match presence(before, during, 0) {
            Presence::Vanished => return f32::NEG_INFINITY,
            Presence::Appeared => return f32::INFINITY,
            Presence::Patchy => return f32::NAN,
            Presence::Steady => {}
        }
        if !is_enough_to_test(during, self.in_baseline().share()) {
            return f32::NAN;
        }
        let shift = self.compare(&self.baseline, reference, &self.baseline, test);
        shift.map_or(f32::NAN, |shift| {
            single(if is_graded(shift.deviate) { shift.deviate * allowance } else { shift.deviate })
        })
    }

    /// The course of the baseline in blocks.
    pub(crate) fn profile(&self, blocks: Blocks) -> Profile {
        Profile::of(&self.clean_ms, &self.baseline.steady, blocks)
    }

    /// What was seen of the baseline, in clean time.
    pub(crate) fn in_baseline(&self) -> Seen<'_> {
        self.seen(&self.clean_ms, self.clean)
    }

    /// What was seen of the fault.
    pub(crate) fn in_fault(&self, fault: Window) -> Seen<'_> {
        self.seen(&self.fault.times_ms, Stretch { from: fault.from.ms(), to: fault.to.ms() })
    }

    fn seen<'a>(&self, times_ms: &'a [i64], stretch: Stretch) -> Seen<'a> {
        Seen { times_ms, stretch, cadence_ms: self.cadence_ms }
    }

    /// Whether events are too rare to be judged as a level.
    pub(crate) const fn is_sparse(&self) -> bool {
        self.sparse
    }

    fn compare(
        &self,
        before: &Part,
        reference: std::ops::Range<usize>,
        during: &Part,
        test: std::ops::Range<usize>,
    ) -> Option<Shift> {
        if self.sparse {
            return counts::shift(&before.counted(reference), &during.counted(test));
        }
        if self.nature == Nature::Epoch {
            return restart(before.natural.get(reference)?, during.natural.get(test)?);
        }
        let shift = level::shift(before.steady.get(reference)?, during.steady.get(test)?)?;
        // The root of a count follows its logarithm half as fast.
        let per_log = if self.nature == Nature::EventRate { 0.5 } else { 1.0 };
        Some(Shift { per_log_level: per_log * shift.per_log_level, ..shift })
    }
}

impl Part {
    fn of(measure: &Measure, steady: &[f64], indices: &[usize]) -> Self {
        let counted = measure.nature == Nature::EventRate;
        let seconds: Vec<f64> = if counted {
            indices.iter().map(|&index| measure.intervals_s[index]).collect()
        } else {
            Vec::new()
        };
        let natural: Vec<f64> = indices.iter().map(|&index| measure.values[index]).collect();
        Self {
            times_ms: indices.iter().map(|&index| measure.timestamps_ms[index]).collect(),
            events: natural.iter().zip(&seconds).map(|(rate, seconds)| rate * seconds).collect(),
            natural,
            steady: indices.iter().map(|&index| steady[index]).collect(),
            seconds,
        }
    }

    fn counted(&self, range: std::ops::Range<usize>) -> Counted {
        Counted { events: self.events[range.clone()].to_vec(), seconds: self.seconds[range].iter().sum() }
    }
}

/// Counts of events become twice the root of count + 3/8, whose noise is 1 at every rate (Anscombe 1948); everything
/// else keeps its unit, because the level detector finds its scale by itself.
fn steady_units(measure: &Measure) -> Vec<f64> {
    if measure.nature != Nature::EventRate {
        return measure.values.clone();
    }
    let usual = median(&measure.intervals_s);
    measure.values.iter().map(|rate| 2.0 * (rate * usual + 0.375).sqrt()).collect()
}

/// Fewer samples than this say nothing about what is normal in a stretch that could hold them.
pub(crate) const SHORTEST: usize = 3;

/// Whether a stretch holds enough samples to be held against a reference: at least three, or all where fewer are
/// possible, and half of what the series usually brings there. `usual_share` is the share of possible samples that it
/// had in the baseline.
pub(crate) fn is_enough_to_test(test: Seen, usual_share: f64) -> bool {
    let samples = test.times_ms.len() as f64;
    let possible = test.possible().floor().max(1.0);
    samples >= possible.min(SHORTEST as f64) && 2.0 * samples >= possible * usual_share
}

fn cadence(times_ms: &[i64], step_ms: i64) -> f64 {
    let gaps: Vec<f64> = times_ms.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    median(&gaps).max(step_ms as f64)
}

/// Start times that are computed from an uptime waver by rounding, never by this much.
const CLOCK_WOBBLE_S: f64 = 2.0;

/// A start time that stood still and now says something else is a restart: certain, however far the clock moved.
fn restart(reference: &[f64], test: &[f64]) -> Option<Shift> {
    let (first, last) = (reference.first()?, reference.last()?);
    let moved_from = |start: f64| move |&value: &f64| (value - start).abs() > CLOCK_WOBBLE_S;
    let moved_before = reference.iter().any(moved_from(*first));
    let moved = test.iter().any(moved_from(*last));
    let deviate = if moved && !moved_before { CERTAIN } else { 0.0 };
    (!test.is_empty()).then_some(Shift {
        deviate,
        effect: deviate,
        phi: 0.0,
        per_log_level: 0.0,
        constant: !moved_before,
    })
}

/// Statistics are kept in single precision: seven digits are more than any of them is worth.
#[allow(clippy::cast_possible_truncation)] // bounded far inside its range
pub(crate) fn single(value: f64) -> f32 {
    value.clamp(-1e30, 1e30) as f32
}
