//! The endpoints of the query API, each as one call.

use std::collections::BTreeMap;
use std::sync::Arc;

use aftermath_model::Window;
use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::quirks::{BuildInfo, EDGE_PROBE, HARMLESS_PARAMETERS, includes_left_edge};
use super::wire::{Answer, Matrix, Vector, decode};
use crate::address::plain;
use crate::error::SourceError;
use crate::http::{Ask, Http};

type Form = Vec<(&'static str, String)>;

/// The types that each family declares, by family name.
pub(crate) type Metadata = BTreeMap<String, Vec<Declaration>>;

/// What one target says about a family.
#[derive(Deserialize)]
pub(crate) struct Declaration {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
}

#[derive(Deserialize)]
struct PrintedConfig {
    yaml: String,
}

/// A server and its query API.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) http: Http,
    base: Url,
    /// Whether the server knows the functions of native histograms, once it was asked.
    knows_native_histograms: Arc<OnceCell<bool>>,
}

impl Api {
    pub(crate) fn new(http: Http, base: Url) -> Self {
        Self { http, base, knows_native_histograms: Arc::default() }
    }

    /// Whether the server knows native histograms at all; asked once.
    pub(crate) async fn knows_native_histograms(&self) -> Result<bool, SourceError> {
        let asked = self.knows_native_histograms.get_or_try_init(|| async {
            match self.query("histogram_count(vector(1))".to_owned(), 0).await {
                Ok(_) => Ok(true),
                Err(SourceError::Rejected { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        });
        asked.await.copied()
    }

    /// The address without credentials and without a slash at its end.
    pub(crate) fn address(&self) -> String {
        plain(&self.base).trim_end_matches('/').to_owned()
    }

    /// The address of an endpoint below whatever path the server lives under.
    pub(crate) fn endpoint(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/api/v1/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &Form,
    ) -> Result<Answer<T>, SourceError> {
        let mut url = self.endpoint(path);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        decode(&plain(&url), &self.http.read(&url, Ask::Get).await?)
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, mut form: Form) -> Result<Answer<T>, SourceError> {
        form.extend(HARMLESS_PARAMETERS.map(|(name, value)| (name, value.to_owned())));
        let url = self.endpoint(path);
        decode(&plain(&url), &self.http.read(&url, Ask::Form(&form)).await?)
    }

    /// Every metric name with samples around the window, optionally only of series that match.
    pub(crate) async fn names(
        &self,
        selector: Option<&str>,
        window: Window,
    ) -> Result<Answer<Vec<String>>, SourceError> {
        let mut parameters = bounds(window.from.ms(), window.to.ms());
        parameters.extend(selector.map(|selector| ("match[]", selector.to_owned())));
        self.get("label/__name__/values", &parameters).await
    }

    /// The label sets of the series that match and have samples around the times.
    pub(crate) async fn series(
        &self,
        selector: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Answer<Vec<BTreeMap<String, String>>>, SourceError> {
        let mut form = bounds(from_ms, to_ms);
        form.push(("match[]", selector.to_owned()));
        self.post("series", form).await
    }

    pub(crate) async fn metadata(&self) -> Result<Answer<Metadata>, SourceError> {
        self.get("metadata", &Form::new()).await
    }

    pub(crate) async fn query(&self, query: String, at_ms: i64) -> Result<Answer<Vector>, SourceError> {
        self.post("query", vec![("query", query), ("time", seconds(at_ms))]).await
    }

    /// The raw samples of a selector with a range, which ends at this time.
    pub(crate) async fn query_raw(&self, query: String, at_ms: i64) -> Result<Answer<Matrix>, SourceError> {
        self.post("query", vec![("query", query), ("time", seconds(at_ms))]).await
    }

    pub(crate) async fn query_range(
        &self,
        query: String,
        (first_ms, last_ms): (i64, i64),
        step_ms: i64,
    ) -> Result<Answer<Matrix>, SourceError> {
        let mut form = bounds(first_ms, last_ms);
        // Not in seconds: servers cut 1.001 seconds down to 1000 ms.
        form.extend([("query", query), ("step", format!("{step_ms}ms"))]);
        self.post("query_range", form).await
    }

    /// Whether ranges of this server include their left edge. Also shows that it is a server of this API at all.
    pub(crate) async fn includes_left_edge(&self) -> Result<bool, SourceError> {
        let (query, time) = EDGE_PROBE;
        let answer: Answer<Vector> =
            self.post("query", vec![("query", query.to_owned()), ("time", time.to_owned())]).await?;
        let points = answer.data.result.first().and_then(|series| series.value).map(|sample| sample.value);
        Ok(includes_left_edge(points))
    }

    /// What the server says of itself; not every server does.
    pub(crate) async fn build_info(&self) -> Option<BuildInfo> {
        self.get("status/buildinfo", &Form::new()).await.ok().map(|answer| answer.data)
    }

    /// The configuration as YAML; many proxies hide it.
    pub(crate) async fn printed_config(&self) -> Option<String> {
        let answer: Answer<PrintedConfig> = self.get("status/config", &Form::new()).await.ok()?;
        Some(answer.data.yaml)
    }
}

fn bounds(from_ms: i64, to_ms: i64) -> Form {
    vec![("start", seconds(from_ms)), ("end", seconds(to_ms))]
}

/// Milliseconds as decimal seconds, without rounding.
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::parse_base_address;
    use crate::advice::QUERIES;
    use crate::budget::Limits;
    use crate::http::Access;

    #[test]
    fn times_are_sent_to_the_millisecond() {
        for (ms, text) in
            [(1_700_000_000_999, "1700000000.999"), (15_000, "15.000"), (-1, "-0.001"), (5, "0.005")]
        {
            assert_eq!(seconds(ms), text);
        }
    }

    #[test]
    fn endpoints_lie_below_the_path_of_the_server() {
        for (address, endpoint) in [
            ("http://h:9090", "http://h:9090/api/v1/query"),
            ("http://h:9090/", "http://h:9090/api/v1/query"),
            ("http://u:p@h/prometheus/", "http://h/prometheus/api/v1/query"),
            ("http://h:8481/select/0:1/prometheus", "http://h:8481/select/0:1/prometheus/api/v1/query"),
        ] {
            let (url, _) = parse_base_address(address).expect("a valid address");
            let http = Http::new(&Access::default(), None, &Limits::default(), QUERIES)
                .expect("no special settings");
            assert_eq!(Api::new(http, url).endpoint("query").as_str(), endpoint);
        }
    }
}
