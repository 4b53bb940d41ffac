//! What an observation has read so far, and what was odd about it.
//!
//! In: what was received for each unit. Out: its block, and in the end an [`Observed`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use aftermath_model::{Catalog, Gap, GapCause, SampleDefects, SeriesKey, SeriesKind};

use super::plan::Unit;
use super::query::{Labels, Received};
use super::selector::NAME;
use super::{Prometheus, ReadMethod};
use crate::error::SourceError;
use crate::observation::{BlockBuilder, FinishedBlock, Observed};

/// What has been read so far, and what was odd about it.
pub(super) struct Account<'a> {
    prometheus: &'a Prometheus,
    observed: Observed,
    notes: BTreeSet<String>,
    defects: SampleDefects,
    unnamed: usize,
    /// Whether the limit of series was reached; nothing is taken from then on.
    pub(super) full: bool,
}

impl<'a> Account<'a> {
    pub(super) fn new(prometheus: &'a Prometheus, catalog: &Catalog) -> Self {
        let partial = prometheus.discovery_partial.load(Ordering::Relaxed);
        Self {
            prometheus,
            observed: Observed { partial, ..Observed::default() },
            notes: catalog.notes.iter().cloned().collect(),
            defects: SampleDefects::default(),
            unnamed: 0,
            full: false,
        }
    }

    /// The block of a unit; `None` if it could not be read or lies beyond the limit of series.
    pub(super) fn take(
        &mut self,
        unit: &Unit,
        received: Result<Received, SourceError>,
        kind_of: &impl Fn(&str) -> SeriesKind,
    ) -> Option<FinishedBlock> {
        let received = match received {
            Ok(received) => received,
            Err(error) => {
                self.give_up(unit, format!("{} metrics could not be read: {error}", unit.names.len()));
                return None;
            }
        };
        let received = received.with_classic_parts();
        let limit = self.prometheus.config.limits.series;
        self.full |= self.observed.series + received.series.len() > limit;
        if self.full {
            self.give_up(
                unit,
                format!("more than {limit} series match: the rest was not read; choose fewer with --match"),
            );
            return None;
        }
        self.observed.partial |= received.remarks.partial;
        self.notes.extend(received.remarks.notes);
        let finished = self.build(received.series, kind_of);
        self.observed.series += finished.block.series.len();
        self.observed.samples +=
            finished.block.series.iter().map(aftermath_model::Series::len).sum::<usize>();
        self.unnamed += finished.unnamed;
        self.defects += finished.defects;
        Some(finished)
    }

    fn build(
        &self,
        series: BTreeMap<Labels, Vec<(i64, f64)>>,
        kind_of: &impl Fn(&str) -> SeriesKind,
    ) -> FinishedBlock {
        let naming = &self.prometheus.config.naming;
        let mut builder = BlockBuilder::default();
        for (labels, samples) in series {
            if !samples.is_empty() {
                let (metric, labels) = split_name(labels);
                builder.take(naming.name(metric, labels), samples);
            }
        }
        builder.finish(kind_of)
    }

    fn give_up(&mut self, unit: &Unit, note: String) {
        self.notes.insert(note);
        self.observed.partial = true;
        self.observed.gaps.extend(unit.names.iter().map(|metric| Gap {
            key: SeriesKey { metric: metric.clone(), service: String::new(), labels: Labels::new() },
            cause: GapCause::LimitReached,
        }));
    }

    pub(super) fn finish(mut self, prometheus: &Prometheus) -> Observed {
        let config = &prometheus.config;
        self.notes.extend(self.defects.sentences());
        self.notes.extend(config.naming.note(self.unnamed, self.observed.series));
        if config.read != ReadMethod::QueryRange
            && prometheus.remote.is_some()
            && prometheus.reads_by() == "query_range"
        {
            self.notes.insert(
                "remote_read sent chunks of an unknown type; query_range read the samples".to_owned(),
            );
        }
        self.observed.notes = self.notes.into_iter().collect();
        self.observed.gaps.sort_by(|a, b| (&a.key, a.cause).cmp(&(&b.key, b.cause)));
        self.observed
    }
}

fn split_name(mut labels: Labels) -> (String, Labels) {
    let name = labels.remove(NAME).unwrap_or_default();
    (name, labels)
}
