//! What the server says, byte for byte: JSON of its query API, and the streamed answer of `remote_read`.

mod frames;
mod histogram;
mod json;
mod protobuf;
mod xor;

pub(crate) use frames::{FrameProblem, FrameReader};
pub(crate) use histogram::{Bucket, ChunkProblem, NativeHistogram, decode_histograms};
pub(crate) use json::{Answer, Matrix, Remarks, Vector, decode};
pub(crate) use protobuf::{
    CHUNK_FLOAT_HISTOGRAM, CHUNK_HISTOGRAM, CHUNK_XOR, Chunk, ChunkedReadResponse, ChunkedSeries,
    LabelMatcher, encode_read_request, matcher,
};
pub(crate) use xor::decode_xor;

/// The bits of the value that marks the end of a series; an ordinary not-a-number has others. Compare bits before
/// any arithmetic (`StaleNaN` in Prometheus `model/value/value.go`).
pub(crate) const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;
