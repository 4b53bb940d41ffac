//! Is the system steady enough to judge?
//!
//! In: scores, of which only the baseline counts. Out: yes, or the reasons why not. Nothing has been broken yet when
//! this is asked.

use aftermath_model::{Reason, ReasonId, Timeline};

use crate::calibrate::Null;
use crate::scores::{Scores, SeriesScore};
use crate::service::{quiet_evidence, service_null, system_p_value};
use crate::windows::Plan;

/// The baseline must hold this many steps: with fewer, a t statistic has hardly any degrees of freedom left and there
/// is no placebo window with a reference of three samples on one side.
const LEAST_BASELINE_STEPS: usize = 8;
/// Rarer than this among steady systems: the gate must not stop experiments for nothing, and each stopped one costs a
/// new baseline.
const UNSTEADY_AT: f64 = 0.001;
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
    reasons.extend(short_baseline(&plan));
    reasons.extend(unsteady_end(&series, &plan));
    if reasons.is_empty() { Steadiness::Steady } else { Steadiness::NotSteady(reasons) }
}

/// Whether the baseline is too short, said as a reason.
pub(crate) fn short_baseline(plan: &Plan) -> Option<Reason> {
    let steps = plan.baseline_steps();
    (steps < LEAST_BASELINE_STEPS).then(|| Reason {
        id: ReasonId::BaselineTooShort,
        text: format!(
            "the baseline holds {steps} steps after exclusions; at least {LEAST_BASELINE_STEPS} are needed to know \
             what is normal"
        ),
    })
}

/// Whether the end of the baseline would itself have been judged a hit, held against the other placebo windows.
pub(crate) fn unsteady_end(series: &[&SeriesScore], plan: &Plan) -> Option<Reason> {
    let windows = plan.placebos.len();
    if windows < 2 {
        return None;
    }
    let null = Null::of_placebos(series, Some(LAST_PLACEBO));
    let quiet = service_null(series, &null, (0..windows).filter(|&window| window != LAST_PLACEBO), None);
    let last = quiet_evidence(series, |score| null.placebo_p_value(score, LAST_PLACEBO));
    let p_value = system_p_value(last.into_iter().map(|evidence| quiet.p_value(evidence)).collect())?;
    (p_value <= UNSTEADY_AT).then(|| Reason {
        id: ReasonId::NotSteady,
        text: format!(
            "the end of the baseline differs from the rest of it by more than chance (p = {p_value:.1e})"
        ),
    })
}
