//! Which samples of one measure belong to which stretch, in the units that the statistics want?
//!
//! In: a [`Measure`] and the [`Plan`]. Out: a [`Cut`] that compares any two stretches.

use std::borrow::Cow;
use std::ops::Range;

use aftermath_model::Window;

use crate::detectors::counts::{self, Counted, SPARSE_BELOW};
use crate::detectors::level::{CERTAIN, Precision, Shift, Standardized, is_graded, shift_of_constant};
use crate::detectors::presence::{Presence, Seen, presence};
use crate::detectors::running::Running;
use crate::detectors::sides::{LEAST_SAMPLES, Sides};
use crate::math::{mean, median, median_in_place};
use crate::prepare::{Measure, Nature};
use crate::profile::{Blocks, Profile};
use crate::recovery::Normal;
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
    /// Whether no sample is missing anywhere in the baseline.
    gapless: bool,
    /// Of a series that has a noise of its own.
    pub(crate) standardized: Option<Standardized>,
    /// What is normal for it; `None` where nothing was seen before the fault.
    pub(crate) normal: Option<Normal>,
}

impl Cut {
    pub(crate) fn new(measure: &Measure, plan: &Plan) -> Self {
        let steady = steady_units(measure);
        let times_ms = &measure.timestamps_ms;
        let within = |window: Window| {
            let first = times_ms.partition_point(|&ms| ms < window.from.ms());
            first..times_ms.partition_point(|&ms| ms < window.to.ms()).max(first)
        };
        let clean: Vec<(Range<usize>, i64)> =
            plan.clean_segments().map(|(segment, offset_ms)| (within(segment), offset_ms)).collect();
        let clean_ms = clean
            .iter()
            .flat_map(|(range, offset_ms)| times_ms[range.clone()].iter().map(move |&ms| ms - offset_ms));
        let clean_ms = clean_ms.collect();
        let part = |ranges: &mut dyn Iterator<Item = Range<usize>>| {
            let mut part = Part::default();
            ranges.for_each(|range| part.append(measure, &steady, range));
            part
        };
        let baseline = part(&mut clean.into_iter().map(|(range, _)| range));
        let window = |window: Window| part(&mut std::iter::once(within(window)));
        let fault = window(plan.fault);
        let sparse = measure.nature == Nature::EventRate && mean(&baseline.events) < SPARSE_BELOW;
        let graded = !sparse && measure.nature != Nature::Epoch && baseline.steady.len() >= SHORTEST;
        let standardized = if graded { Standardized::of(&baseline.steady, &fault.steady) } else { None };
        let normal = standardized.as_ref().map_or_else(
            || Normal::of(&baseline.steady),
            |known| {
                Some(Normal::scaled(
                    known.scale,
                    &known.baseline.values.moments(known.baseline.values.whole()),
                ))
            },
        );
        let mut cut = Self {
            nature: measure.nature,
            sparse,
            baseline,
            clean_ms,
            clean: plan.clean(),
            fault,
            recovery: plan.recovery.map(window).unwrap_or_default(),
            cadence_ms: cadence(&measure.timestamps_ms, plan.step_ms),
            gapless: false,
            standardized,
            normal,
        };
        cut.gapless = cut.in_baseline().longest_silence().is_none_missing();
        cut
    }

    /// How far the fault window lies from the baseline.
    pub(crate) fn shift(&self) -> Option<Shift> {
        let (before, during) = (0..self.baseline.natural.len(), 0..self.fault.natural.len());
        if let Some(standardized) = &self.standardized {
            return standardized.shift().map(|shift| self.per_log(shift));
        }
        self.compare_ungraded(before, &self.fault, during)
    }

    /// How else the fault window differs from the baseline; `None` where the fault is too short to have a shape.
    pub(crate) fn sides(&self) -> Option<Sides> {
        let standardized = self.standardized.as_ref().filter(|_| self.fault.steady.len() >= LEAST_SAMPLES)?;
        Some(Sides::of_fault(standardized))
    }

    /// How far a placebo window lies from its reference, times an allowance for drift; infinite if the series vanished
    /// (negative) or appeared in it, not a number with too few samples to say.
    pub(crate) fn placebo(&self, placebo: Placebo, allowance: f64) -> f32 {
        let (reference, test) = (self.range(placebo.reference), self.range(placebo.test));
        match self.placebo_presence(placebo, &reference, &test) {
            Presence::Vanished => return f32::NEG_INFINITY,
            Presence::Appeared => return f32::INFINITY,
            Presence::Patchy => return f32::NAN,
            Presence::Steady => {}
        }
        let during = self.seen(&self.clean_ms[test.clone()], placebo.test);
        if !is_enough_to_test(during, self.in_baseline().share()) {
            return f32::NAN;
        }
        let shift = match &self.standardized {
            Some(standardized) => standardized.placebo(reference, test),
            None => self.compare_ungraded(reference, &self.baseline, test),
        };
        shift.map_or(f32::NAN, |shift| {
            single(if is_graded(shift.deviate) { shift.deviate * allowance } else { shift.deviate })
        })
    }

    /// How else a placebo window differs from its reference; `None` where that cannot be told.
    pub(crate) fn placebo_sides(&self, placebo: Placebo) -> Option<Sides> {
        let (reference, test) = (self.range(placebo.reference), self.range(placebo.test));
        let standardized = self.standardized.as_ref().filter(|_| test.len() >= LEAST_SAMPLES)?;
        Some(Sides::of_placebo(standardized, reference, test))
    }

    fn range(&self, stretch: Stretch) -> Range<usize> {
        let first = self.clean_ms.partition_point(|&ms| ms < stretch.from);
        first..self.clean_ms.partition_point(|&ms| ms < stretch.to)
    }

