//! The order of the stages. Nothing else knows it, and nothing in here knows a vendor, a format or a formula.
//!
//! discover → observe → snapshot → gate → drive → observe → score → judge → export

use std::path::PathBuf;

use aftermath_detect::Steadiness;
use aftermath_model::{Experiment, LearnedNull, Verdict};

use crate::driver::Driver;
use crate::export::{ChartSeries, Report};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::snapshot::{Snapshot, Stretch};
use crate::source::Source;
use crate::{charts, score, snapshot};

/// What a run is given.
pub struct Run {
    /// Where the samples come from.
    pub source: Source,
    /// What breaks the system, or when it was broken.
    pub driver: Driver,
    /// What earlier quiet windows taught.
    pub learned: Option<LearnedNull>,
    /// Where the samples are kept; `None` forgets them at the end.
    pub evidence: Option<PathBuf>,
}

/// A verdict and everything that leaves the program about it.
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// What was done.
    pub experiment: Experiment,
    /// The report, version 1.
    pub report: Report,
}

/// Carries out a run from the first question to the report.
///
/// # Errors
/// A [`Failure`] where a stage cannot do its work. A verdict of fail or inconclusive is not a failure.
pub async fn run(run: Run, progress: &Progress) -> Result<Judged, Failure> {
    let Run { source, driver, learned, evidence } = run;

    if let Some(before) = driver.take_baseline(progress).await? {
        let catalog = source.discover(before.timeline.baseline(), progress).await?;
        let baseline = snapshot::take(&source, &catalog, Stretch::of(&before), None, progress).await?;
        let scores = score::score(&baseline, &before.timeline, progress).await?;
        if let Steadiness::NotSteady(reasons) = aftermath_detect::steady(&scores, &before.timeline) {
            let verdict = Verdict::without_judgement(reasons, baseline.series);
            return Ok(export(verdict, before, &baseline, Vec::new()));
        }
    }

    let experiment = driver.drive(progress).await?;

    let catalog = source.discover(experiment.timeline.span(), progress).await?;
    let evidence = snapshot::take(&source, &catalog, Stretch::of(&experiment), evidence, progress).await?;
    let scores = score::score(&evidence, &experiment.timeline, progress).await?;
    score::check_learned(&scores, learned.as_ref())?;
    score::check_names(&experiment.expectations, &scores)?;
    let verdict = score::judge(scores, &experiment, learned, evidence.provenance.partial).await?;

    let charts = charts::draw(&evidence, &experiment.timeline, &verdict).await?;
    Ok(export(verdict, experiment, &evidence, charts))
}

fn export(verdict: Verdict, experiment: Experiment, evidence: &Snapshot, charts: Vec<ChartSeries>) -> Judged {
    let report = Report::new(&verdict, &experiment, &evidence.provenance, charts);
    Judged { verdict, experiment, report }
}
