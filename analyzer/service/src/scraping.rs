//! `/metrics` addresses that are read while the program does something else.

use std::time::Duration;

use aftermath_metrics::{
    Access, Observed, Recorder, ScrapeConfig, ScrapeProgress, ScrapeTarget, Scraper, ServiceNaming,
};
use aftermath_model::{Block, Catalog, Window};
use tokio::sync::{mpsc, watch};

use crate::failure::Failure;
use crate::progress::Progress;
use crate::source::{Reading, source_failure, within};

/// Addresses that are being read since this value was made, until it is dropped.
pub struct Scraping {
    recorder: Recorder,
    seen: watch::Receiver<ScrapeProgress>,
    naming: ServiceNaming,
    // Dropping it tells the scraper to stop.
    _stop: watch::Sender<bool>,
}

impl Scraping {
    /// Looks at each address once, to find mistakes at once, and begins to read them every `step_ms` milliseconds.
    ///
    /// # Errors
    /// A [`Failure`] for the first address that cannot be read.
    pub async fn start(
        targets: Vec<ScrapeTarget>,
        step_ms: i64,
        naming: ServiceNaming,
        access: Access,
    ) -> Result<Self, Failure> {
        let config = ScrapeConfig {
            targets,
            interval_ms: u64::try_from(step_ms).unwrap_or_default(),
            naming: naming.clone(),
            access,
            ..ScrapeConfig::default()
        };
        let scraper = Scraper::new(config).map_err(source_failure)?;
        scraper.check().await.map_err(source_failure)?;
        let (recorder, seen) = (scraper.recorder(), scraper.progress());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(scraper.run(stopped));
        Ok(Self { recorder, seen, naming, _stop: stop })
    }

    /// How far the reading has come.
    #[must_use]
    pub fn seen(&self) -> watch::Receiver<ScrapeProgress> {
        self.seen.clone()
    }

    /// Waits for `duration_ms` milliseconds and says what was read since the beginning.
    ///
    /// # Errors
    /// A [`Failure`] when the scraper ended by itself.
    pub async fn watch(&self, duration_ms: i64, progress: &Progress) -> Result<Window, Failure> {
        let end = tokio::time::sleep(Duration::from_millis(u64::try_from(duration_ms).unwrap_or_default()));
        tokio::pin!(end);
        let mut seen = self.seen.clone();
        progress.stage(&format!("reading for {} s", duration_ms / 1_000));
        loop {
            tokio::select! {
                () = &mut end => return Ok(self.recorder.so_far().window()),
                changed = seen.changed() => {
                    changed.map_err(|_| Failure::error("the scraper stopped by itself"))?;
                    let now = *seen.borrow_and_update();
                    progress.tick(&format!(
                        "{} rounds, {} series, {} addresses answer",
                        now.ticks, now.series, now.targets_up
                    ));
                }
            }
        }
    }

    /// What was seen until now.
    #[must_use]
    pub fn discover(&self) -> Catalog {
        self.recorder.so_far().catalog()
    }

    /// Sends what was read of a stretch of time.
    ///
    /// # Errors
    /// A [`Failure`] when the blocks cannot be made.
    pub async fn observe(&self, window: Window, blocks: mpsc::Sender<Block>) -> Result<Observed, Failure> {
        let mut scraped = self.recorder.so_far().into_blocks();
        let sent = tokio::task::spawn_blocking(move || {
            for block in scraped.by_ref() {
                if blocks.blocking_send(within(block, window)).is_err() {
                    // Nobody listens any more: whoever stopped tells why.
                    break;
                }
            }
            scraped.finish()
        });
        sent.await.map_err(Failure::error)
    }

    /// How the addresses are being read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading {
            source: self.recorder.so_far().description(),
            selectors: Vec::new(),
            service_labels: self.naming.labels().to_vec(),
        }
    }
}

/// Reads `URL` or `SERVICE=URL`.
///
/// # Errors
/// A sentence that names the text and says what would be right.
pub fn parse_target(text: &str) -> Result<ScrapeTarget, String> {
    // An address may hold `=` itself, a name of a service holds no `/`.
    let (service, url) = match text.split_once('=') {
        Some((service, url)) if !service.contains('/') => (Some(service.to_owned()), url),
        _ => (None, text),
    };
    let is_address = url.starts_with("http://") || url.starts_with("https://");
    if !is_address || service.as_deref() == Some("") {
        return Err(format!(
            "--scrape `{text}` is no address; write http://host:port/metrics or SERVICE=http://host:port/metrics"
        ));
    }
    Ok(ScrapeTarget { service, url: url.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_with_or_without_its_service() {
        let table = [
            ("http://a:1/metrics", None, "http://a:1/metrics"),
            ("cart=http://a:1/metrics", Some("cart"), "http://a:1/metrics"),
            ("http://a:1/metrics?x=http://b", None, "http://a:1/metrics?x=http://b"),
        ];
        for (text, service, url) in table {
            let target = parse_target(text).unwrap();
            assert_eq!((target.service.as_deref(), target.url.as_str()), (service, url), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in ["", "cart", "cart=", "=http://a:1", "ftp://a:1/metrics"] {
            assert!(parse_target(text).unwrap_err().contains(&format!("`{text}`")), "{text}");
        }
    }
}
