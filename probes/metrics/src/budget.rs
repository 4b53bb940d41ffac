//! Limits on everything that a source may cost us or the server. Each carries its unit in its name; one that is
//! reached is an error or a note, never silence.

/// What reading may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many requests are under way at the same time.
    pub requests_at_once: usize,
    /// How often a request is repeated after a failure that may pass.
    pub retries_per_request: usize,
    /// The pause before the first repetition in milliseconds; it doubles each time. A server that says how long to
    /// wait is obeyed instead.
    pub first_retry_ms: u64,
    /// The longest pause before a repetition in milliseconds, also where the server asks for more.
    pub longest_retry_ms: u64,
    /// How long connecting may take, in milliseconds.
    pub connect_ms: u64,
    /// How long one request may take from end to end, in milliseconds.
    pub request_ms: u64,
    /// How long the first requests to a server may take, which find out who answers there, in milliseconds: a server
    /// that accepts and never answers is told soon.
    pub first_answer_ms: u64,
    /// How often one of the first requests is repeated after a failure that may pass.
    pub first_answer_retries: usize,
    /// The size of one answer after decompression, in bytes.
    pub answer_bytes: u64,
    /// The size of one frame of a streamed answer, in bytes.
    pub frame_bytes: usize,
    /// How many points of one series a `query_range` may ask for. Prometheus allows 11,000.
    pub points_per_query: i64,
    /// How many samples (series times points) one request should bring.
    pub samples_per_query: usize,
    /// How long one selector sent to the server may be, in bytes. `VictoriaMetrics` allows 16 KiB.
    pub selector_bytes: usize,
    /// How many series are read altogether.
    pub series: usize,
    /// The memory that `scrape` may keep samples in, in bytes.
    pub scrape_memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_at_once: 4,
            retries_per_request: 4,
            first_retry_ms: 250,
            longest_retry_ms: 20_000,
            connect_ms: 10_000,
            request_ms: 120_000,
            first_answer_ms: 10_000,
            first_answer_retries: 1,
            answer_bytes: 256 << 20,
            frame_bytes: 50 << 20,
            points_per_query: 10_000,
            samples_per_query: 1_000_000,
            selector_bytes: 8 << 10,
            series: 500_000,
            scrape_memory_bytes: 512 << 20,
        }
    }
}
