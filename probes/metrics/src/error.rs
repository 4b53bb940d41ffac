//! What can go wrong while reading a system: which thing, what is wrong with it, what to try.
//!
//! No message holds a secret: addresses are printed without credentials and headers are never printed.

use std::time::Duration;

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The address is not one that can be asked.
    #[error("`{url}` is not an address of a server: {problem}; give something like http://prometheus:9090")]
    BadAddress {
        /// The address without credentials.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting cannot be used.
    #[error("{setting}: {problem}; {hint}")]
    BadSetting {
        /// Which setting, with the file it names if there is one.
        setting: String,
        /// What is wrong with it.
        problem: String,
        /// What to try.
        hint: &'static str,
    },
    /// Nobody answers, or the connection broke before an answer.
    #[error(
        "{url} does not answer: {problem}; check the address and that the server runs and can be reached"
    )]
    Unreachable {
        /// The address without credentials.
        url: String,
        /// What the network said.
        problem: String,
    },
    /// There is no connection that can be trusted, mostly because of the certificate of the server.
    #[error("{url} cannot be trusted: {problem}; {hint}")]
    Untrusted {
        /// The address without credentials.
        url: String,
        /// What is wrong with the certificate or the connection.
        problem: String,
        /// What to try.
        hint: &'static str,
    },
    /// An answer took too long.
    #[error("{url} is too slow: {problem}; {hint}")]
    TooSlow {
        /// The address without credentials.
        url: String,
        /// How long we waited, or that the server gave up.
        problem: String,
        /// What to try.
        hint: &'static str,
    },
    /// The server does not let us in.
    #[error(
        "{url} refuses access (HTTP {status}); check the user and password, the token, or the tenant header"
    )]
    AccessDenied {
        /// The address without credentials.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// There is no such endpoint.
    #[error("{url} does not exist (HTTP 404); {hint}")]
    NotFound {
        /// The address without credentials.
        url: String,
        /// What to try.
        hint: &'static str,
    },
    /// The server sends us elsewhere. Credentials are not carried to another address without being asked.
    #[error("{url} redirects to {to}; if that is the server you mean, give that address")]
    Redirected {
        /// The address without credentials.
        url: String,
        /// Where to, without credentials.
        to: String,
    },
    /// Something answers, in a language other than the one expected.
    #[error(
        "{url} answers, but {problem}; check that this is the address of the server's API, not of a login page, a dashboard or a proxy"
    )]
    WrongLanguage {
        /// The address without credentials.
        url: String,
        /// What came instead.
        problem: String,
    },
    /// The server is too busy or broken right now.
    #[error("{url} cannot answer now (HTTP {status}{}); {hint}", after(.text))]
    Overloaded {
        /// The address without credentials.
        url: String,
        /// 429 or 5xx.
        status: u16,
        /// The beginning of its answer, or nothing.
        text: String,
        /// How long the server asked us to wait.
        retry_after: Option<Duration>,
        /// What to try.
        hint: &'static str,
    },
    /// The server understood the question and does not want to answer it.
    #[error("{url} refuses the question (HTTP {status}): {text}; {hint}")]
    Rejected {
        /// The address without credentials.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the server said.
        text: String,
        /// What to try.
        hint: &'static str,
    },
    /// A selector that the server, or this program, cannot read.
    #[error(
        "the selector `{selector}` cannot be used: {problem}; write a PromQL series selector such as {{namespace=\"shop\"}} or up{{job=\"api\"}}"
    )]
    BadSelector {
        /// The selector.
        selector: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is nothing to read.
    #[error(
        "{what} at {url} in {window}; check the spelling, the time and how long the server keeps samples"
    )]
    NothingMatches {
        /// That there are no series, or which selector matches none, as the beginning of a sentence.
        what: String,
        /// The address without credentials.
        url: String,
        /// The window that was asked for.
        window: String,
    },
    /// An answer is cut off or damaged.
    #[error(
        "the answer of {url} is damaged: {problem}; a proxy may cut it off, or the server may have failed while it answered"
    )]
    Damaged {
        /// The address without credentials.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An answer is larger than we allow.
    #[error("the answer of {url} is larger than the {} that are read at once; {hint}", bytes(*.allowed_bytes))]
    TooLarge {
        /// The address without credentials.
        url: String,
        /// How large it may be, in bytes.
        allowed_bytes: u64,
        /// What to try.
        hint: &'static str,
    },
    /// The server sends samples in an encoding that this version does not know.
    #[error(
        "{url} sends chunks of type {encoding}, which this version cannot read; read it with --read query-range"
    )]
    UnknownEncoding {
        /// The address without credentials.
        url: String,
        /// The number of the chunk type.
        encoding: i32,
    },
    /// Whoever asked for the samples no longer takes them.
    #[error("the reader of the samples stopped before all were read; see its own error")]
    ReceiverGone,
}

fn after(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// A size for messages.
pub(crate) fn bytes(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    if bytes > 0 && bytes.is_multiple_of(MEBIBYTE) {
        format!("{} MiB", bytes / MEBIBYTE)
    } else {
        format!("{bytes} bytes")
    }
}

impl SourceError {
    /// Whether the same question may well be answered a little later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Overloaded { .. } | Self::Damaged { .. })
    }

    /// Whether whoever gave the address, a setting or a selector has to give another one.
    #[must_use]
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::BadAddress { .. }
                | Self::BadSetting { .. }
                | Self::BadSelector { .. }
                | Self::NothingMatches { .. }
        )
    }

    /// How long the server asked us to wait before the next attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a smaller question has a chance: the answer was too large or too slow, or the server said that the
    /// question was (HTTP 413 and 422, which Mimir and Prometheus answer for too many samples, chunks or series).
    #[must_use]
    pub fn asks_for_less(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::TooSlow { .. } => true,
            Self::Rejected { status, .. } => matches!(status, 413 | 422),
            _ => false,
        }
    }
}
