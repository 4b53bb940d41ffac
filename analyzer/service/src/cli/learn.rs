//! `aftermath learn`: what is normal, from windows in which nothing happened.

use std::fmt::Write;
use std::path::PathBuf;

use aftermath_detect::{Copies, Follower, LearnedSummary, MOST_MOVERS, Mover, Scores};
use aftermath_model::{LearnedNull, Timeline, Timestamp};
use clap::ArgMatches;

use super::args::{LearnArgs, WindowArgs};
use super::calibrate::percent;
use super::{past_experiment, plan, render, source};
use crate::clock::now;
use crate::exit_code::ExitCode;
use crate::export::visible;
use crate::failure::{Failure, Problems};
use crate::progress::Progress;
use crate::score::score_file;

/// A recording and the windows that were given after it.
#[derive(Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) recording: PathBuf,
    baseline: String,
    fault: String,
    recovery: Option<String>,
    exclude: Vec<String>,
    /// What was done in it; `None` in a quiet one.
    pub(super) known: Option<KnownFault>,
}

/// What is known of a past experiment.
#[derive(Debug, PartialEq)]
pub(super) struct KnownFault {
    /// The service that the fault acted on.
    pub(super) target: String,
    /// A file with the call graph.
    pub(super) topology: Option<PathBuf>,
}

pub(super) fn learn(args: &LearnArgs, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    if let Some(path) = &args.show {
        let summary = aftermath_detect::summary(&aftermath_baselines::read_learned(path)?);
        render::to_stdout(shown(&summary).as_bytes())?;
        return Ok(ExitCode::Fine);
    }
    let out =
        args.out.as_deref().ok_or_else(|| Failure::bad_input("--out is missing: name the file to write"))?;
    let read = args.recording.iter().map(|path| ("--recording", Some(path.as_path())));
    let experiments = args.experiment.iter().map(|path| ("--experiment", Some(path.as_path())));
    let inputs: Vec<_> = read.chain(experiments).collect();
    plan::check_files(&inputs, &[("--out", Some(out))])?;
    let progress = Progress::on_stderr();
    let learned = if args.merge.is_empty() {
        from_windows(args, matches, &progress)?
    } else {
        let parts = args.merge.iter().map(|path| aftermath_baselines::read_learned(path));
        merged(parts.collect::<Result<_, _>>()?)?
    };
    aftermath_baselines::write_learned(out, &learned)?;
    progress.event(&format!(
        "learned from {} quiet {}: {}",
        learned.windows,
        if learned.windows == 1 { "window" } else { "windows" },
        out.display()
    ));
    Ok(ExitCode::Fine)
}

fn from_windows(args: &LearnArgs, matches: &ArgMatches, progress: &Progress) -> Result<LearnedNull, Failure> {
    let now = now()?;
    let (experiments, stretches): (Vec<Stretch>, Vec<Stretch>) =
        group(in_order(args, matches))?.into_iter().partition(|stretch| stretch.known.is_some());
    let mut windows = Vec::new();
    for (index, quiet) in stretches.iter().enumerate() {
        progress.stage(&format!("learning from window {} of {}", index + 1, stretches.len()));
        windows.push(score_stretch(quiet, args.step.as_ref(), now)?);
    }
    check_different(&stretches, &aftermath_detect::repeated(&windows))?;
    check_quiet(&stretches, &aftermath_detect::suspicious(&windows), args.force, progress)?;
    let mut learned = aftermath_detect::learn(&windows);
    drop(windows);
    for (index, experiment) in experiments.iter().enumerate() {
        progress.stage(&format!("learning from experiment {} of {}", index + 1, experiments.len()));
        let (scores, timeline) = score_stretch(experiment, args.step.as_ref(), now)?;
        let past = past_experiment::learned(experiment, &scores, &timeline, &learned)?;
        learned.experiments.extend(past);
    }
    Ok(learned)
}

/// A window that is learned from twice would count as two, and make rare things look usual.
fn check_different(stretches: &[Stretch], repeated: &[usize]) -> Result<(), Failure> {
    let mut problems = Problems::default();
    for stretch in repeated.iter().filter_map(|&index| stretches.get(index)) {
        problems.add(format!(
            "{}: the fault window {} holds the same samples as one before it; give each quiet window once",
            stretch.recording.display(),
            stretch.fault
        ));
    }
    problems.into_result()
}

fn merged(parts: Vec<LearnedNull>) -> Result<LearnedNull, Failure> {
    let shared = aftermath_detect::shared_windows(&parts);
    if shared > 0 {
        return Err(Failure::bad_input(format!(
            "{shared} quiet {} in more than one of the files to merge; windows may count once only",
            if shared == 1 { "window stands" } else { "windows stand" }
        )));
    }
    Ok(aftermath_detect::merge(parts))
}

