//! How fast does a running total grow? In: a counter. Out: its rate per second.

use aftermath_model::Series;

use super::{Measure, Nature};

/// The growth between two samples of a running total: after a reset the new value itself, as in `PromQL`.
pub(crate) fn increase(before: f64, after: f64) -> f64 {
    if after >= before { after - before } else { after.max(0.0) }
}

/// Whether the total began again at this sample, alone: what was counted between the last sample and the restart is lost
/// with it, so that the rate across it is too small by an unknown amount. Where restarts follow each other the loss is
/// what happens to the series, and is kept.
fn is_lone_reset(totals: &[f64], index: usize) -> bool {
    let falls = |index: usize| index > 0 && index < totals.len() && totals[index] < totals[index - 1];
    falls(index) && !falls(index - 1) && !falls(index + 1)
}

/// The rate per second at each sample but the first and those at which a process began again.
pub(crate) fn rate(series: &Series) -> Measure {
    let (times, totals) = (series.timestamps_ms(), series.values());
    let samples = times.len().saturating_sub(1);
    let mut measure = Measure {
        key: series.key.clone(),
        name: "per second",
        nature: Nature::Rate,
        covers: 1,
        timestamps_ms: Vec::with_capacity(samples),
        values: Vec::with_capacity(samples),
        intervals_s: Vec::with_capacity(samples),
    };
    let mut counts_events = true;
    for index in 1..times.len() {
        if is_lone_reset(totals, index) {
            continue;
        }
        let grown = increase(totals[index - 1], totals[index]);
        let seconds = (times[index] - times[index - 1]) as f64 / 1000.0;
        counts_events &= grown.fract() == 0.0;
        measure.timestamps_ms.push(times[index]);
        measure.values.push(grown / seconds);
        measure.intervals_s.push(seconds);
    }
    // Totals of bytes are whole numbers too, but their units do not come one by one.
    if counts_events && !series.key.metric.contains("bytes") {
        measure.nature = Nature::EventRate;
    } else {
        measure.intervals_s.clear();
    }
    measure
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftermath_model::{SeriesKey, SeriesKind};

    use super::*;

    fn counter(metric: &str, samples: Vec<(i64, f64)>) -> Measure {
        let key = SeriesKey { metric: metric.to_owned(), service: "s".to_owned(), labels: BTreeMap::new() };
        rate(&Series::from_raw(key, SeriesKind::Counter, samples).0)
    }

    #[test]
    fn a_reset_has_no_rate_and_resets_in_a_row_count_what_came_after_them() {
        let measure =
            counter("events_total", vec![(0, 100.0), (10_000, 120.0), (20_000, 5.0), (40_000, 25.0)]);
        assert_eq!(measure.values, [2.0, 1.0]);
        assert_eq!(measure.timestamps_ms, [10_000, 40_000]);
        assert_eq!((measure.nature, measure.intervals_s), (Nature::EventRate, vec![10.0, 20.0]));
        let looping =
            counter("events_total", vec![(0, 100.0), (10_000, 20.0), (20_000, 5.0), (30_000, 25.0)]);
        assert_eq!(looping.values, [2.0, 0.5, 2.0]);
    }

    #[test]
    fn seconds_and_bytes_are_no_events() {
        assert_eq!(counter("cpu_seconds_total", vec![(0, 0.0), (1000, 0.25)]).nature, Nature::Rate);
        assert_eq!(counter("sent_bytes_total", vec![(0, 0.0), (1000, 512.0)]).nature, Nature::Rate);
    }

    #[test]
    fn a_single_sample_has_no_rate() {
        assert!(counter("events_total", vec![(0, 7.0)]).values.is_empty());
    }
}
