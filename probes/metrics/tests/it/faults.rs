//! Faults of servers, proxies and networks: each has its own message, and none is taken for data.

use aftermath_metrics::{Access, Auth, Grid, Limits, PrometheusConfig, ReadMethod, SourceError};
use aftermath_model::GapCause;
use axum::response::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fake::{Fake, answer, json, matrix};
use crate::{Read, config, quick_limits, read_all, window};

const GRID: Grid = Grid { anchor_ms: 0, step_ms: 1_000 };
const UNKNOWN_FUNCTION: &str = r#"{"status":"error","errorType":"bad_data","error":"unknown function"}"#;
const STREAMED: &str = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

async fn read(config: PrometheusConfig) -> Result<Read, SourceError> {
    read_all(config, window(10_000, 20_000), GRID).await
}

async fn error_of(config: PrometheusConfig) -> SourceError {
    read(config).await.err().expect("an error")
}

/// A script that answers one endpoint always in the same way.
fn always(
    endpoint: &'static str,
    response: impl Fn() -> Response + Clone + Send + Sync + 'static,
) -> impl Fn(&str, usize) -> Option<Response> + Clone + Send + Sync + 'static {
    move |asked, _| (asked == endpoint).then(&response)
}

#[tokio::test]
async fn nobody_at_the_address_is_said_with_the_address_and_without_the_password() {
    let port = aftermath_prometheus_fixture::free_port();
    let error = error_of(config(&format!("http://me:secret@127.0.0.1:{port}/prometheus"))).await;
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&format!("http://127.0.0.1:{port}/prometheus/api/v1/query")), "{text}");
    assert!(text.contains("refused") && text.contains("check") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn each_wrong_answer_to_the_first_question_has_its_own_message() {
    type Respond = fn() -> Response;
    let cases: [(Respond, &str); 6] = [
        (|| answer(200, "text/html", "<!doctype html><title>login</title>"), "HTML page"),
        (|| answer(401, "text/plain", "Unauthorized"), "HTTP 401"),
        (|| answer(403, "text/html", "<h1>Forbidden</h1>"), "HTTP 403"),
        (|| answer(404, "text/plain", "404 page not found"), "check the path"),
        (|| json(r#"{"hello":"world"}"#), "not as Prometheus does"),
        (
            || {
                let mut response = answer(302, "text/plain", "");
                response
                    .headers_mut()
                    .insert("location", "https://sso.example/login".parse().expect("valid"));
                response
            },
            "redirects to https://sso.example/login",
        ),
    ];
    for (respond, expected) in cases {
        let fake = Fake::serve(always("query", respond)).await;
        let error = error_of(config(&fake.url)).await.to_string();
        assert!(error.contains(expected) && error.contains(&fake.url), "{expected}: {error}");
        assert_eq!(fake.received("query").len(), 1, "{expected}: a retry does not help");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_until_it_answers() {
    for status in [429, 500, 502, 503] {
        let fake = Fake::serve(move |endpoint, nth| {
            let mut busy = answer(status, "text/html", "<html>busy</html>");
            busy.headers_mut().insert("retry-after", "0".parse().expect("valid"));
            (endpoint == "query_range" && nth < 2).then_some(busy)
        })
        .await;
        read(config(&fake.url)).await.expect("the third attempt succeeds");
        assert_eq!(fake.received("query_range").len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_after_the_allowed_retries() {
    let fake = Fake::serve(always("query_range", || answer(503, "text/plain", "tired"))).await;
    let limits = Limits { retries_per_request: 2, ..quick_limits() };
    let error = error_of(PrometheusConfig { limits, ..config(&fake.url) }).await.to_string();
    assert!(error.contains("HTTP 503: tired"), "{error}");
    assert_eq!(fake.received("query_range").len(), 3);
}

#[tokio::test]
async fn a_connection_that_is_reset_is_tried_again_and_then_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (connections, mut counted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"")
                .await
                .expect("open");
            let _ = connections.send(());
        }
    });
    let limits = Limits { first_answer_retries: 1, ..quick_limits() };
    let error = error_of(PrometheusConfig { limits, ..config(&url) }).await;
    assert!(matches!(error, SourceError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains(&url));
    let mut attempts = 0;
    while counted.try_recv().is_ok() {
        attempts += 1;
    }
    assert_eq!(attempts, 2);
}

/// A server that takes every connection and never answers, and how many connections it took.
async fn silent_server() -> (String, tokio::sync::mpsc::UnboundedReceiver<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (connections, counted) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
            let _ = connections.send(());
        }
    });
    (url, counted)
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_told_after_the_first_question() {
    let (url, mut connections) = silent_server().await;
    let limits = Limits { first_answer_ms: 200, ..quick_limits() };
    assert!(limits.request_ms > 60_000, "the limit of later requests would hang here");
    let error = error_of(PrometheusConfig { limits, ..config(&url) }).await;
    assert!(matches!(error, SourceError::TooSlow { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&url) && text.contains("200 ms") && !text.contains("window"), "{text}");
    assert!(connections.try_recv().is_ok() && connections.try_recv().is_err(), "asked once");
}

#[tokio::test]
async fn an_endpoint_that_never_answers_beside_the_queries_does_not_hold_up_the_rest() {
    let healthy = Fake::serve(|_, _| None).await;
    let url = crate::proxy::hanging(healthy.url.clone(), "/api/v1/read").await;
    let limits = Limits { first_answer_ms: 200, ..quick_limits() };
    let read = read(PrometheusConfig { limits, ..config(&url) }).await.expect("the queries are answered");
    assert_eq!(read.reads_by, "query_range");
}

#[tokio::test]
async fn no_message_names_a_limit_as_if_it_were_an_option() {
    let limits = format!("{:?}", Limits::default());
    let fields: Vec<&str> = limits.split([' ', '{', ',']).filter_map(|word| word.strip_suffix(':')).collect();
    assert!(fields.contains(&"answer_bytes") && fields.contains(&"first_answer_ms"), "{fields:?}");
    let (silent, _connections) = silent_server().await;
    let fake = Fake::serve(|endpoint, _| match endpoint {
        "query_range" => Some(matrix("", &" ".repeat(5_000))),
        "metadata" => Some(answer(422, "text/plain", "no")),
        _ => None,
    })
    .await;
    let small = Limits { first_answer_ms: 100, answer_bytes: 4_000, ..quick_limits() };
    let mut said = read(PrometheusConfig { limits: small.clone(), ..config(&fake.url) })
        .await
        .expect("notes")
        .observed
        .notes;
    said.push(error_of(PrometheusConfig { limits: small.clone(), ..config(&silent) }).await.to_string());
    let tiny = Limits { answer_bytes: 4, ..small };
    said.push(error_of(PrometheusConfig { limits: tiny, ..config(&fake.url) }).await.to_string());
    assert!(said.len() >= 4, "{said:?}");
    for text in said {
        let named = fields.iter().find(|field| field.contains('_') && text.contains(**field));
        assert!(named.is_none() && !text.contains("raise"), "{text}");
    }
}

#[tokio::test]
async fn a_token_file_that_holds_no_token_is_named_and_nothing_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let fake = Fake::serve(|_, _| None).await;
    for (text, problem) in [("\n", "is empty"), ("one\ntwo\n", "holds more than one line")] {
        std::fs::write(&file, text).expect("writable");
        let access = Access { auth: Auth::BearerFile(file.clone()), ..Access::default() };
        let error = error_of(PrometheusConfig { access, ..config(&fake.url) }).await;
        assert!(matches!(error, SourceError::BadSetting { .. }), "{error:?}");
        let error = error.to_string();
        assert!(error.contains(problem) && error.contains(&file.display().to_string()), "{error}");
    }
    assert!(fake.received("query").is_empty());
}

#[tokio::test]
async fn an_answer_larger_than_allowed_becomes_gaps_and_a_note() {
    let fake = Fake::serve(always("query_range", || matrix("", &" ".repeat(5_000)))).await;
    let limits = Limits { answer_bytes: 4_000, ..quick_limits() };
    let read = read(PrometheusConfig { limits, ..config(&fake.url) }).await.expect("the rest can be read");
    assert!(read.observed.partial && read.blocks.is_empty());
    assert_eq!(read.observed.gaps.len(), 1);
    assert_eq!(
        (read.observed.gaps[0].cause, read.observed.gaps[0].key.metric.as_str()),
        (GapCause::LimitReached, "m")
    );
    assert!(
        read.observed
            .notes
            .iter()
            .any(|note| note.contains("larger than the 4000 bytes") && note.contains("--match")),
        "{:?}",
        read.observed.notes
    );
}

#[tokio::test]
async fn a_question_that_is_too_much_is_divided_until_it_is_not() {
    let too_much = r#"{"status":"error","errorType":"execution","error":"err-mimir-max-chunks-per-query"}"#;
    let fake = Fake::serve(move |endpoint, nth| {
        (endpoint == "query_range" && nth < 2).then(|| answer(422, "application/json", too_much))
    })
    .await;
    let read = read(config(&fake.url)).await.expect("smaller questions are answered");
    assert!(!read.observed.partial);
    // 10 points, then 5, then 2 and 3 and the other 5.
    assert_eq!(fake.received("query_range").len(), 5);
}

#[tokio::test]
async fn warnings_make_the_answer_partial_and_reach_the_notes() {
    for (more, partial) in [
        (r#","warnings":["store 10.0.0.1 is down"]"#, true),
        (r#","isPartial":true"#, true),
        (r#","warnings":["PromQL info: metric might not be a counter"]"#, false),
    ] {
        let fake = Fake::serve(always("query_range", move || matrix("", more))).await;
        let read = read(config(&fake.url)).await.expect("an answer");
        assert_eq!((read.observed.partial, read.observed.notes.len()), (partial, 1), "{more}");
    }
}

#[tokio::test]
async fn warnings_during_discovery_make_the_observation_partial() {
    let names = r#"{"status":"success","data":["m"],"warnings":["a store is down"]}"#;
    let fake = Fake::serve(always("label/__name__/values", move || json(names))).await;
    let read = read(config(&fake.url)).await.expect("an answer");
    assert!(read.observed.partial && read.observed.notes.iter().any(|note| note.contains("a store is down")));
}

#[tokio::test]
async fn native_histograms_are_read_beside_numbers() {
    let series = r#"{"metric":{"__name__":"m","job":"a"},"histograms":[[10.999,{"count":"3","sum":"1",
            "buckets":[[3,"-0.5","0.5","1"],[0,"1","2","2"]]}],[12.999,{"count":"0","sum":"0"}]]},
        {"metric":{"__name__":"m","job":"b"},"values":[[10.999,"1"],[11.999,"NaN"],[12.999,"3"]]}"#;
    let fake = Fake::serve(always("query_range", move || matrix(series, ""))).await;
    let read = read(config(&fake.url)).await.expect("an answer");
    assert_eq!(read.observed.gaps, []);
    assert_eq!(read.only("m_sum", &[]).values(), [1.0, 0.0]);
    for (le, counts) in [("0.5", [1.0, 0.0]), ("1", [1.0, 0.0]), ("2", [3.0, 0.0]), ("+Inf", [3.0, 0.0])] {
        assert_eq!(read.only("m_bucket", &[("le", le)]).values(), counts, "{le}");
    }
    assert_eq!(read.only("m", &[]).timestamps_ms(), [10_000, 12_000]);
    assert!(
        read.observed.notes.iter().any(|note| note.contains("not a number")),
        "{:?}",
        read.observed.notes
    );
}

#[tokio::test]
async fn a_server_without_native_histograms_is_asked_about_them_once() {
    let zeros = r#"{"metric":{"__name__":"m"},"values":[[10.999,"0"]]}"#;
    let fake = Fake::serve(move |endpoint, nth| match endpoint {
        // The first two are about the server and its metrics.
        "query" if nth == 2 => Some(answer(422, "application/json", UNKNOWN_FUNCTION)),
        "query_range" => Some(matrix(zeros, "")),
        _ => None,
    })
    .await;
    let limits = Limits { points_per_query: 2, ..quick_limits() };
    let read = read(PrometheusConfig { limits, ..config(&fake.url) }).await.expect("an answer");
    assert_eq!((read.observed.gaps.len(), read.series("m").len()), (0, 1));
    assert!(fake.received("query")[2].body.contains("histogram_count"));
    assert_eq!((fake.received("query").len(), fake.received("query_range").len()), (3, 5));
}

#[tokio::test]
async fn times_that_nobody_asked_for_are_refused() {
    let series = r#"{"metric":{"__name__":"m"},"values":[[10.5,"1"]]}"#;
    let fake = Fake::serve(always("query_range", move || matrix(series, ""))).await;
    assert!(error_of(config(&fake.url)).await.to_string().contains("other than those that were asked for"));
}

#[tokio::test]
async fn missing_metadata_is_a_note_and_leaves_kinds_unknown() {
    let fake = Fake::serve(always("metadata", || answer(403, "text/plain", "no"))).await;
    let read = read(config(&fake.url)).await.expect("an answer");
    assert_eq!(read.catalog.entries[0].kind, aftermath_model::MetricKind::Unknown);
    assert!(read.catalog.notes[0].contains("types of the metrics are unknown"));
}

#[tokio::test]
async fn a_left_open_server_is_asked_for_ranges_of_a_whole_step() {
    let fake = Fake::serve(|_, _| None).await;
    read(config(&fake.url)).await.expect("an answer");
    let asked = &fake.received("query_range")[0].body;
    assert!(asked.contains("%5B1000ms%5D") && asked.contains("start=10.999&end=19.999"), "{asked}");
    assert!(
        asked.contains("partial_response=false") && asked.contains("max_source_resolution=0s"),
        "{asked}"
    );
}

#[tokio::test]
async fn credentials_and_headers_go_with_every_request_and_token_files_are_read_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "one\n").expect("writable");
    let fake = Fake::serve(|_, _| None).await;
    let headers = vec![("X-Scope-OrgID".to_owned(), "tenant".to_owned())];
    let access = Access { auth: Auth::BearerFile(file.clone()), headers, ca_file: None };
    let prometheus = aftermath_metrics::Prometheus::connect(PrometheusConfig {
        access,
        ..config(&format!("{}/a/b/", fake.url))
    })
    .await
    .expect("healthy");
    std::fs::write(&file, "two\n").expect("writable");
    prometheus.discover(window(10_000, 20_000)).await.expect("healthy");
    let header = |endpoint: &str, name: &str| {
        let request = fake.received(endpoint).swap_remove(0);
        assert_eq!(request.path, format!("/a/b/api/v1/{endpoint}"));
        request.headers[name].to_str().expect("text").to_owned()
    };
    assert_eq!(header("query", "authorization"), "Bearer one");
    assert_eq!(header("metadata", "authorization"), "Bearer two");
    assert_eq!(header("read", "x-scope-orgid"), "tenant");
    std::fs::remove_file(&file).expect("it is there");
    let error = prometheus.discover(window(10_000, 20_000)).await.expect_err("no token").to_string();
    assert!(error.contains("bearer token file"), "{error}");
}

