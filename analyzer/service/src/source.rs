//! The stages `discover` and `observe`, whatever the source.

use std::sync::Arc;

use aftermath_baselines::Evidence;
use aftermath_metrics::recording::Summary;
use aftermath_metrics::{Grid, Observed, Prometheus};
use aftermath_model::{Block, Catalog, SampleDefects, Series, SourceDescription, Window};
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::score::{family_blocks, recording_failure};

/// Where samples come from. A closed set: each source is a folder of `probes/metrics`.
pub enum Source {
    /// A server that speaks the Prometheus HTTP API.
    Prometheus(Box<Server>),
    /// A file.
    Recording(Recording),
    /// Addresses that are read while the run goes on.
    Scrape(crate::scraping::Scraping),
}

/// A metrics server and what is asked of it.
pub struct Server {
    /// The connection.
    pub prometheus: Prometheus,
    /// The selectors that choose the series; empty means all.
    pub selectors: Vec<String>,
    /// The labels that may name the service, in the order in which they are tried.
    pub service_labels: Vec<String>,
}

/// How a source is being read, for the provenance of what comes from it.
pub struct Reading {
    /// What the source is, without secrets.
    pub source: SourceDescription,
    /// The selectors that choose the series; empty means all.
    pub selectors: Vec<String>,
    /// The labels that may name the service, in the order in which they are tried.
    pub service_labels: Vec<String>,
}

/// A file of samples, opened and looked through.
pub struct Recording {
    /// The file.
    pub file: Arc<Evidence>,
    /// What it holds.
    pub summary: Summary,
}

impl Source {
    /// Asks what can be seen in a stretch of time.
    ///
    /// # Errors
    /// A [`Failure`] when the source refuses.
    pub async fn discover(&self, window: Window, progress: &Progress) -> Result<Catalog, Failure> {
        progress.stage("discovering what can be seen");
        match self {
            Self::Prometheus(server) => server.prometheus.discover(window).await.map_err(source_failure),
            Self::Recording(recording) => Ok(recording.summary.catalog.clone()),
            Self::Scrape(scraping) => Ok(scraping.discover()),
        }
    }

    /// Sends every series of the catalog in a stretch of time, in blocks of complete families.
    ///
    /// # Errors
    /// A [`Failure`] when the source refuses.
    pub async fn observe(
        &self,
        catalog: &Catalog,
        window: Window,
        grid: Grid,
        blocks: mpsc::Sender<Block>,
        progress: &Progress,
    ) -> Result<Observed, Failure> {
        progress.stage(&format!("reading {} metrics", catalog.entries.len()));
        match self {
            Self::Prometheus(server) => {
                server.prometheus.observe(catalog, window, grid, blocks).await.map_err(source_failure)
            }
            Self::Recording(recording) => recording.observe(window, blocks).await,
            Self::Scrape(scraping) => scraping.observe(window, blocks).await,
        }
    }

    /// How the source is being read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        match self {
            Self::Prometheus(server) => Reading {
                source: server.prometheus.description(),
                selectors: server.selectors.clone(),
                service_labels: server.service_labels.clone(),
            },
            Self::Recording(recording) => recording.reading(),
            Self::Scrape(scraping) => scraping.reading(),
        }
    }
}

impl Recording {
    /// Evidence keeps where its samples came from; a foreign recording is itself where they come from.
    fn reading(&self) -> Reading {
        if let Some(meta) = self.file.meta() {
            return Reading {
                source: meta.provenance.source.clone(),
                selectors: meta.provenance.selectors.clone(),
                service_labels: meta.provenance.service_labels.clone(),
            };
        }
        let source = SourceDescription {
            kind: "recording".to_owned(),
            address: self.file.file_name(),
            version: String::new(),
        };
        Reading { source, selectors: Vec::new(), service_labels: Vec::new() }
    }

    async fn observe(&self, window: Window, blocks: mpsc::Sender<Block>) -> Result<Observed, Failure> {
        let file = Arc::clone(&self.file);
        let defects = tokio::task::spawn_blocking(move || send_blocks(&file, window, &blocks))
            .await
            .map_err(Failure::error)??;
        let mut observed = Observed { notes: defects.sentences(), ..Observed::default() };
        if let Some(meta) = self.file.meta() {
            observed.notes.splice(0..0, meta.provenance.notes.iter().cloned());
            observed.partial = meta.provenance.partial;
        }
        Ok(observed)
    }
}

fn send_blocks(
    file: &Evidence,
    window: Window,
    blocks: &mpsc::Sender<Block>,
) -> Result<SampleDefects, Failure> {
    let mut families = family_blocks(file);
    for block in families.by_ref() {
        let block = within(block.map_err(recording_failure)?, window);
        if blocks.blocking_send(block).is_err() {
            // Nobody listens any more: whoever stopped tells why.
            break;
        }
    }
    Ok(families.defects())
}

/// What of a block lies in a window; series without any sample there are left out.
pub(crate) fn within(block: Block, window: Window) -> Block {
    let cut = |series: Series| {
        let samples = series.between(window.from.ms(), window.to.ms()).collect();
        Series::from_raw(series.key, series.kind, samples).0
    };
    Block { series: block.series.into_iter().map(cut).filter(|series| !series.is_empty()).collect() }
}

/// Words for a source that refuses.
#[must_use]
pub fn source_failure(problem: aftermath_metrics::SourceError) -> Failure {
    if problem.is_bad_input() { Failure::bad_input(problem) } else { Failure::error(problem) }
}
