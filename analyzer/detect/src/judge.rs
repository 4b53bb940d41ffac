//! What happened to the system, in one word and with reasons?
//!
//! In: scores, the timeline, what was expected, and what was learned. Out: a [`Verdict`].

mod detectable;
mod foreseen;
mod hit;
mod limits;
mod outcome;
mod report;
mod system;

use aftermath_model::{Expectations, LearnedNull, Reason, Timeline, Verdict};

use crate::calibrate::Null;
use crate::learn::fit::likeness;
use crate::load;
use crate::origin::origin;
use crate::pattern::patterns;
use crate::scores::Scores;
use crate::service::{judge_series, service_null, services};
use crate::steady::unsteady;
use crate::windows::Plan;
use detectable::{Sensitivity, in_half_of};

pub(crate) use outcome::FAIL_AT;

/// Everything known when the verdict is formed, apart from the services.
struct Case<'a> {
    plan: Plan,
    expectations: &'a Expectations,
    scores: &'a Scores,
    unsteady: Option<Reason>,
    source_partial: bool,
    /// Whether most of the system was not seen any more once the fault had ended.
    watch_ended: bool,
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
    let null = Null::of(&series, timeline, learned);
    let judged = judge_series(&series, &null);
    let quiet = service_null(&series, &null, 0..plan.placebos.len(), learned);
    let evidence = services(&judged, &null, &quiet, patterns(&series, &null, &plan));
    let alike = learned.filter(|learned| likeness(learned, timeline) >= 1.0);
    let mut system = system::evidence(&evidence, system::placebo_windows(&series), alike);
    let unsteady = unsteady(&series, &plan);
    let watch_ended = outcome::most(&series, |score| score.after.silent);
    let case = Case { plan, expectations, scores, unsteady, source_partial, watch_ended };
    let sensitivity = Sensitivity { null: &null, quiet: &quiet, services: evidence.len() };
    let hits = hit::hits(&case, &evidence, |service| sensitivity.of(service));
    system.detectable_effect = in_half_of(hits.len(), hits.iter().map(|hit| hit.detectable.as_ref()));
    let (outcome, reasons) = outcome::decide(&case, &hits);
    let (findings, mut limits) = report::findings(&judged, &evidence, &hits);
    limits.extend(report::load_note(load::change(&series)));
    limits.extend(limits::unmeasured_notes(&expectations.limits, scores));
    limits.extend(null.habit_notes(&series));
    limits.extend(report::learned_note(learned.is_some() && alike.is_none()));
    limits.extend(report::moved_note(outcome, system.p_value));
    let (origin, origin_basis) = origin(&evidence, expectations.topology.as_ref(), learned);
    limits.extend(report::lone_metric_note(outcome, &hits));
    Verdict {
        outcome,
        score: outcome::score(outcome, &hits),
        reasons,
        system,
        services: report::services(&hits),
        origin,
        origin_basis,
        propagation: report::propagation(&hits),
        findings,
        coverage: report::coverage(scores),
        limits,
    }
}