/// What a learned file holds, for people. Writing to a string cannot fail.
fn shown(summary: &LearnedSummary) -> String {
    let mut text = String::new();
    let services = summary.services.iter().map(|service| visible(service)).collect::<Vec<_>>().join(", ");
    let _ = writeln!(
        text,
        "{} quiet {}, {} series of {} services: {services}\n",
        summary.windows,
        if summary.windows == 1 { "window" } else { "windows" },
        summary.series,
        summary.services.len()
    );
    let rows = [
        ("a quiet window failed, judged by what the others taught", summary.failed),
        ("a series that stood still moved", summary.constants_moved),
        ("a series came or went", summary.presence_changed),
    ];
    for (what, proportion) in rows {
        let _ = writeln!(text, "{what}: {}", percent(proportion));
    }
    let _ = writeln!(text, "\nWhat moves most by itself (1.0: no more between windows than within them)");
    for Mover { service, metric, windows, width } in &summary.movers {
        let of = if service.is_empty() { "(no service)".to_owned() } else { visible(service) };
        let _ = writeln!(text, "  {width:>5.1}  {} of {of}, seen moving {windows} times", visible(metric));
    }
    text.push_str(&habits_shown(summary));
    if !summary.origin_rules.is_empty() {
        let _ = writeln!(text, "\nOrigin: {}", summary.origin_basis);
        for (rule, reached) in &summary.origin_rules {
            let _ = writeln!(text, "  {reached:>5.2}  {}", rule.as_str());
        }
    }
    let _ = writeln!(text, "\nSystem p-values of the quiet windows (about the share itself if all is well)");
    for (share, value) in &summary.system_p_quantiles {
        let _ = writeln!(text, "  {:>3.0} %  {value:.3}", 100.0 * share);
    }
    text
}

/// What a learned file knows of load, seasons and copies. Writing to a string cannot fail.
fn habits_shown(summary: &LearnedSummary) -> String {
    let of = |service: &str| if service.is_empty() { "(no service)".to_owned() } else { visible(service) };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\nHow series follow the load (1.0: in proportion), known of {} of {} series",
        summary.elasticities_known, summary.series
    );
    for Follower { service, metric, elasticity, spread } in &summary.followers {
        let _ = writeln!(text, "  {elasticity:>5.2} ± {spread:.2}  {} of {}", visible(metric), of(service));
    }
    let season = match summary.seasons {
        (false, _) => "none found",
        (true, false) => "of the day",
        (true, true) => "of the day and the week",
    };
    let _ = writeln!(text, "\nSeason: {season} ({} days seen)", summary.days);
    let _ = writeln!(
        text,
        "\nMetrics that say the same and do not corroborate each other: {}",
        summary.copies.len()
    );
    for Copies { service, first, copy } in summary.copies.iter().take(MOST_MOVERS) {
        let _ = writeln!(text, "  {} says what {} says, of {}", visible(copy), visible(first), of(service));
    }
    text
}

/// Tells which windows look as if something had happened in them. A few do by chance; where most do, what would be
/// learned is the incident itself, and later incidents would pass.
fn check_quiet(
    stretches: &[Stretch],
    suspicious: &[usize],
    force: bool,
    progress: &Progress,
) -> Result<(), Failure> {
    for quiet in suspicious.iter().filter_map(|&index| stretches.get(index)) {
        progress.event(&format!(
            "warning: something may have happened in {}, fault window {}",
            quiet.recording.display(),
            quiet.fault
        ));
    }
    if force || 2 * suspicious.len() <= stretches.len() {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "{} of {} windows look as if something had happened in them, so they cannot teach what is normal; give quiet \
         ones, or --force if they are",
        suspicious.len(),
        stretches.len()
    )))
}

fn score_stretch(
    quiet: &Stretch,
    step: Option<&String>,
    now: Timestamp,
) -> Result<(Scores, Timeline), Failure> {
    let named = |mut failure: Failure| {
        for problem in &mut failure.problems {
            *problem = format!("{}: {problem}", quiet.recording.display());
        }
        failure
    };
    let recording = source::open_recording(&quiet.recording)?;
    let window_args = WindowArgs {
        baseline: Some(quiet.baseline.clone()),
        fault: Some(quiet.fault.clone()),
        recovery: quiet.recovery.clone(),
        exclude: quiet.exclude.clone(),
        step: step.cloned(),
    };
    let timeline = plan::quiet_timeline(&window_args, &source::recorded(&recording), now).map_err(named)?;
    Ok((score_file(&recording.file, &timeline)?, timeline))
}

