//! From runs of rows to blocks of complete families.

use std::collections::BTreeMap;

use aftermath_model::{Block, RecordedRun, SampleDefects, Series, SeriesKey, SeriesKind, family};

use super::wire::{RecordingError, extent, key};

/// In which order a file holds its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrder {
    /// The rows of a family stand together, as in our own evidence: one family is held at a time.
    FamiliesTogether,
    /// Nothing is known: the whole recording is held before the first block comes out.
    Unknown,
}

/// Blocks of complete families, each family once. Rows without a metric name are left out; [`super::discover`] counts
/// them.
pub struct FamilyBlocks<I> {
    runs: I,
    order: RowOrder,
    open: BTreeMap<String, Family>,
    ended: bool,
    defects: SampleDefects,
}

type Family = BTreeMap<SeriesKey, (SeriesKind, Vec<(i64, f64)>)>;

impl<E, I: Iterator<Item = Result<RecordedRun, E>>> FamilyBlocks<I> {
    /// Blocks from the runs of a file.
    pub fn new(runs: I, order: RowOrder) -> Self {
        Self { runs, order, open: BTreeMap::new(), ended: false, defects: SampleDefects::default() }
    }

    /// What had to be mended in the samples that came out so far.
    pub const fn defects(&self) -> SampleDefects {
        self.defects
    }

    fn add(&mut self, run: RecordedRun) -> Result<(), RecordingError<E>> {
        extent(&run)?;
        let (key, kind) = key(&run)?;
        let family = self.open.entry(family(&run.metric).to_owned()).or_default();
        family.entry(key).or_insert_with(|| (kind, Vec::new())).1.extend(run.samples);
        Ok(())
    }

    fn close(&mut self, name: &str) -> Option<Block> {
        let family = self.open.remove(name)?;
        let mut block = Block::default();
        for (key, (kind, samples)) in family {
            let (series, defects) = Series::from_raw(key, kind, samples);
            self.defects += defects;
            block.series.push(series);
        }
        Some(block)
    }

    fn close_any(&mut self) -> Option<Block> {
        let name = self.open.keys().next()?.clone();
        self.close(&name)
    }
}

impl<E, I: Iterator<Item = Result<RecordedRun, E>>> Iterator for FamilyBlocks<I> {
    type Item = Result<Block, RecordingError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let Some(run) = self.runs.next() else {
                self.ended = true;
                break;
            };
            let run = match run {
                Ok(run) => run,
                Err(problem) => {
                    self.ended = true;
                    self.open.clear();
                    return Some(Err(RecordingError::File(problem)));
                }
            };
            if run.metric.is_empty() {
                continue;
            }
            let before = match self.order {
                RowOrder::Unknown => None,
                RowOrder::FamiliesTogether => {
                    self.open.keys().find(|open| *open != family(&run.metric)).cloned()
                }
            };
            if let Err(problem) = self.add(run) {
                self.ended = true;
                self.open.clear();
                return Some(Err(problem));
            }
            if let Some(block) = before.and_then(|name| self.close(&name)) {
                return Some(Ok(block));
            }
        }
        self.close_any().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn run(metric: &str, labels: &str, samples: &[(i64, f64)]) -> RecordedRun {
        RecordedRun {
            metric: metric.into(),
            service: "cart".into(),
            labels_json: labels.into(),
            kind: None,
            samples: samples.to_vec(),
        }
    }

    fn blocks(runs: Vec<RecordedRun>, order: RowOrder) -> Vec<Result<Block, RecordingError<Infallible>>> {
        FamilyBlocks::new(runs.into_iter().map(Ok), order).collect()
    }

    fn names(runs: Vec<RecordedRun>, order: RowOrder) -> Vec<Vec<(String, usize)>> {
        blocks(runs, order)
            .into_iter()
            .map(|block| {
                let series = block.unwrap().series;
                series.into_iter().map(|series| (series.key.metric.clone(), series.len())).collect()
            })
            .collect()
    }

    #[test]
    fn a_series_torn_apart_by_row_groups_is_one_series() {
        let runs = vec![run("up", "{}", &[(1, 1.0)]), run("up", "{}", &[(2, 1.0)])];
        assert_eq!(names(runs, RowOrder::FamiliesTogether), [[("up".to_owned(), 2)]]);
    }

    #[test]
    fn the_parts_of_a_histogram_come_in_one_block_whatever_stands_between_them() {
        let runs = vec![
            run("lat_bucket", r#"{"le":"1"}"#, &[(1, 1.0)]),
            run("lat_by_route", "{}", &[(1, 1.0)]),
            run("lat_count", "{}", &[(1, 1.0)]),
        ];
        let blocks = names(runs, RowOrder::Unknown);
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].len(), 2, "{blocks:?}");
    }

    #[test]
    fn every_family_of_a_file_comes_out_once() {
        let runs = ["a", "b", "c"].map(|metric| run(metric, "{}", &[(1, 1.0)]));
        assert_eq!(names(runs.to_vec(), RowOrder::FamiliesTogether).len(), 3);
    }

    #[test]
    fn rows_without_a_metric_name_are_left_out() {
        let runs =
            vec![run("up", "{}", &[(1, 1.0)]), run("", "{}", &[(1, 1.0)]), run("up", "{}", &[(2, 1.0)])];
        for order in [RowOrder::FamiliesTogether, RowOrder::Unknown] {
            assert_eq!(names(runs.clone(), order), [[("up".to_owned(), 2)]], "{order:?}");
        }
    }

    #[test]
    fn a_time_that_no_calendar_has_is_refused_with_its_series() {
        for ms in [i64::MIN, i64::MAX, 1_772_000_000_000_000] {
            let problem = blocks(vec![run("up", "{}", &[(0, 1.0), (ms, 1.0)])], RowOrder::Unknown)
                .into_iter()
                .find_map(Result::err)
                .expect("no such time")
                .to_string();
            assert!(problem.contains("metric `up`, service `cart`"), "{problem}");
            assert!(problem.contains(&format!("{ms} ms")), "{problem}");
        }
    }

    #[test]
    fn labels_that_are_not_json_are_named_with_their_metric() {
        let runs = vec![run("up", "{pod=cart-1}", &[(1, 1.0)])];
        let problem = blocks(runs, RowOrder::Unknown)
            .into_iter()
            .find_map(Result::err)
            .expect("these labels are not JSON");
        assert!(problem.to_string().contains("metric `up`"), "{problem}");
    }
}
