//! `aftermath calibrate` on recorded systems.

use crate::support::{aftermath, during_fault, record, samples, scratch};

#[test]
fn quiet_windows_of_a_quiet_system_hardly_ever_fail() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 21, |_, _| 0.0);
    let path = path.to_str().unwrap();
    let shape = ["--baseline", "20m", "--fault", "3m", "--recovery", "5m", "--every", "1m"];
    let said = aftermath(&[&["calibrate", "--recording", path, "--format", "json"], &shape[..]].concat());
    let found = said.json();
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(found["windows"], 17, "{found}");
    assert_eq!(found["independent_windows"], 1);
    let fail =
        found["verdicts"].as_array().unwrap().iter().find(|verdict| verdict["name"] == "fail").unwrap();
    assert_eq!((fail["hits"].as_u64(), fail["trials"].as_u64()), (Some(0), Some(17)));
    let text = aftermath(&[&["calibrate", "--recording", path], &shape[..]].concat()).stdout;
    assert!(text.starts_with("17 quiet windows were judged") && text.contains("| fail | 0.0 %"), "{text}");
}

#[test]
fn a_stretch_that_was_not_quiet_is_told_with_its_worst_service_and_fails_the_limit() {
    let (_folder, path) = scratch("hit.parquet");
    record(
        &path,
        22,
        |service, sample| {
            if service == "payments" && during_fault(sample) { 8.0 } else { 0.0 }
        },
    );
    let path = path.to_str().unwrap();
    let shape = ["--baseline", "25m", "--fault", "4m", "--every", "1m"];
    let command = [&["calibrate", "--recording", path, "--format", "json", "--at-most", "0.02"], &shape[..]];
    let said = aftermath(&command.concat());
    let found = said.json();
    assert_eq!(said.code, 20, "{found}");
    assert_eq!(found["services"][0]["name"], "payments");
    assert!(found["advice"].as_array().unwrap().len() >= 2, "{found}");

    let (other, all) = (samples(170, 175), command.concat());
    let without = aftermath(&[&all[..], &["--exclude", &other]].concat());
    assert!(without.json()["windows"].as_u64() < found["windows"].as_u64(), "{found}");
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let (_folder, path) = scratch("quiet.parquet");
    record(&path, 23, |_, _| 0.0);
    let path = path.to_str().unwrap();
    aftermath(&["calibrate", "--recording", path, "--baseline", "9h"])
        .assert_refused(2, &["no window of this shape fits"]);
    aftermath(&["calibrate", "--recording", path, "--baseline", "soon", "--fault", "5"])
        .assert_refused(2, &["--baseline: `soon`", "--fault: `5`"]);
}
