//! What a series is called and how its numbers are to be read.

use std::collections::BTreeMap;

/// The identity of a series: it travels with the data, never as a position in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// The metric name, for a part of a histogram with its suffix: `http_request_duration_seconds_bucket`.
    pub metric: String,
    /// The service that owns the series; empty when no label tells.
    pub service: String,
    /// Every other label, without the one that named the service.
    pub labels: BTreeMap<String, String>,
}

/// What a metric family declares itself to be, in the words of the Prometheus metadata endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MetricKind {
    /// Only ever grows, until its process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets with a sum and a count.
    Histogram,
    /// Quantiles computed by the process, with a sum and a count.
    Summary,
    /// A constant 1 that carries labels.
    Info,
    /// Nobody said: the values decide.
    Unknown,
}

/// How the numbers of one series are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SeriesKind {
    /// A running total; a drop is a reset.
    Counter,
    /// A level.
    Gauge,
    /// The running total of observations up to the bound in the label `le`.
    HistogramBucket,
    /// The running sum of a histogram's or summary's observations.
    HistogramSum,
    /// The running number of a histogram's or summary's observations.
    HistogramCount,
    /// A constant that carries labels.
    Info,
    /// Nobody said: the values decide.
    Unknown,
}

impl SeriesKind {
    /// The kind of the series `metric` whose family declares itself as `declared`.
    #[must_use]
    pub fn of(metric: &str, declared: MetricKind) -> Self {
        match declared {
            MetricKind::Counter => Self::Counter,
            MetricKind::Gauge => Self::Gauge,
            MetricKind::Info => Self::Info,
            MetricKind::Unknown => Self::Unknown,
            MetricKind::Histogram | MetricKind::Summary => match suffix(metric) {
                Some("_bucket") => Self::HistogramBucket,
                Some("_sum") => Self::HistogramSum,
                Some("_count") => Self::HistogramCount,
                _ => Self::Gauge,
            },
        }
    }

    /// The name used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::HistogramBucket => "histogram_bucket",
            Self::HistogramSum => "histogram_sum",
            Self::HistogramCount => "histogram_count",
            Self::Info => "info",
            Self::Unknown => "unknown",
        }
    }

    /// The kind with that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Counter,
            Self::Gauge,
            Self::HistogramBucket,
            Self::HistogramSum,
            Self::HistogramCount,
            Self::Info,
            Self::Unknown,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
    }
}

fn suffix(metric: &str) -> Option<&'static str> {
    ["_bucket", "_sum", "_count"].into_iter().find(|suffix| metric.ends_with(suffix))
}

/// The family of a metric: its name without the suffix of a histogram part.
///
/// Series of one family travel in one [`crate::Block`], so that buckets, sum and count are read together.
#[must_use]
pub fn family(metric: &str) -> &str {
    suffix(metric).map_or(metric, |suffix| &metric[..metric.len() - suffix.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_histogram_share_their_family() {
        for part in ["latency_seconds_bucket", "latency_seconds_sum", "latency_seconds_count"] {
            assert_eq!(family(part), "latency_seconds");
        }
        assert_eq!(family("process_cpu_seconds_total"), "process_cpu_seconds_total");
    }

    #[test]
    fn the_kind_of_a_part_follows_from_its_family_and_suffix() {
        let cases = [
            ("latency_bucket", MetricKind::Histogram, SeriesKind::HistogramBucket),
            ("latency_sum", MetricKind::Summary, SeriesKind::HistogramSum),
            ("latency", MetricKind::Summary, SeriesKind::Gauge),
            ("queue_count", MetricKind::Gauge, SeriesKind::Gauge),
        ];
        for (metric, declared, expected) in cases {
            assert_eq!(SeriesKind::of(metric, declared), expected, "{metric}");
        }
    }

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for kind in [SeriesKind::Counter, SeriesKind::HistogramBucket, SeriesKind::Info] {
            assert_eq!(SeriesKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(SeriesKind::parse("guage"), None);
    }
}
