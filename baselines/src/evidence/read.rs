//! Reading evidence and foreign recordings, row group by row group.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftermath_model::{RecordedRun, SeriesKind};
use polars::prelude::{
    DataFrame, DataType, Float64Chunked, Int64Chunked, ParquetReader, PolarsResult, SerReader, StringChunked,
};

use super::meta::{EvidenceMeta, KEY, MetaV1, VERSION};
use crate::error::BaselineError;

type Footer = Arc<polars::io::parquet::read::FileMetadata>;

/// A Parquet file of samples that was opened and whose columns were found to be right.
pub struct Evidence {
    path: PathBuf,
    footer: Footer,
    meta: Option<EvidenceMeta>,
    has_kind: bool,
}

impl Evidence {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// [`BaselineError::Read`], [`BaselineError::NotParquet`] for a truncated or other file,
    /// [`BaselineError::Columns`] for a Parquet file without samples, [`BaselineError::Version`] and
    /// [`BaselineError::Damaged`] for a description that cannot be read.
    pub fn open(path: &Path) -> Result<Self, BaselineError> {
        let (footer, columns) = guarded(path, || {
            let mut reader = ParquetReader::new(open_file(path)?);
            let schema = reader.schema()?;
            let columns: Vec<(String, DataType)> = schema
                .iter()
                .map(|(name, field)| (name.to_string(), DataType::from_arrow_field(field)))
                .collect();
            Ok((reader.get_metadata()?.clone(), columns))
        })?;
        check_columns(path, &columns)?;
        let meta = read_meta(path, &footer)?;
        let has_kind = columns.iter().any(|(name, kind)| name == "kind" && *kind == DataType::String);
        Ok(Self { path: path.to_owned(), footer, meta, has_kind })
    }

    /// The description; `None` for a recording that somebody else wrote.
    #[must_use]
    pub const fn meta(&self) -> Option<&EvidenceMeta> {
        self.meta.as_ref()
    }

    /// The name of the file, without its folder.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The rows of the file as runs of one series each, in the order of the file. A series may come in several runs.
    #[must_use]
    pub fn runs(&self) -> RunIter<'_> {
        RunIter { evidence: self, next_row_group: 0, next_row: 0, ready: Vec::new().into_iter() }
    }

    fn read_row_group(&self, index: usize, first_row: usize) -> Result<Vec<RecordedRun>, BaselineError> {
        let rows = self.footer.row_groups[index].num_rows();
        let mut names = vec!["ts", "metric", "service", "labels", "value"];
        names.extend(self.has_kind.then_some("kind"));
        let names = names.into_iter().map(str::to_owned).collect();
        let frame = guarded(&self.path, || {
            let mut reader = ParquetReader::new(open_file(&self.path)?);
            reader.set_metadata(Arc::clone(&self.footer));
            reader.with_columns(Some(names)).with_slice(Some((first_row, rows))).set_rechunk(true).finish()
        })?;
        runs_of(&frame, self.has_kind)
            .map_err(|cause| BaselineError::Damaged { path: self.path.clone(), cause: cause.to_string() })
    }
}

/// The rows of a file as runs of one series each.
pub struct RunIter<'e> {
    evidence: &'e Evidence,
    next_row_group: usize,
    next_row: usize,
    ready: std::vec::IntoIter<RecordedRun>,
}

impl Iterator for RunIter<'_> {
    type Item = Result<RecordedRun, BaselineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(run) = self.ready.next() {
                return Some(Ok(run));
            }
            let row_group = self.evidence.footer.row_groups.get(self.next_row_group)?;
            let read = self.evidence.read_row_group(self.next_row_group, self.next_row);
            self.next_row_group += 1;
            self.next_row += row_group.num_rows();
            match read {
                Ok(runs) => self.ready = runs.into_iter(),
                Err(problem) => {
                    self.next_row_group = usize::MAX;
                    return Some(Err(problem));
                }
            }
        }
    }
}

fn open_file(path: &Path) -> PolarsResult<File> {
    Ok(File::open(path)?)
}

