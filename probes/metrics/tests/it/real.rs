//! Against Debian's Prometheus: both ways of reading it give the same blocks, down to the byte.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use aftermath_metrics::{Access, Auth, Grid, Limits, Prometheus, PrometheusConfig, ReadMethod, SourceError};
use aftermath_model::{MetricKind, SeriesKind, Window};
use aftermath_prometheus_fixture::{RealPrometheus, is_installed};

use crate::pages::Pages;
use crate::proxy::hiding;
use crate::tls::make_certificates;
use crate::{Read, config, quick_limits, read_all, read_by, window};

const EXTERNAL: &str = "  external_labels: {cluster: c1, replica: \"0\"}\n";

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    i64::try_from(since_epoch.as_millis()).expect("a near year")
}

fn scrape_config(global: &str, targets: &[(&str, &str)]) -> String {
    let mut yaml = format!("global:\n  scrape_interval: 1s\n{global}scrape_configs:\n");
    for (job, address) in targets {
        write!(yaml, "- job_name: {job}\n  static_configs: [{{targets: ['{address}']}}]\n")
            .expect("a String");
    }
    yaml
}

/// A page with everything that is awkward: a counter that is reset, a histogram, a series that appears late, one with
/// the external label of its own, values that are no numbers.
fn awkward_page(read: u32) -> String {
    const RESET_AT: u32 = 7;
    const LATE_AT: u32 = 9;
    let since_reset = if read < RESET_AT { read + 100 } else { read - RESET_AT };
    let seconds = f64::from(read) * 0.1;
    let not_a_number = if read.is_multiple_of(3) { "NaN".to_owned() } else { format!("{seconds}") };
    let mut page = format!(
        "# TYPE requests_total counter\nrequests_total{{service=\"cart\",code=\"200\"}} {since_reset}\n\
         # TYPE latency_seconds histogram\n\
         latency_seconds_bucket{{service=\"cart\",le=\"0.1\"}} {read}\n\
         latency_seconds_bucket{{service=\"cart\",le=\"+Inf\"}} {}\n\
         latency_seconds_sum{{service=\"cart\"}} {seconds}\nlatency_seconds_count{{service=\"cart\"}} {}\n\
         # TYPE temperature gauge\ntemperature{{cluster=\"c1\"}} {seconds}\ntemperature{{cluster=\"other\"}} {read}\n\
         odd {not_a_number}\nendless +Inf\n",
        read * 2,
        read * 2,
    );
    if read >= LATE_AT {
        writeln!(page, "late {read}").expect("a String");
    }
    page
}

/// Lets a Prometheus with these global settings watch the awkward page and a target that dies, and returns it with
/// the window in which that happened.
async fn watch(global: &str) -> Option<(RealPrometheus, Window)> {
    let page = Pages::serve(awkward_page).await;
    let mortal = Pages::serve(|read| format!("mortal_reads_total {read}\n")).await;
    let started_ms = now_ms();
    let yaml = scrape_config(global, &[("shop", &page.address), ("mortal", &mortal.address)]);
    let prometheus = RealPrometheus::start(&yaml)?;
    mortal.wait_for_reads(6).await;
    drop(mortal);
    page.wait_for_reads(16).await;
    Some((prometheus, window(started_ms - 5_000, now_ms() - 2_000)))
}

fn assert_same(remote: &Read, range: &Read, what: &str) {
    assert_eq!((remote.reads_by, range.reads_by), ("remote_read", "query_range"), "{what}");
    assert!(remote.observed.series > 10, "{what}: {:?}", remote.observed);
    assert_eq!(remote.observed, range.observed, "{what}");
    assert_eq!(remote.blocks, range.blocks, "{what}");
}

