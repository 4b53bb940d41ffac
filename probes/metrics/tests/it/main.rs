//! Sources against real and, for faults that a real one does not show, fake servers.

mod fake;
mod faults;
mod native;
mod pages;
mod proxy;
mod real;
mod scraping;
mod tls;

use std::collections::BTreeMap;

use aftermath_metrics::{Grid, Limits, Observed, Prometheus, PrometheusConfig, ReadMethod, SourceError};
use aftermath_model::{Block, Catalog, Series, Timestamp, Window};

/// Limits under which failures do not make tests slow.
fn quick_limits() -> Limits {
    Limits { first_retry_ms: 1, longest_retry_ms: 50, ..Limits::default() }
}

fn config(url: &str) -> PrometheusConfig {
    PrometheusConfig { url: url.to_owned(), limits: quick_limits(), ..PrometheusConfig::default() }
}

fn window(from_ms: i64, to_ms: i64) -> Window {
    let at = |ms| Timestamp::from_ms(ms).expect("inside the calendar");
    Window::new(at(from_ms), at(to_ms)).expect("not empty")
}

/// Everything that a source delivers for a window.
struct Read {
    catalog: Catalog,
    blocks: Vec<Block>,
    observed: Observed,
    reads_by: &'static str,
}

impl Read {
    fn series(&self, metric: &str) -> Vec<&Series> {
        self.blocks
            .iter()
            .flat_map(|block| &block.series)
            .filter(|series| series.key.metric == metric)
            .collect()
    }

    fn only(&self, metric: &str, labels: &[(&str, &str)]) -> &Series {
        let matches = |labels_of: &BTreeMap<String, String>| {
            labels.iter().all(|(name, value)| labels_of.get(*name).is_some_and(|found| found == value))
        };
        let found: Vec<&Series> =
            self.series(metric).into_iter().filter(|series| matches(&series.key.labels)).collect();
        assert_eq!(found.len(), 1, "{metric} {labels:?}");
        found[0]
    }
}

async fn read_all(config: PrometheusConfig, window: Window, grid: Grid) -> Result<Read, SourceError> {
    let prometheus = Prometheus::connect(config).await?;
    let catalog = prometheus.discover(window).await?;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let observing = tokio::spawn(async move {
        let observed = prometheus.observe(&catalog, window, grid, sender).await;
        (prometheus, catalog, observed)
    });
    let mut blocks = Vec::new();
    while let Some(block) = receiver.recv().await {
        blocks.push(block);
    }
    let (prometheus, catalog, observed) = observing.await.expect("observing does not panic");
    Ok(Read { catalog, blocks, observed: observed?, reads_by: prometheus.reads_by() })
}

async fn read_by(method: ReadMethod, config: &PrometheusConfig, window: Window, grid: Grid) -> Read {
    let config = PrometheusConfig { read: method, ..config.clone() };
    read_all(config, window, grid).await.expect("the server answers")
}
