//! Is the system steady enough to judge?
//!
//! In: scores, of which only the baseline counts. Out: yes, or the reasons why not. Nothing has been broken yet when this
//! is asked.

use aftermath_model::{Reason, ReasonId, Timeline};

use crate::calibrate::Null;
use crate::scores::Scores;
use crate::service::system_p_value;
use crate::windows::Plan;

/// The baseline must hold this many steps to tell noise from change: with fewer, a t statistic has hardly any degrees of
/// freedom left.
const LEAST_BASELINE_STEPS: usize = 8;

/// Whether an experiment can be judged against this baseline.
#[derive(Clone, Debug, PartialEq)]
pub enum Steadiness {
    /// It can.
    Steady,
    /// It cannot, for these reasons.
    NotSteady(Vec<Reason>),
}

/// The entry gate: whether the baseline is long and calm enough for a verdict.
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
    let null = Null::of(&series, None);
    let last_alarms = system_p_value(&series, |score| null.placebo_p_value(score, 0)).is_some_and(|p| p <= ALARM);
    if last_alarms {
        let text = "the end of the baseline differs from its beginning by more than chance".to_owned();
        reasons.push(Reason { id: ReasonId::NotSteady, text });
    }
    if reasons.is_empty() { Steadiness::Steady } else { Steadiness::NotSteady(reasons) }
}

/// The end of the baseline alarms only once in a thousand steady systems.
const ALARM: f64 = 0.001;

/// Whether the baseline is too short, said as a reason.
pub(crate) fn short_baseline(plan: &Plan) -> Option<Reason> {
    let steps = plan.baseline_steps();
    (steps < LEAST_BASELINE_STEPS).then(|| Reason {
        id: ReasonId::BaselineTooShort,
        text: format!(
            "the baseline holds {steps} steps after exclusions; at least {LEAST_BASELINE_STEPS} are needed to know what is normal"
        ),
    })
}
