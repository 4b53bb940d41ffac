//! The few series that a person should look at, in the units that were judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aftermath_baselines::Evidence;
use aftermath_detect::prepare::{Measure, measures};
use aftermath_model::{Finding, SeriesKey, Timeline, Verdict, family};

use crate::export::ChartSeries;
use crate::failure::Failure;
use crate::score::blocks;
use crate::snapshot::Snapshot;

/// How many services are drawn, the worst hit first.
const SERVICES_MAX: usize = 12;
/// How many series of one service are drawn: as many as fit side by side.
const SERIES_PER_SERVICE_MAX: usize = 3;
/// How many points of one series are drawn: about as many as a small chart has pixels.
const POINTS_MAX: usize = 300;

/// Which series, and what is measured of it.
type Wanted = BTreeSet<(SeriesKey, &'static str)>;

/// Reads the worst series of the worst hit services once more and thins them out for drawing.
///
/// # Errors
/// A [`Failure`] when the evidence cannot be read.
pub async fn draw(
    snapshot: &Snapshot,
    timeline: &Timeline,
    verdict: &Verdict,
) -> Result<Vec<ChartSeries>, Failure> {
    let wanted = wanted(verdict);
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (file, timeline) = (Arc::clone(&snapshot.file), timeline.clone());
    let drawn = tokio::task::spawn_blocking(move || read(&file, &timeline, &wanted)).await;
    drawn.map_err(Failure::error)?
}

fn wanted(verdict: &Verdict) -> Wanted {
    let moved: BTreeSet<&str> = verdict.findings.iter().map(|finding| finding.key.service.as_str()).collect();
    // Services come worst first; those that only may have changed come after those that were hit.
    let drawn: BTreeSet<&str> = verdict
        .services
        .iter()
        .map(|service| service.name.as_str())
        .filter(|name| moved.contains(name))
        .take(SERVICES_MAX)
        .collect();
    let mut chosen: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &verdict.findings {
        let service = finding.key.service.as_str();
        let of_service = chosen.entry(service).or_default();
        // Several series of one metric mostly tell the same story.
        let is_new = of_service.iter().all(|other| other.key.metric != finding.key.metric);
        if drawn.contains(service) && is_new && of_service.len() < SERIES_PER_SERVICE_MAX {
            of_service.push(finding);
        }
    }
    chosen.into_values().flatten().map(|finding| (finding.key.clone(), finding.measure)).collect()
}

fn read(file: &Evidence, timeline: &Timeline, wanted: &Wanted) -> Result<Vec<ChartSeries>, Failure> {
    let families: BTreeSet<(&str, &str)> =
        wanted.iter().map(|(key, _)| (key.service.as_str(), family(&key.metric))).collect();
    let mut drawn = Vec::new();
    for block in blocks(file) {
        let block = block?;
        let is_wanted = |key: &SeriesKey| families.contains(&(key.service.as_str(), family(&key.metric)));
        if !block.series.iter().any(|series| is_wanted(&series.key)) {
            continue;
        }
        drawn.extend(
            measures(&block, timeline)
                .measures
                .iter()
                .filter(|measure| wanted.contains(&(measure.key.clone(), measure.name)))
                .map(chart),
        );
    }
    drawn.sort_by(|one, other| {
        (&one.service, &one.metric, &one.labels).cmp(&(&other.service, &other.metric, &other.labels))
    });
    Ok(drawn)
}

fn chart(measure: &Measure) -> ChartSeries {
    let points: Vec<(i64, f64)> =
        measure.timestamps_ms.iter().copied().zip(measure.values.iter().copied()).collect();
    ChartSeries {
        service: measure.key.service.clone(),
        metric: measure.key.metric.clone(),
        labels: measure.key.labels.clone(),
        measure: measure.name.to_owned(),
        points: thin_out(&points, POINTS_MAX),
    }
}

/// At most `points_max` points: one for each stretch of time that holds any, their mean. A gap stays a gap.
fn thin_out(points: &[(i64, f64)], points_max: usize) -> Vec<(i64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= points_max {
        return points.to_vec();
    }
    let stretch_ms = (last.0 - first.0) / i64::try_from(points_max).unwrap_or(i64::MAX) + 1;
    points
        .chunk_by(|one, next| (one.0 - first.0) / stretch_ms == (next.0 - first.0) / stretch_ms)
        .map(|chunk| {
            let mean = chunk.iter().map(|point| point.1).sum::<f64>() / chunk.len() as f64;
            (chunk[chunk.len() / 2].0, mean)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_series_is_drawn_as_it_is() {
        let points = vec![(1, 1.0), (2, 2.0)];
        assert_eq!(thin_out(&points, 2), points);
    }

    #[test]
    fn a_long_series_is_drawn_with_few_points_and_the_same_mean() {
        let points: Vec<(i64, f64)> = (0..1000).map(|ms| (ms, ms as f64)).collect();
        let thin = thin_out(&points, 100);
        assert_eq!(thin.len(), 100);
        let mean = thin.iter().map(|point| point.1).sum::<f64>() / 100.0;
        assert!((mean - 499.5).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let points: Vec<(i64, f64)> = (0..1000).chain(5000..6000).map(|ms| (ms, 1.0)).collect();
        let thin = thin_out(&points, 100);
        assert!(thin.len() <= 100);
        assert!(thin.iter().all(|&(ms, _)| !(1000..5000).contains(&ms)), "{thin:?}");
    }
}
