//! Small charts of single series, grouped by service.

use std::fmt::Write;

use super::axis::{Band, Px, Tick, TimeView, ValueView};
use crate::export::names;
use crate::export::numbers::{self, Unit};
use crate::export::report::{ChartEntry, DirectionWord, FindingEntry, Report, ServiceEntry};
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
    /// Where a series that vanished ends.
    pub(super) end: Option<End>,
    /// Whether there is no sample at all to draw.
    pub(super) is_empty: bool,
}

/// The last sample of a series before it vanished, and where the words beside it stand.
pub(super) struct End {
    pub(super) x: Px,
    pub(super) y: Px,
    pub(super) label_x: Px,
    pub(super) label_y: Px,
    /// `start` or `end`, as SVG's `text-anchor`.
    pub(super) anchor: &'static str,
}

/// The frame of a chart; the template draws with the same numbers.
const LEFT: f64 = 46.0;
const WIDTH: f64 = 306.0;
const TOP: f64 = 18.0;
const HEIGHT: f64 = 104.0;

/// The distance of the words at the end of a line from that end.
const END_GAP: f64 = 8.0;

/// The width that those words need.
const END_WORDS: f64 = 64.0;

/// A pause longer than this many usual distances between samples interrupts the line.
const PAUSE: i64 = 3;

/// The charts of every service that has some: unexpected services first, then expected ones, then the others.
pub(super) fn per_service(report: &Report, view: &TimeView) -> Vec<ServiceCharts> {
    let calm = report.services.iter().filter(|service| !service.affected);
    let groups = story::hit(report).into_iter().chain(calm).map(|service| of_service(report, view, service));
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
        let known: Vec<(i64, f64)> =
            chart.points.iter().filter_map(|&(ms, value)| Some((ms, value?))).collect();
        let end = finding.and_then(|finding| last_before_it_vanished(report, finding, &known));
        let view = &own_view(view, &known, end);
        let points = points_in_view(view, &known);
        let typical = finding.and_then(|finding| finding.baseline);
        let values: Vec<f64> = points.iter().map(|(_, value)| *value).chain(typical).collect();
        let values_view = ValueView::of(&values, unit);
        let title = story::measured(&chart.metric, "", &chart.measure);
        let change = finding.map(story::before_and_during).unwrap_or_default();
        let place =
            |point: &(i64, f64)| (point.0, view.x(point.0, LEFT, WIDTH), values_view.y(point.1, TOP, HEIGHT));
        Self {
            description: format!("{}{}", description(report, chart, finding), ending(report, &known, end)),
            labels: names::label_set(&chart.labels),
            factor: finding.map(story::factor).unwrap_or_default(),
            unit: values_view.suffix(),
            bands: view.bands(LEFT, WIDTH),
            x_ticks: view.ticks(LEFT, WIDTH, 6),
            y_ticks: values_view.ticks(TOP, HEIGHT),
            path: path(&points.iter().map(place).collect::<Vec<_>>()),
            typical: typical.map(|value| values_view.y(value, TOP, HEIGHT)),
            onset: finding.and_then(|finding| finding.onset).map(|onset| view.x(onset.0.ms(), LEFT, WIDTH)),
            end: end.map(|point| End::at(place(&point))),
            is_empty: known.is_empty(),
            title,
            change,
        }
    }
}

impl End {
    fn at((_, x, y): (i64, Px, Px)) -> Self {
        // Behind the end is nothing to cover; only at the edge of the chart the words stand above the line.
        let has_room = x.0 < LEFT + WIDTH - END_WORDS;
        Self {
            x,
            y,
            label_x: Px(if has_room { x.0 + END_GAP } else { x.0 - END_GAP }),
            label_y: Px(if has_room { y.0 + END_GAP / 2.0 } else { (y.0 - END_GAP).max(TOP + END_GAP) }),
            anchor: if has_room { "start" } else { "end" },
        }
    }
}

