//! Samples: the numbers of series, cleaned once and never doubted afterwards.

use crate::series::{SeriesKey, SeriesKind};

/// The samples of one series.
///
/// `timestamps_ms` is strictly increasing, both columns have the same length, every value is finite. A missing
/// scrape is a missing entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Whose samples these are.
    pub key: SeriesKey,
    /// How to read them.
    pub kind: SeriesKind,
    timestamps_ms: Vec<i64>,
    values: Vec<f64>,
}

/// Series that are read and scored together: complete families, so that the buckets, the sum and the count of a
/// histogram are never torn apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// The series.
    pub series: Vec<Series>,
}

/// Neighbouring rows of one series as a file holds them: not cleaned, labels not yet read.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRun {
    /// The metric name.
    pub metric: String,
    /// The service; empty when unknown.
    pub service: String,
    /// The labels as a JSON object of strings.
    pub labels_json: String,
    /// How to read the values, where the file says so.
    pub kind: Option<SeriesKind>,
    /// `(milliseconds since the epoch, value)` in the order of the file.
    pub samples: Vec<(i64, f64)>,
}

/// What had to be mended in raw samples, counted in samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleDefects {
    /// Samples that came after a later one; they were sorted.
    pub out_of_order: usize,
    /// Samples with a time that was already taken; the last one was kept.
    pub duplicate: usize,
    /// Samples that are not a number; they count as missing.
    pub not_a_number: usize,
    /// Infinite samples; they count as missing.
    pub infinite: usize,
}

impl Series {
    /// A series from raw `(milliseconds, value)` pairs in any order, and what had to be mended in them.
    #[must_use]
    pub fn from_raw(key: SeriesKey, kind: SeriesKind, mut samples: Vec<(i64, f64)>) -> (Self, SampleDefects) {
        let mut defects = SampleDefects::default();
        samples.retain(|&(_, value)| {
            defects.not_a_number += usize::from(value.is_nan());
            defects.infinite += usize::from(value.is_infinite());
            value.is_finite()
        });
        defects.out_of_order = samples.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
        if defects.out_of_order > 0 {
            samples.sort_by_key(|&(ms, _)| ms);
        }
        let (mut timestamps_ms, mut values) =
            (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
        for (ms, value) in samples {
            if timestamps_ms.last() == Some(&ms) {
                defects.duplicate += 1;
                values.pop();
            } else {
                timestamps_ms.push(ms);
            }
            values.push(value);
        }
        (Self { key, kind, timestamps_ms, values }, defects)
    }

    /// The times of the samples in milliseconds since the epoch, strictly increasing.
    #[must_use]
    pub fn timestamps_ms(&self) -> &[i64] {
        &self.timestamps_ms
    }

    /// The values, all finite, in step with [`Self::timestamps_ms`].
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no sample at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The samples with `from_ms <= time < to_ms`.
    pub fn between(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = (i64, f64)> + '_ {
        let first = self.timestamps_ms.partition_point(|&ms| ms < from_ms);
        let end = self.timestamps_ms.partition_point(|&ms| ms < to_ms).max(first);
        self.timestamps_ms[first..end].iter().copied().zip(self.values[first..end].iter().copied())
    }
}

impl std::ops::AddAssign for SampleDefects {
    fn add_assign(&mut self, other: Self) {
        self.out_of_order += other.out_of_order;
        self.duplicate += other.duplicate;
        self.not_a_number += other.not_a_number;
        self.infinite += other.infinite;
    }
}

impl SampleDefects {
    /// A sentence for each kind of defect that occurred, ready for the limits of a report.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        [
            (self.out_of_order, "came out of order and were sorted"),
            (self.duplicate, "had a time that was already taken; the last of each was kept"),
            (self.not_a_number, "were not a number and count as missing"),
            (self.infinite, "were infinite and count as missing"),
        ]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, what)| match count {
            1 => format!("1 sample {}", what.replace("were ", "was ").replace("count as", "counts as")),
            _ => format!("{count} samples {what}"),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: Vec<(i64, f64)>) -> (Series, SampleDefects) {
        let key =
            SeriesKey { metric: "m".into(), service: "s".into(), labels: std::collections::BTreeMap::new() };
        Series::from_raw(key, SeriesKind::Gauge, samples)
    }

    #[test]
    fn raw_samples_are_sorted_deduplicated_and_finite() {
        let (clean, defects) =
            series(vec![(20, 2.0), (10, 1.0), (20, 3.0), (30, f64::NAN), (40, f64::INFINITY), (50, 5.0)]);
        assert_eq!(clean.timestamps_ms(), [10, 20, 50]);
        assert_eq!(clean.values(), [1.0, 3.0, 5.0]);
        let expected = SampleDefects { out_of_order: 1, duplicate: 1, not_a_number: 1, infinite: 1 };
        assert_eq!(defects, expected);
        assert_eq!(defects.sentences().len(), 4);
    }

    #[test]
    fn clean_samples_have_no_defects_to_report() {
        let (_, defects) = series(vec![(1, 1.0), (2, 1.0)]);
        assert_eq!(defects, SampleDefects::default());
        assert!(defects.sentences().is_empty());
    }

    #[test]
    fn a_stretch_holds_its_start_and_not_its_end() {
        let (clean, _) = series(vec![(1, 1.0), (2, 2.0), (3, 3.0)]);
        assert_eq!(clean.between(1, 3).collect::<Vec<_>>(), [(1, 1.0), (2, 2.0)]);
        assert_eq!(clean.between(5, 2).count(), 0);
    }
}