#[tokio::test]
async fn a_server_without_streaming_is_read_by_query_range_or_refused_where_it_must_stream() {
    let fake = Fake::serve(|_, _| None).await;
    assert_eq!(read(config(&fake.url)).await.expect("an answer").reads_by, "query_range");
    let error =
        error_of(PrometheusConfig { read: ReadMethod::RemoteRead, ..config(&fake.url) }).await.to_string();
    assert!(error.contains("remote_read") && error.contains("404"), "{error}");
}

#[tokio::test]
async fn a_damaged_stream_is_tried_again_and_then_named() {
    let whole = frame(&series_with_chunk(1, &[0, 0]));
    let mut wrong_checksum = whole.clone();
    let last = wrong_checksum.len() - 1;
    wrong_checksum[last] ^= 1;
    let cut_off = whole[..whole.len() - 1].to_vec();
    for (stream, problem) in [(wrong_checksum, "checksum"), (cut_off, "into a frame")] {
        let fake = Fake::serve(move |endpoint, nth| {
            let body = if nth == 0 { Vec::new() } else { stream.clone() };
            (endpoint == "read").then(|| answer(200, STREAMED, body))
        })
        .await;
        let limits = Limits { retries_per_request: 1, ..quick_limits() };
        let error = error_of(PrometheusConfig { limits, ..config(&fake.url) }).await;
        assert!(
            matches!(error, SourceError::Damaged { .. }) && error.to_string().contains(problem),
            "{error}"
        );
        assert_eq!(fake.received("read").len(), 3, "the probe and two attempts");
    }
}

