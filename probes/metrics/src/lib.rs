//! Reading the system under test: discovery and observation of its metrics.
//!
//! Every source answers the same two questions, what can be seen ([`aftermath_model::Catalog`]) and what it did
//! ([`aftermath_model::Block`]s), and says what was odd about the answers ([`Observed`]).

mod address;
mod advice;
mod budget;
mod error;
mod http;
mod kinds;
mod naming;
pub mod observation;
pub mod prometheus;
pub mod recording;
pub mod scrape;
mod tls;

pub use budget::Limits;
pub use error::SourceError;
pub use http::{Access, Auth, install_crypto_provider};
pub use naming::{NamedSeries, ServiceNaming};
pub use observation::{Grid, Observed};
pub use prometheus::{Prometheus, PrometheusConfig, ReadMethod};
pub use scrape::{Recorder, ScrapeConfig, ScrapeProgress, ScrapeTarget, Scraped, ScrapedBlocks, Scraper};
