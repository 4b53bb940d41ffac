//! Evidence files, written and read as a run does it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs::File;
use std::path::Path;

use aftermath_baselines::{BaselineError, Evidence, EvidenceMeta, EvidenceWriter};
use aftermath_model::{
    Along, Block, Bound, CheckOutcome, Expectations, ExpectedImpact, Experiment, MetricLimit, Provenance,
    Reach, RecordedRun, Series, SeriesKey, SeriesKind, Signal, SourceDescription, Timeline, Timestamp,
    Topology, Trend, Window,
};
use polars::prelude::{Column, DataFrame, ParquetWriter};

fn window(from_ms: i64, to_ms: i64) -> Window {
    let at = |ms| Timestamp::from_ms(ms).unwrap();
    Window::new(at(from_ms), at(to_ms)).unwrap()
}

fn meta() -> EvidenceMeta {
    let timeline = Timeline::new(
        window(0, 60_000),
        window(60_000, 90_000),
        Some(window(90_000, 120_000)),
        vec![window(5_000, 6_000)],
        1_000,
    );
    EvidenceMeta {
        provenance: Provenance {
            aftermath_version: "0.1.0".into(),
            source: SourceDescription {
                kind: "prometheus".into(),
                address: "http://localhost:9090/".into(),
                version: "Prometheus 2.42.0".into(),
            },
            selectors: vec!["{job=\"shop\"}".into()],
            service_labels: vec!["service".into()],
            window: window(0, 120_000),
            step_ms: 1_000,
            notes: vec!["3 samples were not a number and count as missing".into()],
            partial: true,
            unread: vec![],
        },
        experiment: Some(Experiment {
            timeline: timeline.unwrap(),
            expectations: Expectations {
                target: Some("cache".into()),
                expected: [
                    ExpectedImpact::any("cart"),
                    ExpectedImpact {
                        service: "gateway".into(),
                        signals: [Signal::Latency].into(),
                        trend: Some(Trend::Up),
                    },
                ]
                .into(),
                reach: Some(Reach { hops: 1, along: Along::Both }),
                limits: vec![MetricLimit {
                    service: "cart".into(),
                    metric: "errors_ratio".into(),
                    measure: Some("p99".into()),
                    bound: Bound::Below(0.1 + 0.2),
                }],
                recover_within_ms: Some(90_000),
                topology: Some(Topology { edges: [("gateway".to_owned(), "cart".to_owned())].into() }),
            },
            checks: vec![CheckOutcome { name: "up".into(), passed: true, detail: "9 of 9".into() }],
        }),
    }
}

fn block(metric: &str, samples: i32) -> Block {
    let key = SeriesKey {
        metric: metric.into(),
        service: "cart".into(),
        labels: [("pod".to_owned(), "cart-\"1\"\n".to_owned())].into(),
    };
    let samples = (0..samples).map(|n| (i64::from(n) * 1_000, f64::from(n) + 0.1)).collect();
    Block { series: vec![Series::from_raw(key, SeriesKind::Counter, samples).0] }
}

fn write(path: &Path, blocks: &[Block]) {
    let mut writer = EvidenceWriter::create(path).unwrap();
    for block in blocks {
        writer.write(block).unwrap();
    }
    writer.finish(&meta()).unwrap();
}

fn runs(evidence: &Evidence) -> Vec<RecordedRun> {
    evidence.runs().collect::<Result<_, _>>().unwrap()
}

#[test]
fn evidence_is_read_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.parquet");
    write(&path, &[block("orders_total", 3), block("up", 2)]);

    let evidence = Evidence::open(&path).unwrap();
    assert_eq!(evidence.meta(), Some(&meta()));
    let runs = runs(&evidence);
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0].samples, [(0, 0.1), (1_000, 1.1), (2_000, 2.1)]);
    assert_eq!(runs[0].kind, Some(SeriesKind::Counter));
    assert_eq!(runs[0].labels_json, r#"{"pod":"cart-\"1\"\n"}"#);
    assert_eq!((runs[1].metric.as_str(), runs[1].service.as_str()), ("up", "cart"));
}

#[test]
fn more_rows_than_a_row_group_holds_are_all_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.parquet");
    let blocks: Vec<Block> = (0..5).map(|n| block(&format!("metric_{n}"), 70_000)).collect();
    write(&path, &blocks);

    let evidence = Evidence::open(&path).unwrap();
    let mut samples_by_metric = std::collections::BTreeMap::<String, Vec<(i64, f64)>>::new();
    for run in runs(&evidence) {
        samples_by_metric.entry(run.metric).or_default().extend(run.samples);
    }
    assert_eq!(samples_by_metric.len(), 5);
    for (metric, samples) in samples_by_metric {
        assert_eq!(samples.len(), 70_000, "{metric}");
        assert!(samples.is_sorted_by(|one, next| one.0 < next.0), "{metric}");
    }
}

#[test]
fn the_same_blocks_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    write(&one, &[block("up", 100)]);
    write(&other, &[block("up", 100)]);
    assert_eq!(std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
}