/// The options of one command line in the order in which they were given. The parser keeps each option's values
/// apart; only their places on the line tell which windows belong to which recording.
fn in_order(args: &LearnArgs, matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let texts =
        |paths: &[PathBuf]| paths.iter().map(|path| path.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let (recordings, experiments, topologies) =
        (texts(&args.recording), texts(&args.experiment), texts(&args.topology));
    let given = [
        ("recording", &recordings),
        ("experiment", &experiments),
        ("target", &args.target),
        ("topology", &topologies),
        ("baseline", &args.baseline),
        ("fault", &args.fault),
        ("recovery", &args.recovery),
        ("exclude", &args.exclude),
    ];
    let mut placed: Vec<(usize, &'static str, String)> = Vec::new();
    for (option, values) in given {
        let indices = matches.indices_of(option).into_iter().flatten();
        placed.extend(indices.zip(values).map(|(place, value)| (place, option, value.clone())));
    }
    placed.sort();
    placed.into_iter().map(|(_, option, value)| (option, value)).collect()
}

/// What was given after one recording or experiment.
struct Given {
    /// `recording` or `experiment`.
    kind: &'static str,
    path: PathBuf,
    options: Vec<(&'static str, String)>,
}

/// Groups the options by the recording or experiment that they follow.
fn group(options: Vec<(&'static str, String)>) -> Result<Vec<Stretch>, Failure> {
    let mut problems = Problems::default();
    let mut given: Vec<Given> = Vec::new();
    for (option, value) in options {
        if option == "recording" || option == "experiment" {
            given.push(Given { kind: option, path: value.into(), options: Vec::new() });
        } else if let Some(last) = given.last_mut() {
            last.options.push((option, value));
        } else {
            problems
                .add(format!("--{option} {value} stands before any --recording; put it after its recording"));
        }
    }
    let stretches: Vec<Option<Stretch>> =
        given.into_iter().map(|given| problems.check(stretch(given))).collect();
    problems.into_result()?;
    Ok(stretches.into_iter().flatten().collect())
}

fn stretch(given: Given) -> Result<Stretch, String> {
    let Given { kind, path: recording, options } = given;
    let shown = recording.display().to_string();
    let all = |name: &str| -> Vec<String> {
        let of_name = options.iter().filter(|(option, _)| *option == name);
        of_name.map(|(_, value)| value.clone()).collect()
    };
    let one = |name: &str, what: &str| {
        let mut values = all(name);
        let count = values.len();
        values.pop().filter(|_| count == 1).ok_or_else(|| {
            format!("--{kind} {shown} is followed by {count} --{name}{what}; give exactly one")
        })
    };
    let window = |name: &str| one(name, " windows");
    let (baseline, fault) = (window("baseline")?, window("fault")?);
    let recovery = if all("recovery").is_empty() { None } else { Some(window("recovery")?) };
    let known = if kind == "experiment" {
        let topology = if all("topology").is_empty() { None } else { Some(one("topology", "")?.into()) };
        Some(KnownFault { target: one("target", "")?, topology })
    } else if let Some(option) = ["target", "topology"].into_iter().find(|&option| !all(option).is_empty()) {
        return Err(format!(
            "--recording {shown} is followed by --{option}, but it is quiet; give experiments after --experiment"
        ));
    } else {
        None
    };
    Ok(Stretch { recording, baseline, fault, recovery, exclude: all("exclude"), known })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::super::args::{Cli, Command};
    use super::*;

    fn grouped(line: &str) -> Result<Vec<Stretch>, Failure> {
        let matches = Cli::command().try_get_matches_from(line.split_whitespace()).unwrap();
        let Command::Learn(args) = Cli::from_arg_matches(&matches).unwrap().command else {
            panic!("these are the arguments of learn");
        };
        let (_, of_learn) = matches.subcommand().unwrap();
        group(in_order(&args, of_learn))
    }

    #[test]
    fn windows_belong_to_the_recording_before_them() {
        let stretches = grouped(
            "aftermath learn --out f --recording a --baseline 1..2 --fault=2..3 --exclude 1..2 --recording b \
             --fault 5..6 --baseline 4..5 --recovery 6..7",
        )
        .unwrap();
        assert_eq!(stretches.len(), 2);
        assert_eq!((stretches[0].baseline.as_str(), stretches[0].fault.as_str()), ("1..2", "2..3"));
        assert_eq!(stretches[0].exclude, ["1..2"]);
        assert_eq!(stretches[1].recovery.as_deref(), Some("6..7"));
    }

    #[test]
    fn every_recording_without_its_windows_is_named() {
        let failure =
            grouped("aftermath learn --out f --baseline 1..2 --recording a --fault 1..2 --recording b")
                .unwrap_err();
        assert_eq!(failure.problems.len(), 3, "{failure:?}");
        assert!(failure.problems[1].contains("--recording a is followed by 0 --baseline windows"));
    }

    #[test]
    fn an_experiment_has_a_target_and_a_recording_has_none() {
        let line = "aftermath learn --out f --recording a --baseline 1..2 --fault 2..3 --experiment b --target cart \
                    --fault 5..6 --baseline 4..5 --topology t.json";
        let stretches = grouped(line).unwrap();
        assert_eq!(stretches[0].known, None);
        let known = KnownFault { target: "cart".to_owned(), topology: Some("t.json".into()) };
        assert_eq!(stretches[1].known, Some(known));
        let wrong = grouped(
            "aftermath learn --out f --recording a --target cart --baseline 1..2 --fault 2..3 --experiment b --baseline \
             1..2 --fault 2..3",
        )
        .unwrap_err();
        assert!(
            wrong.problems[0].contains("--recording a is followed by --target, but it is quiet"),
            "{wrong:?}"
        );
        assert!(wrong.problems[1].contains("--experiment b is followed by 0 --target"), "{wrong:?}");
    }
}
