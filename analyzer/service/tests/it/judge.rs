//! `aftermath judge` on recorded systems.

use crate::support::{aftermath, during_fault, judge, record, scratch};

#[test]
fn a_quiet_system_passes_with_exit_code_0() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let said = judge(&path, &["--format", "json"]);
    assert_eq!((said.code, said.json()["verdict"].as_str()), (0, Some("pass")), "{}", said.stderr);
}

#[test]
fn a_service_that_nobody_expected_fails_with_exit_code_20_and_is_named() {
    let (_folder, path) = scratch("hit.parquet");
    record(&path, 2, |service, sample| if service == "payments" && during_fault(sample) { 8.0 } else { 0.0 });
    let said = judge(&path, &["--format", "json", "--target", "cart", "--expect", "catalog"]);
    let report = said.json();
    assert_eq!((said.code, report["verdict"].as_str()), (20, Some("fail")), "{}", said.stdout);
    let hit: Vec<&str> = report["services"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|service| service["affected"] == true)
        .map(|service| service["name"].as_str().unwrap())
        .collect();
    assert_eq!(hit, ["payments"]);
    assert_eq!(report["origin"][0]["service"], "payments");
    assert_eq!(report["services"][0]["state"], "recovered", "{}", report["services"][0]);
}

#[test]
fn a_target_that_is_hit_and_heals_passes() {
    let (_folder, path) = scratch("expected.parquet");
    record(&path, 3, |service, sample| if service == "cart" && during_fault(sample) { 8.0 } else { 0.0 });
    let said = judge(&path, &["--format", "json", "--target", "cart"]);
    assert_eq!((said.code, said.json()["verdict"].as_str()), (0, Some("pass")), "{}", said.stdout);
}

