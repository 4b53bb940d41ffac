//! Any server that speaks the HTTP API of Prometheus: Prometheus itself, Thanos, Mimir, Cortex, `VictoriaMetrics`.
//!
//! Raw samples come by `remote_read` where the server streams them, otherwise by `query_range` over raw series; both
//! give the same blocks (see [`crate::observation`]).

mod account;
mod api;
mod catalog;
mod native;
mod plan;
mod query;
mod quirks;
mod range_query;
mod remote_read;
mod selector;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use aftermath_model::SourceDescription;

use crate::address::{parse_base_address, without_credentials};
use crate::advice::QUERIES;
use crate::budget::Limits;
use crate::error::SourceError;
use crate::http::{Access, Http};
use crate::naming::ServiceNaming;
use api::Api;

/// How raw samples are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadMethod {
    /// By `remote_read` where the server streams chunks, else by `query_range`.
    #[default]
    Auto,
    /// By `remote_read`; a server that does not offer it is an error.
    RemoteRead,
    /// By `query_range`.
    QueryRange,
}

/// Which server, which of its series, and at what cost. Printing it shows no secret.
#[derive(Clone, Default)]
pub struct PrometheusConfig {
    /// The address, with the path under which the server lives: `http://mimir/prometheus`.
    pub url: String,
    /// How to get in.
    pub access: Access,
    /// PromQL series selectors; a series is read if any of them matches. Empty means every series.
    pub selectors: Vec<String>,
    /// Which labels name the service.
    pub naming: ServiceNaming,
    /// What reading may cost.
    pub limits: Limits,
    /// How raw samples are read.
    pub read: ReadMethod,
}

impl std::fmt::Debug for PrometheusConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut config = f.debug_struct("PrometheusConfig");
        config.field("url", &without_credentials(&self.url)).field("access", &self.access);
        config.field("selectors", &self.selectors).field("naming", &self.naming);
        config.field("limits", &self.limits).field("read", &self.read).finish()
    }
}

/// A server that has answered.
pub struct Prometheus {
    config: PrometheusConfig,
    api: Api,
    version: String,
    includes_left_edge: bool,
    remote: Option<RemoteRead>,
    /// Whether discovery was told that its answer is not complete.
    discovery_partial: AtomicBool,
}

/// What is known about a server that streams chunks.
struct RemoteRead {
    /// Labels that the server adds to every series; `None` where it does not tell.
    external_labels: Option<BTreeMap<String, String>>,
    /// Set when it sent an encoding that we do not know: from then on `query_range` reads.
    unusable: AtomicBool,
}

impl Prometheus {
    /// Finds out who answers at the address and what it can do.
    ///
    /// # Errors
    /// Whatever keeps it from answering as such a server does; see [`SourceError`].
    pub async fn connect(config: PrometheusConfig) -> Result<Self, SourceError> {
        let (url, in_address) = parse_base_address(&config.url)?;
        let http = Http::new(&config.access, in_address, &config.limits, QUERIES)?;
        let first = Api::new(http.for_first_questions(), url.clone());
        let includes_left_edge = first.includes_left_edge().await?;
        let version = first.build_info().await.map(|build| quirks::server_name(&build)).unwrap_or_default();
        let remote = find_remote_read(&first, config.read).await?;
        let api = Api::new(http, url);
        let discovery_partial = AtomicBool::new(false);
        Ok(Self { config, api, version, includes_left_edge, remote, discovery_partial })
    }

    /// Which server this is, without secrets.
    #[must_use]
    pub fn description(&self) -> SourceDescription {
        SourceDescription {
            kind: "prometheus".to_owned(),
            address: self.api.address(),
            version: self.version.clone(),
        }
    }

    /// How samples are read: `remote_read` or `query_range`. The samples are the same.
    #[must_use]
    pub fn reads_by(&self) -> &'static str {
        if self.usable_remote_read().is_some() { "remote_read" } else { "query_range" }
    }

    fn usable_remote_read(&self) -> Option<&RemoteRead> {
        self.remote.as_ref().filter(|remote| !remote.unusable.load(Ordering::Relaxed))
    }
}

async fn find_remote_read(api: &Api, wanted: ReadMethod) -> Result<Option<RemoteRead>, SourceError> {
    if wanted == ReadMethod::QueryRange {
        return Ok(None);
    }
    if let Err(refused) = remote_read::probe(api).await {
        return match wanted {
            ReadMethod::RemoteRead => Err(SourceError::BadSetting {
                setting: format!("reading {} by remote_read", api.address()),
                problem: refused.to_string(),
                hint: "leave out --read, so that the method is chosen automatically",
            }),
            _ => Ok(None),
        };
    }
    let external_labels = api.printed_config().await.and_then(|yaml| quirks::external_labels(&yaml));
    Ok(Some(RemoteRead { external_labels, unusable: AtomicBool::new(false) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Auth;

    #[test]
    fn a_printed_configuration_shows_no_secret() {
        let config = PrometheusConfig {
            url: "http://me:secret@h:9090/?token=secret".to_owned(),
            access: Access { auth: Auth::Bearer("secret".to_owned()), ..Access::default() },
            ..PrometheusConfig::default()
        };
        let printed = format!("{config:?}");
        assert!(!printed.contains("secret") && printed.contains("h:9090/"), "{printed}");
    }
}
