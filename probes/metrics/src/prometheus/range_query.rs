//! Reading by `query_range`: the server picks the canonical sample of each cell.
//!
//! `last_over_time` keeps the metric name, ignores staleness markers and never fills a gap, unlike a bare selector,
//! which repeats the last value for up to five minutes.

use super::api::Api;
use super::query::{Piece, Received};
use super::quirks::range_ms;
use super::selector::Selector;
use crate::error::SourceError;

/// The canonical samples of every series that the selector matches.
///
/// # Errors
/// What keeps the server from answering.
pub(crate) async fn read(
    api: &Api,
    selector: &Selector,
    piece: Piece,
    includes_left_edge: bool,
) -> Result<Received, SourceError> {
    let step_ms = piece.grid.step_ms;
    let query =
        format!("last_over_time({}[{}ms])", selector.to_promql(), range_ms(step_ms, includes_left_edge));
    // The cell [t, t + step) is evaluated at its last millisecond.
    let to_evaluation = step_ms - 1;
    let ends = (piece.first_ms + to_evaluation, piece.last_ms + to_evaluation);
    let answer = api.query_range(query, ends, step_ms).await?;
    let mut received = Received { remarks: answer.remarks, ..Received::default() };
    for series in answer.data.result {
        if !series.histograms.is_empty() {
            received.histograms.insert(series.metric.clone());
        }
        let mut samples = Vec::with_capacity(series.values.len());
        for sample in series.values {
            let grid_ms = sample.ms.saturating_sub(to_evaluation);
            if piece.grid.cell_of(grid_ms) != grid_ms {
                return Err(SourceError::WrongLanguage {
                    url: api.address(),
                    problem: "with times other than those that were asked for".to_owned(),
                });
            }
            samples.push((grid_ms, sample.value));
        }
        received.series.insert(series.metric, samples);
    }
    Ok(received)
}
