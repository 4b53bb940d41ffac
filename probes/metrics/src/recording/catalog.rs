//! What a recording holds.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{Catalog, CatalogEntry, MetricKind, RecordedRun, Timestamp, Window};

use super::quirks::{Spacings, unit_hint};
use super::wire::{self, RecordingError};

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its metrics. What kind they are is said series by series. Notes say how many samples have no metric name; those
    /// are not read.
    pub catalog: Catalog,
    /// From the first sample to just after the last one; `None` for an empty recording.
    pub extent: Option<Window>,
    /// The spacing of most samples in milliseconds; `None` where no series has two.
    pub step_ms: Option<i64>,
    /// Which unit the times seem to have instead of milliseconds, as the end of a sentence about a recording that does
    /// not fit what was asked of it.
    pub unit_hint: Option<&'static str>,
}

/// Reads through a recording once and says what it holds.
///
/// # Errors
/// [`RecordingError::File`] and [`RecordingError::Time`] for the first run that cannot be read.
pub fn discover<E>(runs: impl Iterator<Item = Result<RecordedRun, E>>) -> Result<Summary, RecordingError<E>> {
    let mut series: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let (mut first_ms, mut last_ms) = (i64::MAX, i64::MIN);
    let mut timed: BTreeMap<(String, String, String), Vec<i64>> = BTreeMap::new();
    let mut nameless = 0;
    for run in runs {
        let run = run?;
        if run.metric.is_empty() {
            nameless += run.samples.len();
            continue;
        }
        if let Some((first, last)) = wire::extent(&run)? {
            first_ms = first_ms.min(first);
            last_ms = last_ms.max(last);
        }
        let key = (run.metric.clone(), run.service.clone(), run.labels_json.clone());
        if timed.len() < MOST_TIMED || timed.contains_key(&key) {
            timed.entry(key).or_default().extend(run.samples.iter().map(|&(ms, _)| ms));
        }
        series.entry(run.metric).or_default().insert((run.service, run.labels_json));
    }
    let entries = series
        .into_iter()
        .map(|(metric, series)| CatalogEntry {
            metric,
            kind: MetricKind::Unknown,
            series: Some(series.len()),
        })
        .collect();
    let extent = extent(first_ms, last_ms);
    Ok(Summary {
        catalog: Catalog { entries, notes: nameless_note(nameless).into_iter().collect() },
        extent,
        step_ms: Spacings::of(timed.into_values()).median_ms(),
        unit_hint: extent.and_then(|extent| unit_hint(extent.from.ms(), extent.to.ms())),
    })
}

/// The spacing of so many series is that of the recording; their rows may come in any order.
const MOST_TIMED: usize = 64;

fn extent(first_ms: i64, last_ms: i64) -> Option<Window> {
    let from = Timestamp::from_ms(first_ms).ok()?;
    let to = Timestamp::from_ms(last_ms.checked_add(1)?).ok()?;
    Window::new(from, to)
}

fn nameless_note(samples: usize) -> Option<String> {
    match samples {
        0 => None,
        1 => Some("1 sample has no metric name and was left out".to_owned()),
        _ => Some(format!("{samples} samples have no metric name and were left out")),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const NOW_MS: i64 = 1_772_000_000_000;

    fn summary(runs: &[(&str, &[i64])]) -> Result<Summary, RecordingError<Infallible>> {
        let run = |&(metric, times): &(&str, &[i64])| {
            Ok(RecordedRun {
                metric: metric.to_owned(),
                service: "cart".to_owned(),
                labels_json: String::new(),
                kind: None,
                samples: times.iter().map(|&ms| (ms, 1.0)).collect(),
            })
        };
        discover(runs.iter().map(run))
    }

    #[test]
    fn a_recording_lasts_from_its_first_sample_to_just_after_its_last() {
        let found = summary(&[("b", &[NOW_MS + 10, NOW_MS + 20]), ("a", &[NOW_MS])]).expect("readable");
        let extent = found.extent.expect("there are samples");
        assert_eq!((extent.from.ms(), extent.to.ms()), (NOW_MS, NOW_MS + 21));
        assert_eq!((found.step_ms, found.unit_hint, found.catalog.entries.len()), (Some(10), None, 2));
    }

    #[test]
    fn an_empty_recording_has_no_extent_and_no_suspicion() {
        let found = summary(&[]).expect("readable");
        assert_eq!((found.extent, found.step_ms, found.unit_hint), (None, None, None));
    }

    #[test]
    fn times_that_no_calendar_has_are_refused_with_their_series() {
        const CALENDAR_ENDS_MS: i64 = 253_402_207_200_999;
        summary(&[("up", &[-NOW_MS, CALENDAR_ENDS_MS - 1_000])]).expect("inside the calendar");
        for times in [[i64::MIN, 0], [i64::MAX, 0], [0, NOW_MS * 1_000], [0, CALENDAR_ENDS_MS + 1]] {
            let problem =
                summary(&[("fine", &[NOW_MS]), ("up", &times)]).expect_err("no such time").to_string();
            assert!(problem.contains("metric `up`, service `cart`") && problem.contains("9999"), "{problem}");
        }
    }

    #[test]
    fn samples_without_a_metric_name_are_counted_and_left_out() {
        let found = summary(&[("up", &[NOW_MS]), ("", &[i64::MIN, 7])]).expect("readable");
        assert_eq!(found.catalog.entries.len(), 1);
        assert_eq!(found.catalog.notes, ["2 samples have no metric name and were left out"]);
        assert_eq!(found.extent.map(|extent| extent.from.ms()), Some(NOW_MS));
    }
}
