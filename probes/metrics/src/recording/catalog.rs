//! What a recording holds.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{Catalog, CatalogEntry, MetricKind, RecordedRun, Timestamp, Window};

use super::quirks::Spacings;
use super::wire::RecordingError;

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its metrics. What kind they are is said series by series.
    pub catalog: Catalog,
    /// From the first sample to just after the last one; `None` for an empty recording.
    pub extent: Option<Window>,
    /// The spacing of most samples in milliseconds; `None` where no series has two.
    pub step_ms: Option<i64>,
}

/// Reads through a recording once and says what it holds.
///
/// # Errors
/// [`RecordingError`] for the first run that cannot be read.
pub fn discover<E>(runs: impl Iterator<Item = Result<RecordedRun, E>>) -> Result<Summary, RecordingError<E>> {
    let mut series: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let (mut first_ms, mut last_ms) = (i64::MAX, i64::MIN);
    let mut spacings = Spacings::default();
    for run in runs {
        let run = run?;
        for &(ms, _) in &run.samples {
            first_ms = first_ms.min(ms);
            last_ms = last_ms.max(ms);
        }
        spacings.add(&run.samples);
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
    Ok(Summary {
        catalog: Catalog { entries, notes: Vec::new() },
        extent: extent(first_ms, last_ms),
        step_ms: spacings.median_ms(),
    })
}

fn extent(first_ms: i64, last_ms: i64) -> Option<Window> {
    let from = Timestamp::from_ms(first_ms).ok()?;
    let to = Timestamp::from_ms(last_ms.checked_add(1)?).ok()?;
    Window::new(from, to)
}
