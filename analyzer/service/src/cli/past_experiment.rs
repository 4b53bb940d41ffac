//! `aftermath learn --experiment`: how well each rule for the origin found the target of an experiment.

use aftermath_detect::Scores;
use aftermath_model::{LearnedNull, PastExperiment, Timeline};

use super::learn::Stretch;
use super::plan;
use crate::failure::Failure;
use crate::score::listed;

/// What the experiment teaches; nothing of a quiet stretch.
///
/// # Errors
/// A [`Failure`] that names the experiment, where its call graph cannot be read or its target is no service of it.
pub(super) fn learned(
    stretch: &Stretch,
    scores: &Scores,
    timeline: &Timeline,
    learned: &LearnedNull,
) -> Result<Option<PastExperiment>, Failure> {
    let Some(known) = &stretch.known else { return Ok(None) };
    let shown = stretch.recording.display();
    let topology = known.topology.as_deref().map(plan::read_topology).transpose();
    let topology =
        topology.map_err(|problem| Failure::bad_input(format!("--experiment {shown}: {problem}")))?;
    let past =
        aftermath_detect::past_experiment(scores, timeline, &known.target, topology.as_ref(), Some(learned));
    past.map(Some).map_err(|services| {
        let there: Vec<&str> = services.iter().map(String::as_str).collect();
        Failure::bad_input(format!(
            "--experiment {shown}: --target {}: there is no such service in it; there are {}",
            known.target,
            listed(&there)
        ))
    })
}
