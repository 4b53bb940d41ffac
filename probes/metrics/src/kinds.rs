//! From the types that families declare to the kind of each metric name.

use std::collections::BTreeMap;

use aftermath_model::{MetricKind, family};

/// The declared kinds of metric families, by family name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeclaredKinds(BTreeMap<String, MetricKind>);

impl DeclaredKinds {
    /// Notes a declaration in the words of `# TYPE` and of the metadata endpoint. A family that declares itself in
    /// different ways in different places is of unknown kind.
    pub(crate) fn declare(&mut self, family: &str, word: &str) {
        let kind = match word {
            "counter" => MetricKind::Counter,
            // The buckets of a gauge histogram go up and down like any other gauge.
            "gauge" | "gaugehistogram" | "stateset" => MetricKind::Gauge,
            "histogram" => MetricKind::Histogram,
            "summary" => MetricKind::Summary,
            "info" => MetricKind::Info,
            _ => MetricKind::Unknown,
        };
        let known = self.0.entry(family.to_owned()).or_insert(kind);
        if *known != kind {
            *known = MetricKind::Unknown;
        }
    }

    /// The kind of a metric name: its own declaration, that of the histogram or summary it is a part of, or that of
    /// an OpenMetrics family whose samples carry the suffix `_total` or `_info`.
    pub(crate) fn of(&self, metric: &str) -> MetricKind {
        if let Some(&own) = self.0.get(metric) {
            return own;
        }
        let declared = |name: &str| self.0.get(name).copied();
        let part = declared(family(metric))
            .filter(|kind| matches!(kind, MetricKind::Histogram | MetricKind::Summary));
        let suffixed = |suffix: &str, kind: MetricKind| {
            metric.strip_suffix(suffix).and_then(declared).filter(|&declared| declared == kind)
        };
        part.or_else(|| suffixed("_total", MetricKind::Counter))
            .or_else(|| suffixed("_info", MetricKind::Info))
            .unwrap_or(MetricKind::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_name_follows_from_its_family() {
        let mut kinds = DeclaredKinds::default();
        for (family, word) in [
            ("latency", "histogram"),
            ("age", "summary"),
            ("queue", "gauge"),
            ("queue_count", "gauge"),
            ("requests", "counter"),
            ("build", "info"),
            ("mixed", "gauge"),
            ("mixed", "counter"),
            ("odd", "what"),
        ] {
            kinds.declare(family, word);
        }
        for (metric, kind) in [
            ("latency_bucket", MetricKind::Histogram),
            ("latency_sum", MetricKind::Histogram),
            ("age", MetricKind::Summary),
            ("age_count", MetricKind::Summary),
            ("queue_count", MetricKind::Gauge),
            ("queue_sum", MetricKind::Unknown),
            ("requests_total", MetricKind::Counter),
            ("build_info", MetricKind::Info),
            ("mixed", MetricKind::Unknown),
            ("odd", MetricKind::Unknown),
            ("never_declared", MetricKind::Unknown),
        ] {
            assert_eq!(kinds.of(metric), kind, "{metric}");
        }
    }
}
