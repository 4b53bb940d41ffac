//! From arguments to an open source.

use std::path::Path;
use std::sync::Arc;

use aftermath_baselines::Evidence;
use aftermath_metrics::prometheus::{Auth, Prometheus, PrometheusConfig, ReadMethod};
use aftermath_metrics::recording::discover;

use super::args::{AccessArgs, Read, SourceArgs};
use super::plan::Recorded;
use crate::failure::{Failure, Problems};
use crate::score::recording_failure;
use crate::source::{Recording, Server, Source, source_failure};

/// The environment variable with the password for `--user`.
const PASSWORD_VARIABLE: &str = "AFTERMATH_PASSWORD";
/// The environment variable with a bearer token.
const TOKEN_VARIABLE: &str = "AFTERMATH_BEARER_TOKEN";

/// Opens the source that the arguments name.
///
/// # Errors
/// A [`Failure`] when there is none, or when it refuses.
pub(super) async fn open(args: &SourceArgs) -> Result<(Source, Recorded), Failure> {
    match (&args.prometheus, &args.recording) {
        (Some(url), _) => {
            let config = config(url, args)?;
            let selectors = config.selectors.clone();
            let service_labels = config.naming.labels().to_vec();
            let prometheus = Prometheus::connect(config).await.map_err(source_failure)?;
            let server = Server { prometheus, selectors, service_labels };
            Ok((Source::Prometheus(Box::new(server)), Recorded::default()))
        }
        (None, Some(path)) => {
            let recording = open_recording(path)?;
            let recorded = recorded(&recording);
            Ok((Source::Recording(recording), recorded))
        }
        (None, None) => Err(Failure::bad_input(
            "nothing to read from: give --prometheus URL or --recording FILE (`aftermath judge --help`)",
        )),
    }
}

/// Opens a recording and looks through it.
///
/// # Errors
/// A [`Failure`] that names the file.
pub(super) fn open_recording(path: &Path) -> Result<Recording, Failure> {
    let file = Evidence::open(path)?;
    let summary = discover(file.runs()).map_err(recording_failure)?;
    Ok(Recording { file: Arc::new(file), summary })
}

/// What a recording says about itself.
pub(super) fn recorded(recording: &Recording) -> Recorded {
    let meta = recording.file.meta();
    Recorded {
        step_ms: meta.map(|meta| meta.provenance.step_ms).or(recording.summary.step_ms),
        extent: recording.summary.extent,
        experiment: meta.and_then(|meta| meta.experiment.clone()),
        is_recording: true,
    }
}

fn config(url: &str, args: &SourceArgs) -> Result<PrometheusConfig, Failure> {
    let mut problems = Problems::default();
    let auth = problems.check(auth(&args.access));
    let headers: Vec<Option<(String, String)>> =
        args.access.headers.iter().map(|text| problems.check(header(text))).collect();
    problems.into_result()?;
    let mut config = PrometheusConfig::new(url);
    config.auth = auth.unwrap_or(Auth::None);
    config.headers = headers.into_iter().flatten().collect();
    config.ca_file.clone_from(&args.access.ca_file);
    config.selectors.clone_from(&args.selectors);
    if !args.service_labels.is_empty() {
        config.naming = aftermath_metrics::ServiceNaming::by(args.service_labels.clone());
    }
    config.read = match args.access.read {
        Read::Auto => ReadMethod::Auto,
        Read::RemoteRead => ReadMethod::RemoteRead,
        Read::QueryRange => ReadMethod::QueryRange,
    };
    Ok(config)
}

fn auth(access: &AccessArgs) -> Result<Auth, String> {
    if let Some(path) = &access.bearer_token_file {
        return Ok(Auth::BearerFile(path.clone()));
    }
    if let Some(user) = &access.user {
        let password = match &access.password_file {
            Some(path) => std::fs::read_to_string(path)
                .map_err(|cause| format!("--password-file {}: {cause}", path.display()))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            None => std::env::var(PASSWORD_VARIABLE).map_err(|_| {
                format!("--user {user} needs --password-file FILE or the environment variable {PASSWORD_VARIABLE}")
            })?,
        };
        return Ok(Auth::Basic { user: user.clone(), password });
    }
    Ok(std::env::var(TOKEN_VARIABLE).map_or(Auth::None, Auth::Bearer))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| format!("--header `{text}` has no colon; write `X-Scope-OrgID: tenant`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
