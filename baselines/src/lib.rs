//! What was normal: evidence files with the samples of a run, and learned null distributions.
//!
//! Input: blocks of samples. Output: files that a verdict can be replayed from. This crate knows no statistics and
//! no metrics back end; it is the only one that knows Parquet.

mod error;
mod evidence;
mod learned;
mod output;

pub use error::BaselineError;
pub use evidence::{Evidence, EvidenceMeta, EvidenceWriter, RunIter};
pub use learned::{read_learned, write_learned};
pub use output::OutputFile;
