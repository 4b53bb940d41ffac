//! What happened to the system, in one word and with reasons?
//!
//! In: scores, the timeline, what was expected, and what was learned. Out: a [`Verdict`].

mod outcome;
mod report;

use aftermath_model::{Expectations, LearnedNull, Reason, SystemEvidence, Timeline, Verdict};

use crate::calibrate::Null;
use crate::origin::origin;
use crate::scores::Scores;
use crate::service::{Service, judge_series, service_null, services, system_p_value};
use crate::steady::unsteady_end;
use crate::windows::Plan;

/// Everything known when the verdict is formed, apart from the services.
struct Case<'a> {
    plan: Plan,
    expectations: &'a Expectations,
    scores: &'a Scores,
    unsteady: Option<Reason>,
    source_partial: bool,
}

/// Judges one experiment. `source_partial`: the source said, or showed, that its answer is not complete.
///
/// Every service of the scores stands in `services` and, unless it has no name, in `origin`; series that no label
/// assigns to a service stand under the empty name.
#[must_use]
pub fn judge(
    scores: &Scores,
    timeline: &Timeline,
    expectations: &Expectations,
    learned: Option<&LearnedNull>,
    source_partial: bool,
) -> Verdict {
    let series = scores.sorted();
    let plan = Plan::new(timeline);
    let null = Null::of(&series, learned);
    let judged = judge_series(&series, &null);
    let quiet = service_null(&series, &null, 0..plan.placebos.len(), learned);
    let evidence = services(&judged, &quiet);
    let system = system_evidence(&evidence, &plan, learned);
    let unsteady = unsteady_end(&series, &plan);
    let case = Case { plan, expectations, scores, unsteady, source_partial };
    let hits = outcome::hits(&case, &evidence);
    let (outcome, reasons) = outcome::decide(&case, &hits);
    let (findings, mut limits) = report::findings(&judged, &hits);
    limits.extend(report::load_note(null.load));
    Verdict {
        outcome,
        score: outcome::score(&hits),
        reasons,
        system,
        services: report::services(&hits),
        origin: origin(&evidence, expectations.topology.as_ref()),
        findings,
        coverage: report::coverage(scores),
        limits,
    }
}

fn system_evidence(services: &[Service], plan: &Plan, learned: Option<&LearnedNull>) -> SystemEvidence {
    let p_value = system_p_value(services.iter().map(|service| service.p_value).collect());
    let (placebos, quiet) = (plan.placebos.len(), learned.map_or(0, |learned| learned.windows));
    let basis = match (quiet, placebos) {
        (0, 0) => "none: the baseline is too short for placebo windows, so the p-values rest on theory alone"
            .to_owned(),
        (0, _) => format!(
            "the level of the test, held against {placebos} placebo windows inside the baseline; not measured on this system"
        ),
        _ => format!("the level of the test, held against {quiet} learned quiet windows of this system"),
    };
    SystemEvidence {
        p_value,
        placebo_windows: placebos + quiet,
        false_alarm_rate: (placebos + quiet > 0).then_some(outcome::FAIL_AT),
        false_alarm_basis: basis,
    }
}
