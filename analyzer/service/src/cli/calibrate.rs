//! `aftermath calibrate`: how often this system would raise a false alarm.

use std::fmt::Write;
use std::path::PathBuf;

use aftermath_detect::Proportion;
use aftermath_model::{LearnedNull, Outcome, Timeline, Verdict, Window};
use serde::Serialize;

use super::args::{CalibrateArgs, Format, SourceArgs};
use super::plan::{DEFAULT_STEP_MS, Recorded};
use super::render;
use super::source::{Named, open_recording, recorded};
use super::times::{parse_duration_ms, parse_window};
use crate::calibrate::{Calibration, Shape, independent, judge_quiet, quiet_timelines, summarise};
use crate::clock::now;
use crate::exit_code::ExitCode;
use crate::export::visible;
use crate::failure::{Failure, Problems};
use crate::progress::Progress;
use crate::snapshot::{self, Stretch};

pub(super) async fn calibrate(args: CalibrateArgs) -> Result<ExitCode, Failure> {
    let progress = Progress::on_stderr();
    let asked = Asked::of(&args)?;
    let learned = args.learned.as_deref().map(aftermath_baselines::read_learned).transpose()?;
    let calibrated = async {
        if args.recording.is_empty() {
            from_server(&args, &asked, learned, &progress).await
        } else {
            from_files(&args, &asked, learned.as_ref(), &progress)
        }
    };
    let calibration = tokio::select! {
        calibration = calibrated => calibration?,
        _ = tokio::signal::ctrl_c() => return Err(Failure::interrupted()),
    };
    progress.done();
    let text = match args.format {
        Format::Json => json(&calibration)?,
        Format::Text | Format::Markdown => markdown(&calibration),
    };
    render::to_stdout(text.as_bytes())?;
    let too_often = args
        .at_most
        .is_some_and(|limit| calibration.rate(Outcome::Fail).rate().is_some_and(|rate| rate > limit));
    Ok(if too_often { ExitCode::Fail } else { ExitCode::Fine })
}

/// What the arguments ask for.
struct Asked {
    shape: Shape,
    window: Option<Window>,
    exclude: Vec<Window>,
    step_ms: Option<i64>,
}

impl Asked {
    fn of(args: &CalibrateArgs) -> Result<Self, Failure> {
        let now = now()?;
        let mut problems = Problems::default();
        let mut duration = |option: &str, text: &str| {
            let read = parse_duration_ms(text).map_err(|problem| format!("{option}: {problem}"));
            problems.check(read)
        };
        let baseline_ms = duration("--baseline", &args.baseline);
        let fault_ms = duration("--fault", &args.fault);
        let recovery_ms = args.recovery.as_deref().map(|text| duration("--recovery", text));
        let every_ms = args.every.as_deref().map(|text| duration("--every", text));
        let step_ms = args.step.as_deref().map(|text| duration("--step", text));
        let mut window = |option: &str, text: &str| problems.check(parse_window(option, text, now));
        let stretch = args.window.as_deref().map(|text| window("--window", text));
        let exclude: Vec<Option<Window>> =
            args.exclude.iter().map(|text| window("--exclude", text)).collect();
        if args.recording.is_empty() && args.window.is_none() {
            problems.add("--window is missing: say which quiet stretch to read, such as --window -24h..now");
        }
        problems.into_result()?;
        let (baseline_ms, fault_ms) = (baseline_ms.unwrap_or_default(), fault_ms.unwrap_or_default());
        let shape = Shape {
            baseline_ms,
            fault_ms,
            recovery_ms: recovery_ms.flatten().unwrap_or_default(),
            every_ms: every_ms.flatten().unwrap_or(fault_ms),
        };
        refuse_repeated(&args.recording)?;
        Ok(Self {
            shape,
            window: stretch.flatten(),
            exclude: exclude.into_iter().flatten().collect(),
            step_ms: step_ms.flatten(),
        })
    }

