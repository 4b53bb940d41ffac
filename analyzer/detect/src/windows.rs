//! Which stretches of time are compared with which: the fault with the baseline, and placebo windows inside the
//! baseline with the rest of it.
//!
//! In: a [`Timeline`]. Out: a [`Plan`], the same for every series, so that placebo windows line up across the
//! system. Excluded stretches are cut out of the baseline and the rest is joined: *clean time* counts the
//! milliseconds of what remains.

use aftermath_model::{Timeline, Window};

use crate::profile::Blocks;

/// At most this many placebo windows: each costs four bytes a series and one pass over its samples, and the
/// smallest p-value that 24 windows of the whole system can prove is already 4 %.
pub(crate) const MOST_PLACEBOS: usize = 24;

/// A stretch of clean time in milliseconds, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// A quiet stretch that is judged as if the fault had been there, and what it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placebo {
    pub(crate) reference: Stretch,
    pub(crate) test: Stretch,
}

/// The comparisons of one experiment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    segments: Vec<Window>,
    clean_ms: i64,
    pub(crate) fault: Window,
    pub(crate) recovery: Option<Window>,
    pub(crate) step_ms: i64,
    pub(crate) placebos: Vec<Placebo>,
}

impl Plan {
    pub(crate) fn new(timeline: &Timeline) -> Self {
        let segments = clean_segments(timeline);
        let clean_ms = segments.iter().map(|segment| segment.duration_ms()).sum();
        let step_ms = timeline.step_ms();
        let placebos = placebos(clean_ms, timeline.fault().duration_ms(), step_ms);
        Self { segments, clean_ms, fault: timeline.fault(), recovery: timeline.recovery(), step_ms, placebos }
    }

    /// The whole of the clean baseline.
    pub(crate) const fn clean(&self) -> Stretch {
        Stretch { from: 0, to: self.clean_ms }
    }

    /// The blocks that a series' course is kept in.
    pub(crate) fn blocks(&self) -> Blocks {
        Blocks::of(self.clean_ms, self.step_ms)
    }

    /// The stretches of the baseline that were kept, each with what is to be taken off its times to get clean time.
    pub(crate) fn clean_segments(&self) -> impl Iterator<Item = (Window, i64)> {
        self.segments.iter().scan(0, |before, &segment| {
            let offset_ms = segment.from.ms() - *before;
            *before += segment.duration_ms();
            Some((segment, offset_ms))
        })
    }

    /// How many steps of clean baseline there are.
    pub(crate) fn baseline_steps(&self) -> usize {
        usize::try_from(self.clean_ms / self.step_ms).unwrap_or(0)
    }

    /// By how much placebo statistics must be widened because no placebo window lies as far from its reference as the
    /// fault from the baseline: drift grows like the root of the distance between the middles of the windows, as
    /// that of a random walk. 1 where the baseline is long enough.
    pub(crate) fn drift_allowance(&self) -> f64 {
        let length = |stretch: Stretch| stretch.to - stretch.from;
        let farthest =
            self.placebos.iter().map(|placebo| length(placebo.reference) + length(placebo.test)).max();
        let fault = (self.clean_ms + self.fault.duration_ms()) as f64;
        farthest.map_or(1.0, |farthest| (fault / farthest as f64).max(1.0).sqrt())
    }

    /// How many steps the fault lasts.
    pub(crate) fn fault_steps(&self) -> usize {
        usize::try_from(self.fault.duration_ms() / self.step_ms).unwrap_or(0)
    }
}

fn clean_segments(timeline: &Timeline) -> Vec<Window> {
    let mut segments = vec![timeline.baseline()];
    for cut in timeline.exclude() {
        segments = segments
            .into_iter()
            .flat_map(|segment| {
                let before = Window::new(segment.from, cut.from.min(segment.to));
                let after = Window::new(cut.to.max(segment.from), segment.to);
                [before, after].into_iter().flatten()
            })
            .collect();
    }
    segments
}

/// Placebo windows as long as the fault, or a third of the baseline where the fault is longer than that. Each is
/// compared with a stretch on one side only, at least half the baseline, because the fault too lies on one side
/// of its baseline: forward in time in the second half, backward in the first. The first one ends where the baseline
/// ends.
fn placebos(clean_ms: i64, fault_ms: i64, step_ms: i64) -> Vec<Placebo> {
    let length = fault_ms.min(clean_ms / 3 / step_ms * step_ms);
    let half = clean_ms / 2;
    if length < step_ms {
        return Vec::new();
    }
    let per_side = usize::try_from((clean_ms - half) / length).unwrap_or(0);
    let kept = per_side.min(MOST_PLACEBOS / 2);
    (0..kept)
        .flat_map(|index| {
            let offset = i64::try_from(index * per_side / kept).unwrap_or(0) * length;
            let forward = Placebo {
                reference: Stretch { from: 0, to: clean_ms - offset - length },
                test: Stretch { from: clean_ms - offset - length, to: clean_ms - offset },
            };
            let backward = Placebo {
                reference: Stretch { from: offset + length, to: clean_ms },
                test: Stretch { from: offset, to: offset + length },
            };
            [forward, backward]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use aftermath_model::Timestamp;

    use super::*;

    fn window(from: i64, to: i64) -> Window {
        let at = |ms| Timestamp::from_ms(ms).expect("inside the calendar");
        Window::new(at(from), at(to)).expect("not empty")
    }

    fn plan(baseline: i64, fault: i64, exclude: Vec<Window>) -> Plan {
        let fault = window(baseline, baseline + fault);
        Plan::new(&Timeline::new(window(0, baseline), fault, None, exclude, 10).expect("fits"))
    }

    #[test]
    fn placebos_lie_inside_the_clean_baseline_beside_their_reference() {
        for (baseline, fault) in [(1200, 200), (250, 30), (800, 800), (90, 30), (30, 30)] {
            let plan = plan(baseline, fault, Vec::new());
            assert!(!plan.placebos.is_empty() && plan.placebos.len() <= MOST_PLACEBOS);
            for Placebo { reference, test } in &plan.placebos {
                assert!(reference.to == test.from || test.to == reference.from, "{plan:?}");
                assert!(reference.from.min(test.from) >= 0 && reference.to.max(test.to) <= baseline);
                assert!(2 * (reference.to - reference.from) >= baseline - 20, "{plan:?}");
            }
        }
    }

    #[test]
    fn the_first_placebo_ends_where_the_baseline_ends() {
        assert_eq!(plan(1200, 200, Vec::new()).placebos[0].test, Stretch { from: 1000, to: 1200 });
    }

    #[test]
    fn excluded_stretches_are_cut_out_and_the_rest_is_joined() {
        let plan = plan(1000, 100, vec![window(200, 300), window(900, 1200)]);
        assert_eq!(plan.baseline_steps(), 80);
        let segments: Vec<(Window, i64)> = plan.clean_segments().collect();
        assert_eq!(segments, [(window(0, 200), 0), (window(300, 900), 100)]);
    }

    #[test]
    fn only_a_short_baseline_needs_an_allowance_for_drift() {
        assert!(plan(1200, 50, Vec::new()).drift_allowance() < 1.05);
        assert!(plan(800, 800, Vec::new()).drift_allowance() > 1.3);
    }
}
