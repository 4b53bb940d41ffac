//! Scraping real `/metrics` pages.

use aftermath_metrics::{ScrapeConfig, ScrapeTarget, Scraped, Scraper, SourceError};
use aftermath_model::{Block, MetricKind, Series, SeriesKind};
use aftermath_prometheus_fixture::free_port;

use crate::pages::Pages;
use crate::quick_limits;

fn target(service: Option<&str>, url: &str) -> ScrapeTarget {
    ScrapeTarget { service: service.map(ToOwned::to_owned), url: url.to_owned() }
}

fn config(targets: Vec<ScrapeTarget>) -> ScrapeConfig {
    ScrapeConfig { targets, interval_ms: 300, limits: quick_limits(), ..ScrapeConfig::default() }
}

/// Scrapes until so many ticks have passed.
async fn scrape(config: ScrapeConfig, ticks: u32) -> Scraped {
    let scraper = Scraper::new(config).expect("a valid configuration");
    let mut progress = scraper.progress();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let scraping = tokio::spawn(scraper.run(stopped));
    progress.wait_for(|progress| progress.ticks >= ticks).await.expect("it is running");
    stop.send(true).expect("it is running");
    scraping.await.expect("it does not panic")
}

fn find<'a>(blocks: &'a [Block], metric: &str, service: &str) -> Vec<&'a Series> {
    let all = blocks.iter().flat_map(|block| &block.series);
    all.filter(|series| series.key.metric == metric && series.key.service == service).collect()
}

#[tokio::test]
async fn pages_become_blocks_on_the_grid_with_kinds_and_services() {
    let cart = Pages::serve(|read| {
        format!(
            "# TYPE reads counter\nreads_total {read}\n# TYPE latency histogram\nlatency_bucket{{le=\"+Inf\"}} {read}\n\
             latency_sum 1\nlatency_count {read}\n"
        )
    })
    .await;
    let other =
        Pages::serve(|_| "temperature{app=\"oven\"} 20 1700000000000\nalone NaN\nplain 1\n".to_owned()).await;
    let targets = vec![
        target(Some("cart"), &format!("http://{}", cart.address)),
        target(None, &format!("http://{}/metrics", other.address)),
    ];
    let scraped = scrape(config(targets), 5).await;
    let (grid, window) = (scraped.grid(), scraped.window());
    let catalog = scraped.catalog();
    let kind =
        |metric: &str| catalog.entries.iter().find(|entry| entry.metric == metric).map(|entry| entry.kind);
    assert_eq!((kind("reads_total"), kind("plain")), (Some(MetricKind::Counter), Some(MetricKind::Unknown)));
    let mut taken = scraped.into_blocks();
    let blocks: Vec<Block> = taken.by_ref().collect();
    let observed = taken.finish();
    let reads = find(&blocks, "reads_total", "cart")[0];
    assert_eq!((reads.kind, &reads.key.labels["instance"]), (SeriesKind::Counter, &cart.address));
    assert!(
        reads.len() > 2 && reads.values().windows(2).all(|pair| pair[0] < pair[1]),
        "{:?}",
        reads.values()
    );
    assert!(reads.timestamps_ms().iter().all(|&ms| grid.cell_of(ms) == ms));
    assert!(reads.timestamps_ms().iter().all(|&ms| window.from.ms() <= ms && ms < window.to.ms()));
    assert_eq!(find(&blocks, "temperature", "oven").len(), 1);
    assert_eq!(find(&blocks, "plain", &other.address).len(), 1);
    let whole: Vec<usize> = blocks
        .iter()
        .filter(|block| block.series.iter().any(|series| series.kind == SeriesKind::HistogramBucket))
        .map(|block| block.series.len())
        .collect();
    assert_eq!(whole, [3]);
    assert!(!observed.partial && observed.notes.iter().any(|note| note.contains("not a number")));
}

#[tokio::test]
async fn a_failed_scrape_is_a_missing_sample_and_up_says_so() {
    let page =
        Pages::serve(|read| if read % 2 == 0 { format!("reads {read}\n") } else { "<html>".to_owned() })
            .await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let targets =
        vec![target(Some("flaky"), &format!("http://{}", page.address)), target(Some("gone"), &nobody)];
    let mut taken = scrape(config(targets), 6).await.into_blocks();
    let blocks: Vec<Block> = taken.by_ref().collect();
    let notes = taken.finish().notes;
    let (reads, up) = (find(&blocks, "reads", "flaky")[0], find(&blocks, "up", "flaky")[0]);
    let answered: Vec<i64> = up
        .timestamps_ms()
        .iter()
        .copied()
        .zip(up.values())
        .filter(|(_, up)| **up > 0.5)
        .map(|(ms, _)| ms)
        .collect();
    assert_eq!(reads.timestamps_ms(), answered);
    assert!(up.len() > answered.len() && reads.values().iter().all(|value| value % 2.0 == 0.0));
    assert!(find(&blocks, "up", "gone")[0].values().iter().all(|&up| up == 0.0));
    assert!(notes.iter().any(|note| note.contains(&nobody) && note.contains("refused")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains(&page.address) && note.contains("line 1")), "{notes:?}");
}

#[tokio::test]
async fn limits_of_series_and_memory_are_kept_and_reported() {
    let lines: Vec<String> = (0..100).map(|series| format!("m{{n=\"{series}\"}} 1")).collect();
    let page = Pages::serve(move |_| lines.join("\n")).await;
    for (series, memory, note) in [(10, 1 << 20, "more than 10 series"), (1_000, 5_000, "the 5000 bytes")] {
        let mut limited = config(vec![target(Some("s"), &format!("http://{}", page.address))]);
        limited.limits.series = series;
        limited.limits.scrape_memory_bytes = memory;
        let mut taken = scrape(limited, 3).await.into_blocks();
        let kept =
            taken.by_ref().flat_map(|block| block.series).filter(|series| series.key.metric == "m").count();
        let observed = taken.finish();
        assert!(kept > 0 && kept < 40 && observed.partial, "{kept}");
        assert!(observed.notes.iter().any(|said| said.contains(note)), "{:?}", observed.notes);
    }
}

#[tokio::test]
async fn mistakes_are_found_before_anything_is_measured() {
    let html = Pages::serve(|_| "<html>hello world</html>".to_owned()).await;
    let check = |url: String| async move { Scraper::new(config(vec![target(None, &url)]))?.check().await };
    let error =
        check(format!("http://{}", html.address)).await.expect_err("HTML is no metrics page").to_string();
    assert!(error.contains("text format") && error.contains(&html.address), "{error}");
    let error = check(format!("http://127.0.0.1:{}", free_port())).await.expect_err("nobody is there");
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(matches!(check("metrics".to_owned()).await, Err(SourceError::BadAddress { .. })));
    let silly = ScrapeConfig { interval_ms: 0, ..config(Vec::new()) };
    assert!(matches!(Scraper::new(silly), Err(SourceError::BadSetting { .. })));
}
