//! Writing evidence, block by block.

use std::fs::File;
use std::path::{Path, PathBuf};

use aftermath_model::{Block, Series};
use polars::prelude::{
    BatchedWriter, Column, DataFrame, DataType, KeyValueMetadata, ParquetCompression, ParquetWriter,
    PolarsResult, Schema, StatisticsOptions,
};

use super::meta::{EvidenceMeta, KEY, MetaV1};
use crate::error::BaselineError;
use crate::output::OutputFile;

/// Rows of one Parquet row group: large enough to compress well, small enough to be read back piecewise
/// (about 10 MiB decoded).
const ROW_GROUP_ROWS: usize = 131_072;

/// Writes an evidence file as its blocks arrive. The file takes its name in [`EvidenceWriter::finish`]; until then,
/// and after any error, there is none.
pub struct EvidenceWriter {
    path: PathBuf,
    output: OutputFile,
    parquet: BatchedWriter<File>,
    pending: Columns,
}

#[derive(Default)]
struct Columns {
    ts: Vec<i64>,
    metric: Vec<String>,
    service: Vec<String>,
    labels: Vec<String>,
    kind: Vec<&'static str>,
    value: Vec<f64>,
}

impl EvidenceWriter {
    /// Begins an evidence file at `path`.
    ///
    /// # Errors
    /// [`BaselineError::Write`].
    pub fn create(path: &Path) -> Result<Self, BaselineError> {
        let output = OutputFile::create(path)?;
        let parquet = ParquetWriter::new(output.handle()?)
            .with_compression(ParquetCompression::Zstd(None))
            .with_statistics(StatisticsOptions::full())
            .with_row_group_size(Some(ROW_GROUP_ROWS))
            .batched(&schema())
            .map_err(|cause| write_error(path, &cause))?;
        Ok(Self { path: path.to_owned(), output, parquet, pending: Columns::default() })
    }

    /// Adds the samples of a block.
    ///
    /// # Errors
    /// [`BaselineError::Write`], for instance when the disk is full.
    pub fn write(&mut self, block: &Block) -> Result<(), BaselineError> {
        for series in &block.series {
            self.pending.push(series);
        }
        if self.pending.ts.len() >= ROW_GROUP_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BaselineError> {
        let columns = std::mem::take(&mut self.pending);
        if columns.ts.is_empty() {
            return Ok(());
        }
        columns
            .into_frame()
            .and_then(|frame| self.parquet.write_batch(&frame))
            .map_err(|cause| write_error(&self.path, &cause))
    }

    /// Completes the file with its description and gives it its name.
    ///
    /// # Errors
    /// [`BaselineError::Write`].
    pub fn finish(mut self, meta: &EvidenceMeta) -> Result<(), BaselineError> {
        self.flush()?;
        let text = serde_json::to_string(&MetaV1::from(meta))
            .map_err(|cause| BaselineError::Write { path: self.path.clone(), cause: cause.to_string() })?;
        self.write_footer(text).map_err(|cause| write_error(&self.path, &cause))?;
        self.output.finish()
    }

    /// Notes and limits are only known at the end, so the description cannot be given when the writer is made.
    fn write_footer(&self, description: String) -> PolarsResult<()> {
        let context = polars::io::parquet::write::ParquetMetadataContext { arrow_schema: "" };
        let entries = KeyValueMetadata::from_static(vec![(KEY.to_owned(), description)]).collect(context)?;
        let mut writer = self.parquet.get_writer().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writer.end(Some(entries)).map(drop)
    }
}

fn schema() -> Schema {
    let text = DataType::String;
    Schema::from_iter([
        ("ts".into(), DataType::Int64),
        ("metric".into(), text.clone()),
        ("service".into(), text.clone()),
        ("labels".into(), text.clone()),
        ("kind".into(), text),
        ("value".into(), DataType::Float64),
    ])
}

impl Columns {
    fn push(&mut self, series: &Series) {
        let rows = series.len();
        let labels = serde_json::to_string(&series.key.labels)
            .expect("a map of strings is always representable as JSON");
        self.ts.extend_from_slice(series.timestamps_ms());
        self.value.extend_from_slice(series.values());
        self.metric.extend(std::iter::repeat_n(series.key.metric.clone(), rows));
        self.service.extend(std::iter::repeat_n(series.key.service.clone(), rows));
        self.labels.extend(std::iter::repeat_n(labels, rows));
        self.kind.extend(std::iter::repeat_n(series.kind.as_str(), rows));
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let rows = self.ts.len();
        DataFrame::new(
            rows,
            vec![
                Column::new("ts".into(), self.ts),
                Column::new("metric".into(), self.metric),
                Column::new("service".into(), self.service),
                Column::new("labels".into(), self.labels),
                Column::new("kind".into(), self.kind),
                Column::new("value".into(), self.value),
            ],
        )
    }
}

fn write_error(path: &Path, cause: &polars::prelude::PolarsError) -> BaselineError {
    BaselineError::Write { path: path.to_owned(), cause: cause.to_string() }
}