/// The last sample of a vanished series before it was gone: during the fault it has none.
fn last_before_it_vanished(
    report: &Report,
    finding: &FindingEntry,
    known: &[(i64, f64)],
) -> Option<(i64, f64)> {
    let gone = finding.onset.unwrap_or(report.windows.fault.to).max(report.windows.fault.from);
    let before = known.iter().rev().find(|(ms, _)| *ms <= gone.0.ms());
    before.copied().filter(|_| finding.direction == DirectionWord::Vanished)
}

/// The view of the page, made longer for a series that would show nothing in it, or not where it ends.
fn own_view(view: &TimeView, known: &[(i64, f64)], end: Option<(i64, f64)>) -> TimeView {
    let is_in_view = !points_in_view(view, known).is_empty();
    let last_before = known.iter().rev().find(|(ms, _)| *ms < view.from_ms);
    let nearest = last_before.or(known.first()).copied().filter(|_| !is_in_view);
    end.or(nearest).map_or_else(|| view.clone(), |(ms, _)| view.holding(ms))
}

fn finding_of<'a>(report: &'a Report, chart: &ChartEntry) -> Option<&'a FindingEntry> {
    report.findings.iter().find(|finding| {
        finding.service == chart.service
            && finding.metric == chart.metric
            && finding.measure == chart.measure
            && finding.labels == chart.labels
    })
}

fn points_in_view(view: &TimeView, known: &[(i64, f64)]) -> Vec<(i64, f64)> {
    known.iter().copied().filter(|(ms, _)| (view.from_ms..=view.to_ms).contains(ms)).collect()
}

/// What the description adds about a line that ends, or that is not there.
fn ending(report: &Report, known: &[(i64, f64)], end: Option<(i64, f64)>) -> String {
    if known.is_empty() {
        return "; there is no sample to draw".to_owned();
    }
    let since_fault = |(ms, _): (i64, f64)| numbers::offset(ms - report.windows.fault.from.0.ms());
    end.map_or_else(String::new, |point| format!("; the line ends at {}", since_fault(point)))
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

    /// The chart of the vanished series after `change` was made to the report.
    fn vanished(change: impl FnOnce(&mut Report)) -> ChartDrawing {
        let mut report = samples::hidden_victim();
        report.charts.retain(|chart| chart.metric == "recommendations_model_loaded");
        change(&mut report);
        let mut groups = per_service(&report, &TimeView::of(&report));
        groups.remove(0).charts.remove(0)
    }

    #[test]
    fn a_vanished_series_is_drawn_up_to_its_end() {
        let chart = vanished(|_| ());
        let end = chart.end.expect("an end");
        assert!(chart.path.ends_with(&format!("L{} {}", end.x, end.y)), "{}", chart.path);
        assert!(
            chart.description.ends_with("1 → absent (vanished), from +6 s on; the line ends at +4 s"),
            "{}",
            chart.description
        );
    }

    #[test]
    fn a_series_that_ended_before_the_view_is_drawn_all_the_same() {
        let chart = vanished(|report| {
            report.windows.baseline.from.0 = report.windows.baseline.from.0.plus_ms(-3_600_000);
            for point in &mut report.charts[0].points {
                point.0 -= 3_000_000;
            }
        });
        let end = chart.end.expect("an end");
        assert!(chart.path.matches('L').count() > 10, "{}", chart.path);
        assert!(end.x > Px(LEFT) && end.x < Px(LEFT + WIDTH), "{}", end.x);
        assert!(chart.bands.iter().any(|band| band.name == "fault"));
    }

    #[test]
    fn a_series_outside_the_view_is_drawn_even_where_it_does_not_end() {
        let chart = vanished(|report| {
            report.findings.clear();
            for point in &mut report.charts[0].points {
                point.0 += 3_000_000;
            }
        });
        assert!(!chart.path.is_empty() && chart.end.is_none());
    }

    #[test]
    fn a_chart_without_samples_says_so() {
        let chart = vanished(|report| report.charts[0].points.clear());
        assert!(chart.is_empty && chart.end.is_none());
        assert!(chart.description.ends_with("; there is no sample to draw"), "{}", chart.description);
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