    fn timelines(&self, recorded: &Recorded) -> Result<Vec<Timeline>, Failure> {
        let step_ms = self.step_ms.or(recorded.step_ms).unwrap_or(DEFAULT_STEP_MS);
        let Some(extent) = self.window.or(recorded.extent) else { return Ok(Vec::new()) };
        let count = extent.duration_ms() / self.shape.every_ms.max(1);
        if self.shape.every_ms < step_ms || count > WINDOWS_MAX {
            return Err(Failure::bad_input(format!(
                "--every {} ms over {} would make some {count} judgements; give a larger --every, at least the step \
                 of {step_ms} ms and at most {WINDOWS_MAX} windows",
                self.shape.every_ms, extent
            )));
        }
        Ok(quiet_timelines(extent, self.shape, &self.exclude, step_ms))
    }
}

/// As many judgements as a night has time for: each reads the whole stretch once.
const WINDOWS_MAX: i64 = 20_000;

/// The same samples twice would count as twice the evidence.
fn refuse_repeated(recordings: &[PathBuf]) -> Result<(), Failure> {
    let mut problems = Problems::default();
    for (index, path) in recordings.iter().enumerate() {
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        if recordings[..index].iter().any(|other| real(other) == real(path)) {
            problems
                .add(format!("--recording {} is given twice; its windows would count twice", path.display()));
        }
    }
    problems.into_result()
}

fn from_files(
    args: &CalibrateArgs,
    asked: &Asked,
    learned: Option<&LearnedNull>,
    progress: &Progress,
) -> Result<Calibration, Failure> {
    let (mut verdicts, mut free) = (Vec::<Verdict>::new(), 0);
    for path in &args.recording {
        progress.stage(&format!("looking through {}", path.display()));
        let recording = open_recording(path)?;
        let timelines = asked.timelines(&recorded(&recording))?;
        free += independent(&timelines);
        progress.stage(&format!("judging {} quiet windows of {}", timelines.len(), path.display()));
        verdicts.extend(judge_quiet(&recording.file, &timelines, learned, progress)?);
    }
    summary(&verdicts, free)
}

async fn from_server(
    args: &CalibrateArgs,
    asked: &Asked,
    learned: Option<LearnedNull>,
    progress: &Progress,
) -> Result<Calibration, Failure> {
    let source_args = SourceArgs {
        prometheus: args.prometheus.clone(),
        recording: None,
        selectors: args.selectors.clone(),
        service_labels: args.service_labels.clone(),
        access: args.access.clone(),
    };
    let source = Named::of(&source_args)?.open(&source_args).await?;
    let span = asked.window.ok_or_else(|| Failure::bad_input("--window is missing"))?;
    let stretch = Stretch::plain(span, asked.step_ms.unwrap_or(DEFAULT_STEP_MS));
    let catalog = source.discover(span, progress).await?;
    let taken = snapshot::take(&source, &catalog, stretch, None, progress).await?;
    let timelines = asked.timelines(&Recorded::default())?;
    let free = independent(&timelines);
    progress.stage(&format!("judging {} quiet windows", timelines.len()));
    let verdicts =
        tokio::task::block_in_place(|| judge_quiet(&taken.file, &timelines, learned.as_ref(), progress))?;
    summary(&verdicts, free)
}

fn summary(verdicts: &[Verdict], independent_windows: usize) -> Result<Calibration, Failure> {
    if verdicts.is_empty() {
        return Err(Failure::bad_input(
            "no window of this shape fits: give a longer --window or recording, or shorter --baseline, --fault and --recovery",
        ));
    }
    Ok(summarise(verdicts, independent_windows))
}

/// A share as people read it, with its 95 % interval.
pub(super) fn percent(proportion: Proportion) -> String {
    let Some(rate) = proportion.rate() else { return "not measured".to_owned() };
    format!(
        "{:.1} % ({} of {}; 95 %: {:.1} to {:.1} %)",
        100.0 * rate,
        proportion.hits,
        proportion.trials,
        100.0 * proportion.lower,
        100.0 * proportion.upper
    )
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Warn => "warn",
        Outcome::Fail => "fail",
        Outcome::Inconclusive => "inconclusive",
    }
}

