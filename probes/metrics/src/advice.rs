//! What to try when a question was too much or went to the wrong place: options that whoever asks really has.

/// Hints for the same troubles, each the end of a sentence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advice {
    /// No answer in time.
    pub(crate) slow: &'static str,
    /// The answer is too large.
    pub(crate) large: &'static str,
    /// The server is busy or broken.
    pub(crate) busy: &'static str,
    /// The server does not want to answer.
    pub(crate) refused: &'static str,
    /// There is nothing at the address.
    pub(crate) missing: &'static str,
}

const PATH_BEFORE_API: &str = "check the path before /api, such as /prometheus or /select/0/prometheus";

/// For questions about samples.
pub(crate) const QUERIES: Advice = Advice {
    slow: "choose fewer series with --match, or shorter windows",
    large: "choose fewer series with --match, or shorter windows",
    busy: "try again later, or choose fewer series with --match, or shorter windows",
    refused: "choose fewer series with --match, or shorter windows",
    missing: PATH_BEFORE_API,
};

/// For the small questions that find out who answers at an address.
pub(crate) const FIRST_QUESTIONS: Advice = Advice {
    slow: "check the address, and that the server is not hanging and lets this machine in",
    large: "check that this is the address of a metrics server",
    busy: "try again later",
    refused: "check that this is the address of a metrics server",
    missing: PATH_BEFORE_API,
};

/// For `/metrics` pages.
pub(crate) const PAGES: Advice = Advice {
    slow: "give a larger --step, or make the page answer faster",
    large: "let a Prometheus read that page, and read it with --prometheus",
    busy: "try again later",
    refused: "check that this is the address of a metrics page",
    missing: "check the path, such as /metrics",
};
