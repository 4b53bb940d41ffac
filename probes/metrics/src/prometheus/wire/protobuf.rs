//! The messages of `remote_read` (Prometheus `prompb/remote.proto` and `prompb/types.proto`), as far as they are
//! needed to ask for and to read `STREAMED_XOR_CHUNKS`.

use prost::Message;

/// Chunk type: floats, XOR-compressed.
pub(crate) const CHUNK_XOR: i32 = 1;
/// Chunk type: native histograms that count in whole numbers.
pub(crate) const CHUNK_HISTOGRAM: i32 = 2;
/// Chunk type: native histograms whose counts are floats.
pub(crate) const CHUNK_FLOAT_HISTOGRAM: i32 = 3;

const STREAMED_XOR_CHUNKS: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct ReadRequest {
    #[prost(message, repeated, tag = "1")]
    queries: Vec<Query>,
    #[prost(int32, repeated, tag = "2")]
    accepted_response_types: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Query {
    #[prost(int64, tag = "1")]
    start_timestamp_ms: i64,
    #[prost(int64, tag = "2")]
    end_timestamp_ms: i64,
    #[prost(message, repeated, tag = "3")]
    matchers: Vec<LabelMatcher>,
}

/// A condition on one label.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct LabelMatcher {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    value: String,
}

/// One frame of a streamed answer.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChunkedReadResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) chunked_series: Vec<ChunkedSeries>,
}

/// A part of one series; its next part may follow in the next frame.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChunkedSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) chunks: Vec<Chunk>,
}

/// One label.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// Compressed samples.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Chunk {
    #[prost(int32, tag = "3")]
    pub(crate) encoding: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) data: Vec<u8>,
}

/// A condition on one label; the operator is one of `=`, `!=`, `=~`, `!~`.
pub(crate) fn matcher(operator: &str, name: &str, value: &str) -> LabelMatcher {
    let kind = match operator {
        "!=" => 1,
        "=~" => 2,
        "!~" => 3,
        _ => 0,
    };
    LabelMatcher { kind, name: name.to_owned(), value: value.to_owned() }
}

/// The body of a request for the samples with `from_ms <= time <= to_ms` of the series that meet every condition.
pub(crate) fn encode_read_request(matchers: Vec<LabelMatcher>, from_ms: i64, to_ms: i64) -> Vec<u8> {
    let query = Query { start_timestamp_ms: from_ms, end_timestamp_ms: to_ms, matchers };
    let request = ReadRequest { queries: vec![query], accepted_response_types: vec![STREAMED_XOR_CHUNKS] };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("snappy only refuses inputs of more than 4 GiB, and selectors are bounded by selector_bytes")
}
