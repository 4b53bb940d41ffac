//! Evidence files: the samples of a run in the long form, with where they come from in the footer.
//!
//! Columns `ts` (int64, milliseconds UTC), `metric`, `service`, `labels` (JSON object), `kind`, `value` (float64);
//! the rows of one family stand together. The footer key [`meta::KEY`] holds the versioned description. Any tool that
//! reads Parquet reads them.

mod foreseen;
mod meta;
mod read;
mod write;

pub use meta::EvidenceMeta;
pub use read::{Evidence, RunIter};
pub use write::EvidenceWriter;
