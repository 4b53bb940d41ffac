//! Is the system steady enough to judge?
//!
//! In: scores, of which only the baseline counts. Out: yes, or the reasons why not. Nothing has been broken yet when
//! this is asked.

use aftermath_model::{Reason, ReasonId, Timeline};

use crate::calibrate::Null;
use crate::detectors::presence::Presence;
use crate::math::median_in_place;
use crate::scores::{Scores, SeriesScore};
use crate::service::{quiet_evidence, service_null, system_p_value};
use crate::windows::Plan;

/// The baseline must hold this many steps: with fewer, a t statistic has hardly any degrees of freedom left and there
/// is no placebo window with a reference of three samples on one side.
pub(crate) const LEAST_BASELINE_STEPS: usize = 8;
/// Rarer than this among steady systems: the gate must not stop experiments for nothing, and each stopped one costs a
/// new baseline.
const UNSTEADY_AT: f64 = 0.001;
/// A series moved if chance does as much to one steady series in a thousand.
const MOVED_DEVIATE: f64 = 3.29;
/// More than half of all series do not move at once by themselves.
const MOST_MOVED: f64 = 0.5;
/// The placebo window that ends where the fault begins; see [`Plan`].
const LAST_PLACEBO: usize = 0;

/// Whether an experiment can be judged against this baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Steadiness {
    /// It can.
    Steady,
    /// It cannot, for these reasons.
    NotSteady(Vec<Reason>),
}

/// The entry gate: whether the baseline is long and calm enough for a verdict. Fault windows are not looked at.
#[must_use]
pub fn steady(scores: &Scores, timeline: &Timeline) -> Steadiness {
    let plan = Plan::new(timeline);
    let series = scores.sorted();
    let mut reasons = Vec::new();
    if series.is_empty() {
        let text = format!("none of {} series has enough samples in the baseline", scores.series_read());
        reasons.push(Reason { id: ReasonId::NoData, text });
    }
    reasons.extend(short_baseline(&plan, series.iter().copied()));
    reasons.extend(unsteady(&series, &plan));
    if reasons.is_empty() { Steadiness::Steady } else { Steadiness::NotSteady(reasons) }
}

/// Whether the baseline is too short, said as a reason: what counts is what was recorded of it. One sample is granted
/// besides, because the rate of a running total needs two.
pub(crate) fn short_baseline<'a>(
    plan: &Plan,
    series: impl IntoIterator<Item = &'a SeriesScore>,
) -> Option<Reason> {
    let steps = plan.baseline_steps();
    let mut recorded: Vec<f64> = series
        .into_iter()
        .filter(|score| score.covers > 0 && score.presence != Presence::Appeared)
        .map(|score| score.baseline_samples as f64)
        .collect();
    let text = if steps < LEAST_BASELINE_STEPS {
        format!("the baseline holds {steps} steps after exclusions")
    } else if !recorded.is_empty() && median_in_place(&mut recorded) + 1.0 < LEAST_BASELINE_STEPS as f64 {
        let usual = median_in_place(&mut recorded);
        format!("of the {steps} steps of the baseline only {usual} were recorded of the median series")
    } else {
        return None;
    };
    Some(Reason {
        id: ReasonId::BaselineTooShort,
        text: format!("{text}; at least {LEAST_BASELINE_STEPS} are needed to know what is normal"),
    })
}

/// Why the baseline cannot carry a verdict, though it is long enough.
pub(crate) fn unsteady(series: &[&SeriesScore], plan: &Plan) -> Option<Reason> {
    common_step(series, plan).or_else(|| unsteady_end(series, plan))
}

/// Whether most of the system moved at once somewhere in the baseline. Held against the other placebo windows such a
/// step hides itself, because it widens all of them; so here each series is measured by its own noise alone, and the
/// majority decides, which single series that drift or jump do not sway.
fn common_step(series: &[&SeriesScore], plan: &Plan) -> Option<Reason> {
    let share = (0..plan.placebos.len()).map(|window| share_that_moved(series, window)).fold(0.0, f64::max);
    (share > MOST_MOVED).then(|| Reason {
        id: ReasonId::NotSteady,
        text: format!(
            "within the baseline {:.0} % of all series changed their level at the same time",
            100.0 * share
        ),
    })
}

/// The share of series that lie further from their reference in that window than their own noise allows. Series with
/// too few samples to tell did not move.
fn share_that_moved(series: &[&SeriesScore], window: usize) -> f64 {
    let deviates = series.iter().filter_map(|score| score.placebos.get(window));
    let moved = deviates.filter(|deviate| f64::from(deviate.abs()) > MOVED_DEVIATE).count();
    moved as f64 / series.len().max(1) as f64
}

/// Whether the end of the baseline would itself have been judged a hit, held against the other placebo windows. Only
/// levels count: where they stand still the baseline tells what is normal, however it trembles, and bursts in few windows
/// would stop experiments for nothing.
fn unsteady_end(series: &[&SeriesScore], plan: &Plan) -> Option<Reason> {
    let windows = plan.placebos.len();
    if windows < 2 {
        return None;
    }
    let null = Null::of_placebos(series, Some(LAST_PLACEBO)).of_levels_only();
    let quiet = service_null(series, &null, (0..windows).filter(|&window| window != LAST_PLACEBO), None);
    let last = quiet_evidence(series, &null, |score| null.placebo_p_value(score, LAST_PLACEBO));
    let p_value = system_p_value(last.into_iter().map(|evidence| quiet.p_value(evidence)).collect())?;
    (p_value <= UNSTEADY_AT).then(|| Reason {
        id: ReasonId::NotSteady,
        text: format!(
            "the end of the baseline differs from the rest of it by more than chance (p = {p_value:.1e})"
        ),
    })
}