/// Runs a read, and turns a refusal, or a panic inside the Parquet reader, into an error that names the file.
///
/// The reader trusts lengths and offsets in the file and panics on some damaged ones; that must not end a program
/// that was only given a bad file.
fn guarded<T>(path: &Path, read: impl FnOnce() -> PolarsResult<T>) -> Result<T, BaselineError> {
    if let Err(cause) = File::open(path) {
        return Err(BaselineError::Read { path: path.to_owned(), cause });
    }
    let not_parquet = |cause: String| BaselineError::NotParquet { path: path.to_owned(), cause };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(cause)) => Err(not_parquet(cause.to_string())),
        Err(_) => Err(not_parquet("the reader gave up on its contents".to_owned())),
    }
}

fn check_columns(path: &Path, columns: &[(String, DataType)]) -> Result<(), BaselineError> {
    let wanted =
        [("ts", "int64"), ("metric", "text"), ("service", "text"), ("labels", "text"), ("value", "float64")];
    let problems: Vec<String> = wanted
        .into_iter()
        .filter_map(|(name, expected)| {
            let Some((_, found)) = columns.iter().find(|(column, _)| column == name) else {
                return Some(format!("column `{name}` is missing"));
            };
            let fits = match expected {
                "int64" => found.is_integer(),
                "float64" => found.is_primitive_numeric(),
                _ => *found == DataType::String || found.is_categorical(),
            };
            (!fits).then(|| format!("column `{name}` is {found} instead of {expected}"))
        })
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(BaselineError::Columns { path: path.to_owned(), problems: problems.join(", ") })
}

fn read_meta(path: &Path, footer: &Footer) -> Result<Option<EvidenceMeta>, BaselineError> {
    let entries = footer.key_value_metadata().as_deref().unwrap_or_default();
    let Some(text) = entries.iter().find(|entry| entry.key == KEY).and_then(|entry| entry.value.as_ref())
    else {
        return Ok(None);
    };
    let damaged = |cause: String| BaselineError::Damaged { path: path.to_owned(), cause };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|cause| damaged(cause.to_string()))?;
    let found = json.get("evidence_version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if found > VERSION {
        return Err(BaselineError::Version { path: path.to_owned(), found, known: VERSION });
    }
    let meta: MetaV1 = serde_json::from_value(json).map_err(|cause| damaged(cause.to_string()))?;
    meta.into_meta().map(Some).map_err(damaged)
}

/// One text column and where it stands.
struct Texts<'f>(&'f StringChunked);

impl<'f> Texts<'f> {
    fn at(&self, row: usize) -> &'f str {
        self.0.get(row).unwrap_or("")
    }
}

fn runs_of(frame: &DataFrame, has_kind: bool) -> PolarsResult<Vec<RecordedRun>> {
    let text = |name: &str| frame.column(name)?.cast(&DataType::String);
    let (metric, service, labels) = (text("metric")?, text("service")?, text("labels")?);
    let kind = if has_kind { Some(text("kind")?) } else { None };
    let (metric, service, labels) = (Texts(metric.str()?), Texts(service.str()?), Texts(labels.str()?));
    let kind = kind.as_ref().map(|column| column.str()).transpose()?.map(Texts);
    let ts = frame.column("ts")?.cast(&DataType::Int64)?;
    if ts.null_count() > 0 {
        polars::prelude::polars_bail!(ComputeError: "{} rows have no time (column ts)", ts.null_count());
    }
    let ts: &Int64Chunked = ts.i64()?;
    let value = frame.column("value")?.cast(&DataType::Float64)?;
    let value: &Float64Chunked = value.f64()?;

    let mut runs: Vec<RecordedRun> = Vec::new();
    for row in 0..frame.height() {
        let Some(ms) = ts.get(row) else { continue };
        let sample = (ms, value.get(row).unwrap_or(f64::NAN));
        let (metric, service, labels) = (metric.at(row), service.at(row), labels.at(row));
        match runs.last_mut() {
            Some(run) if run.metric == metric && run.labels_json == labels && run.service == service => {
                run.samples.push(sample);
            }
            _ => runs.push(RecordedRun {
                metric: metric.to_owned(),
                service: service.to_owned(),
                labels_json: labels.to_owned(),
                kind: kind.as_ref().and_then(|kind| SeriesKind::parse(kind.at(row))),
                samples: vec![sample],
            }),
        }
    }
    Ok(runs)
}