/// The calibration for people. Writing to a string cannot fail.
fn markdown(calibration: &Calibration) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} quiet windows were judged as if a fault had been there; {} of them share no sample with each other.\n",
        calibration.windows, calibration.independent_windows
    );
    let _ = writeln!(text, "| verdict | how often |\n|---|---|");
    for (outcome, proportion) in &calibration.outcomes {
        let _ = writeln!(text, "| {} | {} |", word(*outcome), percent(*proportion));
    }
    if calibration.failed_on_one_metric.hits > 0 {
        let _ = writeln!(
            text,
            "| fail by the word of a single latency or error metric | {} |",
            percent(calibration.failed_on_one_metric)
        );
    }
    if !calibration.services.is_empty() {
        let _ = writeln!(text, "\n| service said to be hit | how often |\n|---|---|");
    }
    for (service, proportion) in &calibration.services {
        let _ = writeln!(text, "| {} | {} |", visible(service), percent(*proportion));
    }
    if !calibration.metrics.is_empty() {
        let _ = writeln!(text, "\n| metric that moved by itself | of service | how often |\n|---|---|---|");
    }
    for (service, metric, proportion) in &calibration.metrics {
        let _ = writeln!(text, "| {} | {} | {} |", visible(metric), visible(service), percent(*proportion));
    }
    let _ = writeln!(text);
    for sentence in &calibration.advice {
        let _ = writeln!(text, "- {}", visible(sentence));
    }
    if calibration.advice.is_empty() {
        let _ = writeln!(text, "- nothing needs to be changed");
    }
    text
}

#[derive(Serialize)]
struct CalibrationV1<'a> {
    calibration_version: u32,
    windows: usize,
    independent_windows: usize,
    verdicts: Vec<Share<'a>>,
    failed_on_one_metric: Share<'a>,
    services: Vec<Share<'a>>,
    metrics: Vec<MetricShare<'a>>,
    reasons: Vec<ReasonCount>,
    advice: &'a [String],
}

#[derive(Serialize)]
struct Share<'a> {
    name: &'a str,
    hits: usize,
    trials: usize,
    rate: Option<f64>,
    lower_95: f64,
    upper_95: f64,
}

#[derive(Serialize)]
struct MetricShare<'a> {
    metric: &'a str,
    service: &'a str,
    hits: usize,
    trials: usize,
}

#[derive(Serialize)]
struct ReasonCount {
    id: &'static str,
    windows: usize,
}

fn share(name: &str, proportion: Proportion) -> Share<'_> {
    let Proportion { hits, trials, lower, upper } = proportion;
    Share { name, hits, trials, rate: proportion.rate(), lower_95: lower, upper_95: upper }
}

fn json(calibration: &Calibration) -> Result<String, Failure> {
    let version_1 = CalibrationV1 {
        calibration_version: 1,
        windows: calibration.windows,
        independent_windows: calibration.independent_windows,
        verdicts: calibration.outcomes.iter().map(|(outcome, it)| share(word(*outcome), *it)).collect(),
        failed_on_one_metric: share("fail", calibration.failed_on_one_metric),
        services: calibration.services.iter().map(|(service, it)| share(service, *it)).collect(),
        metrics: calibration
            .metrics
            .iter()
            .map(|(service, metric, it)| MetricShare { metric, service, hits: it.hits, trials: it.trials })
            .collect(),
        reasons: calibration
            .reasons
            .iter()
            .map(|(id, windows)| ReasonCount { id: id.as_str(), windows: *windows })
            .collect(),
        advice: &calibration.advice,
    };
    let mut text = serde_json::to_string_pretty(&version_1).map_err(Failure::error)?;
    text.push('\n');
    Ok(text)
}
