//! How is one series to be read? The declared kind decides; where nobody declared anything, the name and the values.
//!
//! In: a [`Series`]. Out: its [`Role`].

use aftermath_model::{Series, SeriesKind};

/// The part that a series plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Level,
    Counter,
    /// With the upper bound of the bucket.
    Bucket(f64),
    Sum,
    Count,
    Info,
    Epoch,
    Clock,
}

/// Seconds since the Unix epoch between 2001 and 2096 look like a point in time: no other quantity in telemetry is
/// both that large and named so.
const EARLIEST_EPOCH_S: f64 = 1.0e9;
/// See [`EARLIEST_EPOCH_S`].
pub(crate) const LATEST_EPOCH_S: f64 = 4.0e9;

pub(crate) fn role(series: &Series) -> Role {
    match series.kind {
        SeriesKind::Info => Role::Info,
        SeriesKind::Counter => Role::Counter,
        SeriesKind::HistogramBucket => bucket(series),
        SeriesKind::HistogramSum => Role::Sum,
        SeriesKind::HistogramCount => Role::Count,
        SeriesKind::Gauge => level_or_time(series),
        SeriesKind::Unknown => sniff(series),
    }
}

/// A source that cannot read native histograms leaves buckets without their bounds.
pub(crate) fn is_native_histogram(series: &Series) -> bool {
    series.kind == SeriesKind::HistogramBucket && !series.key.labels.contains_key("le")
}

fn sniff(series: &Series) -> Role {
    let metric = series.key.metric.as_str();
    if metric.ends_with("_info") && series.values().iter().all(|&value| (value - 1.0).abs() < f64::EPSILON) {
        return Role::Info;
    }
    let running = only_grows(series.values());
    if metric.ends_with("_bucket") && running && series.key.labels.contains_key("le") {
        return bucket(series);
    }
    let grew = series.values().windows(2).any(|pair| pair[1] > pair[0]);
    match metric {
        _ if metric.ends_with("_total") && running => Role::Counter,
        _ if metric.ends_with("_sum") && running && grew => Role::Sum,
        _ if metric.ends_with("_count") && running && grew => Role::Count,
        _ => level_or_time(series),
    }
}

fn bucket(series: &Series) -> Role {
    series.key.labels.get("le").and_then(|bound| bound.parse::<f64>().ok()).map_or(Role::Level, Role::Bucket)
}

/// A running total falls only when its process starts again, and then to less than half: a level that merely
/// wavers falls by less.
fn only_grows(values: &[f64]) -> bool {
    values.iter().all(|&value| value >= 0.0)
        && values.windows(2).all(|pair| pair[1] >= pair[0] || pair[1] < pair[0] / 2.0)
}

fn level_or_time(series: &Series) -> Role {
    let named = ["time", "timestamp", "created"].iter().any(|word| series.key.metric.contains(word));
    let in_seconds = |value: f64| (EARLIEST_EPOCH_S..LATEST_EPOCH_S).contains(&value);
    let values = series.values();
    let dated = |scale: f64| !values.is_empty() && values.iter().all(|&value| in_seconds(value / scale));
    if !named || !(dated(1.0) || dated(1000.0)) {
        return Role::Level;
    }
    let moves = values.windows(2).filter(|pair| (pair[1] - pair[0]).abs() > f64::EPSILON).count();
    // A start time moves at restarts only; a heartbeat moves at most scrapes.
    if 2 * moves > values.len() { Role::Clock } else { Role::Epoch }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftermath_model::SeriesKey;

    use super::*;

    fn unknown(metric: &str, values: &[f64]) -> Series {
        let labels = BTreeMap::from([("le".to_owned(), "0.5".to_owned())]);
        let key = SeriesKey { metric: metric.to_owned(), service: String::new(), labels };
        let samples = (0_i64..).map(|index| index * 1000).zip(values.iter().copied()).collect();
        Series::from_raw(key, SeriesKind::Unknown, samples).0
    }

    #[test]
    fn where_nobody_declared_a_kind_name_and_values_decide() {
        let cases: [(&str, &[f64], Role); 10] = [
            ("errors_total", &[5.0, 5.0, 7.0], Role::Counter),
            ("errors_total", &[500.0, 510.0, 3.0], Role::Counter),
            ("rooms_total", &[500.0, 400.0, 510.0], Role::Level),
            ("latency_count", &[1.0, 2.0, 2.0], Role::Count),
            ("replica_count", &[3.0, 3.0, 3.0], Role::Level),
            ("latency_bucket", &[1.0, 2.0, 2.0], Role::Bucket(0.5)),
            ("build_info", &[1.0, 1.0, 1.0], Role::Info),
            ("process_start_time_seconds", &[1.7e9, 1.7e9, 1.7e9], Role::Epoch),
            ("last_success_timestamp_seconds", &[1.7e9, 1.7e9 + 1.0, 1.7e9 + 2.0], Role::Clock),
            ("response_time", &[0.1, 0.2, 0.1], Role::Level),
        ];
        for (metric, values, expected) in cases {
            assert_eq!(role(&unknown(metric, values)), expected, "{metric} {values:?}");
        }
    }

    #[test]
    fn a_declared_kind_is_believed() {
        let mut declared = unknown("rooms_total", &[5.0, 6.0]);
        declared.kind = SeriesKind::Gauge;
        assert_eq!(role(&declared), Role::Level);
    }
}
