//! One run of rows, read into the words of the model.

use std::collections::BTreeMap;

use aftermath_model::{RecordedRun, SeriesKey, SeriesKind, Timestamp};

use super::quirks::impossible_time_hint;

/// Why a row of a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError<E> {
    /// The file itself.
    #[error(transparent)]
    File(#[from] E),
    /// The labels of a series are not a JSON object of texts.
    #[error(
        "the labels of metric `{metric}`, service `{service}` are not a JSON object of texts: {cause}; found {found}"
    )]
    Labels {
        /// The metric of the row.
        metric: String,
        /// The service of the row.
        service: String,
        /// What was found, cut to a readable length.
        found: String,
        /// What the JSON reader says.
        cause: String,
    },
    /// A time that no calendar has.
    #[error(
        "metric `{metric}`, service `{service}` has a sample at {ms} ms since the epoch, outside the years -9999 to 9999; {hint}"
    )]
    Time {
        /// The metric of the row.
        metric: String,
        /// The service of the row.
        service: String,
        /// The time as the file has it.
        ms: i64,
        /// What may be wrong with it.
        hint: &'static str,
    },
}

/// The first and the last time of a run; `None` for a run without samples.
pub(super) fn extent<E>(run: &RecordedRun) -> Result<Option<(i64, i64)>, RecordingError<E>> {
    let times = || run.samples.iter().map(|&(ms, _)| ms);
    let (Some(first_ms), Some(last_ms)) = (times().min(), times().max()) else { return Ok(None) };
    for ms in [first_ms, last_ms] {
        // The window of a recording ends just after its last sample.
        if Timestamp::from_ms(ms).is_err() || Timestamp::from_ms(ms.saturating_add(1)).is_err() {
            return Err(RecordingError::Time {
                metric: run.metric.clone(),
                service: run.service.clone(),
                ms,
                hint: impossible_time_hint(ms),
            });
        }
    }
    Ok(Some((first_ms, last_ms)))
}

/// The identity and kind of a run. Empty labels are read as none.
pub(super) fn key<E>(run: &RecordedRun) -> Result<(SeriesKey, SeriesKind), RecordingError<E>> {
    let labels: BTreeMap<String, String> = if run.labels_json.is_empty() {
        BTreeMap::new()
    } else {
        serde_json::from_str(&run.labels_json).map_err(|cause| RecordingError::Labels {
            metric: run.metric.clone(),
            service: run.service.clone(),
            found: run.labels_json.chars().take(80).collect(),
            cause: cause.to_string(),
        })?
    };
    let key = SeriesKey { metric: run.metric.clone(), service: run.service.clone(), labels };
    Ok((key, run.kind.unwrap_or(SeriesKind::Unknown)))
}
