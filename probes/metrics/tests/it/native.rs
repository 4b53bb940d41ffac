//! Native histograms, written to Debian's Prometheus and read back in both ways.

use std::time::{SystemTime, UNIX_EPOCH};

use aftermath_metrics::{Grid, PrometheusConfig, ReadMethod};
use aftermath_model::{Series, SeriesKind};
use aftermath_prometheus_fixture::RealPrometheus;
use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{Read, config, read_all, read_by, window};

/// Prometheus `prompb/remote.proto` and `prompb/types.proto`, as far as histograms need them.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
    #[prost(message, repeated, tag = "4")]
    histograms: Vec<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    count_whole: Option<u64>,
    #[prost(double, tag = "3")]
    sum: f64,
    #[prost(sint32, tag = "4")]
    schema: i32,
    #[prost(double, tag = "5")]
    zero_threshold: f64,
    #[prost(uint64, optional, tag = "6")]
    zero_count_whole: Option<u64>,
    #[prost(message, repeated, tag = "8")]
    negative_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "9")]
    negative_deltas: Vec<i64>,
    #[prost(message, repeated, tag = "11")]
    positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "12")]
    positive_deltas: Vec<i64>,
    #[prost(int64, tag = "15")]
    ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

const SAMPLES: i64 = 60;
/// The resolution halves here, as it does when a histogram grows too many buckets.
const COARSER_AT: i64 = 20;
/// The process starts again here.
const RESET_AT: i64 = 35;
/// The target vanishes here for a while, marked as stale.
const STALE_AT: i64 = 45;
const BACK_AT: i64 = 50;
const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

fn spans(spans: &[(i32, u32)]) -> Vec<Span> {
    spans.iter().map(|&(offset, length)| Span { offset, length }).collect()
}

fn deltas(counts: &[i64]) -> Vec<i64> {
    counts.iter().scan(0, |before, &count| Some(count - std::mem::replace(before, count))).collect()
}

fn series(name: &str, samples: Vec<Sample>, histograms: Vec<Histogram>) -> TimeSeries {
    let label = |name: &str, value: &str| Label { name: name.to_owned(), value: value.to_owned() };
    TimeSeries { labels: vec![label("__name__", name), label("job", "shop")], samples, histograms }
}

/// Observations since the start of the process: at each step one in the zero bucket, two at .95, two at 1.04, one at
/// 1.5, and from [`COARSER_AT`] on one at 5.
fn latency(step: i64, ms: i64) -> Histogram {
    if (STALE_AT..BACK_AT).contains(&step) {
        let sum = f64::from_bits(STALE_NAN_BITS);
        return Histogram {
            count_whole: Some(0),
            zero_count_whole: Some(0),
            sum,
            ms,
            ..Histogram::default()
        };
    }
    let n = if step < RESET_AT { step } else { step - RESET_AT };
    let coarse = step >= COARSER_AT;
    // Schema 3 has 8 buckets to a doubling, schema 2 has 4; index 0 ends at 1.
    let (schema, positive_spans, counts) = if coarse {
        (2, spans(&[(0, 3), (7, 1)]), vec![2 * n, 2 * n, n, n])
    } else {
        (3, spans(&[(0, 2), (3, 1)]), vec![2 * n, 2 * n, n])
    };
    let total = n + counts.iter().sum::<i64>();
    let whole = |count: i64| Some(u64::try_from(count).expect("counts are positive"));
    Histogram {
        count_whole: whole(total),
        zero_count_whole: whole(n),
        sum: as_float(n) * 5.5,
        schema,
        zero_threshold: 0.001,
        positive_spans,
        positive_deltas: deltas(&counts),
        ms,
        ..Histogram::default()
    }
}

/// Observations on both sides of zero.
fn drift(step: i64, ms: i64) -> Histogram {
    let whole = |count: i64| Some(u64::try_from(count).expect("counts are positive"));
    Histogram {
        count_whole: whole(7 * step),
        zero_count_whole: whole(step),
        sum: -as_float(step),
        schema: 0,
        zero_threshold: 2.0_f64.powi(-128),
        negative_spans: spans(&[(1, 2)]),
        negative_deltas: deltas(&[2 * step, 3 * step]),
        positive_spans: spans(&[(-1, 1)]),
        positive_deltas: deltas(&[step]),
        ms,
    }
}

