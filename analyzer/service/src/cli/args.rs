//! The arguments, as declared to the command line parser. What they mean together is decided in [`super::plan`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::exit_code::FailOn;

/// What did this experiment do, anywhere in the system, that nobody thought of checking?
///
/// Exit codes: 0 pass or warn, 20 fail, 30 inconclusive, 31 not steady before the fault, 2 bad usage, 1 error.
#[derive(Parser, Debug)]
#[command(name = "aftermath", version, propagate_version = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

/// A share between 0 and 1.
fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number; write a share such as 0.02".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("not a share between 0 and 1".to_owned()) }
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Break a small shop on this machine and judge what happened. Needs nothing.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// Judge a fault that happened.
    Judge(JudgeArgs),
    /// Read a stretch of time into an evidence file.
    Snapshot(SnapshotArgs),
    /// Learn what is normal from windows in which nothing happened.
    Learn(LearnArgs),
    /// Measure how often quiet windows of your system would raise a false alarm.
    Calibrate(CalibrateArgs),
    /// Render a stored JSON report.
    Report(ReportArgs),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// One process of the demo shop.
    #[cfg(feature = "demo")]
    #[command(hide = true)]
    ShopProcess {
        /// Its role and settings.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people in a terminal.
    Text,
    /// Report version 1.
    Json,
    /// For pull requests and step summaries.
    Markdown,
}

#[cfg(feature = "demo")]
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// The fault; see --list.
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Option<String>,
    /// List the faults and end.
    #[arg(long)]
    pub(super) list: bool,
    /// Fixes what the shop and its load draw by chance.
    #[arg(long, value_name = "N", default_value_t = 1, allow_hyphen_values = true)]
    pub(super) seed: u64,
    /// Leave the shop running afterwards, until Ctrl-C.
    #[arg(long)]
    pub(super) keep: bool,
    /// Where the report and the evidence go.
    #[arg(long, value_name = "FOLDER", default_value = "aftermath-demo")]
    pub(super) out: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// End with the exit code of the verdict, as judge does; without it a demo that reached a verdict ends with 0.
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<FailOn>,
}

/// Where samples are read from.
#[derive(Args, Debug)]
pub(super) struct SourceArgs {
    /// A server that speaks the Prometheus HTTP API.
    #[arg(long, value_name = "URL", conflicts_with = "recording")]
    pub(super) prometheus: Option<String>,
    /// A Parquet file: evidence, or columns ts, metric, service, labels, value.
    #[arg(long, value_name = "FILE")]
    pub(super) recording: Option<PathBuf>,
    /// Only series that match; may be repeated.
    #[arg(long = "match", value_name = "SELECTOR", conflicts_with = "recording")]
    pub(super) selectors: Vec<String>,
    /// The label that names the service; may be repeated, the first one present counts.
    #[arg(long = "service-label", value_name = "NAME", conflicts_with = "recording")]
    pub(super) service_labels: Vec<String>,
    #[command(flatten)]
    pub(super) access: AccessArgs,
}

/// How a server is reached. Secrets come from files or the environment, never from arguments.
#[derive(Args, Clone, Debug)]
pub(super) struct AccessArgs {
    /// The user for basic authentication.
    #[arg(long, value_name = "NAME", conflicts_with = "recording")]
    pub(super) user: Option<String>,
    /// A file with the password for --user [or the environment: `AFTERMATH_PASSWORD`].
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(super) password_file: Option<PathBuf>,
    /// A file with a bearer token, read anew for each request [or the environment: `AFTERMATH_BEARER_TOKEN`].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["user", "recording"])]
    pub(super) bearer_token_file: Option<PathBuf>,
    /// A further header such as `X-Scope-OrgID: tenant`; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", conflicts_with = "recording")]
    pub(super) headers: Vec<String>,
    /// Certificates (PEM) to trust instead of the system's.
    #[arg(long, value_name = "FILE", conflicts_with = "recording")]
    pub(super) ca_file: Option<PathBuf>,
    /// How samples are read.
    #[arg(long, value_enum, default_value_t = Read::Auto, conflicts_with = "recording")]
    pub(super) read: Read,
}

/// How samples are read from a Prometheus server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(clippy::enum_variant_names, reason = "remote read is the name of the protocol")]
pub(super) enum Read {
    /// By remote read where the server offers it.
    Auto,
    /// By remote read only.
    RemoteRead,
    /// By range queries only.
    QueryRange,
}

