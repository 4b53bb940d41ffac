//! The file of a learned null distribution: JSON with a version.

use std::path::Path;

use aftermath_model::LearnedNull;
use serde::{Deserialize, Serialize};

use crate::error::BaselineError;
use crate::output::OutputFile;

/// Version 2 added what side channels, load, seasons, copies, past experiments and the lengths of windows teach; files of
/// version 1 are read as ones that know nothing of these.
const VERSION: u64 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LearnedFile {
    aftermath_learned_version: u64,
    learned: LearnedNull,
}

#[derive(Deserialize)]
struct AnyVersion {
    aftermath_learned_version: u64,
}

/// Writes what was learned to `path`, whole or not at all.
///
/// # Errors
/// [`BaselineError::Write`].
pub fn write_learned(path: &Path, learned: &LearnedNull) -> Result<(), BaselineError> {
    let file = LearnedFile { aftermath_learned_version: VERSION, learned: learned.clone() };
    let mut bytes = serde_json::to_vec(&file)
        .map_err(|cause| BaselineError::Write { path: path.to_owned(), cause: cause.to_string() })?;
    bytes.push(b'\n');
    OutputFile::write_all(path, &bytes)
}

/// Reads what [`write_learned`] wrote.
///
/// # Errors
/// [`BaselineError::Read`], [`BaselineError::Version`] for a file of a later version, and
/// [`BaselineError::Damaged`] for anything else that is not a learned file.
pub fn read_learned(path: &Path) -> Result<LearnedNull, BaselineError> {
    let damaged = |cause: serde_json::Error| BaselineError::Damaged {
        path: path.to_owned(),
        cause: format!("{cause}; expected is a file written by `aftermath learn --out`"),
    };
    let bytes = std::fs::read(path).map_err(|cause| BaselineError::Read { path: path.to_owned(), cause })?;
    let any: AnyVersion = serde_json::from_slice(&bytes).map_err(damaged)?;
    if any.aftermath_learned_version > VERSION {
        return Err(BaselineError::Version {
            path: path.to_owned(),
            found: any.aftermath_learned_version,
            known: VERSION,
        });
    }
    let file: LearnedFile = serde_json::from_slice(&bytes).map_err(damaged)?;
    let problems = file.learned.problems();
    if problems.is_empty() {
        return Ok(file.learned);
    }
    let cause = format!("{}; learn it anew with `aftermath learn --out`", problems.join("; "));
    Err(BaselineError::Damaged { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.learned");
        let learned = LearnedNull::default();
        write_learned(&path, &learned).unwrap();
        assert_eq!(read_learned(&path).unwrap(), learned);
    }

    #[test]
    fn a_later_version_and_a_foreign_file_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let cases = [
            (r#"{"aftermath_learned_version":99,"more":1}"#, "format version 99"),
            (r#"{"something":"else"}"#, "aftermath learn --out"),
            ("PAR1", "aftermath learn --out"),
        ];
        for (text, expected) in cases {
            let path = folder.path().join("file");
            std::fs::write(&path, text).unwrap();
            let message = read_learned(&path).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("/file"), "{message}");
        }
    }

    #[test]
    fn a_file_of_version_1_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.learned");
        let text = r#"{"aftermath_learned_version":1,"learned":{"windows":3,"services":["cart"],"series":{},
            "statistics":{"queue":[0.5,1.5]},"constants_moved":{"chances":9,"times":0},
            "presence_changed":{"chances":9,"times":1},"service_evidence":[[0.1,0.0]],"system_p_values":[0.4]}}"#;
        std::fs::write(&path, text).unwrap();
        let learned = read_learned(&path).unwrap();
        assert_eq!((learned.windows, learned.geometry), (3, None));
    }

    #[test]
    fn numbers_that_no_measurement_gives_are_refused_all_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd.learned");
        let mut learned = LearnedNull { windows: 3, system_p_values: vec![5.0], ..LearnedNull::default() };
        learned.failed.times = 2;
        learned.statistics.insert("queue".to_owned(), vec![-1.0]);
        write_learned(&path, &learned).unwrap();
        let message = read_learned(&path).unwrap_err().to_string();
        for expected in
            ["odd.learned", "outside 0 and 1", "more often than it could", "a statistic is negative"]
        {
            assert!(message.contains(expected), "{message}");
        }
    }
}
