//! What was scraped, as every other source delivers it: a catalog, and blocks of complete families.

use std::collections::BTreeMap;

use aftermath_model::{
    Block, Catalog, CatalogEntry, MetricKind, SampleDefects, Series, SeriesKey, SeriesKind,
    SourceDescription, Window, family,
};

use super::query::{Column, Record};
use crate::naming::{NamedSeries, ServiceNaming};
use crate::observation::{BlockBuilder, Grid, Observed};
use crate::scrape::quirks::add_instance;

/// The metric that says whether a target answered, 1 or 0.
const UP: &str = "up";

/// Everything that was scraped.
#[derive(Clone, Debug)]
pub struct Scraped {
    pub(crate) record: Record,
    pub(crate) naming: ServiceNaming,
    pub(crate) grid: Grid,
    pub(crate) window: Window,
}

/// Where a column of the record belongs, before its samples are touched.
struct Place {
    metric: String,
    target: usize,
    /// As the page writes it; `None` for [`UP`].
    series: Option<String>,
}

impl Scraped {
    /// The grid on which the samples lie: the first tick and the interval.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// From the first tick up to one interval after the last.
    #[must_use]
    pub fn window(&self) -> Window {
        self.window
    }

    /// What was scraped.
    #[must_use]
    pub fn description(&self) -> SourceDescription {
        let addresses: Vec<&str> = self.record.targets.iter().map(|target| target.url.as_str()).collect();
        SourceDescription { kind: "scrape".to_owned(), address: addresses.join(", "), version: String::new() }
    }

    /// Every metric that was seen.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for place in self.places() {
            *counts.entry(place.metric).or_default() += 1;
        }
        let entries = counts
            .into_iter()
            .map(|(metric, series)| CatalogEntry {
                kind: self.kind_of(&metric),
                metric,
                series: Some(series),
            })
            .collect();
        Catalog { entries, notes: Vec::new() }
    }

    /// The blocks, one for each family in the order of their names. Memory is given back as they are taken.
    #[must_use]
    pub fn into_blocks(self) -> ScrapedBlocks {
        let mut families: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for place in self.places() {
            families.entry(family(&place.metric).to_owned()).or_default().push(place);
        }
        let notes = self.record.limits_hit.iter().cloned().chain(self.failures()).collect();
        let partial = !self.record.limits_hit.is_empty();
        let observed = Observed { notes, partial, ..Observed::default() };
        ScrapedBlocks {
            scraped: self,
            families: families.into_values(),
            observed,
            defects: SampleDefects::default(),
        }
    }

    fn places(&self) -> Vec<Place> {
        let mut places = Vec::with_capacity(self.record.series + self.record.targets.len());
        for (target, record) in self.record.targets.iter().enumerate() {
            places.push(Place { metric: UP.to_owned(), target, series: None });
            for series in record.columns.keys() {
                // Only what was understood is recorded.
                let Some((metric, _)) = record.identity(series) else { continue };
                places.push(Place { metric, target, series: Some(series.clone()) });
            }
        }
        places
    }

    fn failures(&self) -> impl Iterator<Item = String> {
        self.record.targets.iter().filter(|target| target.failures > 0).map(|target| {
            let asked = target.up.ticks.len();
            format!(
                "{} of {asked} scrapes of {} failed, the last because {}",
                target.failures, target.url, target.last_failure
            )
        })
    }

    fn kind_of(&self, metric: &str) -> MetricKind {
        if metric == UP { MetricKind::Gauge } else { self.record.kinds.of(metric) }
    }

    /// The service of a target if it was given, else what the labels say, else the address of the target.
    fn name(&self, target: usize, metric: String, labels: BTreeMap<String, String>) -> NamedSeries {
        let record = &self.record.targets[target];
        if let Some(service) = record.service.clone() {
            return NamedSeries { key: SeriesKey { metric, service, labels }, named_by: None };
        }
        let mut named = self.naming.name(metric, labels);
        if named.named_by.is_none() {
            named.key.service.clone_from(&record.instance);
        }
        named
    }

    /// Takes the samples of a place out of the record.
    fn take(&mut self, place: &Place) -> Option<(NamedSeries, Vec<(i64, f64)>)> {
        let record = &mut self.record.targets[place.target];
        let (labels, column) = if let Some(series) = &place.series {
            (record.identity(series)?.1, record.columns.remove(series)?)
        } else {
            let mut labels = BTreeMap::new();
            add_instance(&mut labels, &record.instance);
            (labels, std::mem::take(&mut record.up))
        };
        let Column { ticks, values } = column;
        let Grid { anchor_ms, step_ms } = self.grid;
        let times = ticks.into_iter().map(|tick| anchor_ms + i64::from(tick) * step_ms);
        Some((self.name(place.target, place.metric.clone(), labels), times.zip(values).collect()))
    }
}

/// The blocks of [`Scraped::into_blocks`].
pub struct ScrapedBlocks {
    scraped: Scraped,
    families: std::collections::btree_map::IntoValues<String, Vec<Place>>,
    observed: Observed,
    defects: SampleDefects,
}

impl Iterator for ScrapedBlocks {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        let mut places = self.families.next()?;
        places.sort_by(|a, b| (a.target, &a.series).cmp(&(b.target, &b.series)));
        let mut builder = BlockBuilder::default();
        for place in places {
            if let Some((named, samples)) = self.scraped.take(&place) {
                builder.take(named, samples);
            }
        }
        let finished = builder.finish(|metric| SeriesKind::of(metric, self.scraped.kind_of(metric)));
        self.defects += finished.defects;
        self.observed.series += finished.block.series.len();
        self.observed.samples += finished.block.series.iter().map(Series::len).sum::<usize>();
        Some(finished.block)
    }
}

impl ScrapedBlocks {
    /// What was odd about the blocks that were taken.
    #[must_use]
    pub fn finish(mut self) -> Observed {
        let repeated: usize = self.scraped.record.targets.iter().map(|target| target.repeated).sum();
        self.defects.duplicate += repeated;
        self.observed.notes.extend(self.defects.sentences());
        self.observed.notes.sort();
        self.observed
    }
}
