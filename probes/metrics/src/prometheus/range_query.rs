//! Reading by `query_range`: the server picks the canonical sample of each cell.
//!
//! `last_over_time` keeps the metric name, ignores staleness markers and never fills a gap, unlike a bare selector,
//! which repeats the last value for up to five minutes.

use std::collections::BTreeSet;

use aftermath_model::family;

use super::api::Api;
use super::query::{Piece, Received};
use super::quirks::range_ms;
use super::selector::{NAME, Selector};
use crate::error::SourceError;
use crate::observation::Cells;

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
    let answer = api.query_range(query, evaluations(piece), step_ms).await?;
    let mut received = Received { remarks: answer.remarks, ..Received::default() };
    for series in answer.data.result {
        let cell = |ms: i64| cell(ms, piece).ok_or_else(|| other_times(api));
        let mut samples = Vec::with_capacity(series.values.len());
        for sample in series.values {
            samples.push((cell(sample.ms)?, sample.value));
        }
        let mut histograms = Vec::with_capacity(series.histograms.len());
        for sample in series.histograms {
            histograms.push((cell(sample.ms)?, sample.histogram));
        }
        if !histograms.is_empty() {
            received.histograms.insert(series.metric.clone(), histograms);
        }
        received.series.insert(series.metric, samples);
    }
    for name in hidden_histograms(api, selector, piece, &received).await? {
        // One by one: versions that hide histograms also mix up whole and float ones within one answer.
        read_raw_histograms(api, &selector.only(&[name]), piece, includes_left_edge, &mut received).await?;
    }
    Ok(received)
}

/// The cell `[t, t + step)` is evaluated at its last millisecond.
const fn evaluations(piece: Piece) -> (i64, i64) {
    let to_evaluation = piece.grid.step_ms - 1;
    (piece.first_ms + to_evaluation, piece.last_ms + to_evaluation)
}

/// The grid time of the cell that is evaluated at this time.
fn cell(evaluated_ms: i64, piece: Piece) -> Option<i64> {
    let grid_ms = evaluated_ms.saturating_sub(piece.grid.step_ms - 1);
    (piece.grid.cell_of(grid_ms) == grid_ms).then_some(grid_ms)
}

fn other_times(api: &Api) -> SourceError {
    SourceError::WrongLanguage {
        url: api.address(),
        problem: "with times other than those that were asked for".to_owned(),
    }
}

/// The metrics whose series are histograms though `last_over_time` shows a number: older versions of Prometheus
/// show 0 for each. So only metrics with a series that is 0 throughout are asked for.
async fn hidden_histograms(
    api: &Api,
    selector: &Selector,
    piece: Piece,
    received: &Received,
) -> Result<Vec<String>, SourceError> {
    let all_zero =
        |samples: &[(i64, f64)]| !samples.is_empty() && samples.iter().all(|&(_, value)| value == 0.0);
    let suspects: BTreeSet<&str> = received
        .series
        .iter()
        .filter(|(_, samples)| all_zero(samples))
        .filter_map(|(labels, _)| labels.get(NAME).map(String::as_str))
        .filter(|name| family(name) == *name && !name.ends_with("_total"))
        .collect();
    if suspects.is_empty() || !api.knows_native_histograms().await? {
        return Ok(Vec::new());
    }
    let suspects: Vec<String> = suspects.into_iter().map(str::to_owned).collect();
    // A bare selector shows the histograms of every version, and their sum is small enough to look at.
    let query = format!("sum by ({NAME}) ({})", selector.only(&suspects).to_promql());
    let (first_ms, last_ms) = evaluations(piece);
    let step_ms = ((last_ms - first_ms) / LOOKS_MAX).max(piece.grid.step_ms);
    let answer = api.query_range(query, (first_ms, last_ms), step_ms).await?;
    let histograms = answer.data.result.into_iter().filter(|series| !series.histograms.is_empty());
    Ok(histograms.filter_map(|mut series| series.metric.remove(NAME)).collect())
}

/// At how many times it is looked whether a metric is a histogram: selectors see five minutes back, so that none is
/// missed in eight hours.
const LOOKS_MAX: i64 = 100;

/// Reads histograms as raw samples, which every version shows, in the place of what was read before.
async fn read_raw_histograms(
    api: &Api,
    selector: &Selector,
    piece: Piece,
    includes_left_edge: bool,
    received: &mut Received,
) -> Result<(), SourceError> {
    let range = range_ms(piece.end_ms() - piece.first_ms, includes_left_edge);
    let query = format!("{}[{range}ms]", selector.to_promql());
    let answer = api.query_raw(query, piece.end_ms() - 1).await?;
    received.remarks.add(answer.remarks);
    for series in answer.data.result {
        if series.histograms.is_empty() {
            continue;
        }
        let mut cells = Cells::new(piece.grid, piece.first_ms, piece.last_ms);
        for sample in series.histograms {
            cells.take(sample.ms, sample.histogram);
        }
        received.histograms.insert(series.metric, cells.into_samples());
    }
    Ok(())
}