#[tokio::test]
async fn chunks_of_an_unknown_type_are_read_by_query_range_with_a_note() {
    const XOR2: u8 = 4;
    let fake = Fake::serve(|endpoint, nth| match endpoint {
        "read" if nth == 0 => Some(answer(200, STREAMED, "")),
        "read" => Some(answer(200, STREAMED, frame(&series_with_chunk(XOR2, &[1, 2, 3])))),
        "query_range" => Some(matrix(r#"{"metric":{"__name__":"m"},"values":[[10.999,"1"]]}"#, "")),
        _ => None,
    })
    .await;
    let read = read(config(&fake.url)).await.expect("query_range answers");
    assert_eq!((read.reads_by, read.observed.samples), ("query_range", 1));
    assert!(
        read.observed.notes.iter().any(|note| note.contains("unknown type")),
        "{:?}",
        read.observed.notes
    );
}

#[tokio::test]
async fn a_damaged_chunk_of_native_histograms_is_named() {
    const HISTOGRAM: u8 = 2;
    let fake = Fake::serve(move |endpoint, nth| match endpoint {
        "read" if nth == 0 => Some(answer(200, STREAMED, "")),
        "read" => Some(answer(200, STREAMED, frame(&series_with_chunk(HISTOGRAM, &[0, 9, 0])))),
        _ => None,
    })
    .await;
    let error = error_of(config(&fake.url)).await;
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("a chunk of histograms breaks off"), "{error}");
}

/// A `ChunkedReadResponse` with the series `m` and one chunk of this type.
fn series_with_chunk(encoding: u8, data: &[u8]) -> Vec<u8> {
    let label = [field(1, b"__name__"), field(2, b"m")].concat();
    let chunk = [vec![3 << 3, encoding], field(4, data)].concat();
    field(1, &[field(1, &label), field(2, &chunk)].concat())
}

/// A protobuf field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    [&[number << 3 | 2, length], bytes].concat()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for &byte in payload {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
        }
    }
    let length = u8::try_from(payload.len()).expect("short");
    [&[length], (!crc).to_be_bytes().as_slice(), payload].concat()
}
