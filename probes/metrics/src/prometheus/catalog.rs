//! Discovery: which metrics have samples in a window, of what type, in how many series.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use aftermath_model::{Catalog, CatalogEntry, Window};

use super::Prometheus;
use super::quirks::{OWN_GAUGES, range_ms};
use super::selector::{NAME, Selector};
use super::wire::Remarks;
use crate::error::SourceError;
use crate::kinds::DeclaredKinds;

impl Prometheus {
    /// Every metric that has samples in the window and that a selector matches.
    ///
    /// # Errors
    /// [`SourceError::BadSelector`] and [`SourceError::NothingMatches`] name the selector; otherwise whatever keeps
    /// the server from answering.
    pub async fn discover(&self, window: Window) -> Result<Catalog, SourceError> {
        let mut remarks = Remarks::default();
        let mut found: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for text in self.selector_texts() {
            for (name, series) in self.metrics_of(text, window, &mut remarks).await? {
                // Selectors may share series: how many there are of a shared name is not known.
                found.entry(name).and_modify(|known| *known = None).or_insert(series);
            }
        }
        let kinds = self.declared_kinds(&mut remarks).await?;
        self.discovery_partial.store(remarks.partial, Ordering::Relaxed);
        let entries = found.into_iter().map(|(metric, series)| {
            let kind = kinds.of(&metric);
            CatalogEntry { metric, kind, series }
        });
        let notes = BTreeSet::from_iter(remarks.notes);
        Ok(Catalog { entries: entries.collect(), notes: notes.into_iter().collect() })
    }

    /// The selectors as given; a single `None` stands for every series.
    fn selector_texts(&self) -> Vec<Option<&str>> {
        if self.config.selectors.is_empty() {
            return vec![None];
        }
        self.config.selectors.iter().map(|text| Some(text.as_str())).collect()
    }

    /// The metrics of one selector with their number of series where the server could count them.
    async fn metrics_of(
        &self,
        text: Option<&str>,
        window: Window,
        remarks: &mut Remarks,
    ) -> Result<Vec<(String, Option<usize>)>, SourceError> {
        let names = self.api.names(text, window).await.map_err(|error| blame_selector(error, text))?;
        remarks.add(names.remarks);
        let counts = self.count_series(&read_selector(text)?, window, remarks).await?;
        // Servers list names by storage block: some may have no sample in the window itself.
        let has_samples = |name: &String| counts.as_ref().is_none_or(|counts| counts.contains_key(name));
        let metrics: Vec<_> = names
            .data
            .into_iter()
            .filter(has_samples)
            .map(|name| (name.clone(), counts.as_ref().and_then(|counts| counts.get(&name).copied())))
            .collect();
        if metrics.is_empty() {
            return Err(SourceError::NothingMatches {
                what: text.map_or_else(
                    || "there are no series".to_owned(),
                    |text| format!("the selector `{text}` matches no series"),
                ),
                url: self.api.address(),
                window: window.to_string(),
            });
        }
        Ok(metrics)
    }

    /// How many series each metric has in the window; `None`, with a note, where that is too much for the server.
    async fn count_series(
        &self,
        selector: &Selector,
        window: Window,
        remarks: &mut Remarks,
    ) -> Result<Option<BTreeMap<String, usize>>, SourceError> {
        let range_ms = range_ms(window.duration_ms().max(2), self.includes_left_edge);
        let query = format!("count by ({NAME}) (last_over_time({}[{range_ms}ms]))", selector.to_promql());
        let answer = match self.api.query(query, window.to.ms() - 1).await {
            Ok(answer) => answer,
            Err(error) if error.asks_for_less() => {
                remarks.notes.push("the server could not count the series of each metric".to_owned());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        remarks.add(answer.remarks);
        let counts = answer.data.result.into_iter().filter_map(|mut series| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count, and casts saturate"
            )]
            let count = series.value?.value as usize;
            Some((series.metric.remove(NAME)?, count))
        });
        Ok(Some(counts.collect()))
    }

    /// The types that families declare. Not every server tells, and none tells of targets that are gone.
    async fn declared_kinds(&self, remarks: &mut Remarks) -> Result<DeclaredKinds, SourceError> {
        let mut kinds = DeclaredKinds::default();
        for gauge in OWN_GAUGES {
            kinds.declare(gauge, "gauge");
        }
        let answer = match self.api.metadata().await {
            Ok(answer) => answer,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                remarks.notes.push(format!("the types of the metrics are unknown, because {error}"));
                return Ok(kinds);
            }
        };
        remarks.add(answer.remarks);
        for (family, declarations) in answer.data {
            for declaration in declarations {
                kinds.declare(&family, &declaration.kind);
            }
        }
        Ok(kinds)
    }
}

/// The selector as this program understands it.
pub(crate) fn read_selector(text: Option<&str>) -> Result<Selector, SourceError> {
    let Some(text) = text else { return Ok(Selector::everything()) };
    Selector::parse(text).map_err(|problem| SourceError::BadSelector { selector: text.to_owned(), problem })
}

/// A server that refuses to list the names of a selector refuses the selector.
fn blame_selector(error: SourceError, selector: Option<&str>) -> SourceError {
    match (error, selector) {
        (SourceError::Rejected { status: 400 | 422, text, .. }, Some(selector)) => {
            SourceError::BadSelector { selector: selector.to_owned(), problem: text }
        }
        (error, _) => error,
    }
}
