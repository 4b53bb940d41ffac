//! The arrows between crates, read from the manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What each crate of ours may depend on, of ours.
const ARROWS: [(&str, &[&str]); 8] = [
    ("aftermath-model", &[]),
    ("aftermath-detect", &["aftermath-model"]),
    ("aftermath-metrics", &["aftermath-model"]),
    ("aftermath-baselines", &["aftermath-model"]),
    ("aftermath-fixtures", &[]),
    ("aftermath-generator", &["aftermath-model"]),
    ("aftermath-prometheus-fixture", &[]),
    (
        "aftermath",
        &[
            "aftermath-model",
            "aftermath-detect",
            "aftermath-metrics",
            "aftermath-baselines",
            "aftermath-fixtures",
        ],
    ),
];

/// Dependencies that stay in one place: build time and clarity.
const HOMES: [(&str, &[&str]); 7] = [
    ("polars", &["aftermath-baselines"]),
    ("statrs", &["aftermath-detect"]),
    ("prost", &["aftermath-metrics"]),
    ("reqwest", &["aftermath-metrics"]),
    ("rustls", &["aftermath-metrics"]),
    ("rayon", &["aftermath-detect"]),
    ("axum", &["aftermath-fixtures"]),
];

/// What the pure crates must not even be able to reach.
const IMPURE: [&str; 6] = ["tokio", "reqwest", "axum", "polars", "tempfile", "futures"];

/// The normal dependencies of every workspace member, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().unwrap().iter().filter(|it| it["kind"].is_null());
            (text(&package["name"]), normal.map(|it| text(&it["name"])).collect())
        })
        .collect()
}

#[test]
fn the_arrows_between_our_crates_point_one_way() {
    let dependencies = dependencies();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let members: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(members, allowed.keys().copied().collect(), "a new crate needs its arrows in this table");
    for (member, used) in &dependencies {
        for ours in used.iter().filter(|name| members.contains(name.as_str())) {
            let may = allowed[member.as_str()].contains(&ours.as_str());
            assert!(may, "{member} must not know {ours}; see ARCHITECTURE.md");
        }
    }
}

#[test]
fn heavy_dependencies_stay_in_their_crate() {
    let dependencies = dependencies();
    for (dependency, homes) in HOMES {
        let users: Vec<&str> = dependencies
            .iter()
            .filter(|(_, used)| used.contains(dependency))
            .map(|(member, _)| member.as_str())
            .collect();
        assert_eq!(users, homes, "{dependency} belongs in {homes:?}");
    }
}

#[test]
fn the_pure_crates_cannot_reach_the_world() {
    let dependencies = dependencies();
    for pure in ["aftermath-model", "aftermath-detect"] {
        let reached: Vec<&str> =
            IMPURE.into_iter().filter(|impure| dependencies[pure].contains(*impure)).collect();
        assert!(reached.is_empty(), "{pure} is pure and must not depend on {reached:?}");
    }
}

#[test]
fn the_lints_of_the_pure_maths_repeat_the_keys_of_the_root() {
    let read = |path: &str| {
        let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{path}: {cause}"))
    };
    let pure = read("analyzer/detect/clippy.toml");
    for line in read("clippy.toml").lines().filter(|line| line.contains('=')) {
        assert!(pure.contains(line), "analyzer/detect/clippy.toml replaces the root file and lacks `{line}`");
    }
    for banned in ["std::time::SystemTime::now", "std::fs::File", "std::env::var", "std::net::TcpStream"] {
        assert!(pure.contains(banned), "analyzer/detect/clippy.toml must ban {banned}");
    }
}
