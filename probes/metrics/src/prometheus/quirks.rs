//! Where servers that speak the same API differ, and how it is found out: by asking, not by version numbers.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Parameters that are sent with every query. Servers that do not know them ignore them. Thanos: fail rather than
/// leave out a store, and never answer from downsampled data. `VictoriaMetrics`: do not move start and end.
pub(crate) const HARMLESS_PARAMETERS: [(&str, &str); 3] =
    [("partial_response", "false"), ("max_source_resolution", "0s"), ("nocache", "1")];

/// Series that the server makes itself for each target and that no target declares: all of them are gauges.
pub(crate) const OWN_GAUGES: [&str; 7] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    "scrape_timeout_seconds",
    "scrape_body_size_bytes",
];

/// A query whose answer tells whether a range includes its left edge, and the time to ask it for. A range of two
/// seconds over one point a second holds three points if it does, as up to Prometheus 2, and two if not.
pub(crate) const EDGE_PROBE: (&str, &str) = ("count_over_time(vector(1)[2s:1s])", "1700000000");

/// Whether the answer to [`EDGE_PROBE`] says that ranges include their left edge.
pub(crate) fn includes_left_edge(points: Option<f64>) -> bool {
    points.is_some_and(|points| points > 2.5)
}

/// The range in milliseconds that, evaluated `span_ms - 1` after a time, holds exactly `[time, time + span_ms)`.
pub(crate) const fn range_ms(span_ms: i64, includes_left_edge: bool) -> i64 {
    if includes_left_edge { span_ms - 1 } else { span_ms }
}

/// The answer of `/api/v1/status/buildinfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BuildInfo {
    version: String,
    revision: String,
    application: String,
}

/// What the server says of itself.
pub(crate) fn server_name(build: &BuildInfo) -> String {
    let BuildInfo { version, revision, application } = build;
    if version.is_empty() {
        return String::new();
    }
    if !application.is_empty() {
        return format!("{application} {version}");
    }
    if version.starts_with("0.") {
        return format!("Thanos {version}");
    }
    // VictoriaMetrics names the version of the API that it imitates, and nothing else.
    if revision.is_empty() {
        format!("compatible with Prometheus {version}")
    } else {
        format!("Prometheus {version}")
    }
}

/// The `external_labels` of a configuration as `/api/v1/status/config` prints it: sorted, two spaces an indent.
/// `remote_read` adds them to every series and the query API does not. `None` where they are written in a way that is
/// not understood.
pub(crate) fn external_labels(yaml: &str) -> Option<BTreeMap<String, String>> {
    let global =
        yaml.lines().skip_while(|line| *line != "global:").skip(1).take_while(|line| line.starts_with(' '));
    let block = global
        .skip_while(|line| *line != "  external_labels:")
        .skip(1)
        .take_while(|line| line.starts_with("   "));
    block.map(label_line).collect()
}

fn label_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("    ")?.split_once(':')?;
    let value = value.trim_start();
    if name.starts_with([' ', '"', '\'', '?']) || value.starts_with(['|', '>', '&', '*', '!']) {
        return None;
    }
    if let Some(quoted) = value.strip_prefix('"') {
        let inner = quoted.strip_suffix('"')?;
        return (!inner.contains('\\')).then(|| (name.to_owned(), inner.to_owned()));
    }
    if let Some(quoted) = value.strip_prefix('\'') {
        return Some((name.to_owned(), quoted.strip_suffix('\'')?.replace("''", "'")));
    }
    Some((name.to_owned(), value.to_owned()))
}

/// Finds the series of the query API that a series of `remote_read` is, undoing its external labels.
#[derive(Debug)]
pub(crate) struct KnownSeries {
    by_received: BTreeMap<BTreeMap<String, String>, BTreeMap<String, String>>,
}

