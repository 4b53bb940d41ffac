//! Observation: what is asked in one request, how a question that is too large is divided, and how answers become
//! blocks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use aftermath_model::{Block, Catalog, MetricKind, SeriesKind, Window, family};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::account::Account;
use super::catalog::read_selector;
use super::native::classic_parts;
use super::plan::{Unit, plan};
use super::quirks::KnownSeries;
use super::selector::Selector;
use super::wire::{NativeHistogram, Remarks};
use super::{Prometheus, RemoteRead, range_query, remote_read};
use crate::error::SourceError;
use crate::observation::{Grid, Observed};

pub(super) type Labels = BTreeMap<String, String>;

/// A stretch of the grid, from one grid time up to and including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) grid: Grid,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

/// What one question brought: canonical samples by series, floats and native histograms.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) series: BTreeMap<Labels, Vec<(i64, f64)>>,
    pub(crate) histograms: BTreeMap<Labels, Vec<(i64, NativeHistogram)>>,
    pub(crate) remarks: Remarks,
}

/// A unit that was read, or why it was too much.
struct UnitRead {
    unit: Unit,
    received: Result<Received, SourceError>,
}

impl Piece {
    /// The end of its last cell.
    pub(crate) const fn end_ms(self) -> i64 {
        self.last_ms + self.grid.step_ms
    }

    /// How many cells it has.
    fn points(self) -> i64 {
        (self.last_ms - self.first_ms) / self.grid.step_ms + 1
    }

    /// Its first `points` cells and, if there are more, the rest.
    fn split_after(self, points: i64) -> (Self, Option<Self>) {
        if points >= self.points() {
            return (self, None);
        }
        let next_ms = self.first_ms + points * self.grid.step_ms;
        (Self { last_ms: next_ms - self.grid.step_ms, ..self }, Some(Self { first_ms: next_ms, ..self }))
    }
}

impl Received {
    /// Takes over what a later piece of the same series brought.
    fn append(&mut self, later: Self) {
        for (labels, samples) in later.series {
            self.series.entry(labels).or_default().extend(samples);
        }
        for (labels, samples) in later.histograms {
            self.histograms.entry(labels).or_default().extend(samples);
        }
        self.remarks.add(later.remarks);
    }

    /// Takes over what another selector brought of the same stretch; a series that both match is the same in both.
    fn join(&mut self, other: Self) {
        for (labels, samples) in other.series {
            self.series.entry(labels).or_insert(samples);
        }
        for (labels, samples) in other.histograms {
            self.histograms.entry(labels).or_insert(samples);
        }
        self.remarks.add(other.remarks);
    }

    /// Puts the classic parts of native histograms in their place. Where the target offers the classic parts itself,
    /// those are taken, because both say the same. Plain numbers beside the histograms of a series are left out.
    pub(super) fn with_classic_parts(mut self) -> Self {
        let mut mixed = 0;
        for (labels, samples) in std::mem::take(&mut self.histograms) {
            let numbers = self.series.remove(&labels).unwrap_or_default();
            mixed += usize::from(numbers.iter().any(|&(_, value)| value != 0.0));
            for (part, samples) in classic_parts(&labels, &samples) {
                self.series.entry(part).or_insert(samples);
            }
        }
        if mixed > 0 {
            let note =
                format!("{mixed} series hold native histograms and plain numbers; the numbers were left out");
            self.remarks.notes.push(note);
        }
        self
    }
}

impl Prometheus {
    /// Sends the samples of every metric of the catalog, in blocks of complete families sorted by name, and waits
    /// while the receiver is busy. At most [`crate::Limits::requests_at_once`] blocks are held.
    ///
    /// # Errors
    /// Whatever keeps the server from answering; [`SourceError::ReceiverGone`] if nobody takes the blocks;
    /// [`SourceError::BadSetting`] for a window without a point of the grid.
    pub async fn observe(
        &self,
        catalog: &Catalog,
        window: Window,
        grid: Grid,
        blocks: Sender<Block>,
    ) -> Result<Observed, SourceError> {
        let whole = whole_piece(window, grid)?;
        let selectors = self.read_selectors()?;
        let kinds: BTreeMap<&str, MetricKind> =
            catalog.entries.iter().map(|entry| (entry.metric.as_str(), entry.kind)).collect();
        let kind_of = |metric: &str| kind_of(metric, &kinds);
        let mut account = Account::new(self, catalog);
        let units = plan(catalog, whole.points(), &self.config.limits);
        let full = AtomicBool::new(false);
        let mut answers = futures::stream::iter(units)
            .map(|unit| self.read_unit_unless(&full, unit, &selectors, whole))
            .buffered(self.config.limits.requests_at_once.max(1));
        while let Some(read) = answers.next().await {
            let UnitRead { unit, received } = read?;
            let finished = account.take(&unit, received, &kind_of);
            full.store(account.full, Ordering::Relaxed);
            let Some(finished) = finished else { continue };
            if !finished.block.series.is_empty() {
                blocks.send(finished.block).await.map_err(|_| SourceError::ReceiverGone)?;
            }
        }
        Ok(account.finish(self))
    }

    fn read_selectors(&self) -> Result<Vec<Selector>, SourceError> {
        if self.config.selectors.is_empty() {
            return Ok(vec![Selector::everything()]);
        }
        self.config.selectors.iter().map(|text| read_selector(Some(text))).collect()
    }

