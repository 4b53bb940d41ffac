//! What the arguments mean together: every problem at once, or a run that fits.

use std::path::Path;

use aftermath_model::{Expectations, Experiment, Timeline, Timestamp, Topology, Window};
use serde::Deserialize;

use super::args::{JudgeArgs, WindowArgs};
use super::expect;
use super::times::{parse_duration_ms, parse_window};
use crate::failure::{Failure, Problems};

/// The step where nothing says otherwise, in milliseconds: the scrape interval that most Prometheus set-ups use.
pub(super) const DEFAULT_STEP_MS: i64 = 15_000;

/// What a recording says about itself, where the source is one.
#[derive(Clone, Default)]
pub(super) struct Recorded {
    /// The spacing of its samples in milliseconds.
    pub(super) step_ms: Option<i64>,
    /// From its first sample to just after the last.
    pub(super) extent: Option<Window>,
    /// What its times look like, where they look wrong.
    pub(super) unit_hint: Option<&'static str>,
    /// What was done, in an evidence file.
    pub(super) experiment: Option<Experiment>,
    /// Whether there is a recording at all.
    pub(super) is_recording: bool,
}

/// The experiment that the arguments of `judge` describe.
///
/// # Errors
/// Every problem of the arguments at once.
pub(super) fn experiment(
    args: &JudgeArgs,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<Experiment, Failure> {
    let mut problems = Problems::default();
    let replayed = recorded.experiment.as_ref();
    let before = replayed.map_or_else(Expectations::default, |experiment| experiment.expectations.clone());
    let expectations = expectations(args, before, &mut problems);
    let timeline = timeline(&args.windows, recorded, now, &mut problems);
    problems.into_result()?;
    let timeline = timeline.expect("a timeline that cannot be made is a problem, and there was none");
    let checks = replayed.map_or_else(Vec::new, |experiment| experiment.checks.clone());
    Ok(Experiment { timeline, expectations, checks })
}

/// What the arguments say, over what an evidence file already knows.
fn expectations(args: &JudgeArgs, before: Expectations, problems: &mut Problems) -> Expectations {
    let topology = args.topology.as_deref().and_then(|path| problems.check(read_topology(path)));
    let expected =
        args.expect.iter().filter_map(|text| problems.check(expect::expected_impact(text))).collect();
    let limits = args.limit.iter().filter_map(|text| problems.check(expect::metric_limit(text))).collect();
    let reach = args.expect_hops.as_deref().and_then(|text| problems.check(expect::reach(text)));
    let recover_within_ms = args.recover_within.as_deref().and_then(|text| {
        problems.check(parse_duration_ms(text).map_err(|problem| format!("--recover-within: {problem}")))
    });
    let said = Expectations {
        target: args.target.clone().or(before.target),
        expected: if args.expect.is_empty() { before.expected } else { expected },
        reach: reach.or(before.reach),
        limits: if args.limit.is_empty() { before.limits } else { limits },
        recover_within_ms: recover_within_ms.or(before.recover_within_ms),
        topology: topology.or(before.topology),
    };
    if args.expect_hops.is_some() && said.target.is_none() {
        problems.add("--expect-hops counts from the target: say which with --target SERVICE");
    }
    if args.expect_hops.is_some() && said.topology.is_none() && args.topology.is_none() {
        problems.add("--expect-hops needs to know who calls whom: give --topology FILE");
    }
    said
}

fn timeline(
    args: &WindowArgs,
    recorded: &Recorded,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Timeline> {
    let replayed = recorded.experiment.as_ref().map(|experiment| &experiment.timeline);
    let mut window = |option: &str, text: Option<&String>, replayed: Option<Window>| match text {
        Some(text) => problems.check(parse_window(option, text, now)),
        None => replayed,
    };
    let baseline = window("--baseline", args.baseline.as_ref(), replayed.map(Timeline::baseline));
    let fault = window("--fault", args.fault.as_ref(), replayed.map(Timeline::fault));
    // New windows for baseline or fault make the old recovery meaningless.
    let keeps_windows = args.baseline.is_none() && args.fault.is_none();
    let old_recovery = replayed.filter(|_| keeps_windows).and_then(Timeline::recovery);
    let recovery = window("--recovery", args.recovery.as_ref(), old_recovery);
    for (option, given, found) in [("--baseline", &args.baseline, baseline), ("--fault", &args.fault, fault)]
    {
        if given.is_none() && found.is_none() {
            problems.add(format!(
                "{option} is missing; only an evidence file that `aftermath judge` or `demo` wrote knows its windows"
            ));
        }
    }
    let exclude = exclude(&args.exclude, replayed.filter(|_| keeps_windows), now, problems);
    let step_ms = step_ms(args.step.as_deref(), replayed, recorded, problems)?;
    let timeline = Timeline::new(baseline?, fault?, recovery, exclude?, step_ms);
    check_timeline(timeline, recorded, now, problems)
}

fn exclude(
    given: &[String],
    replayed: Option<&Timeline>,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Vec<Window>> {
    if given.is_empty() {
        return Some(replayed.map_or_else(Vec::new, |timeline| timeline.exclude().to_vec()));
    }
    let windows: Vec<Option<Window>> =
        given.iter().map(|text| problems.check(parse_window("--exclude", text, now))).collect();
    windows.into_iter().collect()
}

fn step_ms(
    given: Option<&str>,
    replayed: Option<&Timeline>,
    recorded: &Recorded,
    problems: &mut Problems,
) -> Option<i64> {
    match given {
        Some(text) => problems.check(parse_duration_ms(text).map_err(|problem| format!("--step: {problem}"))),
        None => Some(replayed.map(Timeline::step_ms).or(recorded.step_ms).unwrap_or(DEFAULT_STEP_MS)),
    }
}

fn check_timeline(
    timeline: Result<Timeline, Vec<aftermath_model::TimelineProblem>>,
    recorded: &Recorded,
    now: Timestamp,
    problems: &mut Problems,
) -> Option<Timeline> {
    let timeline = match timeline {
        Ok(timeline) => timeline,
        Err(wrong) => {
            for problem in wrong {
                problems.add(problem);
            }
            return None;
        }
    };
    let before = timeline.problems_at(now);
    let in_future = !before.is_empty() && !recorded.is_recording;
    if in_future {
        for problem in before {
            problems.add(problem);
        }
    }
    for excluded in timeline.exclude() {
        if !excluded.overlaps(timeline.baseline()) {
            problems.add(format!(
                "--exclude {excluded} lies outside the baseline {}; only stretches of the baseline can be left out",
                timeline.baseline()
            ));
        }
    }
    if recorded.is_recording {
        for (name, window) in [("baseline", timeline.baseline()), ("fault", timeline.fault())] {
            if !recorded.extent.is_some_and(|extent| extent.overlaps(window)) {
                let holds = recorded
                    .extent
                    .map_or_else(|| "it holds no samples".to_owned(), |extent| format!("it holds {extent}"));
                let hint = recorded.unit_hint.map_or_else(String::new, |hint| format!("; {hint}"));
                problems.add(format!("the {name} window {window} lies outside the recording: {holds}{hint}"));
            }
        }
    }
    Some(timeline)
}

/// Refuses outputs that would overwrite each other or an input, and `-`, which names no file here.
///
/// # Errors
/// Every such pair at once.
pub(super) fn check_files(
    inputs: &[(&str, Option<&Path>)],
    outputs: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut taken: Vec<(&str, std::path::PathBuf)> =
        inputs.iter().filter_map(|(option, path)| Some((*option, real((*path)?)))).collect();
    for (option, path) in outputs.iter().filter_map(|(option, path)| Some((*option, (*path)?))) {
        if path == Path::new("-") {
            problems.add(format!("{option} - names no file; reports go to standard output by themselves"));
        }
        let place = real(path);
        // A device takes whatever comes and keeps nothing that could be lost.
        let is_device = place.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == place).filter(|_| !is_device) {
            problems
                .add(format!("{option} {} is the same file as {other}; give each its own", path.display()));
        }
        taken.push((option, place));
    }
    problems.into_result()
}

/// The windows of one quiet stretch for `learn`.
///
/// # Errors
/// Every problem of the texts at once.
pub(super) fn quiet_timeline(
    args: &WindowArgs,
    recorded: &Recorded,
    now: Timestamp,
) -> Result<Timeline, Failure> {
    let mut problems = Problems::default();
    let timeline = timeline(args, recorded, now, &mut problems);
    problems.into_result()?;
    Ok(timeline.expect("a timeline that cannot be made is a problem, and there was none"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopologyFile {
    edges: Vec<(String, String)>,
}

/// A call graph from a file.
///
/// # Errors
/// A sentence that names the file, the problem, and what is expected.
pub(super) fn read_topology(path: &Path) -> Result<Topology, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|cause| format!("--topology {shown} cannot be read: {cause}"))?;
    let file: TopologyFile = serde_json::from_str(&text).map_err(|cause| {
        format!("--topology {shown}: {cause}; expected is {{\"edges\":[[\"caller\",\"callee\"]]}}")
    })?;
    Ok(Topology { edges: file.edges.into_iter().collect() })
}