async fn read_both_ways(config: &PrometheusConfig, window: Window, grid: Grid, what: &str) -> Read {
    let remote = read_by(ReadMethod::Auto, config, window, grid).await;
    let range = read_by(ReadMethod::QueryRange, config, window, grid).await;
    assert_same(&remote, &range, what);
    remote
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_read_and_query_range_give_the_same_blocks_with_and_without_external_labels() {
    let (plain, labelled) = tokio::join!(watch(""), watch(EXTERNAL));
    for (watched, what) in [(plain, "no external labels"), (labelled, "external labels")] {
        let Some((prometheus, window)) = watched else { return };
        for (anchor_ms, step_ms) in [(0, 1_000), (window.from.ms() + 123, 2_000), (-7, 3_001), (0, 250)] {
            let grid = Grid { anchor_ms, step_ms };
            let read = read_both_ways(&config(&prometheus.url()), window, grid, what).await;
            if step_ms == 1_000 {
                assert_shows_what_happened(&read, window);
            }
        }
        assert_selectors_are_judged_by_the_server(&prometheus, window).await;
        let grid = Grid { anchor_ms: 0, step_ms: 1_000 };
        let hidden = hiding(prometheus.url(), "/status/config").await;
        let through_proxy = read_by(ReadMethod::RemoteRead, &config(&hidden), window, grid).await;
        let range = read_by(ReadMethod::QueryRange, &config(&prometheus.url()), window, grid).await;
        assert_same(&through_proxy, &range, "a proxy that hides the configuration");
    }
}

/// The awkward things are in the samples, so that equality means something.
fn assert_shows_what_happened(read: &Read, window: Window) {
    let requests = read.only("requests_total", &[("code", "200")]);
    assert_eq!((requests.kind, requests.key.service.as_str()), (SeriesKind::Counter, "cart"));
    assert!(requests.values().windows(2).any(|pair| pair[1] < pair[0]), "the reset is seen");
    let mortal = read.only("mortal_reads_total", &[]);
    let (last, end) = (mortal.timestamps_ms()[mortal.len() - 1], window.to.ms());
    assert!(mortal.len() >= 4 && end - last > 5_000, "a dead target ends: {last} of {end}");
    let up =
        read.series("up").into_iter().find(|series| series.key.service == "mortal").expect("it was scraped");
    assert_eq!((up.values()[0], up.values()[up.len() - 1]), (1.0, 0.0));
    let late = read.only("late", &[]);
    assert!(late.timestamps_ms()[0] - requests.timestamps_ms()[0] >= 5_000, "it appears late");
    let odd = read.only("odd", &[]);
    assert!(odd.len() < requests.len() && odd.values().iter().all(|value| value.is_finite()));
    assert_eq!(read.series("endless").len(), 0);
    assert!(
        read.observed.notes.iter().any(|note| note.contains("were infinite")),
        "{:?}",
        read.observed.notes
    );
    read.only("temperature", &[("cluster", "c1")]);
    read.only("temperature", &[("cluster", "other")]);
    assert!(!requests.key.labels.contains_key("replica") && !requests.key.labels.contains_key("cluster"));
    assert_families_are_whole(read);
    assert_types_are_discovered(read);
}

fn assert_families_are_whole(read: &Read) {
    let parts = |block: &aftermath_model::Block| {
        let of_family = |name: &str| aftermath_model::family(name) == "latency_seconds";
        block.series.iter().filter(|series| of_family(&series.key.metric)).count()
    };
    let counts: Vec<usize> = read.blocks.iter().map(parts).filter(|&parts| parts > 0).collect();
    assert_eq!(counts, [4]);
}

fn assert_types_are_discovered(read: &Read) {
    let kind = |metric: &str| {
        read.catalog.entries.iter().find(|entry| entry.metric == metric).map(|entry| entry.kind)
    };
    assert_eq!(kind("requests_total"), Some(MetricKind::Counter));
    assert_eq!(kind("latency_seconds_bucket"), Some(MetricKind::Histogram));
    assert_eq!(kind("temperature"), Some(MetricKind::Gauge));
    assert_eq!(kind("up"), Some(MetricKind::Gauge));
    assert_eq!(kind("odd"), Some(MetricKind::Unknown));
    let series = |metric: &str| read.catalog.entries.iter().find(|entry| entry.metric == metric)?.series;
    assert_eq!((series("latency_seconds_bucket"), series("late")), (Some(2), Some(1)));
}

async fn assert_selectors_are_judged_by_the_server(prometheus: &RealPrometheus, window: Window) {
    let grid = Grid { anchor_ms: 0, step_ms: 1_000 };
    let with = |selectors: &[&str]| PrometheusConfig {
        selectors: selectors.iter().map(|&selector| selector.to_owned()).collect(),
        ..config(&prometheus.url())
    };
    let overlapping = with(&[r#"{job="shop",code!=""}"#, "requests_total", r#"{__name__=~"late|up"}"#]);
    let remote = read_by(ReadMethod::RemoteRead, &overlapping, window, grid).await;
    let range = read_by(ReadMethod::QueryRange, &overlapping, window, grid).await;
    assert_eq!((remote.observed.series, &remote.blocks), (4, &range.blocks));
    for (selector, expected) in [
        ("up{job=", "parse error"),
        ("rate(up[1m])", "parse error"),
        ("{}", "at least one non-empty matcher"),
        ("nobody_has_this", "matches no series"),
        (r#"{cluster="c1",job="mortal"}"#, "matches no series"),
    ] {
        let error = read_all(with(&["up", selector]), window, grid).await.err().expect(selector);
        let named = error.to_string();
        assert!(named.contains(&format!("selector `{selector}`")) && named.contains(expected), "{named}");
        assert!(matches!(error, SourceError::BadSelector { .. } | SourceError::NothingMatches { .. }));
    }
    let before = Window { from: window.from.plus_ms(-86_400_000), to: window.to.plus_ms(-86_400_000) };
    let error = read_all(config(&prometheus.url()), before, grid).await.err().expect("nothing was there");
    assert!(error.to_string().starts_with("there are no series at http://"), "{error}");
}

/// 2024-03-01T00:00:00Z.
const HISTORY_STARTS_S: i64 = 1_709_251_200;
const HISTORY_POINTS: i64 = 25_000;

/// A Prometheus with seven hours of history at a sample a second, in several storage blocks.
fn with_history() -> Option<RealPrometheus> {
    if !is_installed("promtool", "prometheus") {
        return None;
    }
    let mut text = String::from("# TYPE history_total counter\n# TYPE wave gauge\n");
    for series in 0..4 {
        for point in 0..HISTORY_POINTS {
            let value = point % (1_000 * (series + 1));
            writeln!(text, "history_total{{app=\"a{series}\"}} {value} {}", HISTORY_STARTS_S + point)
                .expect("a String");
        }
    }
    for point in (0..HISTORY_POINTS).filter(|point| point % 60 < 40) {
        let value = f64::from(i32::try_from(point).expect("small")).sin();
        writeln!(text, "wave{{app=\"a0\"}} {value} {}.{:03}", HISTORY_STARTS_S + point, point % 1_000)
            .expect("a String");
    }
    text.push_str("# EOF\n");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.txt");
    std::fs::write(&file, text).expect("writable");
    let arguments = ["tsdb", "create-blocks-from", "openmetrics"];
    let made = Command::new("promtool").args(arguments).arg(&file).arg(folder.path().join("data")).output();
    let made = made.expect("promtool is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let config = "global:\n  scrape_interval: 1h\n";
    RealPrometheus::start_in(folder, config, &["--storage.tsdb.retention.time=100y"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_read_in_pieces_that_fit_together() {
    let Some(prometheus) = with_history() else { return };
    let start_ms = HISTORY_STARTS_S * 1_000;
    let window = window(start_ms, start_ms + HISTORY_POINTS * 1_000);
    let grid = Grid { anchor_ms: start_ms, step_ms: 1_000 };
    let small = Limits { samples_per_query: 7_000, points_per_query: 3_333, ..quick_limits() };
    let divided = PrometheusConfig { limits: small, ..config(&prometheus.url()) };
    let remote = read_by(ReadMethod::RemoteRead, &config(&prometheus.url()), window, grid).await;
    let range = read_by(ReadMethod::QueryRange, &config(&prometheus.url()), window, grid).await;
    let pieces = read_by(ReadMethod::QueryRange, &divided, window, grid).await;
    let points = usize::try_from(HISTORY_POINTS).expect("small");
    assert_eq!(remote.series("history_total").len(), 4);
    assert!(remote.series("history_total").iter().all(|series| series.len() == points));
    assert_eq!(remote.observed.samples, 4 * points + (0..points).filter(|point| point % 60 < 40).count());
    assert_eq!(remote.blocks, range.blocks);
    let flat =
        |read: &Read| -> Vec<_> { read.blocks.iter().flat_map(|block| block.series.clone()).collect() };
    assert_eq!(flat(&remote), flat(&pieces));
    assert!(pieces.blocks.len() > 1, "small limits make several blocks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_on_the_edge_of_a_cell_belongs_to_one_cell_only() {
    let Some(prometheus) = with_history() else { return };
    let start_ms = HISTORY_STARTS_S * 1_000;
    let window = window(start_ms, start_ms + 600_000);
    let sparse = PrometheusConfig { selectors: vec!["wave".to_owned()], ..config(&prometheus.url()) };
    for anchor_ms in [-1, 0, 1] {
        // The samples lie on the edge of cells, and the gaps between them show one that is counted twice.
        let grid = Grid { anchor_ms: start_ms + anchor_ms, step_ms: 1_001 };
        let remote = read_by(ReadMethod::RemoteRead, &sparse, window, grid).await;
        let range = read_by(ReadMethod::QueryRange, &sparse, window, grid).await;
        assert!(remote.observed.samples > 300);
        assert_eq!(remote.blocks, range.blocks, "anchor {anchor_ms}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_series_leaves_whole_metrics_out_and_says_so() {
    let Some(prometheus) = with_history() else { return };
    let start_ms = HISTORY_STARTS_S * 1_000;
    let grid = Grid { anchor_ms: 0, step_ms: 1_000 };
    let limits = Limits { series: 4, samples_per_query: 1, ..quick_limits() };
    let limited = PrometheusConfig { limits, ..config(&prometheus.url()) };
    let read =
        read_all(limited, window(start_ms, start_ms + 60_000), grid).await.expect("the server answers");
    assert_eq!((read.observed.series, read.observed.partial, read.observed.gaps.len()), (4, true, 1));
    assert_eq!(read.observed.gaps[0].key.metric, "wave");
    assert!(
        read.observed.notes.iter().any(|note| note.contains("more than 4 series")),
        "{:?}",
        read.observed.notes
    );
}

/// The bcrypt hash of `secret`, as Prometheus wants it.
const SECRET_HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// A Prometheus behind TLS and a password, under the path `/prometheus`, and the folder of its certificates.
fn protected() -> Option<(RealPrometheus, tempfile::TempDir)> {
    if !is_installed("prometheus", "prometheus") || !is_installed("openssl", "openssl") {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    make_certificates(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (path("server.pem"), path("server.key"));
    let web = format!(
        "tls_server_config: {{cert_file: {certificate}, key_file: {key}}}\nbasic_auth_users: {{me: '{SECRET_HASH}'}}\n"
    );
    std::fs::write(path("web.yml"), web).expect("writable");
    let arguments = [&format!("--web.config.file={}", path("web.yml")), "--web.route-prefix=/prometheus"];
    let data = tempfile::tempdir().expect("a folder");
    let prometheus = RealPrometheus::start_in(data, &scrape_config("", &[]), &arguments)?;
    Some((prometheus, folder))
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_with_an_own_ca_basic_auth_and_a_path_prefix_work_together() {
    let Some((prometheus, folder)) = protected() else { return };
    let url = format!("{}/prometheus", prometheus.url().replace("http:", "https:"));
    let ca_file = folder.path().join("ca.pem");
    let connect = |url: &str, auth: Auth, ca: bool| {
        let access = Access { auth, headers: Vec::new(), ca_file: ca.then(|| ca_file.clone()) };
        Prometheus::connect(PrometheusConfig { access, ..config(url) })
    };
    let me = |password: &str| Auth::Basic { user: "me".to_owned(), password: password.to_owned() };
    let connected = connect(&url, me("secret"), true).await.expect("everything is right");
    assert_eq!((connected.reads_by(), connected.description().address), ("remote_read", url.clone()));
    assert!(connected.description().version.starts_with("Prometheus 2."), "{:?}", connected.description());
    connect(&url.replace("https://", "https://me:secret@"), Auth::None, true).await.expect("in the address");
    for (url, auth, ca, expected) in [
        (url.clone(), me("wrong"), true, "HTTP 401"),
        (url.clone(), me("secret"), false, "with --ca-file"),
        (url.replace("/prometheus", ""), me("secret"), true, "HTTP 404"),
        (url.replace("https:", "http:"), me("secret"), true, "HTTP 400"),
    ] {
        let error = connect(&url, auth, ca).await.err().expect(expected).to_string();
        assert!(error.contains(expected) && !error.contains("secret"), "{expected}: {error}");
    }
}
