//! Wrong arguments and wrong files: named, with a hint, all at once, and nothing half-written.

use crate::support::{aftermath, judge, record, samples, scratch};

#[test]
fn a_judge_without_a_source_says_what_to_give() {
    aftermath(&["judge", "--baseline", "-2h..-1h", "--fault", "-1h..now"])
        .assert_refused(2, &["--prometheus URL", "--recording FILE"]);
}

#[test]
fn every_wrong_window_is_told_at_once() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    aftermath(&[
        "judge",
        "--recording",
        path.to_str().unwrap(),
        "--baseline",
        "yesterday..now",
        "--fault",
        "now..-5m",
        "--step",
        "15",
        "--topology",
        "/nowhere.json",
    ])
    .assert_refused(
        2,
        &["--baseline: `yesterday`", "--fault `now..-5m`", "--step: `15`", "--topology /nowhere.json"],
    );
}

#[test]
fn windows_that_overlap_are_named() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    aftermath(&[
        "judge",
        "--recording",
        path.to_str().unwrap(),
        "--baseline",
        &samples(0, 100),
        "--fault",
        &samples(90, 120),
    ])
    .assert_refused(2, &["the baseline window", "overlaps the fault window"]);
}

#[test]
fn windows_outside_the_recording_are_told_what_it_holds() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    aftermath(&[
        "judge",
        "--recording",
        path.to_str().unwrap(),
        "--baseline",
        "2020-01-01T00:00:00Z..2020-01-01T01:00:00Z",
        "--fault",
        "2020-01-01T01:00:00Z..2020-01-01T01:05:00Z",
    ])
    .assert_refused(2, &["the baseline window", "lies outside the recording", "2026-03-01T12:00:00.000Z"]);
}

#[test]
fn windows_in_the_future_are_refused_before_the_server_is_asked() {
    aftermath(&[
        "judge",
        "--prometheus",
        "http://127.0.0.1:1",
        "--baseline",
        "-1h..now",
        "--fault",
        "now..+1h",
    ])
    .assert_refused(2, &["the fault window", "lies in the future"]);
}

#[test]
fn windows_that_hold_too_few_points_are_inconclusive_and_say_so() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let said = aftermath(&[
        "judge",
        "--recording",
        path.to_str().unwrap(),
        "--baseline",
        &samples(0, 2),
        "--fault",
        &samples(2, 20),
        "--format",
        "json",
    ]);
    let report = said.json();
    assert_eq!((said.code, report["verdict"].as_str()), (30, Some("inconclusive")));
    assert_eq!(report["reasons"][0]["id"], "baseline_too_short", "{}", report["reasons"]);
}

#[test]
fn a_window_without_a_recording_of_its_own_is_missing() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    aftermath(&["judge", "--recording", path.to_str().unwrap()])
        .assert_refused(2, &["--baseline is missing", "--fault is missing"]);
}

#[test]
fn a_truncated_and_a_foreign_recording_are_named_with_a_hint() {
    let (folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let bytes = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut.parquet");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    judge(&cut, &[]).assert_refused(2, &["cut.parquet", "cut off"]);

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "these are no samples").unwrap();
    judge(&text, &[]).assert_refused(2, &["notes.txt", "not a complete Parquet file"]);

    judge(&folder.path().join("missing.parquet"), &[]).assert_refused(2, &["cannot read", "missing.parquet"]);
}

