//! Golden files of every format, the schema, and the pages of the reasons.
//!
//! `UPDATE_GOLDEN=1 cargo test -p aftermath export` writes them anew; look at the difference before you keep it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aftermath_model::ReasonId;

use super::{Report, Style, samples};

const SCHEMA: &str = "schema/report-v1.schema.json";

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn docs() -> PathBuf {
    crate_folder().join("../../docs")
}

fn golden(name: &str, extension: &str) -> PathBuf {
    crate_folder().join("src/export/golden/report-v1").join(format!("{name}.{extension}"))
}

/// Compares `actual` with the file, or writes the file when `UPDATE_GOLDEN` is set.
fn assert_golden(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let folder = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(path, actual).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; set UPDATE_GOLDEN=1 to write it", path.display()));
    let different = expected.lines().zip(actual.lines()).position(|(expected, actual)| expected != actual);
    assert!(
        expected == actual,
        "{} differs, first in line {:?}; set UPDATE_GOLDEN=1 to write it anew",
        path.display(),
        different.map(|index| index + 1)
    );
}

/// The schema of what is written: every field is there, even where its value is `null`.
fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

#[test]
fn every_format_of_every_sample_is_as_it_was() {
    for (name, report) in samples::all() {
        assert_golden(&golden(name, "json"), &report.to_json());
        assert_golden(&golden(name, "txt"), &report.to_text(Style::Plain));
        assert_golden(&golden(name, "md"), &report.to_markdown());
        assert_golden(&golden(name, "html"), &report.to_html());
    }
}

#[test]
fn the_published_schema_is_that_of_the_report() {
    let path = docs().join(SCHEMA);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let generated = serde_json::to_string_pretty(&schema()).expect("a schema is JSON") + "\n";
        fs::write(&path, generated).expect("the schema can be written");
    }
    let published = fs::read_to_string(&path).expect("the schema is published");
    let published: serde_json::Value = serde_json::from_str(&published).expect("the schema is JSON");
    // As values: the order of keys depends on which features other crates ask of serde_json.
    assert_eq!(published, schema(), "{} is not that of the report; set UPDATE_GOLDEN=1", path.display());
}

#[test]
fn every_stored_report_fits_the_published_schema_and_can_be_shown_again() {
    let published = fs::read_to_string(docs().join(SCHEMA)).expect("the schema is published");
    let published = serde_json::from_str(&published).expect("the schema is JSON");
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&published)
        .expect("the published schema is a schema");
    let mut seen = 0;
    for entry in fs::read_dir(golden("", "json").parent().expect("a folder")).expect("golden files exist") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let stored = fs::read_to_string(&path).expect("readable");
        let value = serde_json::from_str(&stored).expect("JSON");
        let problems: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
        let report = Report::from_json(&stored).expect("a stored report can be read");
        assert_golden(&path.with_extension("html"), &report.to_html());
        seen += 1;
    }
    assert!(seen >= samples::all().len(), "only {seen} golden reports");
}

#[test]
fn the_schema_refuses_what_is_not_a_report() {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema())
        .expect("the generated schema is a schema");
    let good = serde_json::to_value(samples::hidden_victim()).expect("JSON");
    assert!(validator.is_valid(&good));
    let spoilt: [(&str, serde_json::Value); 6] = [
        ("/report_version", 2.into()),
        ("/verdict", "splendid".into()),
        ("/windows/fault/from", "yesterday".into()),
        ("/services/0/state", "resting".into()),
        ("/coverage/series", (-1).into()),
        ("/reasons", "because".into()),
    ];
    for (pointer, value) in spoilt {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("the field exists") = value;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
    for field in ["score", "target", "services", "provenance"] {
        let mut bad = good.clone();
        bad.as_object_mut().expect("a report is an object").remove(field);
        assert!(!validator.is_valid(&bad), "without {field}");
    }
}

#[test]
fn every_reason_has_its_page_and_every_page_its_reason() {
    let ids: BTreeSet<String> = ReasonId::ALL.iter().map(|id| id.as_str().to_owned()).collect();
    let mut pages = BTreeSet::new();
    for entry in fs::read_dir(docs().join("reasons")).expect("docs/reasons exists") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let page = fs::read_to_string(&path).expect("readable");
        for part in [&format!("# `{name}`"), "## What it means", "## Why", "## What to do"] {
            assert!(page.contains(part), "{}: no `{part}`", path.display());
        }
        pages.insert(name);
    }
    assert_eq!(pages, ids);
}

#[test]
fn every_field_of_the_report_is_documented() {
    let page = fs::read_to_string(docs().join("report.md")).expect("docs/report.md exists");
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("the schema has definitions").values();
    let mut fields = 0;
    for definition in definitions.chain([&schema]) {
        for field in definition["properties"].as_object().into_iter().flat_map(|properties| properties.keys())
        {
            assert!(page.contains(&format!("`{field}`")), "docs/report.md does not explain `{field}`");
            fields += 1;
        }
    }
    assert!(fields > 60, "only {fields} fields were looked at");
}