impl KnownSeries {
    /// From the series that the query API shows. `None` if two of them would be received under the same labels.
    pub(crate) fn new(
        shown: Vec<BTreeMap<String, String>>,
        external: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let mut by_received = BTreeMap::new();
        for labels in shown {
            let mut received = external.clone();
            // A series' own labels win over external ones of the same name.
            received.extend(labels.iter().map(|(name, value)| (name.clone(), value.clone())));
            if by_received.insert(received, labels.clone()).is_some_and(|other| other != labels) {
                return None;
            }
        }
        Some(Self { by_received })
    }

    /// The labels that the query API shows; `None` if it shows no such series.
    pub(crate) fn shown(&self, received: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
        self.by_received.get(received).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_range_covers_its_cell_exactly_on_both_kinds_of_server() {
        for closed in [true, false] {
            let (cell_ms, step_ms) = (5_000, 1_000);
            let evaluated_at = cell_ms + step_ms - 1;
            let covered: Vec<i64> = (3_000..8_000)
                .filter(|&ms| {
                    let left = evaluated_at - range_ms(step_ms, closed);
                    (if closed { ms >= left } else { ms > left }) && ms <= evaluated_at
                })
                .collect();
            assert_eq!((covered.first(), covered.last()), (Some(&5_000), Some(&5_999)), "closed: {closed}");
        }
    }

    #[test]
    fn servers_are_named_as_they_name_themselves() {
        let name = |json: &str| server_name(&serde_json::from_str(json).expect("valid JSON"));
        assert_eq!(name(r#"{"version":"2.42.0+ds","revision":"r"}"#), "Prometheus 2.42.0+ds");
        assert_eq!(name(r#"{"version":"0.38.0","revision":"r"}"#), "Thanos 0.38.0");
        assert_eq!(name(r#"{"application":"Grafana Mimir","version":"2.15"}"#), "Grafana Mimir 2.15");
        assert_eq!(name(r#"{"version":"2.24.0"}"#), "compatible with Prometheus 2.24.0");
        assert_eq!(name("{}"), "");
    }

    #[test]
    fn external_labels_are_found_in_a_printed_configuration() {
        let yaml = "global:\n  scrape_interval: 1s\n  external_labels:\n    cluster: c1\n    number: \"1\"\n    \
                    odd: 'it''s: a'\n    url: http://x:1/\n  query_log_file: /x\nscrape_configs:\n- job_name: a\n";
        let expected =
            labels(&[("cluster", "c1"), ("number", "1"), ("odd", "it's: a"), ("url", "http://x:1/")]);
        assert_eq!(external_labels(yaml), Some(expected));
        assert_eq!(external_labels("global:\n  scrape_interval: 1s\n"), Some(labels(&[])));
    }

    #[test]
    fn external_labels_that_are_not_understood_are_not_guessed() {
        for value in ["|-\n      two\n      lines", "\"a\\tb\"", "*alias", "long\n      continued"] {
            let yaml = format!("global:\n  external_labels:\n    a: {value}\nrules: []\n");
            assert_eq!(external_labels(&yaml), None, "{yaml}");
        }
    }

    #[test]
    fn a_received_series_is_found_whether_or_not_it_has_the_external_label_itself() {
        let external = labels(&[("cluster", "c1")]);
        let shown = vec![
            labels(&[("__name__", "up"), ("job", "a")]),
            labels(&[("__name__", "up"), ("job", "b"), ("cluster", "c1")]),
            labels(&[("__name__", "up"), ("job", "c"), ("cluster", "other")]),
        ];
        let known = KnownSeries::new(shown.clone(), &external).expect("all differ");
        for (job, cluster, index) in [("a", "c1", 0), ("b", "c1", 1), ("c", "other", 2)] {
            let received = labels(&[("__name__", "up"), ("job", job), ("cluster", cluster)]);
            assert_eq!(known.shown(&received), Some(shown[index].clone()));
        }
        assert_eq!(known.shown(&labels(&[("__name__", "up"), ("job", "d"), ("cluster", "c1")])), None);
    }

    #[test]
    fn series_that_would_be_confused_are_refused() {
        let shown = vec![labels(&[("job", "a")]), labels(&[("job", "a"), ("cluster", "c1")])];
        assert!(KnownSeries::new(shown, &labels(&[("cluster", "c1")])).is_none());
    }
}