/// One observation in each of 200 neighbouring buckets at every step.
fn sizes(step: i64, ms: i64) -> Histogram {
    let counts = vec![step; 200];
    Histogram {
        count_whole: Some(u64::try_from(200 * step).expect("positive")),
        zero_count_whole: Some(0),
        sum: as_float(step),
        schema: 3,
        zero_threshold: 0.0,
        positive_spans: spans(&[(-100, 200)]),
        positive_deltas: deltas(&counts),
        ms,
        ..Histogram::default()
    }
}

fn as_float(number: i64) -> f64 {
    f64::from(i32::try_from(number).expect("small"))
}

async fn write_to(prometheus: &RealPrometheus, start_ms: i64) {
    let times = || (0..SAMPLES).map(|step| (step, start_ms + step * 1_000));
    let all = |make: fn(i64, i64) -> Histogram| times().map(|(step, ms)| make(step, ms)).collect::<Vec<_>>();
    let idle = times().map(|(_, ms)| Sample { value: 0.0, ms }).collect();
    let request = WriteRequest {
        timeseries: vec![
            series("latency_seconds", vec![], all(latency)),
            series("drift", vec![], all(drift)),
            series("sizes", vec![], all(sizes)),
            series("idle", idle, vec![]),
        ],
    };
    let body = snap::raw::Encoder::new().compress_vec(&request.encode_to_vec()).expect("small");
    let address = prometheus.url().replace("http://", "");
    let head = format!(
        "POST /api/v1/write HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\
         X-Prometheus-Remote-Write-Version: 0.1.0\r\n\r\n",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("Prometheus listens");
    stream.write_all(&[head.as_bytes(), &body].concat()).await.expect("Prometheus reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("Prometheus answers");
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// Waits until the rule has recorded a few samples within the window.
async fn wait_until_recorded(prometheus: &RealPrometheus, start_ms: i64) {
    let watched = PrometheusConfig { selectors: vec!["recorded".to_owned()], ..config(&prometheus.url()) };
    let all = window(start_ms, start_ms + 3_600_000);
    let grid = Grid { anchor_ms: 0, step_ms: 1_000 };
    for _ in 0..120 {
        let read = read_all(watched.clone(), all, grid).await;
        if read.is_ok_and(|read| read.series("recorded_count").iter().any(|series| series.len() >= 9)) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("the rule recorded nothing");
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set");
    i64::try_from(since_epoch.as_millis()).expect("a near year") / 1_000 * 1_000
}

fn series_of(read: &Read) -> impl Iterator<Item = &Series> {
    read.blocks.iter().flat_map(|block| &block.series)
}

/// Equal but for the last digits; also if both are infinite.
fn is_close(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq() || (a / b - 1.0).abs() < 1e-12
}

fn at(series: &Series, ms: i64) -> Option<f64> {
    series.between(ms, ms + 1).next().map(|(_, value)| value)
}

fn bucket<'a>(read: &'a Read, metric: &str, le: f64) -> &'a Series {
    let bound = |series: &&Series| series.key.labels["le"].parse::<f64>().expect("a number");
    let near = |series: &&Series| is_close(bound(series), le);
    read.series(metric).into_iter().find(near).unwrap_or_else(|| panic!("{metric} has no bound {le}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn native_histograms_become_classic_ones_the_same_in_both_ways() {
    let arguments = ["--enable-feature=native-histograms", "--web.enable-remote-write-receiver"];
    let folder = tempfile::tempdir().expect("a folder");
    // A rule records histograms whose counts are floats.
    let rules = "groups:\n- name: g\n  interval: 1s\n  rules:\n  - record: recorded\n    expr: sum by (job) (drift)\n";
    let rules_path = folder.path().join("rules.yml");
    std::fs::write(&rules_path, rules).expect("writable");
    let yaml = format!("global:\n  scrape_interval: 1h\nrule_files: ['{}']\n", rules_path.display());
    let Some(prometheus) = RealPrometheus::start_in(folder, &yaml, &arguments) else { return };
    let start_ms = now_ms() - SAMPLES * 1_000;
    write_to(&prometheus, start_ms).await;
    wait_until_recorded(&prometheus, start_ms).await;
    // The rule goes on recording, but not into cells that are over.
    let window = window(start_ms, now_ms() - 4_000);
    for (anchor_ms, step_ms) in [(0, 2_000), (start_ms + 123, 3_001), (0, 1_000)] {
        let grid = Grid { anchor_ms, step_ms };
        let remote = read_by(ReadMethod::RemoteRead, &config(&prometheus.url()), window, grid).await;
        let range = read_by(ReadMethod::QueryRange, &config(&prometheus.url()), window, grid).await;
        assert_eq!((remote.reads_by, range.reads_by), ("remote_read", "query_range"));
        for (one, other) in series_of(&remote).zip(series_of(&range)) {
            assert_eq!(one, other, "anchor {anchor_ms}, step {step_ms}");
        }
        assert!(remote.blocks == range.blocks, "the same series in the same blocks");
        assert_eq!(remote.observed, range.observed);
        assert_eq!(remote.observed.gaps, []);
        if step_ms == 1_000 {
            assert_is_what_was_written(&range, start_ms);
        }
    }
}

fn assert_is_what_was_written(read: &Read, start_ms: i64) {
    assert_eq!(read.only("idle", &[]).len(), usize::try_from(SAMPLES).expect("small"));
    let count = read.only("latency_seconds_count", &[]);
    assert_eq!((count.kind, count.key.service.as_str()), (SeriesKind::HistogramCount, "shop"));
    let sum = read.only("latency_seconds_sum", &[]);
    let mut found: Vec<f64> = read
        .series("latency_seconds_bucket")
        .iter()
        .map(|series| series.key.labels["le"].parse().expect("a number"))
        .collect();
    found.sort_by(f64::total_cmp);
    // Of the finer resolution only what lies inside no coarser bucket; then the ends of the bucket around 5.
    let powers = [-0.25_f64, 0.0, 0.25, 0.5, 0.625, 2.25, 2.5].map(f64::exp2);
    let expected: Vec<f64> = [0.001].into_iter().chain(powers).chain([f64::INFINITY]).collect();
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(found.iter().zip(&expected).all(|(a, b)| is_close(*a, *b)), "{found:?}");
    let recorded = bucket(read, "recorded_bucket", -1.0);
    assert_eq!(recorded.len(), read.only("recorded_count", &[]).len());
    for (&ms, &count) in recorded.timestamps_ms().iter().zip(recorded.values()) {
        let all = at(read.only("recorded_count", &[]), ms).expect("parts come together");
        assert_eq!((count * 7.0, count % 5.0), (all * 5.0, 0.0), "five of seven lie below -1");
    }
    for step in 0..SAMPLES {
        let ms = start_ms + step * 1_000;
        let written = latency(step, ms);
        let stale = (STALE_AT..BACK_AT).contains(&step);
        let expected = |value: f64| (!stale).then_some(value);
        let n = as_float(if step < RESET_AT { step } else { step - RESET_AT });
        let all = if step < COARSER_AT { 6.0 * n } else { 7.0 * n };
        assert_eq!(at(count, ms), expected(all), "{step}");
        assert_eq!(at(sum, ms), expected(written.sum), "{step}");
        for (le, observations) in
            [(0.001, n), (1.0, 3.0 * n), (0.25_f64.exp2(), 5.0 * n), (f64::INFINITY, all)]
        {
            let bucket = bucket(read, "latency_seconds_bucket", le);
            assert_eq!(bucket.kind, SeriesKind::HistogramBucket);
            assert_eq!(at(bucket, ms), expected(observations), "{le} at {step}");
        }
    }
    let last = start_ms + (SAMPLES - 1) * 1_000;
    let n = as_float(SAMPLES - 1);
    for (le, share) in [(-2.0, 3.0), (-1.0, 5.0), (0.25, 6.0), (0.5, 7.0), (f64::INFINITY, 7.0)] {
        assert_eq!(at(bucket(read, "drift_bucket", le), last), Some(share * n), "{le}");
    }
    let wide = read.series("sizes_bucket");
    assert!((33..=65).contains(&wide.len()), "{}", wide.len());
    let largest = wide.iter().filter_map(|series| at(series, last)).fold(0.0, f64::max);
    assert!(is_close(largest, 200.0 * n));
    assert_eq!(at(bucket(read, "sizes_bucket", 12.375_f64.exp2()), last), Some(200.0 * n));
}
