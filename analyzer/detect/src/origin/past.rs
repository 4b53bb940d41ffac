//! How well does each rule find the target of an experiment that is known?

use aftermath_model::{LearnedNull, OriginScorer, PastExperiment, Timeline, Topology};

use super::{ranking, suspects};
use crate::calibrate::Null;
use crate::pattern::patterns;
use crate::scores::Scores;
use crate::service::{judge_series, service_null, services};
use crate::windows::Plan;

/// The place of the known target in the ranking of every rule, for [`LearnedNull::experiments`]. `learned` is what quiet
/// windows of the same system taught, as [`judge`](crate::judge) will use it.
///
/// # Errors
/// The services that can be ranked, sorted, if the target is none of them.
pub fn past_experiment(
    scores: &Scores,
    timeline: &Timeline,
    target: &str,
    topology: Option<&Topology>,
    learned: Option<&LearnedNull>,
) -> Result<PastExperiment, Vec<String>> {
    let series = scores.sorted();
    let plan = Plan::new(timeline);
    let null = Null::of(&series, timeline, learned);
    let judged = judge_series(&series, &null);
    let quiet = service_null(&series, &null, 0..plan.placebos.len(), learned);
    let services = services(&judged, &null, &quiet, patterns(&series, &null, &plan));
    let suspects = suspects(&services);
    if !suspects.contains_key(target) {
        return Err(suspects.into_keys().map(str::to_owned).collect());
    }
    let rank = |scorer| {
        let ranked = ranking(&suspects, topology, scorer);
        1 + ranked.iter().take_while(|candidate| candidate.service != target).count()
    };
    let ranks = OriginScorer::ALL.into_iter().map(|scorer| (scorer, rank(scorer))).collect();
    Ok(PastExperiment { target: target.to_owned(), services: suspects.len(), ranks })
}
