//! `aftermath judge`: a fault that happened.

use aftermath_baselines::OutputFile;

use super::args::JudgeArgs;
use super::{plan, render, source};
use crate::clock::now;
use crate::driver::Driver;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::run::{Run, run};

pub(super) async fn judge(args: JudgeArgs) -> Result<ExitCode, Failure> {
    let now = now()?;
    let progress = Progress::on_stderr();
    plan::check_files(
        &[
            ("--recording", args.source.recording.as_deref()),
            ("--learned", args.learned.as_deref()),
            ("--topology", args.topology.as_deref()),
        ],
        &[("--html", args.html.as_deref()), ("--evidence", args.evidence.as_deref())],
    )?;
    let named = source::Named::of(&args.source)?;
    let experiment = plan::experiment(&args, &named.recorded(), now)?;
    let learned = args.learned.as_deref().map(aftermath_baselines::read_learned).transpose()?;
    // A page that cannot be written is told before minutes of reading, not after.
    let page = args.html.as_deref().map(OutputFile::create).transpose()?;
    progress.stage("opening the source");
    let source = named.open(&args.source).await?;

    let run_plan =
        Run { source, driver: Driver::Past(Box::new(experiment)), learned, evidence: args.evidence.clone() };
    let judged = tokio::select! {
        judged = run(run_plan, &progress) => judged?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::interrupted()),
    };
    progress.done();
    if let Some(page) = page {
        page.complete(judged.report.to_html().as_bytes())?;
    }
    let written = [("report", &args.html), ("evidence", &args.evidence)];
    let files = written
        .into_iter()
        .filter_map(|(what, path)| path.as_deref().map(|path| render::file(what, path)))
        .collect();
    render::report(&judged.report, args.format, files)?;
    Ok(ExitCode::of(&judged.verdict, args.fail_on))
}
