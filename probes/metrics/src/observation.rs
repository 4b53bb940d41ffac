//! The grid on which every source delivers samples, what reading brought to light besides them, and blocks.
//!
//! **The canonical sample.** For a grid time `t`, a series has the sample `(t, v)` where `v` is its last value with
//! a time in `[t, t + step)` that is not a staleness marker; without such a value it has no sample there. Nothing is
//! filled or interpolated, so that each way of reading the same server gives the same bytes.

use std::collections::BTreeMap;

use aftermath_model::{Block, Gap, SampleDefects, Series, SeriesKey, SeriesKind, Window};

use crate::naming::NamedSeries;

/// The times at which series are compared: `anchor_ms + k * step_ms` for every integer `k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// One of the times, in milliseconds since the epoch.
    pub anchor_ms: i64,
    /// The spacing in milliseconds, positive.
    pub step_ms: i64,
}

/// What reading brought to light besides samples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Warnings of the source, limits that were reached, samples that had to be mended. Sorted.
    pub notes: Vec<String>,
    /// Whether the source itself said, or showed, that its answer is not complete.
    pub partial: bool,
    /// Series that could not be read. One that stands for a whole metric has an empty service and no labels.
    pub gaps: Vec<Gap>,
    /// How many series were delivered.
    pub series: usize,
    /// How many samples were delivered.
    pub samples: usize,
}

impl Grid {
    /// The grid time of the cell `[t, t + step)` that holds this time. Times that no calendar has, as a broken server
    /// may send them, end up far outside every window.
    #[must_use]
    pub const fn cell_of(self, ms: i64) -> i64 {
        ms.saturating_sub(ms.saturating_sub(self.anchor_ms).rem_euclid(self.step_ms))
    }

    /// The first and last grid time inside the window; `None` if no grid time lies inside.
    #[must_use]
    pub fn ends_within(self, window: Window) -> Option<(i64, i64)> {
        let first = self.cell_of(window.from.ms() + self.step_ms - 1);
        let last = self.cell_of(window.to.ms() - 1);
        (first <= last).then_some((first, last))
    }
}

/// Puts raw samples of one series into the cells of a grid, keeping the latest of each.
pub(crate) struct Cells<V = f64> {
    grid: Grid,
    first: i64,
    last: i64,
    kept: Vec<Cell<V>>,
}

struct Cell<V> {
    grid_ms: i64,
    sample_ms: i64,
    value: V,
}

impl<V> Cells<V> {
    /// Cells from the grid time `first` up to and including the grid time `last`.
    pub(crate) fn new(grid: Grid, first: i64, last: i64) -> Self {
        Self { grid, first, last, kept: Vec::new() }
    }

    /// Takes a sample that is not a staleness marker. Samples outside the cells are ignored.
    pub(crate) fn take(&mut self, sample_ms: i64, value: V) {
        let grid_ms = self.grid.cell_of(sample_ms);
        if grid_ms < self.first || grid_ms > self.last {
            return;
        }
        let cell = Cell { grid_ms, sample_ms, value };
        match self.kept.last_mut() {
            Some(last) if last.grid_ms == grid_ms => {
                if sample_ms >= last.sample_ms {
                    *last = cell;
                }
            }
            _ => self.kept.push(cell),
        }
    }

    /// The canonical samples in the order of time.
    pub(crate) fn into_samples(mut self) -> Vec<(i64, V)> {
        // Chunks of one series may overlap where the server accepts late samples: the latest of a cell still wins.
        self.kept.sort_by_key(|cell| (cell.grid_ms, cell.sample_ms));
        let mut samples: Vec<(i64, V)> = Vec::with_capacity(self.kept.len());
        for cell in self.kept {
            if samples.last().is_some_and(|last| last.0 == cell.grid_ms) {
                samples.pop();
            }
            samples.push((cell.grid_ms, cell.value));
        }
        samples
    }
}

/// Gathers series, mends their samples and counts what had to be mended.
#[derive(Default)]
pub(crate) struct BlockBuilder {
    series: BTreeMap<SeriesKey, Vec<Vec<(i64, f64)>>>,
    unnamed: usize,
}

impl BlockBuilder {
    /// Takes one series. Two that differ only in which label names their service are told apart by that label.
    pub(crate) fn take(&mut self, named: NamedSeries, samples: Vec<(i64, f64)>) {
        let NamedSeries { mut key, named_by } = named;
        self.unnamed += usize::from(key.service.is_empty());
        if self.series.contains_key(&key)
            && let Some(label) = named_by
        {
            key.labels.insert(label, key.service.clone());
        }
        self.series.entry(key).or_default().push(samples);
    }

