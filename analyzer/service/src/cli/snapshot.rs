//! `aftermath snapshot`: a stretch of time in an evidence file.

use super::args::SnapshotArgs;
use super::plan::{self, DEFAULT_STEP_MS};
use super::source::{Named, access, naming};
use super::times::{parse_duration_ms, parse_window};
use crate::clock::now;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, Problems};
use crate::progress::Progress;
use crate::scraping::{Scraping, parse_target};
use crate::snapshot::{self, Stretch};
use crate::source::Source;

pub(super) async fn snapshot(args: SnapshotArgs) -> Result<ExitCode, Failure> {
    let progress = Progress::on_stderr();
    plan::check_files(
        &[("--recording", args.source.recording.as_deref())],
        &[("--evidence", Some(&args.evidence))],
    )?;
    let taken = async {
        let (source, stretch) =
            if args.scrape.is_empty() { past(&args).await? } else { scraped(&args, &progress).await? };
        let catalog = source.discover(stretch.span, &progress).await?;
        snapshot::take(&source, &catalog, stretch, Some(args.evidence.clone()), &progress).await
    };
    let taken = tokio::select! {
        taken = taken => taken?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::interrupted()),
    };
    let provenance = &taken.provenance;
    for note in &provenance.notes {
        progress.event(&format!("note: {note}"));
    }
    progress.event(&format!(
        "{} series of {} in {}",
        taken.series,
        provenance.window,
        args.evidence.display()
    ));
    Ok(ExitCode::Fine)
}

async fn past(args: &SnapshotArgs) -> Result<(Source, Stretch), Failure> {
    let now = now()?;
    let mut problems = Problems::default();
    let window = args.window.as_deref().and_then(|text| problems.check(parse_window("--window", text, now)));
    let step_ms = step_ms(args, &mut problems);
    problems.into_result()?;
    let named = Named::of(&args.source)?;
    let recorded = named.recorded();
    let span = window.or(recorded.extent).ok_or_else(|| {
        Failure::bad_input("--window is missing: say which stretch to read, such as --window -1h..now")
    })?;
    if let Some(extent) = recorded.extent.filter(|extent| !extent.overlaps(span)) {
        return Err(Failure::bad_input(format!(
            "--window {span} lies outside the recording: it holds {extent}"
        )));
    }
    if span.to > now && !recorded.is_recording {
        return Err(Failure::bad_input(format!("--window {span} lies in the future (it is {now} now)")));
    }
    let step_ms = step_ms.or(recorded.step_ms).unwrap_or(DEFAULT_STEP_MS);
    Ok((named.open(&args.source).await?, Stretch::plain(span, step_ms)))
}

async fn scraped(args: &SnapshotArgs, progress: &Progress) -> Result<(Source, Stretch), Failure> {
    let mut problems = Problems::default();
    let duration_ms = args.duration.as_deref().and_then(|text| {
        problems.check(parse_duration_ms(text).map_err(|problem| format!("--for: {problem}")))
    });
    let targets: Vec<_> = args.scrape.iter().map(|text| problems.check(parse_target(text))).collect();
    let step_ms = step_ms(args, &mut problems).unwrap_or(DEFAULT_STEP_MS);
    problems.into_result()?;
    let targets = targets.into_iter().flatten().collect();
    let scraping =
        Scraping::start(targets, step_ms, naming(&args.source.service_labels), access(&args.source.access)?)
            .await?;
    let span = scraping.watch(duration_ms.unwrap_or(step_ms), progress).await?;
    Ok((Source::Scrape(scraping), Stretch::plain(span, step_ms)))
}

fn step_ms(args: &SnapshotArgs, problems: &mut Problems) -> Option<i64> {
    let text = args.step.as_deref()?;
    problems.check(parse_duration_ms(text).map_err(|problem| format!("--step: {problem}")))
}
