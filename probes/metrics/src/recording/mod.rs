//! Recordings: samples that lie in a file, our own evidence or the long form `ts, metric, service, labels, value`.
//!
//! Input: runs of rows as a file holds them. Output: a summary of what is there, and blocks of complete families.
//! How the file is encoded is not known here.

mod catalog;
mod query;
mod quirks;
mod wire;

pub use catalog::{Summary, discover};
pub use query::{FamilyBlocks, RowOrder};
pub use wire::RecordingError;
