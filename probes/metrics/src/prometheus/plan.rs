//! Which metrics are read together in one request?
//!
//! In: a catalog and the limits of a request. Out: [`Unit`]s of complete families.

use std::collections::BTreeMap;

use aftermath_model::{Catalog, MetricKind, family};

use crate::budget::Limits;

/// Metrics that are read together: complete families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) names: Vec<String>,
    pub(super) series: usize,
}
/// How many numbers a sample of a native histogram is counted as: about as many buckets as an instrumented latency
/// fills at the usual resolution.
const NATIVE_HISTOGRAM_WEIGHT: usize = 32;

/// Puts families together until a unit is worth a request, and never tears one apart. A family whose size is not
/// known is read alone.
pub(super) fn plan(catalog: &Catalog, points: i64, limits: &Limits) -> Vec<Unit> {
    let mut families: BTreeMap<&str, Unit> = BTreeMap::new();
    let points = usize::try_from(points).unwrap_or(usize::MAX).max(1);
    let series_at_once = (limits.samples_per_query / points).max(1);
    for entry in &catalog.entries {
        let unit =
            families.entry(family(&entry.metric)).or_insert_with(|| Unit { names: Vec::new(), series: 0 });
        unit.names.push(entry.metric.clone());
        let native = entry.kind == MetricKind::Histogram && family(&entry.metric) == entry.metric;
        let weight = if native { NATIVE_HISTOGRAM_WEIGHT } else { 1 };
        let series = entry.series.map_or(series_at_once, |series| series.saturating_mul(weight));
        unit.series = unit.series.saturating_add(series);
    }
    let mut units: Vec<Unit> = Vec::new();
    for family in families.into_values() {
        match units.last_mut() {
            Some(unit)
                if unit.series.saturating_add(family.series) <= series_at_once
                    && name_bytes(unit) + name_bytes(&family) <= limits.selector_bytes =>
            {
                unit.names.extend(family.names);
                unit.series += family.series;
            }
            _ => units.push(family),
        }
    }
    units
}

/// What the names take in a selector, with room for separators and escapes.
fn name_bytes(unit: &Unit) -> usize {
    unit.names.iter().map(|name| name.len() + 4).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aftermath_model::CatalogEntry;

    fn catalog(names: &[(&str, Option<usize>)]) -> Catalog {
        let entry = |&(metric, series): &(&str, Option<usize>)| CatalogEntry {
            metric: metric.to_owned(),
            kind: MetricKind::Unknown,
            series,
        };
        Catalog { entries: names.iter().map(entry).collect(), notes: vec![] }
    }

    fn planned(names: &[(&str, Option<usize>)], points: i64, limits: &Limits) -> Vec<Vec<String>> {
        plan(&catalog(names), points, limits).into_iter().map(|unit| unit.names).collect()
    }

    #[test]
    fn families_are_never_torn_apart_even_by_names_between_their_parts() {
        let limits = Limits { samples_per_query: 10, ..Limits::default() };
        let names = [
            ("a_bucket", Some(90)),
            ("a_bytes", Some(2)),
            ("a_count", Some(9)),
            ("a_sum", Some(9)),
            ("b", Some(1)),
        ];
        let expected = [vec!["a_bucket", "a_count", "a_sum"], vec!["a_bytes", "b"]];
        assert_eq!(planned(&names, 1, &limits), expected);
    }

    #[test]
    fn small_families_share_a_request_until_it_is_full() {
        let limits = Limits { samples_per_query: 100, ..Limits::default() };
        let names = [("a", Some(4)), ("b", Some(5)), ("c", Some(2)), ("d", None), ("e", Some(1))];
        assert_eq!(planned(&names, 10, &limits), [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"]]);
        let short_selectors = Limits { selector_bytes: 8, ..limits };
        assert_eq!(planned(&names[..3], 1, &short_selectors).len(), 3);
    }
}
