//! The stages `score` and `judge`, off the threads that talk to the world.

use std::sync::Arc;

use aftermath_baselines::{Evidence, RunIter};
use aftermath_detect::{Scorer, Scores};
use aftermath_metrics::recording::{FamilyBlocks, RecordingError, RowOrder};
use aftermath_model::{Block, Expectations, Experiment, LearnedNull, Timeline, Verdict};

use crate::export::visible;
use crate::failure::{Failure, Problems};
use crate::progress::Progress;
use crate::snapshot::Snapshot;

/// Series that are scored together: enough to keep every core busy, few enough to stay small in memory
/// (1,000 series of 1,000 samples are 16 MB).
const SERIES_AT_ONCE: usize = 1_000;

/// Scores every series of a snapshot.
///
/// # Errors
/// A [`Failure`] when the evidence cannot be read.
pub async fn score(snapshot: &Snapshot, timeline: &Timeline, progress: &Progress) -> Result<Scores, Failure> {
    progress.stage("scoring every series");
    let (file, timeline) = (Arc::clone(&snapshot.file), timeline.clone());
    tokio::task::spawn_blocking(move || score_file(&file, &timeline)).await.map_err(Failure::error)?
}

/// Scores every series of a file.
///
/// # Errors
/// A [`Failure`] when the file cannot be read.
pub fn score_file(file: &Evidence, timeline: &Timeline) -> Result<Scores, Failure> {
    let scorer = Scorer::new(timeline);
    let mut all = Scores::default();
    let mut waiting = Block::default();
    for block in blocks(file) {
        waiting.series.extend(block?.series);
        if waiting.series.len() >= SERIES_AT_ONCE {
            all.merge(scorer.score(&std::mem::take(&mut waiting)));
        }
    }
    all.merge(scorer.score(&waiting));
    Ok(all)
}

/// The blocks of a file: complete families.
pub fn blocks(file: &Evidence) -> impl Iterator<Item = Result<Block, Failure>> + '_ {
    family_blocks(file).map(|block| block.map_err(recording_failure))
}

/// The families of a file. Only our own evidence is known to keep their rows together.
pub(crate) fn family_blocks(file: &Evidence) -> FamilyBlocks<RunIter<'_>> {
    let order = if file.meta().is_some() { RowOrder::FamiliesTogether } else { RowOrder::Unknown };
    FamilyBlocks::new(file.runs(), order)
}

/// Words for a recording that cannot be read.
#[must_use]
pub fn recording_failure(problem: RecordingError<aftermath_baselines::BaselineError>) -> Failure {
    match problem {
        RecordingError::File(problem) => problem.into(),
        other => Failure::bad_input(other),
    }
}

/// Judges what was scored.
///
/// # Errors
/// A [`Failure`] when the judgement panics, which is a defect of this program.
pub async fn judge(
    scores: Scores,
    experiment: &Experiment,
    learned: Option<LearnedNull>,
    partial: bool,
) -> Result<Verdict, Failure> {
    let Experiment { timeline, expectations, .. } = experiment.clone();
    tokio::task::spawn_blocking(move || {
        aftermath_detect::judge(&scores, &timeline, &expectations, learned.as_ref(), partial)
    })
    .await
    .map_err(Failure::error)
}

/// Whether what was learned belongs to this system: the habits of another one would make its chance the measure.
///
/// # Errors
/// A [`Failure`] that says how little of the system the learned file knows.
pub fn check_learned(scores: &Scores, learned: Option<&LearnedNull>) -> Result<(), Failure> {
    let Some(learned) = learned else { return Ok(()) };
    let fit = aftermath_detect::fit(scores, learned);
    if fit.is_fit() {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "--learned was learned from another system: it knows {} of {} services and {} of {} series; learn from quiet \
         windows of this one",
        fit.services_known, fit.services, fit.series_known, fit.series
    )))
}

/// Whether the target and the expected services exist: a misspelt name would turn what was expected into a surprise,
/// or a fault that bit into one that did not.
///
/// # Errors
/// A [`Failure`] that names every unknown service and those there are.
pub fn check_names(expectations: &Expectations, scores: &Scores) -> Result<(), Failure> {
    let known: Vec<&str> = scores.services().into_iter().collect();
    if known.is_empty() {
        return Ok(());
    }
    let is_known = |name: &str| known.contains(&name);
    let mut problems = Problems::default();
    let named = expectations.target.iter().map(|name| ("--target", name));
    let expected = expectations.expected.iter().map(|impact| ("--expect", &impact.service));
    let limited = expectations.limits.iter().map(|limit| ("--limit", &limit.service));
    for (option, name) in named.chain(expected).chain(limited) {
        if !is_known(name) {
            let meant = aftermath_detect::similar(name, known.iter().copied());
            let hint = meant.map_or_else(String::new, |names| format!(", did you mean {}?", visible(&names)));
            problems.add(format!(
                "{option} {name}: there is no such service{hint}; there are {}",
                listed(&known)
            ));
        }
    }
    problems.into_result()
}

/// Names in a sentence; beyond the first few only their number.
pub(crate) fn listed(names: &[&str]) -> String {
    const NAMED_MAX: usize = 20;
    let shown = names.iter().take(NAMED_MAX).map(|name| visible(name)).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
