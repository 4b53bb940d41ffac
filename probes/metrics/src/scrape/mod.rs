//! Reads `/metrics` pages itself, at an interval, for pipelines and demos without a Prometheus.

mod catalog;
mod query;
mod quirks;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aftermath_model::{Timestamp, Window};
use futures::StreamExt;
use reqwest::Url;
use tokio::sync::watch;
use tokio::time::Instant;

pub use catalog::{Scraped, ScrapedBlocks};

use crate::address::{parse_address, plain, without_credentials};
use crate::advice::PAGES;
use crate::budget::Limits;
use crate::error::SourceError;
use crate::http::{Access, Ask, Http};
use crate::naming::ServiceNaming;
use crate::observation::Grid;
use query::{Column, Record, TargetRecord};

/// A page to read. Printing it shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ScrapeTarget {
    /// The service it belongs to. `None`: the labels of each series tell, and the address where they do not.
    pub service: Option<String>,
    /// The address; without a path, `/metrics` is read.
    pub url: String,
}

impl std::fmt::Debug for ScrapeTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = without_credentials(&self.url);
        f.debug_struct("ScrapeTarget").field("service", &self.service).field("url", &url).finish()
    }
}

/// Which pages, how often, and at what cost.
#[derive(Clone, Debug, Default)]
pub struct ScrapeConfig {
    /// The pages.
    pub targets: Vec<ScrapeTarget>,
    /// The time between two readings in milliseconds.
    pub interval_ms: u64,
    /// How to get in, the same for every page.
    pub access: Access,
    /// Which labels name the service of targets without one.
    pub naming: ServiceNaming,
    /// What reading may cost. A page that takes longer than nine tenths of the interval counts as missing.
    pub limits: Limits,
}

/// How far a scrape has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrapeProgress {
    /// How often all pages were read.
    pub ticks: u32,
    /// How many series were seen.
    pub series: usize,
    /// How many of the pages answered at the last tick.
    pub targets_up: usize,
}

/// Reads pages at an interval until it is told to stop.
pub struct Scraper {
    config: ScrapeConfig,
    pages: Vec<Arc<Page>>,
    progress: watch::Sender<ScrapeProgress>,
    recorder: Recorder,
}

/// What a [`Scraper`] has read so far, for whoever cannot wait until it ends.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Scraped>>);

