//! What does each series measure? Running totals become rates, histogram families become a rate, a mean, quantiles
//! and how far their shape is from the usual, levels stay as they are, series of replaced pods become one.
//!
//! In: a [`Block`] of complete metric families. Out: [`Measure`]s in natural units, and a [`Gap`] for each series
//! that measures nothing. Charts are drawn from the same measures that the detectors judge.

mod counter;
mod histogram;
mod identity;
mod role;
mod shape;

use std::collections::BTreeMap;

use aftermath_model::{Block, Gap, GapCause, Series, SeriesKey, Timeline, family};

pub(crate) use identity::workload_labels;
use role::{Role, is_native_histogram, role};
pub(crate) use shape::SHAPE;

/// How the values of a [`Measure`] behave, and so which statistic fits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// A level that goes up and down.
    Level,
    /// Events per second, counted one by one: [`Measure::intervals_s`] turns them back into counts.
    EventRate,
    /// The rate of a total that is not a count of events, such as seconds of CPU time per second.
    Rate,
    /// A point in time that moves only when something restarts, such as `process_start_time_seconds`.
    Epoch,
    /// The share of observations that lie elsewhere than usual: 0 when nothing changed, about as often above as below.
    Shape,
}

/// One number over time, in natural units.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Whose number: for a histogram `metric` is the family and `labels` has no `le`; for replaced pods the labels
    /// that name the single pod are gone.
    pub key: SeriesKey,
    /// What it says, in words of its unit: `value`, `per second`, `mean`, `p50`, `p99`, `shape`.
    pub name: &'static str,
    /// How it behaves.
    pub nature: Nature,
    /// How many raw series it stands for; 0 where another measure of the same family stands for them already.
    pub covers: usize,
    /// The times of the values in milliseconds since the epoch, strictly increasing.
    pub timestamps_ms: Vec<i64>,
    /// The values, all finite.
    pub values: Vec<f64>,
    /// For [`Nature::EventRate`] the seconds over which each value was counted; otherwise empty.
    pub intervals_s: Vec<f64>,
}

/// What a block holds, ready for the detectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// Everything that can be measured, sorted by key and name.
    pub measures: Vec<Measure>,
    /// Every series that measures nothing, and why.
    pub gaps: Vec<Gap>,
}

impl Measure {
    /// Whether the absence of samples means that the series is gone, rather than that there was nothing to average.
    pub(crate) fn tells_presence(&self) -> bool {
        self.covers > 0
    }
}

/// The measures of a block. `timeline` tells which pods were replaced: series that differ only in the name of a
/// pod are joined into their mean when one of them ends before the fault or begins after the baseline.
#[must_use]
pub fn measures(block: &Block, timeline: &Timeline) -> Prepared {
    let mut prepared = Prepared::default();
    let mut families: BTreeMap<SeriesKey, Vec<(Role, &Series)>> = BTreeMap::new();
    for series in &block.series {
        if is_native_histogram(series) {
            prepared.gaps.push(Gap { key: series.key.clone(), cause: GapCause::NativeHistogram });
            continue;
        }
        match role(series) {
            Role::Info => prepared.gaps.push(Gap { key: series.key.clone(), cause: GapCause::Info }),
            Role::Level => prepared.measures.push(level(series, Nature::Level)),
            Role::Epoch => prepared.measures.push(level(series, Nature::Epoch)),
            Role::Clock => prepared.measures.push(age(series)),
            Role::Counter => prepared.measures.push(counter::rate(series)),
            part @ (Role::Bucket(_) | Role::Sum | Role::Count) => {
                families.entry(family_key(&series.key)).or_default().push((part, series));
            }
        }
    }
    for (key, parts) in families {
        histogram::measure_family(&key, &parts, timeline, &mut prepared);
    }
    prepared.measures = identity::join_replaced_pods(prepared.measures, timeline);
    prepared.measures.sort_by(|a, b| (&a.key, a.name).cmp(&(&b.key, b.name)));
    prepared
}

fn family_key(key: &SeriesKey) -> SeriesKey {
    let mut labels = key.labels.clone();
    labels.remove("le");
    SeriesKey { metric: family(&key.metric).to_owned(), service: key.service.clone(), labels }
}

fn level(series: &Series, nature: Nature) -> Measure {
    Measure {
        key: series.key.clone(),
        name: "value",
        nature,
        covers: 1,
        timestamps_ms: series.timestamps_ms().to_vec(),
        values: series.values().to_vec(),
        intervals_s: Vec::new(),
    }
}

/// A series that follows the clock says how long ago something happened.
fn age(series: &Series) -> Measure {
    let mut measure = level(series, Nature::Level);
    measure.name = "age in seconds";
    for (value, &ms) in measure.values.iter_mut().zip(series.timestamps_ms()) {
        let seconds = ms as f64 / 1000.0;
        *value = if *value > role::LATEST_EPOCH_S { seconds - *value / 1000.0 } else { seconds - *value };
    }
    measure
}