#[test]
fn a_learned_file_that_is_none_is_named() {
    let (folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let learned = folder.path().join("x.learned");
    std::fs::write(&learned, "{}").unwrap();
    judge(&path, &["--learned", learned.to_str().unwrap()])
        .assert_refused(2, &["x.learned", "aftermath learn"]);
}

#[test]
fn a_report_that_is_none_is_named() {
    let (_folder, path) = scratch("report.json");
    std::fs::write(&path, r#"{"report_version":99}"#).unwrap();
    aftermath(&["report", path.to_str().unwrap()]).assert_refused(2, &["report.json", "99"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    judge(&path, &["--evidence", "/dev/full"]).assert_refused(1, &["/dev/full", "No space left"]);
    judge(&path, &["--html", "/dev/full"]).assert_refused(1, &["/dev/full", "No space left"]);
}

#[test]
fn a_folder_that_does_not_exist_is_named_before_anything_is_judged() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    judge(&path, &["--evidence", "/nowhere/evidence.parquet"])
        .assert_refused(1, &["/nowhere/evidence.parquet"]);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    aftermath(&[
        "judge",
        "--prometheus",
        "http://127.0.0.1:1",
        "--baseline",
        "-2h..-1h",
        "--fault",
        "-1h..-30m",
    ])
    .assert_refused(1, &["http://127.0.0.1:1", "does not answer"]);
}

#[test]
fn an_unknown_fault_of_the_demo_is_told_which_there_are() {
    aftermath(&["demo", "--fault", "earthquake"]).assert_refused(2, &["earthquake", "cache-wipe"]);
}

#[test]
fn options_that_a_recording_cannot_honour_are_refused_rather_than_ignored() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let table: [&[&str]; 7] = [
        &["--match", "{job=\"shop\"}"],
        &["--service-label", "team"],
        &["--user", "me"],
        &["--bearer-token-file", "/token"],
        &["--header", "X-Scope-OrgID: a"],
        &["--ca-file", "/ca.pem"],
        &["--read", "remote-read"],
    ];
    for option in table {
        judge(&path, option).assert_refused(2, &["cannot be used with", option[0]]);
    }
}

#[test]
fn a_service_that_does_not_exist_is_refused_as_target_and_as_expectation() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    judge(&path, &["--target", "chart", "--expect", "catalogue"]).assert_refused(
        2,
        &["--target chart", "--expect catalogue", "there are cart, catalog, checkout, gateway"],
    );
}

#[test]
fn a_page_that_cannot_be_written_is_told_before_anything_is_judged() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let said = judge(&path, &["--html", "/nowhere/report.html"]);
    said.assert_refused(1, &["/nowhere/report.html"]);
    assert!(!said.stderr.contains("scoring"), "{}", said.stderr);
}

#[test]
fn files_that_would_overwrite_each_other_are_refused() {
    let (folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let before = std::fs::read(&path).unwrap();
    let shown = path.to_str().unwrap();
    judge(&path, &["--evidence", shown]).assert_refused(2, &["--evidence", "same file as --recording"]);
    assert_eq!(std::fs::read(&path).unwrap(), before, "the input was touched");
    let one = folder.path().join("one");
    std::fs::write(&one, "mine").unwrap();
    let one = one.to_str().unwrap();
    judge(&path, &["--html", one, "--evidence", one]).assert_refused(2, &["same file as --html"]);
    judge(&path, &["--html", "-"]).assert_refused(2, &["--html - names no file"]);
}

#[test]
fn an_exclusion_outside_the_baseline_is_refused() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    judge(&path, &["--exclude", &samples(125, 130)])
        .assert_refused(2, &["--exclude", "outside the baseline"]);
}

#[test]
fn a_snapshot_of_nothing_is_refused_and_leaves_no_file() {
    let (folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let kept = folder.path().join("kept.parquet");
    let window = "2020-01-01T00:00:00Z..2020-01-02T00:00:00Z";
    let arguments = ["snapshot", "--recording", path.to_str().unwrap(), "--window", window];
    aftermath(&[&arguments[..], &["--evidence", kept.to_str().unwrap()]].concat())
        .assert_refused(2, &["lies outside the recording"]);
    assert!(!kept.exists());
}

#[test]
fn two_demos_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let claim = std::fs::File::create(folder.path().join(".claimed")).unwrap();
    claim.lock().unwrap();
    aftermath(&["demo", "--out", folder.path().to_str().unwrap()])
        .assert_refused(2, &["belongs to another demo that is still running"]);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    aftermath(&["demo", "--out", file.to_str().unwrap()]).assert_refused(2, &["is a file, not a folder"]);
}

#[test]
fn calibrate_refuses_limits_and_steps_that_mean_nothing() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let path = path.to_str().unwrap();
    for share in ["NaN", "7", "-1", "often"] {
        aftermath(&["calibrate", "--recording", path, "--at-most", share]).assert_refused(2, &["--at-most"]);
    }
    aftermath(&["calibrate", "--recording", path, "--every", "1ms"]).assert_refused(2, &["--every 1 ms"]);
    aftermath(&["calibrate", "--recording", path, "--recording", path])
        .assert_refused(2, &["is given twice"]);
}

#[test]
fn every_wrong_expectation_is_told_at_once() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let wrong =
        ["--expect", "cart:latncy", "--expect-hops", "far", "--limit", "cart<2", "--recover-within", "soon"];
    judge(&path, &wrong).assert_refused(
        2,
        &["--expect `cart:latncy`", "--expect-hops `far`", "--limit `cart<2`", "--recover-within: `soon`"],
    );
    judge(&path, &["--expect-hops", "1"]).assert_refused(2, &["--target SERVICE", "--topology FILE"]);
}

#[test]
fn a_misspelt_service_is_told_with_the_one_that_was_meant() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    judge(&path, &["--target", "crt", "--limit", "catalogue:cpu_usage<1"]).assert_refused(
        2,
        &["--target crt: there is no such service, did you mean cart?", "--limit catalogue", "mean catalog?"],
    );
}