#[test]
fn evidence_without_any_series_is_still_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence.parquet");
    write(&path, &[]);
    assert_eq!(runs(&Evidence::open(&path).unwrap()), []);
}

#[test]
fn a_writer_that_is_given_up_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EvidenceWriter::create(&folder.path().join("evidence.parquet")).unwrap();
    writer.write(&block("up", 200_000)).unwrap();
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_with_the_name_of_the_file() {
    let mut writer = EvidenceWriter::create(Path::new("/dev/full")).unwrap();
    let written = writer.write(&block("up", 200_000)).and_then(|()| writer.finish(&meta()));
    let message = written.unwrap_err().to_string();
    assert!(message.starts_with("cannot write /dev/full") && message.contains("space"), "{message}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.parquet");
    write(&whole, &[block("up", 2_000)]);
    let bytes = std::fs::read(&whole).unwrap();
    for kept in [0, 3, 4, 11, bytes.len() / 2, bytes.len() - 1] {
        let path = folder.path().join("cut.parquet");
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let refused = Evidence::open(&path).err().unwrap_or_else(|| panic!("{kept} bytes were accepted"));
        assert!(matches!(refused, BaselineError::NotParquet { .. }), "{kept}: {refused}");
        assert!(refused.to_string().contains("cut.parquet"), "{refused}");
        assert!(refused.is_bad_input());
    }
}

#[test]
fn damaged_pages_are_an_error_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    write(&path, &[block("up", 2_000)]);
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[4..600] {
        *byte ^= 0xff;
    }
    std::fs::write(&path, bytes).unwrap();
    let evidence = Evidence::open(&path).unwrap();
    let refused = evidence.runs().find_map(Result::err).expect("the pages are damaged");
    assert!(refused.to_string().contains("damaged.parquet"), "{refused}");
    assert_eq!(evidence.runs().count(), 1, "reading ends with the error");
}

#[test]
fn every_wrong_column_of_a_foreign_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.parquet");
    let columns = vec![
        Column::new("ts".into(), ["yesterday"]),
        Column::new("metric".into(), ["up"]),
        Column::new("value".into(), [true]),
    ];
    let mut frame = DataFrame::new(1, columns).unwrap();
    ParquetWriter::new(File::create(&path).unwrap()).finish(&mut frame).unwrap();
    let message = Evidence::open(&path).err().unwrap().to_string();
    for expected in
        ["column `ts` is", "column `service` is missing", "column `labels` is missing", "column `value` is"]
    {
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn a_later_evidence_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("later.parquet");
    write(&path, &[block("up", 3)]);
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"\"evidence_version\":1";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at + needle.len() - 1] = b'9';
    std::fs::write(&path, bytes).unwrap();
    let refused = Evidence::open(&path).err().unwrap();
    assert!(matches!(refused, BaselineError::Version { found: 9, known: 1, .. }), "{refused}");
}

#[test]
fn a_recording_of_somebody_else_has_no_description() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recording.parquet");
    let columns = vec![
        Column::new("ts".into(), [1_000_i64, 2_000]),
        Column::new("metric".into(), ["up", "up"]),
        Column::new("service".into(), ["cart", "cart"]),
        Column::new("labels".into(), ["{}", "{}"]),
        Column::new("value".into(), [Some(1.0), None]),
    ];
    let mut frame = DataFrame::new(2, columns).unwrap();
    ParquetWriter::new(File::create(&path).unwrap()).finish(&mut frame).unwrap();
    let evidence = Evidence::open(&path).unwrap();
    assert_eq!(evidence.meta(), None);
    let runs = runs(&evidence);
    assert_eq!((runs.len(), runs[0].kind, runs[0].samples.len()), (1, None, 2));
    assert!(runs[0].samples[1].1.is_nan(), "a null is a missing value");
}

#[test]
fn evidence_of_version_1_is_readable_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/recordings/evidence-v1.parquet");
    let evidence = Evidence::open(Path::new(path)).unwrap();
    let meta = evidence.meta().unwrap();
    let experiment = meta.experiment.as_ref().unwrap();
    assert_eq!(meta.provenance.step_ms, 15_000);
    assert_eq!(experiment.expectations.target.as_deref(), Some("cart"));
    assert_eq!(experiment.timeline.fault(), window(1_772_368_200_000, 1_772_368_500_000));
    let runs = runs(&evidence);
    let series: std::collections::BTreeSet<(&str, &str)> =
        runs.iter().map(|run| (run.metric.as_str(), run.service.as_str())).collect();
    assert_eq!(series.len(), 18);
    // 180 steps of 18 series, less the three samples that are not a number and the infinite one.
    assert_eq!(runs.iter().map(|run| run.samples.len()).sum::<usize>(), 18 * 180 - 4);
}

#[test]
fn a_learned_file_of_version_1_is_readable_for_ever() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/recordings/learned-v1.json");
    let learned = aftermath_baselines::read_learned(Path::new(path)).unwrap();
    assert_eq!((learned.windows, learned.series.len()), (1, 18));
    assert_eq!(learned.services, ["cart", "catalog", "payments"]);
}
