//! Reading by `remote_read`: raw samples, streamed in compressed chunks, put into the cells of the grid as they come.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use reqwest::header::CONTENT_TYPE;

use super::api::Api;
use super::query::{Piece, Received};
use super::quirks::KnownSeries;
use super::selector::{NAME, Selector};
use super::wire::{
    CHUNK_XOR, ChunkedReadResponse, ChunkedSeries, FrameProblem, FrameReader, STALE_NAN_BITS, decode_xor,
    encode_read_request, is_histogram_chunk,
};
use crate::address::plain;
use crate::budget::Limits;
use crate::error::SourceError;
use crate::http::Ask;
use crate::observation::Cells;

type Labels = BTreeMap<String, String>;

/// Asks whether the server streams chunks, by asking for a series that nobody has.
///
/// # Errors
/// Why it does not.
pub(crate) async fn probe(api: &Api) -> Result<(), SourceError> {
    let nobody = Selector::everything().only(&["aftermath_asks_whether_remote_read_is_offered".to_owned()]);
    let body = encode_read_request(nobody.to_matchers(), 0, 1);
    let url = api.endpoint("read");
    api.http
        .retrying(|| async {
            check_streamed(&api.http.open(&url, Ask::RemoteRead(&body)).await?, &plain(&url))
        })
        .await
}

/// The canonical samples of every series that the selector matches.
///
/// # Errors
/// What keeps the server from answering, or damages its answer; [`SourceError::UnknownEncoding`] for chunks that this
/// version cannot read.
pub(crate) async fn read(
    api: &Api,
    selector: &Selector,
    piece: Piece,
    limits: &Limits,
) -> Result<Received, SourceError> {
    let body = encode_read_request(selector.to_matchers(), piece.first_ms, piece.end_ms() - 1);
    let url = api.endpoint("read");
    let shown = plain(&url);
    api.http
        .retrying(|| async {
            let mut response = api.http.open(&url, Ask::RemoteRead(&body)).await?;
            check_streamed(&response, &shown)?;
            let mut frames = FrameReader::new(limits.frame_bytes);
            let mut collector = Collector { piece, series: BTreeMap::new(), histograms: BTreeSet::new() };
            let problem = |problem| match problem {
                FrameProblem::TooLarge => api.http.too_large(&url, limits.frame_bytes as u64),
                FrameProblem::Damaged(problem) => SourceError::Damaged { url: shown.clone(), problem },
            };
            let mut bytes = 0;
            while let Some(chunk) = response.chunk().await.map_err(|error| api.http.broken(&url, &error))? {
                bytes += chunk.len();
                api.http.check_size(&url, bytes)?;
                frames.push(&chunk);
                while let Some(payload) = frames.next_frame().map_err(problem)? {
                    collector.take_frame(&payload, &shown)?;
                }
            }
            frames.finish().map_err(problem)?;
            Ok(collector.finish())
        })
        .await
}

/// Undoes the labels that the server added. `None` if a series is not among those that the query API shows, so that
/// `query_range` has to read it.
pub(crate) fn as_shown(received: Received, known: &KnownSeries) -> Option<Received> {
    let mut shown = Received { remarks: received.remarks, ..Received::default() };
    for (labels, samples) in received.series {
        shown.series.insert(known.shown(&labels)?, samples);
    }
    for labels in received.histograms {
        shown.histograms.insert(known.shown(&labels)?);
    }
    Some(shown)
}

fn check_streamed(response: &reqwest::Response, shown: &str) -> Result<(), SourceError> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("nothing");
    if kind.starts_with("application/x-streamed-protobuf") {
        return Ok(());
    }
    Err(SourceError::WrongLanguage {
        url: shown.to_owned(),
        problem: format!("with {kind} instead of streamed chunks"),
    })
}

/// Gathers the parts of series, which may be spread over frames.
struct Collector {
    piece: Piece,
    series: BTreeMap<Labels, Cells>,
    histograms: BTreeSet<Labels>,
}

impl Collector {
    fn take_frame(&mut self, payload: &[u8], shown: &str) -> Result<(), SourceError> {
        let damaged = |problem: String| SourceError::Damaged { url: shown.to_owned(), problem };
        let frame = ChunkedReadResponse::decode(payload).map_err(|error| damaged(error.to_string()))?;
        for part in frame.chunked_series {
            if let Some(chunk) = part
                .chunks
                .iter()
                .find(|chunk| chunk.encoding != CHUNK_XOR && !is_histogram_chunk(chunk.encoding))
            {
                return Err(SourceError::UnknownEncoding { url: shown.to_owned(), encoding: chunk.encoding });
            }
            self.take_series(part).map_err(damaged)?;
        }
        Ok(())
    }

    fn take_series(&mut self, part: ChunkedSeries) -> Result<(), String> {
        let labels: Labels = part.labels.into_iter().map(|label| (label.name, label.value)).collect();
        if !labels.contains_key(NAME) {
            return Err("a series has no name".to_owned());
        }
        let Piece { grid, first_ms, last_ms } = self.piece;
        if part.chunks.iter().any(|chunk| is_histogram_chunk(chunk.encoding)) {
            self.histograms.insert(labels.clone());
        }
        let cells = self.series.entry(labels).or_insert_with(|| Cells::new(grid, first_ms, last_ms));
        for chunk in part.chunks.iter().filter(|chunk| chunk.encoding == CHUNK_XOR) {
            for (ms, value) in decode_xor(&chunk.data)? {
                if value.to_bits() != STALE_NAN_BITS {
                    cells.take(ms, value);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Received {
        let series = self.series.into_iter().map(|(labels, cells)| (labels, cells.into_samples())).collect();
        Received { series, histograms: self.histograms, ..Received::default() }
    }
}