    async fn read_unit_unless(
        &self,
        full: &AtomicBool,
        unit: Unit,
        selectors: &[Selector],
        whole: Piece,
    ) -> Result<UnitRead, SourceError> {
        if full.load(Ordering::Relaxed) {
            return Ok(UnitRead { unit, received: Ok(Received::default()) });
        }
        self.read_unit(unit, selectors, whole).await
    }

    /// Reads a unit. What is too much for the server even in the smallest pieces is an inner error.
    async fn read_unit(
        &self,
        unit: Unit,
        selectors: &[Selector],
        whole: Piece,
    ) -> Result<UnitRead, SourceError> {
        let mut joined = Received::default();
        for selector in selectors {
            match self.read_pieces(&selector.only(&unit.names), unit.series, whole).await {
                Ok(received) => joined.join(received),
                Err(error) if error.asks_for_less() => return Ok(UnitRead { unit, received: Err(error) }),
                Err(error) => return Err(error),
            }
        }
        Ok(UnitRead { unit, received: Ok(joined) })
    }

    /// Reads one selector in as many pieces of time as it takes.
    async fn read_pieces(
        &self,
        selector: &Selector,
        series: usize,
        whole: Piece,
    ) -> Result<Received, SourceError> {
        let mut read = Received::default();
        let mut todo = vec![whole];
        while let Some(piece) = todo.pop() {
            let most = self.points_at_once(series, piece);
            let (now, rest) = piece.split_after(most);
            todo.extend(rest);
            match self.read_piece(selector, now).await {
                Ok(received) => read.append(received),
                Err(error) if error.asks_for_less() && now.points() > 1 => {
                    let (first, second) = now.split_after(now.points() / 2);
                    todo.extend(second);
                    todo.push(first);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// How many points of each series one request may ask for. Streams need no such limit.
    fn points_at_once(&self, series: usize, piece: Piece) -> i64 {
        if self.usable_remote_read().is_some() {
            return piece.points();
        }
        let limits = &self.config.limits;
        let by_samples = i64::try_from(limits.samples_per_query / series.max(1)).unwrap_or(i64::MAX);
        by_samples.min(limits.points_per_query).max(1)
    }

    async fn read_piece(&self, selector: &Selector, piece: Piece) -> Result<Received, SourceError> {
        if let Some(remote) = self.usable_remote_read()
            && let Some(received) = self.read_remotely(remote, selector, piece).await?
        {
            return Ok(received);
        }
        // A piece that remote_read could not deliver may be longer than a range query can be.
        let mut read = Received::default();
        let mut todo = Some(piece);
        while let Some(piece) = todo {
            let (now, rest) = piece.split_after(self.config.limits.points_per_query.max(1));
            read.append(range_query::read(&self.api, selector, now, self.includes_left_edge).await?);
            todo = rest;
        }
        Ok(read)
    }

    /// Reads by `remote_read`; `None` where only `query_range` can tell what the query API shows.
    async fn read_remotely(
        &self,
        remote: &RemoteRead,
        selector: &Selector,
        piece: Piece,
    ) -> Result<Option<Received>, SourceError> {
        let received = match remote_read::read(&self.api, selector, piece, &self.config.limits).await {
            Ok(received) => received,
            Err(SourceError::UnknownEncoding { .. }) => {
                remote.unusable.store(true, Ordering::Relaxed);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let nothing_added = remote.external_labels.as_ref().is_some_and(BTreeMap::is_empty);
        if nothing_added {
            return Ok(Some(received));
        }
        let shown = match self.api.series(&selector.to_promql(), piece.first_ms, piece.end_ms()).await {
            Ok(shown) => shown,
            Err(error) if error.asks_for_less() => return Ok(None),
            Err(error) => return Err(error),
        };
        let external = remote.external_labels.clone().unwrap_or_default();
        let known = KnownSeries::new(shown.data, &external);
        let mut named = known.and_then(|known| remote_read::as_shown(received, &known));
        if let Some(received) = &mut named {
            received.remarks.add(shown.remarks);
        }
        Ok(named)
    }
}

/// The kind of a metric. A name that is not in the catalog was made here, from a native histogram.
fn kind_of(metric: &str, kinds: &BTreeMap<&str, MetricKind>) -> SeriesKind {
    let declared = kinds.get(metric).copied().unwrap_or_else(|| match kinds.get(family(metric)) {
        Some(MetricKind::Gauge) => MetricKind::Gauge,
        _ => MetricKind::Histogram,
    });
    SeriesKind::of(metric, declared)
}

fn whole_piece(window: Window, grid: Grid) -> Result<Piece, SourceError> {
    let bad = |setting: String, problem: &str| SourceError::BadSetting {
        setting,
        problem: problem.to_owned(),
        hint: "give a longer window, or a step between 2 ms and the length of the window",
    };
    if grid.step_ms < 2 {
        return Err(bad(format!("the step of {} ms", grid.step_ms), "it is shorter than 2 ms"));
    }
    let (first_ms, last_ms) = grid
        .ends_within(window)
        .ok_or_else(|| bad(format!("the window {window}"), "no point of the grid lies inside"))?;
    Ok(Piece { grid, first_ms, last_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_cell_once() {
        let grid = Grid { anchor_ms: 3, step_ms: 10 };
        let whole = Piece { grid, first_ms: 13, last_ms: 93 };
        assert_eq!(whole.points(), 9);
        let (first, rest) = whole.split_after(4);
        let rest = rest.expect("five are left");
        assert_eq!((first.first_ms, first.last_ms, rest.first_ms, rest.last_ms), (13, 43, 53, 93));
        assert_eq!(whole.split_after(9), (whole, None));
    }
}
