//! What has been scraped so far: compact, bounded, one column of ticks and one of values for each series.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::budget::Limits;
use crate::error::bytes;
use crate::kinds::DeclaredKinds;
use crate::scrape::quirks::add_instance;
use crate::scrape::wire::{Line, name_and_labels, parse};

/// What a series costs besides its samples, in bytes; its name and labels come on top.
const SERIES_BYTES: usize = 150;
/// What a sample costs at most, in bytes: twelve, and as much again that growing columns reserve.
const SAMPLE_BYTES: usize = 24;

/// The samples of one series: the numbers of the ticks at which it was seen, and its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    pub(crate) ticks: Vec<u32>,
    pub(crate) values: Vec<f64>,
}

/// What one target said.
#[derive(Clone, Debug)]
pub(crate) struct TargetRecord {
    pub(crate) service: Option<String>,
    pub(crate) url: String,
    pub(crate) instance: String,
    /// By the name and labels as the page writes them.
    pub(crate) columns: HashMap<String, Column>,
    pub(crate) up: Column,
    pub(crate) failures: u32,
    pub(crate) last_failure: String,
    pub(crate) repeated: usize,
}

/// Everything that was scraped.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) targets: Vec<TargetRecord>,
    pub(crate) kinds: DeclaredKinds,
    pub(crate) series: usize,
    pub(crate) bytes: usize,
    pub(crate) limits_hit: BTreeSet<String>,
    limits: Limits,
}

impl Column {
    /// Adds a value; `false` if the tick already has one.
    fn push(&mut self, tick: u32, value: f64) -> bool {
        if self.ticks.last() == Some(&tick) {
            return false;
        }
        self.ticks.push(tick);
        self.values.push(value);
        true
    }
}

impl TargetRecord {
    /// The name and labels of one of its series, with the instance.
    pub(crate) fn identity(&self, series: &str) -> Option<(String, BTreeMap<String, String>)> {
        let (name, mut labels) = name_and_labels(series).ok()?;
        add_instance(&mut labels, &self.instance);
        Some((name, labels))
    }
}

impl Record {
    pub(crate) fn new(targets: Vec<TargetRecord>, limits: &Limits) -> Self {
        Self {
            targets,
            kinds: DeclaredKinds::default(),
            series: 0,
            bytes: 0,
            limits_hit: BTreeSet::new(),
            limits: limits.clone(),
        }
    }

    /// Takes the page of a target at a tick, or why there is none. A page that is not understood counts as none: half
    /// a page would look as if the rest had vanished.
    pub(crate) fn take(&mut self, target: usize, tick: u32, page: Result<&str, String>) {
        let read = page.and_then(|page| {
            let lines = parse(page)?;
            let series = |line: &Line<'_>| match line {
                Line::Sample { series, .. } => name_and_labels(series).err(),
                Line::Type { .. } => None,
            };
            // Labels of series that are already known were understood before.
            let unknown = |line: &&Line<'_>| {
                matches!(line, Line::Sample { series, .. } if !self.targets[target].columns.contains_key(*series))
            };
            match lines.iter().filter(unknown).find_map(series) {
                Some(problem) => Err(problem),
                None => Ok(lines),
            }
        });
        let record = &mut self.targets[target];
        match read {
            Ok(lines) => {
                record.up.push(tick, 1.0);
                for line in lines {
                    self.take_line(target, tick, &line);
                }
            }
            Err(problem) => {
                record.up.push(tick, 0.0);
                record.failures += 1;
                record.last_failure = problem;
            }
        }
    }

    fn take_line(&mut self, target: usize, tick: u32, line: &Line<'_>) {
        match line {
            Line::Type { family, kind } => self.kinds.declare(family, kind),
            Line::Sample { series, value } => self.take_sample(target, tick, series, *value),
        }
    }

    fn take_sample(&mut self, target: usize, tick: u32, series: &str, value: f64) {
        let is_new = !self.targets[target].columns.contains_key(series);
        let cost = SAMPLE_BYTES + if is_new { SERIES_BYTES + series.len() } else { 0 };
        if is_new && self.series >= self.limits.series {
            let limit = self.limits.series;
            self.limits_hit.insert(format!(
                "more than {limit} series were offered: the rest was not read; scrape fewer addresses"
            ));
            return;
        }
        if self.bytes + cost > self.limits.scrape_memory_bytes {
            let limit = bytes(self.limits.scrape_memory_bytes as u64);
            self.limits_hit.insert(format!(
                "the samples filled the {limit} that may be kept: later ones were dropped; give a larger --step or scrape \
                 fewer addresses"
            ));
            return;
        }
        let record = &mut self.targets[target];
        if is_new {
            record.columns.insert(series.to_owned(), Column::default());
            self.series += 1;
        }
        self.bytes += cost;
        if let Some(column) = record.columns.get_mut(series)
            && !column.push(tick, value)
        {
            record.repeated += 1;
        }
    }
}