    /// The block, sorted by key. Series without a single sample are left out.
    pub(crate) fn finish(self, kind_of: impl Fn(&str) -> SeriesKind) -> FinishedBlock {
        let mut defects = SampleDefects::default();
        let mut series = Vec::with_capacity(self.series.len());
        for (key, parts) in self.series {
            let kind = kind_of(&key.metric);
            let (clean, mended) = Series::from_raw(key, kind, parts.concat());
            defects += mended;
            if !clean.is_empty() {
                series.push(clean);
            }
        }
        FinishedBlock { block: Block { series }, unnamed: self.unnamed, defects }
    }
}

/// A block and what its series needed.
pub(crate) struct FinishedBlock {
    pub(crate) block: Block,
    pub(crate) unnamed: usize,
    pub(crate) defects: SampleDefects,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming::ServiceNaming;
    use aftermath_model::Timestamp;

    fn window(from_ms: i64, to_ms: i64) -> Window {
        let at = |ms| Timestamp::from_ms(ms).expect("inside the calendar");
        Window::new(at(from_ms), at(to_ms)).expect("not empty")
    }

    #[test]
    fn a_grid_has_its_times_on_both_sides_of_its_anchor() {
        let grid = Grid { anchor_ms: 1_005, step_ms: 10 };
        for (ms, cell) in [(1_005, 1_005), (1_014, 1_005), (1_015, 1_015), (1_004, 995), (-6, -15)] {
            assert_eq!(grid.cell_of(ms), cell, "{ms}");
        }
    }

    #[test]
    fn times_at_the_ends_of_the_numbers_are_outside_every_cell() {
        let grid = Grid { anchor_ms: 1_700_000_000_000, step_ms: 10 };
        let mut cells = Cells::new(grid, grid.anchor_ms, grid.anchor_ms);
        for ms in [i64::MIN, i64::MIN + 1, i64::MAX] {
            cells.take(ms, 1.0);
        }
        assert_eq!(cells.into_samples(), []);
    }

    #[test]
    fn only_grid_times_inside_the_half_open_window_count() {
        let grid = Grid { anchor_ms: 5, step_ms: 10 };
        assert_eq!(grid.ends_within(window(5, 25)), Some((5, 15)));
        assert_eq!(grid.ends_within(window(6, 26)), Some((15, 25)));
        assert_eq!(grid.ends_within(window(6, 15)), None);
    }

    #[test]
    fn the_last_value_of_a_cell_wins_whatever_the_order_of_arrival() {
        let arrivals = [
            vec![(100, 1.0), (109, 2.0), (110, 3.0), (135, 4.0)],
            vec![(110, 3.0), (100, 1.0), (109, 2.0), (135, 4.0)],
            vec![(135, 4.0), (109, 2.0), (110, 3.0), (100, 1.0)],
        ];
        for arrival in arrivals {
            let mut cells = Cells::new(Grid { anchor_ms: 0, step_ms: 10 }, 100, 130);
            for &(ms, value) in &arrival {
                cells.take(ms, value);
            }
            assert_eq!(cells.into_samples(), [(100, 2.0), (110, 3.0), (130, 4.0)], "{arrival:?}");
        }
    }

    #[test]
    fn samples_outside_the_cells_are_ignored() {
        let mut cells = Cells::new(Grid { anchor_ms: 0, step_ms: 10 }, 100, 110);
        for ms in [99, 120, 119] {
            cells.take(ms, 1.0);
        }
        assert_eq!(cells.into_samples(), [(110, 1.0)]);
    }

    #[test]
    fn series_that_differ_only_in_the_label_that_names_them_stay_apart() {
        let naming = ServiceNaming::default();
        let mut builder = BlockBuilder::default();
        for label in ["service", "job"] {
            let labels = BTreeMap::from([(label.to_owned(), "cart".to_owned())]);
            builder.take(naming.name("up".into(), labels), vec![(0, 1.0)]);
        }
        let finished = builder.finish(|_| SeriesKind::Gauge);
        assert_eq!(finished.block.series.len(), 2);
        assert_eq!(finished.block.series[1].key.labels["job"], "cart");
    }

    #[test]
    fn what_is_not_a_number_counts_as_missing_and_is_counted() {
        let naming = ServiceNaming::default();
        let mut builder = BlockBuilder::default();
        builder.take(naming.name("a".into(), BTreeMap::new()), vec![(0, f64::NAN), (10, 1.0)]);
        builder.take(naming.name("b".into(), BTreeMap::new()), vec![(0, f64::INFINITY)]);
        let finished = builder.finish(|_| SeriesKind::Gauge);
        assert_eq!(finished.block.series.len(), 1);
        assert_eq!((finished.defects.not_a_number, finished.defects.infinite, finished.unnamed), (1, 1, 2));
    }
}
