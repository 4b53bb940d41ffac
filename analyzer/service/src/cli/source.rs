//! From arguments to an open source.

use std::path::Path;
use std::sync::Arc;

use aftermath_baselines::Evidence;
use aftermath_metrics::recording::discover;
use aftermath_metrics::{Access, Auth, Limits, Prometheus, PrometheusConfig, ReadMethod, ServiceNaming};

use super::args::{AccessArgs, Read, SourceArgs};
use super::plan::Recorded;
use crate::failure::{Failure, Problems};
use crate::score::recording_failure;
use crate::source::{Recording, Server, Source, source_failure};

/// The environment variable with the password for `--user`.
const PASSWORD_VARIABLE: &str = "AFTERMATH_PASSWORD";
/// The environment variable with a bearer token.
const TOKEN_VARIABLE: &str = "AFTERMATH_BEARER_TOKEN";

/// A source that was named. Files are looked into at once; a server is asked only when all arguments are known to fit.
pub(super) enum Named<'a> {
    /// A server, not yet asked.
    Prometheus(&'a str),
    /// A file, already looked into.
    Recording(Recording),
}

impl<'a> Named<'a> {
    /// The source that the arguments name.
    ///
    /// # Errors
    /// A [`Failure`] when there is none, or when the file cannot be read.
    pub(super) fn of(args: &'a SourceArgs) -> Result<Self, Failure> {
        match (&args.prometheus, &args.recording) {
            (Some(url), _) => Ok(Self::Prometheus(url)),
            (None, Some(path)) => open_recording(path).map(Self::Recording),
            (None, None) => Err(Failure::bad_input(
                "nothing to read from: give --prometheus URL or --recording FILE (`aftermath judge --help`)",
            )),
        }
    }

    /// What the source says about itself without being asked.
    pub(super) fn recorded(&self) -> Recorded {
        match self {
            Self::Prometheus(_) => Recorded::default(),
            Self::Recording(recording) => recorded(recording),
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// A [`Failure`] when the server refuses.
    pub(super) async fn open(self, args: &SourceArgs) -> Result<Source, Failure> {
        let url = match self {
            Self::Recording(recording) => return Ok(Source::Recording(recording)),
            Self::Prometheus(url) => url,
        };
        let config = config(url, args)?;
        let selectors = config.selectors.clone();
        let service_labels = config.naming.labels().to_vec();
        let prometheus = Prometheus::connect(config).await.map_err(source_failure)?;
        Ok(Source::Prometheus(Box::new(Server { prometheus, selectors, service_labels })))
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
        unit_hint: recording.summary.unit_hint,
        experiment: meta.and_then(|meta| meta.experiment.clone()),
        is_recording: true,
    }
}

fn config(url: &str, args: &SourceArgs) -> Result<PrometheusConfig, Failure> {
    let read = match args.access.read {
        Read::Auto => ReadMethod::Auto,
        Read::RemoteRead => ReadMethod::RemoteRead,
        Read::QueryRange => ReadMethod::QueryRange,
    };
    Ok(PrometheusConfig {
        url: url.to_owned(),
        access: access(&args.access)?,
        selectors: args.selectors.clone(),
        naming: naming(&args.service_labels),
        limits: Limits::default(),
        read,
    })
}

/// How a server or a page is reached.
///
/// # Errors
/// Every setting that cannot be used, at once.
pub(super) fn access(args: &AccessArgs) -> Result<Access, Failure> {
    let mut problems = Problems::default();
    let auth = problems.check(auth(args));
    let headers: Vec<Option<(String, String)>> =
        args.headers.iter().map(|text| problems.check(header(text))).collect();
    problems.into_result()?;
    Ok(Access {
        auth: auth.unwrap_or(Auth::None),
        headers: headers.into_iter().flatten().collect(),
        ca_file: args.ca_file.clone(),
    })
}

/// The labels that were given, or the usual ones.
pub(super) fn naming(service_labels: &[String]) -> ServiceNaming {
    if service_labels.is_empty() {
        return ServiceNaming::default();
    }
    ServiceNaming::by(service_labels.to_vec())
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
                format!(
                    "--user {user} needs --password-file FILE or the environment variable {PASSWORD_VARIABLE}"
                )
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
