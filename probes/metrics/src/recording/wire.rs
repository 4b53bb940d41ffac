//! One run of rows, read into the words of the model.

use std::collections::BTreeMap;

use aftermath_model::{RecordedRun, SeriesKey, SeriesKind};

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