impl Recorder {
    /// A copy of everything that was scraped until now.
    #[must_use]
    pub fn so_far(&self) -> Scraped {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Scraped> {
        // A reader that panicked has changed nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Page {
    service: Option<String>,
    url: Url,
    http: Http,
}

impl Scraper {
    /// # Errors
    /// [`SourceError::BadAddress`] and [`SourceError::BadSetting`] for a target, a header, a file or an interval that
    /// cannot be used.
    pub fn new(config: ScrapeConfig) -> Result<Self, SourceError> {
        const SHORTEST_MS: u64 = 10;
        if config.interval_ms < SHORTEST_MS || i64::try_from(config.interval_ms).is_err() {
            return Err(SourceError::BadSetting {
                setting: format!("the step of {} ms", config.interval_ms),
                problem: "nothing can be scraped that often".to_owned(),
                hint: "give a --step of at least 10 ms",
            });
        }
        let request_ms = config.limits.request_ms.min(config.interval_ms / 10 * 9);
        // A page that fails is a missing sample; a second attempt would be a sample of another time.
        let limits =
            Limits { retries_per_request: 0, request_ms, connect_ms: request_ms, ..config.limits.clone() };
        let shared = Http::new(&config.access, None, &limits, PAGES)?;
        let mut pages = Vec::with_capacity(config.targets.len());
        for target in &config.targets {
            let (mut url, auth) = parse_address(&target.url)?;
            if url.path() == "/" {
                url.set_path("/metrics");
            }
            let http = if auth.is_some() {
                Http::new(&config.access, auth, &limits, PAGES)?
            } else {
                shared.clone()
            };
            pages.push(Arc::new(Page { service: target.service.clone(), url, http }));
        }
        let record = Record::new(pages.iter().map(|page| page.record()).collect(), &config.limits);
        let grid =
            Grid { anchor_ms: now_ms(), step_ms: i64::try_from(config.interval_ms).unwrap_or(i64::MAX) };
        let nothing_yet =
            Scraped { record, naming: config.naming.clone(), grid, window: ticked_window(grid, 1) };
        let recorder = Recorder(Arc::new(Mutex::new(nothing_yet)));
        Ok(Self { config, pages, progress: watch::Sender::default(), recorder })
    }

    /// A view of what is being scraped.
    #[must_use]
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// How far it has come; changes after each tick.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<ScrapeProgress> {
        self.progress.subscribe()
    }

    /// Reads each page once, to find mistakes before anything is measured.
    ///
    /// # Errors
    /// What is wrong with the first page that cannot be read.
    pub async fn check(&self) -> Result<(), SourceError> {
        for page in &self.pages {
            let text = page.read().await?;
            wire::parse(&text).map_err(|problem| SourceError::WrongLanguage {
                url: plain(&page.url),
                problem: format!("not with metrics in the text format ({problem})"),
            })?;
        }
        Ok(())
    }

    /// Reads every page at each tick until `stop` turns true or its sender is gone. Ticks that were missed because
    /// the machine was busy are missing samples.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Scraped {
        let interval = Duration::from_millis(self.config.interval_ms);
        let started = Instant::now();
        self.recorder.lock().grid.anchor_ms = now_ms();
        let mut tick = 0;
        loop {
            let read = async {
                tokio::time::sleep_until(started + interval * tick).await;
                self.read_all().await
            };
            let answers = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                answers = read => answers,
            };
            self.note(tick, answers);
            tick = (tick + 1).max(next_tick(started.elapsed(), interval));
        }
        self.recorder.so_far()
    }

    async fn read_all(&self) -> Vec<Result<String, String>> {
        let reads = self
            .pages
            .iter()
            .cloned()
            .map(|page| async move { page.read().await.map_err(|error| error.to_string()) });
        futures::stream::iter(reads).buffered(self.pages.len().max(1)).collect().await
    }

    fn note(&self, tick: u32, answers: Vec<Result<String, String>>) {
        let targets_up = answers.iter().filter(|answer| answer.is_ok()).count();
        let mut scraped = self.recorder.lock();
        for (target, answer) in answers.into_iter().enumerate() {
            scraped.record.take(target, tick, answer.as_deref().map_err(ToOwned::to_owned));
        }
        scraped.window = ticked_window(scraped.grid, tick + 1);
        let series = scraped.record.series;
        drop(scraped);
        self.progress.send_modify(|progress| {
            progress.ticks += 1;
            progress.series = series;
            progress.targets_up = targets_up;
        });
    }
}

impl Page {
    async fn read(&self) -> Result<String, SourceError> {
        let body = self.http.read(&self.url, Ask::Get).await?;
        String::from_utf8(body).map_err(|_| SourceError::WrongLanguage {
            url: plain(&self.url),
            problem: "with bytes that are no text".to_owned(),
        })
    }

    fn record(&self) -> TargetRecord {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        TargetRecord {
            service: self.service.clone(),
            url: plain(&self.url),
            instance: format!("{host}:{port}"),
            columns: std::collections::HashMap::new(),
            up: Column::default(),
            failures: 0,
            last_failure: String::new(),
            repeated: 0,
        }
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

/// The first tick that is not yet over.
fn next_tick(elapsed: Duration, interval: Duration) -> u32 {
    u32::try_from(elapsed.as_nanos().div_ceil(interval.as_nanos())).unwrap_or(u32::MAX)
}

/// From the first tick to the end of the last.
fn ticked_window(grid: Grid, ticks: u32) -> Window {
    let from = Timestamp::from_ms(grid.anchor_ms).expect("the clock of the machine is inside the calendar");
    Window { from, to: from.plus_ms(i64::from(ticks) * grid.step_ms) }
}
