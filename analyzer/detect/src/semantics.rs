//! What is a metric about, as far as its name tells?
//!
//! In: metric names. Out: families of metrics that say the same thing, and how much each matters to users.

/// What a metric is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Concern {
    Errors,
    Latency,
    Saturation,
    Traffic,
    Other,
}

/// Words that tell the concern, the most telling first.
const WORDS: [(Concern, &[&str]); 4] = [
    (
        Concern::Errors,
        &[
            "error",
            "fail",
            "success",
            "availab",
            "5xx",
            "exception",
            "fault",
            "timeout",
            "rejected",
            "refused",
            "dropped",
        ],
    ),
    (Concern::Latency, &["latency", "duration", "response_time", "delay", "rtt"]),
    (
        Concern::Saturation,
        &[
            "cpu",
            "mem",
            "disk",
            "fs_",
            "queue",
            "pool",
            "thread",
            "heap",
            "gc",
            "descriptor",
            "fds",
            "load",
            "throttl",
        ],
    ),
    (
        Concern::Traffic,
        &[
            "request",
            "qps",
            "rps",
            "ops",
            "calls",
            "network",
            "net_",
            "bytes",
            "packets",
            "workload",
            "throughput",
        ],
    ),
];

/// Parts of a name that say in which unit or at which quantile, not what is measured.
const UNITS: [&str; 30] = [
    "seconds",
    "second",
    "milliseconds",
    "ms",
    "s",
    "us",
    "bytes",
    "byte",
    "kb",
    "mb",
    "mi",
    "m",
    "total",
    "count",
    "sum",
    "bucket",
    "rate",
    "ratio",
    "percent",
    "percentage",
    "usage",
    "avg",
    "mean",
    "max",
    "min",
    "p50",
    "p90",
    "p95",
    "p99",
    "value",
];

impl Concern {
    pub(crate) fn of(metric: &str) -> Self {
        let name = metric.to_ascii_lowercase();
        WORDS
            .iter()
            .find(|(_, words)| words.iter().any(|word| name.contains(word)))
            .map_or(Self::Other, |&(concern, _)| concern)
    }

    /// Whether users feel it directly.
    pub(crate) const fn is_service_level(self) -> bool {
        matches!(self, Self::Errors | Self::Latency)
    }

    /// How much a change of it counts towards severity: what users feel most counts most.
    pub(crate) const fn weight(self) -> f64 {
        match self {
            Self::Errors => 3.0,
            Self::Latency => 2.0,
            Self::Saturation | Self::Traffic | Self::Other => 1.0,
        }
    }
}

/// Whether a metric of errors counts what went well, so that it falls when errors rise.
pub(crate) fn counts_successes(metric: &str) -> bool {
    let name = metric.to_ascii_lowercase();
    SUCCESSES.iter().any(|word| name.contains(word))
        && !name.contains("unsuccess")
        && !name.contains("unavail")
}

/// Words for what went well.
const SUCCESSES: [&str; 2] = ["success", "availab"];

/// Whether a metric counts the requests that a service is asked.
pub(crate) fn counts_requests(metric: &str) -> bool {
    let name = metric.to_ascii_lowercase();
    Concern::of(&name) == Concern::Traffic && REQUESTS.iter().any(|word| name.contains(word))
}

/// Words for requests, as opposed to bytes and packets.
const REQUESTS: [&str; 7] = ["request", "qps", "rps", "_ops", "calls", "workload", "throughput"];

/// The name without units and quantiles: metrics with the same stem corroborate nothing, they repeat each other.
pub(crate) fn stem(metric: &str) -> String {
    let lower = metric.to_ascii_lowercase();
    let parts: Vec<&str> = lower
        .split(['_', '.', '-', ':', '/'])
        .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()))
        .map(|part| if part.len() > 2 { part.trim_end_matches(['p', 'P']) } else { part })
        .filter(|part| !part.is_empty() && *part != "p" && !UNITS.contains(part))
        .collect();
    if parts.is_empty() { lower } else { parts.join("_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_units_of_one_metric_share_a_stem() {
        for (one, other) in [
            ("latency_ms_p50", "latency_ms_p99"),
            ("pod_cpu_usage_rate", "pod_cpu_usage_m"),
            ("front_latencyp90_s", "front_latencyp99_s"),
        ] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        assert_ne!(stem("pod_cpu_usage_rate"), stem("pod_memory_usage_rate"));
    }

    #[test]
    fn the_concern_follows_from_the_name() {
        let cases = [
            ("http_requests_failed_total", Concern::Errors),
            ("http_request_duration_seconds", Concern::Latency),
            ("process_resident_memory_bytes", Concern::Saturation),
            ("http_requests_total", Concern::Traffic),
            ("build_age", Concern::Other),
        ];
        for (metric, concern) in cases {
            assert_eq!(Concern::of(metric), concern, "{metric}");
        }
    }
}
