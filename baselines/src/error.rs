//! Why a file could not be written or read.

use std::path::PathBuf;

/// Why an evidence or learned file could not be written or read. Every message names the file and gives a hint.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file system refused to read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// The file system refused to write; nothing half-written stays behind.
    #[error("cannot write {path}: {cause}; nothing was left behind, free some space or choose another place")]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// Not Parquet, or cut off.
    #[error(
        "{path} is not a complete Parquet file: {cause}; was it cut off while it was copied, or is it another format?"
    )]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        cause: String,
    },
    /// A column is missing or has another type.
    #[error(
        "{path} holds no samples that can be read: {problems}; expected are the columns ts (int64, ms UTC), metric, service, labels (text) and value (float64)"
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// Every missing or mistyped column.
        problems: String,
    },
    /// The file was written by a later version.
    #[error("{path} has format version {found}, this program reads up to {known}; use a newer aftermath")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
        /// The newest version that can be read.
        known: u64,
    },
    /// The file says what it is, and then is not.
    #[error("{path} is damaged: {cause}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        cause: String,
    },
}

impl BaselineError {
    /// Whether the caller gave a wrong file, rather than the machine failing.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Read { cause, .. } => cause.kind() == std::io::ErrorKind::NotFound,
            Self::Write { .. } => false,
            Self::NotParquet { .. } | Self::Columns { .. } | Self::Version { .. } | Self::Damaged { .. } => {
                true
            }
        }
    }
}