    fn placebo_presence(&self, placebo: Placebo, reference: &Range<usize>, test: &Range<usize>) -> Presence {
        if self.gapless && !reference.is_empty() && !test.is_empty() {
            return Presence::Steady;
        }
        let before = self.seen(&self.clean_ms[reference.clone()], placebo.reference);
        presence(before, self.seen(&self.clean_ms[test.clone()], placebo.test), 0)
    }

    /// The course of the baseline in blocks.
    pub(crate) fn profile(&self, blocks: Blocks) -> Profile {
        match &self.standardized {
            Some(standardized) => Profile::of(&self.clean_ms, &standardized.baseline.values, blocks),
            None if self.sparse => {
                Profile::of(&self.clean_ms, &Running::of(self.baseline.steady.clone()), blocks)
            }
            None => Profile::default(),
        }
    }

    /// What was seen of the baseline, in clean time.
    pub(crate) fn in_baseline(&self) -> Seen<'_> {
        self.seen(&self.clean_ms, self.clean)
    }

    /// What was seen of the fault.
    pub(crate) fn in_fault(&self, fault: Window) -> Seen<'_> {
        self.in_stretch(&self.fault.times_ms, fault)
    }

    /// What was seen of a window, of the samples at these times.
    pub(crate) fn in_stretch<'a>(&self, times_ms: &'a [i64], window: Window) -> Seen<'a> {
        self.seen(times_ms, Stretch { from: window.from.ms(), to: window.to.ms() })
    }

    fn seen<'a>(&self, times_ms: &'a [i64], stretch: Stretch) -> Seen<'a> {
        Seen { times_ms, stretch, cadence_ms: self.cadence_ms }
    }

    /// How often a start time moved from the end of the baseline to the end of the fault; 0 for everything else.
    pub(crate) fn restarts(&self) -> usize {
        if self.nature != Nature::Epoch {
            return 0;
        }
        let starts: Vec<f64> =
            self.baseline.natural.last().into_iter().chain(&self.fault.natural).copied().collect();
        starts.windows(2).filter(|pair| (pair[1] - pair[0]).abs() > CLOCK_WOBBLE_S).count()
    }

    /// Whether events are too rare to be judged as a level.
    pub(crate) const fn is_sparse(&self) -> bool {
        self.sparse
    }

    /// The change of rare events, of a start time, or of a series that never moved before.
    fn compare_ungraded(&self, reference: Range<usize>, during: &Part, test: Range<usize>) -> Option<Shift> {
        let before = &self.baseline;
        if self.sparse {
            return counts::shift(&before.counted(reference), &during.counted(test));
        }
        if self.nature == Nature::Epoch {
            return restart(before.natural.get(reference)?, during.natural.get(test)?);
        }
        let (before, during) = (before.steady.get(reference)?, during.steady.get(test)?);
        let enough = before.len() >= SHORTEST && !during.is_empty();
        enough.then(|| shift_of_constant(before[0], before.len(), during, 1e-9 * before[0].abs()))
    }

    /// The root of a count follows its logarithm half as fast.
    fn per_log(&self, shift: Shift) -> Shift {
        let is_root = self.nature == Nature::EventRate;
        let per_log = if is_root { 0.5 } else { 1.0 };
        let precision = Precision { is_root, ..shift.precision };
        Shift { per_log_level: per_log * shift.per_log_level, precision, ..shift }
    }
}

impl Part {
    fn append(&mut self, measure: &Measure, steady: &[f64], range: Range<usize>) {
        let natural = &measure.values[range.clone()];
        if measure.nature == Nature::EventRate {
            let seconds = &measure.intervals_s[range.clone()];
            self.events.extend(natural.iter().zip(seconds).map(|(rate, seconds)| rate * seconds));
            self.seconds.extend_from_slice(seconds);
        }
        self.natural.extend_from_slice(natural);
        self.times_ms.extend_from_slice(&measure.timestamps_ms[range.clone()]);
        self.steady.extend_from_slice(&steady[range]);
    }

    fn counted(&self, range: std::ops::Range<usize>) -> Counted {
        Counted { events: self.events[range.clone()].to_vec(), seconds: self.seconds[range].iter().sum() }
    }
}

/// Counts of events become twice the root of count + 3/8, whose noise is 1 at every rate (Anscombe 1948). Shares of
/// observations that lie elsewhere than usual are added to 1, so that what matters of them is a share of all
/// observations. Everything else keeps its unit, because the level detector finds its scale by itself.
fn steady_units(measure: &Measure) -> Cow<'_, [f64]> {
    match measure.nature {
        Nature::EventRate => {}
        Nature::Shape => return measure.values.iter().map(|share| 1.0 + share).collect(),
        Nature::Level | Nature::Rate | Nature::Epoch => return Cow::Borrowed(&measure.values),
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
    let mut gaps = times_ms.windows(2).map(|pair| pair[1] - pair[0]);
    let first = gaps.next().unwrap_or(step_ms);
    if gaps.all(|gap| gap == first) {
        return first.max(step_ms) as f64;
    }
    let mut gaps: Vec<f64> = times_ms.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    median_in_place(&mut gaps).max(step_ms as f64)
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
        per_log_level: 0.0,
        constant: !moved_before,
        precision: Precision::NONE,
    })
}

/// Statistics are kept in single precision: seven digits are more than any of them is worth.
#[allow(clippy::cast_possible_truncation)] // bounded far inside its range
pub(crate) fn single(value: f64) -> f32 {
    value.clamp(-1e30, 1e30) as f32
}