/// The windows. Times: RFC 3339, milliseconds since the epoch, or relative (-30m, now).
#[derive(Args, Debug)]
pub(super) struct WindowArgs {
    /// When the system was left alone.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) baseline: Option<String>,
    /// When the fault acted.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) fault: Option<String>,
    /// When the system was watched healing.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) recovery: Option<String>,
    /// A stretch of the baseline that belongs to another event; may be repeated.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) exclude: Vec<String>,
    /// The spacing of samples [default: that of the recording, or 15s].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) step: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct JudgeArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    /// The service that the fault acted on.
    #[arg(long, value_name = "SERVICE")]
    pub(super) target: Option<String>,
    /// A further service that may be hit, and how: `cart`, `cart:errors,latency:up`. Signals: errors, latency,
    /// saturation, traffic; then up or down. For the target it narrows down what is expected. May be repeated.
    #[arg(long, value_name = "SERVICE[:SIGNALS][:up|down]")]
    pub(super) expect: Vec<String>,
    /// Services up to so many calls away from the target may be hit: `1` for its callers, `2:callees`, `1:both`.
    #[arg(long, value_name = "N[:callers|callees|both]", allow_hyphen_values = true)]
    pub(super) expect_hops: Option<String>,
    /// What must hold during the fault, in natural units: `cart:http_error_ratio<2%`,
    /// `cart:http_request_duration_seconds p99<800ms`. May be repeated.
    #[arg(long, value_name = "SERVICE:METRIC[ MEASURE]<VALUE")]
    pub(super) limit: Vec<String>,
    /// The longest time from the end of the fault until every service that was hit is back.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) recover_within: Option<String>,
    /// A JSON file `{"edges":[["caller","callee"],…]}`.
    #[arg(long, value_name = "FILE")]
    pub(super) topology: Option<PathBuf>,
    /// What `aftermath learn` wrote for this system.
    #[arg(long, value_name = "FILE")]
    pub(super) learned: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Also write the report as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Keep the samples, so that the verdict can be replayed.
    #[arg(long, value_name = "FILE")]
    pub(super) evidence: Option<PathBuf>,
    /// From which verdict on the exit code is 20.
    #[arg(long, value_enum, default_value_t = FailOn::Fail)]
    pub(super) fail_on: FailOn,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("from").required(true).args(["prometheus", "recording", "scrape"]))]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// A /metrics address to read from now on, `URL` or `SERVICE=URL`; may be repeated.
    #[arg(long, value_name = "[SERVICE=]URL", requires = "duration",
          conflicts_with_all = ["prometheus", "recording", "selectors", "read"])]
    pub(super) scrape: Vec<String>,
    /// How long to scrape.
    #[arg(long = "for", id = "duration", value_name = "DURATION", allow_hyphen_values = true, conflicts_with_all = ["prometheus", "recording"])]
    pub(super) duration: Option<String>,
    /// The stretch of time to read from a server or a recording.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true, conflicts_with = "scrape")]
    pub(super) window: Option<String>,
    /// The spacing of samples [default: that of the recording, or 15s].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// The evidence file to write.
    #[arg(long, value_name = "FILE")]
    pub(super) evidence: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct LearnArgs {
    /// A recording; the windows that follow belong to it; may be repeated.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["show", "merge"])]
    pub(super) recording: Vec<PathBuf>,
    /// A recording of a past experiment whose target is known; the windows, --target and --topology that follow belong to
    /// it; may be repeated. It teaches which rule finds origins best, not what is normal.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["show", "merge"])]
    pub(super) experiment: Vec<PathBuf>,
    /// The service that the fault of an experiment acted on; one for each experiment.
    #[arg(long, value_name = "SERVICE", requires = "experiment")]
    pub(super) target: Vec<String>,
    /// The call graph of an experiment, a JSON file `{"edges":[["caller","callee"],…]}`.
    #[arg(long, value_name = "FILE", requires = "experiment")]
    pub(super) topology: Vec<PathBuf>,
    /// A quiet window to treat as the baseline; one for each recording. For an experiment, when it was left alone.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) baseline: Vec<String>,
    /// A quiet window to treat as the fault; one for each recording. For an experiment, when the fault acted.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) fault: Vec<String>,
    /// A quiet window to treat as the recovery.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) recovery: Vec<String>,
    /// A stretch of the baseline to leave out.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) exclude: Vec<String>,
    /// The spacing of samples [default: that of each recording].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// Learn even from windows that look as if something had happened in them.
    #[arg(long)]
    pub(super) force: bool,
    /// Join files that were learned from other windows of the same system; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recording", "show"])]
    pub(super) merge: Vec<PathBuf>,
    /// Print what a learned file holds.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["recording", "out"])]
    pub(super) show: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE", required_unless_present = "show")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("quiet").required(true).args(["prometheus", "recording"]))]
pub(super) struct CalibrateArgs {
    /// A server that speaks the Prometheus HTTP API.
    #[arg(long, value_name = "URL", conflicts_with = "recording")]
    pub(super) prometheus: Option<String>,
    /// A recording in which nothing happened; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(super) recording: Vec<PathBuf>,
    /// Only series that match; may be repeated.
    #[arg(long = "match", value_name = "SELECTOR", conflicts_with = "recording")]
    pub(super) selectors: Vec<String>,
    /// The label that names the service; may be repeated, the first one present counts.
    #[arg(long = "service-label", value_name = "NAME", conflicts_with = "recording")]
    pub(super) service_labels: Vec<String>,
    #[command(flatten)]
    pub(super) access: AccessArgs,
    /// The quiet stretch of time [default: all of a recording].
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) window: Option<String>,
    /// A stretch in which something did happen; may be repeated.
    #[arg(long, value_name = "FROM..TO", allow_hyphen_values = true)]
    pub(super) exclude: Vec<String>,
    /// How long the baseline of each judgement is.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, default_value = "30m")]
    pub(super) baseline: String,
    /// How long the pretended fault is.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, default_value = "5m")]
    pub(super) fault: String,
    /// How long the pretended recovery is.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) recovery: Option<String>,
    /// From one judgement to the next [default: the length of the fault].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) every: Option<String>,
    /// The spacing of samples [default: that of the recording, or 15s].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) step: Option<String>,
    /// What `aftermath learn` wrote for this system.
    #[arg(long, value_name = "FILE")]
    pub(super) learned: Option<PathBuf>,
    /// End with exit code 20 when a larger share of the windows fails.
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = share)]
    pub(super) at_most: Option<f64>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// A report written with --format json.
    pub(super) report: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Also write the report as one HTML file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}
