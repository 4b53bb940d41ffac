//! What happened to the system, in one word and with reasons?
//!
//! In: scores, the timeline, what was expected, and what was learned. Out: a [`Verdict`].

mod outcome;
mod report;
mod system;

use aftermath_model::{Expectations, LearnedNull, Reason, Timeline, Verdict};

use crate::calibrate::Null;
use crate::origin::origin;
use crate::pattern::patterns;
use crate::scores::Scores;
use crate::service::{judge_series, service_null, services};
use crate::steady::unsteady;
use crate::windows::Plan;

pub(crate) use outcome::FAIL_AT;

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
    let evidence = services(&judged, &null, &quiet, patterns(&series, &null, &plan));
    let system = system::evidence(&evidence, system::placebo_windows(&series), learned);
    let unsteady = unsteady(&series, &plan);
    let case = Case { plan, expectations, scores, unsteady, source_partial };
    let hits = outcome::hits(&case, &evidence);
    let (outcome, reasons) = outcome::decide(&case, &hits);
    let (findings, mut limits) = report::findings(&judged, &evidence, &hits);
    limits.extend(report::load_note(null.load));
    Verdict {
        outcome,
        score: outcome::score(outcome, &hits),
        reasons,
        system,
        services: report::services(&hits),
        origin: origin(&evidence, expectations.topology.as_ref()),
        findings,
        coverage: report::coverage(scores),
        limits,
    }
}
