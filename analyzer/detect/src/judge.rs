//! What happened to the system, in one word and with reasons?
//!
//! In: scores, the timeline, what was expected, and what was learned. Out: a [`Verdict`].

mod outcome;
mod report;

use aftermath_model::{Expectations, LearnedNull, SystemEvidence, Timeline, Verdict};

use crate::calibrate::Null;
use crate::origin::origin;
use crate::scores::{Scores, SeriesScore};
use crate::service::{judge_series, services, system_p_value};
use crate::windows::Plan;

/// Everything known when the verdict is formed.
struct Case<'a> {
    plan: Plan,
    expectations: &'a Expectations,
    scores: &'a Scores,
    system: SystemEvidence,
    source_partial: bool,
}

/// Judges one experiment. `source_partial`: the source said, or showed, that its answer is not complete.
#[must_use]
pub fn judge(
    scores: &Scores,
    timeline: &Timeline,
    expectations: &Expectations,
    learned: Option<&LearnedNull>,
    source_partial: bool,
) -> Verdict {
    let series = scores.sorted();
    let null = Null::of(&series, learned);
    let judged = judge_series(&series, &null);
    let evidence = services(&judged);
    let plan = Plan::new(timeline);
    let system = system_evidence(&series, &null, &plan, learned);
    let case = Case { plan, expectations, scores, system, source_partial };
    let hits = outcome::hits(&case, &evidence);
    let (outcome, reasons) = outcome::decide(&case, &hits);
    let (findings, limits) = report::findings(&judged);
    Verdict {
        outcome,
        score: outcome::score(&hits),
        reasons,
        services: report::services(&hits),
        origin: origin(&evidence, expectations.topology.as_ref()),
        findings,
        coverage: report::coverage(scores),
        limits,
        system: case.system,
    }
}

fn system_evidence(
    series: &[&SeriesScore],
    null: &Null,
    plan: &Plan,
    learned: Option<&LearnedNull>,
) -> SystemEvidence {
    let p_value = system_p_value(series, |score| Some(null.p_value(score)));
    let learned_windows = learned.map_or(0, |learned| learned.windows);
    let basis = match (learned_windows, plan.placebos.len()) {
        (0, 0) => "theory alone: the baseline is too short for placebo windows".to_owned(),
        (0, placebos) => format!(
            "nominal: the fault window is held against {placebos} placebo windows inside the baseline, pooled over alike series"
        ),
        (windows, _) => format!("nominal: the fault window is held against {windows} learned quiet windows of this system"),
    };
    SystemEvidence {
        p_value,
        placebo_windows: learned_windows + plan.placebos.len(),
        false_alarm_rate: (learned_windows + plan.placebos.len() > 0).then_some(outcome::FAIL_AT),
        false_alarm_basis: basis,
    }
}