#[test]
fn a_target_that_never_comes_back_fails() {
    let (_folder, path) = scratch("stuck.parquet");
    record(
        &path,
        4,
        |service, sample| {
            if service == "cart" && sample >= crate::support::BASELINE { 8.0 } else { 0.0 }
        },
    );
    let said = judge(&path, &["--format", "json", "--target", "cart"]);
    let report = said.json();
    assert_eq!((said.code, report["verdict"].as_str()), (20, Some("fail")), "{}", said.stdout);
    let reasons = report["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["id"] == "never_recovered"), "{reasons:?}");
}

#[test]
fn a_target_without_any_change_is_inconclusive_with_exit_code_30() {
    let (_folder, path) = scratch("nothing.parquet");
    record(&path, 5, |_, _| 0.0);
    let said = judge(&path, &["--format", "json", "--target", "cart"]);
    let report = said.json();
    assert_eq!((said.code, report["verdict"].as_str()), (30, Some("inconclusive")), "{}", said.stdout);
    assert_eq!(report["reasons"][0]["id"], "target_not_affected");
}

#[test]
fn evidence_replays_to_the_same_bytes_without_further_arguments() {
    let (folder, path) = scratch("hit.parquet");
    record(&path, 6, |service, sample| if service == "payments" && during_fault(sample) { 8.0 } else { 0.0 });
    let kept = folder.path().join("kept.parquet");
    let kept = kept.to_str().unwrap();
    let live = judge(&path, &["--format", "json", "--target", "cart", "--evidence", kept]);
    let replayed = aftermath(&["judge", "--recording", kept, "--format", "json"]);
    assert_eq!(live.stdout, replayed.stdout);
    assert_eq!(live.code, replayed.code);
    assert!(live.stdout.len() > 1_000);
}

#[test]
fn a_stored_report_is_rendered_again_in_every_form() {
    let (folder, path) = scratch("hit.parquet");
    record(&path, 7, |service, sample| if service == "payments" && during_fault(sample) { 8.0 } else { 0.0 });
    let json = judge(&path, &["--format", "json"]);
    let stored = folder.path().join("report.json");
    std::fs::write(&stored, &json.stdout).unwrap();
    let stored = stored.to_str().unwrap();
    for format in ["text", "markdown", "json"] {
        let direct = judge(&path, &["--format", format]);
        let again = aftermath(&["report", stored, "--format", format]);
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert_eq!(direct.stdout, again.stdout, "{format}");
    }
    let page = folder.path().join("report.html");
    let said = aftermath(&["report", stored, "--html", page.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(std::fs::read_to_string(&page).unwrap().contains("payments"));
}

#[test]
fn learning_from_quiet_windows_is_used_and_kept() {
    let (folder, _) = scratch("unused");
    let mut arguments: Vec<String> = vec!["learn".to_owned()];
    for seed in 10..16 {
        let path = folder.path().join(format!("quiet-{seed}.parquet"));
        record(&path, seed, |_, _| 0.0);
        // Without the command itself: the rest is what learn takes for each recording.
        arguments.extend(crate::support::judge_arguments(&path).into_iter().skip(1));
    }
    let learned = folder.path().join("shop.learned");
    let learned = learned.to_str().unwrap();
    arguments.extend(["--out".to_owned(), learned.to_owned()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = aftermath(&arguments);
    assert_eq!(said.code, 0, "{}", said.stderr);

    let quiet = folder.path().join("later.parquet");
    record(&quiet, 99, |_, _| 0.0);
    let said = judge(&quiet, &["--format", "json", "--learned", learned]);
    let report = said.json();
    assert_eq!(report["verdict"], "pass", "{}", said.stdout);
    assert!(report["system"]["placebo_windows"].as_u64() >= Some(6), "{}", report["system"]);
}

#[test]
fn standard_output_is_plain_where_it_is_no_terminal() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 1, |_, _| 0.0);
    let said = judge(&path, &[]);
    assert!(said.stdout.starts_with("PASS"), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'));
}

#[test]
fn a_foreign_recording_with_dirty_samples_is_judged_and_every_mend_is_reported() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/recordings/dirty.parquet");
    let said = judge(std::path::Path::new(path), &["--format", "json"]);
    let report = said.json();
    assert_eq!((said.code, report["verdict"].as_str()), (0, Some("pass")), "{}", said.stdout);
    let notes: Vec<&str> =
        report["provenance"]["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
    for expected in [
        "2 samples came out of order",
        "2 samples had a time that was already taken",
        "3 samples were not a number",
        "1 sample was infinite",
    ] {
        assert!(notes.iter().any(|note| note.starts_with(expected)), "{expected}: {notes:?}");
    }
    let text = judge(std::path::Path::new(path), &[]).stdout;
    assert!(text.contains("2 samples came out of order"), "{text}");
}

/// What `learn` takes for a recorded system of support.rs.
fn learn_arguments(path: &std::path::Path) -> Vec<String> {
    crate::support::judge_arguments(path).into_iter().skip(1).collect()
}

fn run(arguments: &[String]) -> crate::support::Said {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    aftermath(&arguments)
}

#[test]
fn learned_files_are_shown_joined_and_refused_by_another_system() {
    let (folder, _) = scratch("unused");
    let learned = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, seeds) in [("one", 30..34), ("other", 34..38)] {
        let mut arguments = vec!["learn".to_owned()];
        for seed in seeds {
            let path = folder.path().join(format!("quiet-{seed}.parquet"));
            record(&path, seed, |_, _| 0.0);
            arguments.extend(learn_arguments(&path));
        }
        arguments.extend(["--out".to_owned(), learned(name)]);
        let said = run(&arguments);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let joined = aftermath(&[
        "learn",
        "--merge",
        &learned("one"),
        "--merge",
        &learned("other"),
        "--out",
        &learned("all"),
    ]);
    assert_eq!(joined.code, 0, "{}", joined.stderr);
    let shown = aftermath(&["learn", "--show", &learned("all")]);
    assert!(shown.stdout.starts_with("8 quiet windows"), "{}", shown.stdout);
    assert!(shown.stdout.contains("cart, catalog, checkout"), "{}", shown.stdout);

    let foreign = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/recordings/dirty.parquet");
    let table = [(foreign, 2), (folder.path().join("quiet-30.parquet").to_str().unwrap(), 0)].map(
        |(recording, code)| (judge(std::path::Path::new(recording), &["--learned", &learned("all")]), code),
    );
    for (said, code) in table {
        assert_eq!(said.code, code, "{}", said.stderr);
        assert_eq!(said.stderr.contains("learned from another system"), code == 2, "{}", said.stderr);
    }
}

#[test]
fn an_incident_is_not_learned_as_normal() {
    let (folder, path) = scratch("incident.parquet");
    record(
        &path,
        40,
        |service, sample| {
            if service == "payments" && during_fault(sample) { 8.0 } else { 0.0 }
        },
    );
    let out = folder.path().join("x.learned");
    let mut arguments = vec!["learn".to_owned()];
    arguments.extend(learn_arguments(&path));
    arguments.extend(["--out".to_owned(), out.to_str().unwrap().to_owned()]);
    run(&arguments).assert_refused(2, &["something may have happened", "1 of 1 windows", "--force"]);
    assert!(!out.exists());
    arguments.push("--force".to_owned());
    assert_eq!(run(&arguments).code, 0);
    let judged = judge(&path, &["--learned", out.to_str().unwrap(), "--format", "json"]);
    assert_eq!(judged.code, 20, "one window must not excuse the incident: {}", judged.stdout);
}

#[test]
fn what_is_expected_may_be_narrowed_down_limited_and_timed() {
    let (_folder, path) = scratch("expected.parquet");
    record(&path, 11, |service, sample| if service == "cart" && during_fault(sample) { 8.0 } else { 0.0 });
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--expect", "cart"], 0, "only_expected_impact"),
        (&["--expect", "cart:saturation:up"], 0, "only_expected_impact"),
        (&["--expect", "cart:saturation:down"], 20, "unexpected_kind_of_change"),
        (&["--expect", "cart:errors"], 20, "unexpected_kind_of_change"),
        (&["--expect", "cart", "--limit", "cart:cpu_usage<1"], 20, "limit_exceeded"),
        (&["--expect", "cart", "--limit", "cart:cpu_usag<1"], 30, "limit_not_measured"),
    ];
    for (arguments, code, reason) in cases {
        let said = judge(&path, &[&["--format", "json"], arguments].concat());
        assert_eq!(
            (said.code, said.json()["reasons"][0]["id"].as_str()),
            (code, Some(reason)),
            "{arguments:?}"
        );
    }
}

#[test]
fn what_was_expected_replays_from_the_evidence() {
    let (folder, path) = scratch("expected.parquet");
    record(&path, 12, |service, sample| if service == "cart" && during_fault(sample) { 8.0 } else { 0.0 });
    let graph = folder.path().join("calls.json");
    std::fs::write(&graph, r#"{"edges":[["cart","catalog"]]}"#).unwrap();
    let kept = folder.path().join("kept.parquet");
    let arguments = [
        "--format",
        "json",
        "--target",
        "catalog",
        "--topology",
        graph.to_str().unwrap(),
        "--expect-hops",
        "1:both",
        "--expect",
        "payments:latency:up",
        "--limit",
        "cart:cpu_usage value<900",
        "--recover-within",
        "5m",
        "--evidence",
        kept.to_str().unwrap(),
    ];
    let live = judge(&path, &arguments);
    let replayed = aftermath(&["judge", "--recording", kept.to_str().unwrap(), "--format", "json"]);
    assert_eq!(live.stdout, replayed.stdout);
    let report = live.json();
    assert_eq!(report["expected"], serde_json::json!(["cart", "payments"]));
    assert_eq!(report["expectations"]["hops"], 1);
    assert_eq!(report["expectations"]["metric_limits"][0]["below"], 900.0);
    assert_eq!(report["expectations"]["recover_within_seconds"], 300.0);
}
