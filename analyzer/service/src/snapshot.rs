//! The stage `snapshot`: what was observed, kept in an evidence file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use aftermath_baselines::{Evidence, EvidenceMeta, EvidenceWriter};
use aftermath_metrics::Grid;
use aftermath_model::{Block, Catalog, Experiment, Gap, GapCause, GapCount, Provenance, Window};
use tokio::sync::mpsc;

use crate::export::visible;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::source::Source;

/// Blocks that may wait between the reader and the writer. They bound the memory of a snapshot.
const BLOCKS_IN_FLIGHT: usize = 16;

/// Samples of a run in a file, and where they come from.
pub struct Snapshot {
    /// The file.
    pub file: Arc<Evidence>,
    /// Where its samples come from.
    pub provenance: Provenance,
    /// How many series it holds.
    pub series: usize,
    /// Removes the file in the end, where nobody asked to keep it.
    _forgotten: Option<tempfile::TempDir>,
}

/// What to observe.
pub struct Stretch {
    /// From when to when.
    pub span: Window,
    /// The times at which samples are taken.
    pub grid: Grid,
    /// What happened meanwhile, where that is known.
    pub experiment: Option<Experiment>,
}

impl Stretch {
    /// A stretch of time in which nothing particular is known to have happened.
    #[must_use]
    pub const fn plain(span: Window, step_ms: i64) -> Self {
        Self { span, grid: Grid { anchor_ms: span.from.ms(), step_ms }, experiment: None }
    }

    /// The whole of an experiment. Its grid is anchored where the fault begins, so that no sample straddles that
    /// moment.
    #[must_use]
    pub fn of(experiment: &Experiment) -> Self {
        let timeline = &experiment.timeline;
        Self {
            span: timeline.span(),
            grid: Grid { anchor_ms: timeline.fault().from.ms(), step_ms: timeline.step_ms() },
            experiment: Some(experiment.clone()),
        }
    }
}

/// Observes a stretch and keeps what was seen, at `keep` or for the time of the run.
///
/// # Errors
/// A [`Failure`] when the source or the file system refuses; then no file is left behind.
pub async fn take(
    source: &Source,
    catalog: &Catalog,
    stretch: Stretch,
    keep: Option<PathBuf>,
    progress: &Progress,
) -> Result<Snapshot, Failure> {
    let (path, forgotten) = match keep {
        Some(path) => (path, None),
        None => forgotten_path()?,
    };
    let Stretch { span, grid, experiment } = stretch;
    let (blocks, received) = mpsc::channel(BLOCKS_IN_FLIGHT);
    let writer = EvidenceWriter::create(&path)?;
    let writing = tokio::task::spawn_blocking(move || write_blocks(writer, received));
    let observed = source.observe(catalog, span, grid, blocks, progress).await;
    // The writer tells why a reader found its channel closed, so its failure is the one to report.
    let (writer, seen) = writing.await.map_err(Failure::error)??;
    let observed = observed?;

    let mut notes = catalog.notes.clone();
    notes.extend(observed.notes);
    let reading = source.reading();
    seen.check(&reading.service_labels)?;
    let provenance = Provenance {
        aftermath_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: reading.source,
        selectors: reading.selectors,
        service_labels: reading.service_labels,
        window: span,
        step_ms: grid.step_ms,
        notes,
        partial: observed.partial,
        unread: count_by_cause(&observed.gaps),
    };
    let meta = EvidenceMeta { provenance, experiment };
    writer.finish(&meta)?;
    Ok(Snapshot {
        file: Arc::new(Evidence::open(&path)?),
        provenance: meta.provenance,
        series: seen.series,
        _forgotten: forgotten,
    })
}

fn count_by_cause(gaps: &[Gap]) -> Vec<GapCount> {
    let mut counts = BTreeMap::<GapCause, usize>::new();
    for gap in gaps {
        *counts.entry(gap.cause).or_default() += 1;
    }
    counts.into_iter().map(|(cause, series)| GapCount { cause, series }).collect()
}

/// What a writer has seen of the series that went through it.
#[derive(Default)]
struct Seen {
    series: usize,
    nameless: usize,
    labels: BTreeSet<String>,
}

impl Seen {
    fn note(&mut self, block: &Block) {
        self.series += block.series.len();
        for series in block.series.iter().filter(|series| series.key.service.is_empty()) {
            self.nameless += 1;
            self.labels.extend(series.key.labels.keys().cloned());
        }
    }

    /// A system whose series all belong to nobody can only be judged as one lump: mostly a misspelt label.
    fn check(&self, tried: &[String]) -> Result<(), Failure> {
        if tried.is_empty() || self.series == 0 || self.nameless < self.series {
            return Ok(());
        }
        let labels: Vec<String> = self.labels.iter().map(|label| visible(label)).collect();
        Err(Failure::bad_input(format!(
            "none of {} series carries a label that names its service: {} was tried, the series carry {}; give the \
             right one with --service-label",
            self.series,
            tried.join(", "),
            if labels.is_empty() { "no labels at all".to_owned() } else { labels.join(", ") }
        )))
    }
}

fn write_blocks(
    mut writer: EvidenceWriter,
    mut received: mpsc::Receiver<Block>,
) -> Result<(EvidenceWriter, Seen), Failure> {
    let mut seen = Seen::default();
    while let Some(block) = received.blocking_recv() {
        writer.write(&block)?;
        seen.note(&block);
    }
    Ok((writer, seen))
}

fn forgotten_path() -> Result<(PathBuf, Option<tempfile::TempDir>), Failure> {
    let folder = tempfile::Builder::new().prefix("aftermath-").tempdir().map_err(|cause| {
        Failure::error(format!(
            "cannot make a folder in {}: {cause}; set TMPDIR to a place with room, or use --evidence FILE",
            std::env::temp_dir().display()
        ))
    })?;
    Ok((folder.path().join("evidence.parquet"), Some(folder)))
}
