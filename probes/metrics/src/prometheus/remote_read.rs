//! Reading by `remote_read`: raw samples, streamed in compressed chunks, put into the cells of the grid as they come.

use std::collections::BTreeMap;

use prost::Message;
use reqwest::header::CONTENT_TYPE;

use super::api::Api;
use super::query::{Piece, Received};
use super::quirks::KnownSeries;
use super::selector::{NAME, Selector};
use super::wire::{
    CHUNK_FLOAT_HISTOGRAM, CHUNK_HISTOGRAM, CHUNK_XOR, Chunk, ChunkProblem, ChunkedReadResponse,
    ChunkedSeries, FrameProblem, FrameReader, NativeHistogram, STALE_NAN_BITS, decode_histograms, decode_xor,
    encode_read_request,
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
            let mut collector = Collector { piece, series: BTreeMap::new(), histograms: BTreeMap::new() };
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
    for (labels, samples) in received.histograms {
        shown.histograms.insert(known.shown(&labels)?, samples);
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
    histograms: BTreeMap<Labels, Cells<NativeHistogram>>,
}

impl Collector {
    fn take_frame(&mut self, payload: &[u8], shown: &str) -> Result<(), SourceError> {
        let damaged = |problem: String| SourceError::Damaged { url: shown.to_owned(), problem };
        let frame = ChunkedReadResponse::decode(payload).map_err(|error| damaged(error.to_string()))?;
        for part in frame.chunked_series {
            let ChunkedSeries { labels, chunks } = part;
            let labels: Labels = labels.into_iter().map(|label| (label.name, label.value)).collect();
            if !labels.contains_key(NAME) {
                return Err(damaged("a series has no name".to_owned()));
            }
            for chunk in chunks {
                let encoding = chunk.encoding;
                self.take_chunk(&labels, &chunk).map_err(|problem| match problem {
                    ChunkProblem::Damaged(problem) => damaged(problem),
                    ChunkProblem::Unknown => SourceError::UnknownEncoding { url: shown.to_owned(), encoding },
                })?;
            }
        }
        Ok(())
    }

    fn take_chunk(&mut self, labels: &Labels, chunk: &Chunk) -> Result<(), ChunkProblem> {
        let Piece { grid, first_ms, last_ms } = self.piece;
        match chunk.encoding {
            CHUNK_XOR => {
                let cells =
                    self.series.entry(labels.clone()).or_insert_with(|| Cells::new(grid, first_ms, last_ms));
                for (ms, value) in decode_xor(&chunk.data).map_err(ChunkProblem::Damaged)? {
                    if value.to_bits() != STALE_NAN_BITS {
                        cells.take(ms, value);
                    }
                }
            }
            CHUNK_HISTOGRAM | CHUNK_FLOAT_HISTOGRAM => {
                let samples = decode_histograms(&chunk.data, chunk.encoding == CHUNK_FLOAT_HISTOGRAM)?;
                let cells = self
                    .histograms
                    .entry(labels.clone())
                    .or_insert_with(|| Cells::new(grid, first_ms, last_ms));
                for (ms, histogram) in samples {
                    cells.take(ms, histogram);
                }
            }
            _ => return Err(ChunkProblem::Unknown),
        }
        Ok(())
    }

    fn finish(self) -> Received {
        let series = self.series.into_iter().map(|(labels, cells)| (labels, cells.into_samples())).collect();
        let histograms =
            self.histograms.into_iter().map(|(labels, cells)| (labels, cells.into_samples())).collect();
        Received { series, histograms, ..Received::default() }
    }
}
