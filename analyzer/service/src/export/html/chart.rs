//! Small charts of single series, grouped by service.

use std::fmt::Write;

use super::axis::{Band, Px, Tick, TimeView, ValueView};
use crate::export::names;
use crate::export::numbers::Unit;
use crate::export::report::{ChartEntry, FindingEntry, Report, ServiceEntry};
use crate::export::story;

/// The charts of one service.
pub(super) struct ServiceCharts {
    pub(super) service: String,
    /// `unexpected`, `expected` or nothing.
    pub(super) class: &'static str,
    pub(super) charts: Vec<ChartDrawing>,
}

/// One chart, ready to be written down.
pub(super) struct ChartDrawing {
    pub(super) title: String,
    pub(super) labels: String,
    pub(super) change: String,
    pub(super) factor: String,
    pub(super) description: String,
    pub(super) unit: &'static str,
    pub(super) bands: Vec<Band>,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    /// The path of the line in SVG's path language.
    pub(super) path: String,
    /// The height of the typical value before the fault.
    pub(super) typical: Option<Px>,
    pub(super) onset: Option<Px>,
}

/// The frame of a chart; the template draws with the same numbers.
const LEFT: f64 = 46.0;
const WIDTH: f64 = 306.0;
const TOP: f64 = 18.0;
const HEIGHT: f64 = 104.0;

/// A pause longer than this many usual distances between samples interrupts the line.
const PAUSE: i64 = 3;

/// The charts of every service that has some: unexpected services first, then expected ones, then the others.
pub(super) fn per_service(report: &Report, view: &TimeView) -> Vec<ServiceCharts> {
    let order = [story::unexpected(report), story::expected(report), story::unaffected(report)];
    let groups = order.into_iter().flatten().map(|service| of_service(report, view, service));
    groups.filter(|group| !group.charts.is_empty()).collect()
}

fn of_service(report: &Report, view: &TimeView, service: &ServiceEntry) -> ServiceCharts {
    let own = report.charts.iter().filter(|chart| chart.service == service.name);
    ServiceCharts {
        service: names::service(&service.name),
        class: match (service.affected, service.expected) {
            (true, false) => "unexpected",
            (true, true) => "expected",
            (false, _) => "",
        },
        charts: own.map(|chart| ChartDrawing::new(report, view, chart)).collect(),
    }
}

impl ChartDrawing {
    fn new(report: &Report, view: &TimeView, chart: &ChartEntry) -> Self {
        let finding = finding_of(report, chart);
        let unit = Unit::of(&chart.metric, &chart.measure);
        let points = points_in_view(view, chart);
        let typical = finding.and_then(|finding| finding.baseline);
        let values: Vec<f64> = points.iter().map(|(_, value)| *value).chain(typical).collect();
        let values_view = ValueView::of(&values, unit);
        let title = story::measured(&chart.metric, "", &chart.measure);
        let change = finding.map(story::before_and_during).unwrap_or_default();
        let place =
            |point: &(i64, f64)| (point.0, view.x(point.0, LEFT, WIDTH), values_view.y(point.1, TOP, HEIGHT));
        Self {
            description: description(report, chart, finding),
            labels: names::label_set(&chart.labels),
            factor: finding.map(story::factor).unwrap_or_default(),
            unit: values_view.suffix(),
            bands: view.bands(LEFT, WIDTH),
            x_ticks: view.ticks(LEFT, WIDTH, 6),
            y_ticks: values_view.ticks(TOP, HEIGHT),
            path: path(&points.iter().map(place).collect::<Vec<_>>()),
            typical: typical.map(|value| values_view.y(value, TOP, HEIGHT)),
            onset: finding.and_then(|finding| finding.onset).map(|onset| view.x(onset.0.ms(), LEFT, WIDTH)),
            title,
            change,
        }
    }
}

fn finding_of<'a>(report: &'a Report, chart: &ChartEntry) -> Option<&'a FindingEntry> {
    report.findings.iter().find(|finding| {
        finding.service == chart.service
            && finding.metric == chart.metric
            && finding.measure == chart.measure
            && finding.labels == chart.labels
    })
}

fn points_in_view(view: &TimeView, chart: &ChartEntry) -> Vec<(i64, f64)> {
    let known = chart.points.iter().filter_map(|&(ms, value)| Some((ms, value?)));
    known.filter(|(ms, _)| (view.from_ms..=view.to_ms).contains(ms)).collect()
}

/// What a reader hears who does not see the chart.
fn description(report: &Report, chart: &ChartEntry, finding: Option<&FindingEntry>) -> String {
    let series = story::measured(&chart.metric, &names::label_set(&chart.labels), &chart.measure);
    let subject = format!("{series}, {}", names::service(&chart.service));
    match finding {
        Some(finding) => format!(
            "{subject}: {} ({}), {}",
            story::before_and_during(finding),
            story::factor(finding),
            story::lasted(report, finding)
        ),
        None => subject,
    }
}

/// The line through `points`, interrupted where samples are missing.
fn path(points: &[(i64, Px, Px)]) -> String {
    let longest_step = PAUSE * usual_step(points);
    let mut path = String::new();
    let mut previous = None;
    for &(ms, x, y) in points {
        let goes_on = previous.is_some_and(|previous: i64| ms - previous <= longest_step);
        // A line of no length gives a point of its own a dot.
        let _ = if goes_on { write!(path, "L{x} {y}") } else { write!(path, "M{x} {y}h0") };
        previous = Some(ms);
    }
    path
}

/// The median distance between neighbouring points in milliseconds.
fn usual_step(points: &[(i64, Px, Px)]) -> i64 {
    let mut steps: Vec<i64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn a_line_is_interrupted_where_samples_are_missing() {
        let points: Vec<(i64, Px, Px)> =
            [0, 10, 20, 30, 90, 100].into_iter().map(|ms| (ms, Px(ms as f64), Px(1.0))).collect();
        assert_eq!(path(&points), "M0.0 1.0h0L10.0 1.0L20.0 1.0L30.0 1.0M90.0 1.0h0L100.0 1.0");
        assert_eq!(path(&[]), "");
    }

    #[test]
    fn charts_of_unexpected_services_come_first() {
        let report = samples::hidden_victim();
        let groups = per_service(&report, &TimeView::of(&report));
        let services: Vec<(&str, &str)> =
            groups.iter().map(|group| (group.service.as_str(), group.class)).collect();
        assert_eq!(
            services,
            [("recommendations", "unexpected"), ("cart", "unexpected"), ("session-cache", "expected")]
        );
    }

    #[test]
    fn a_chart_tells_in_words_what_it_shows() {
        let report = samples::hidden_victim();
        let groups = per_service(&report, &TimeView::of(&report));
        assert_eq!(
            groups[0].charts[0].description,
            "p99 of http_request_duration_seconds{route=\"/api/items\"}, recommendations: 12 ms → 480 ms (×40), from +6 s on"
        );
    }
}
