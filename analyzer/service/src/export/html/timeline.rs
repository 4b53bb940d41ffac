//! The strip that shows the windows of the experiment and, below, when each service that was hit was out.

use super::axis::{Band, Px, Tick, TimeView};
use crate::export::names;
use crate::export::numbers::count;
use crate::export::report::{Report, ServiceEntry, ServiceState};
use crate::export::story;

/// The strip, ready to be written down.
pub(super) struct TimelineDrawing {
    pub(super) width: Px,
    pub(super) height: Px,
    pub(super) left: Px,
    pub(super) right: Px,
    pub(super) bottom: Px,
    pub(super) axis_labels_y: Px,
    pub(super) bands: Vec<Band>,
    pub(super) ticks: Vec<Tick>,
    pub(super) bars: Vec<Bar>,
    pub(super) description: String,
    /// What the strip leaves out; may be empty.
    pub(super) note: String,
}

/// When one service was out.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) label_y: Px,
    pub(super) y: Px,
    pub(super) x: Px,
    pub(super) width: Px,
    /// `unexpected` or `expected`.
    pub(super) class: &'static str,
    /// Whether it was still out when the watch ended.
    pub(super) lasting: bool,
    pub(super) end: Px,
    pub(super) middle: Px,
    pub(super) tooltip: String,
}

const WIDTH: f64 = 980.0;
const LEFT: f64 = 176.0;
const RIGHT: f64 = 940.0;
const STRIP_BOTTOM: f64 = 26.0;
const ROW: f64 = 28.0;
const BAR: f64 = 14.0;
const AXIS: f64 = 28.0;
const MOST_ROWS: usize = 24;
const NAME_COLUMNS: usize = 22;
const NARROWEST_BAR: f64 = 3.0;

impl TimelineDrawing {
    pub(super) fn new(report: &Report, view: &TimeView) -> Self {
        let hit = story::hit(report);
        let rows = hit.len().min(MOST_ROWS);
        let bottom = STRIP_BOTTOM + 6.0 + ROW * rows as f64;
        let bars =
            hit.iter().take(rows).enumerate().map(|(row, service)| Bar::new(report, view, service, row));
        Self {
            width: Px(WIDTH),
            height: Px(bottom + AXIS),
            left: Px(LEFT),
            right: Px(RIGHT),
            bottom: Px(bottom),
            axis_labels_y: Px(bottom + 18.0),
            bands: view.bands(LEFT, RIGHT - LEFT),
            ticks: view.ticks(LEFT, RIGHT - LEFT, 10),
            bars: bars.collect(),
            description: description(report, &hit),
            note: note(report, view, hit.len() - rows),
        }
    }
}

impl Bar {
    fn new(report: &Report, view: &TimeView, service: &ServiceEntry, row: usize) -> Self {
        let onset = service.onset.unwrap_or(report.windows.fault.from).0.ms();
        let lasting = service.state != ServiceState::Recovered;
        let over = service.recovered_at.map_or(view.to_ms, |moment| moment.0.ms());
        let (x, end) = (view.x(onset, LEFT, RIGHT - LEFT), view.x(over.max(onset), LEFT, RIGHT - LEFT));
        let middle = STRIP_BOTTOM + 6.0 + ROW * (row as f64 + 0.5);
        Self {
            name: names::cut(&names::service(&service.name), NAME_COLUMNS),
            label_y: Px(middle + 4.0),
            y: Px(middle - BAR / 2.0),
            x,
            width: Px((end.0 - x.0).max(NARROWEST_BAR)),
            class: if service.expected { "expected" } else { "unexpected" },
            lasting,
            end,
            middle: Px(middle),
            tooltip: sentence(report, service),
        }
    }
}

fn sentence(report: &Report, service: &ServiceEntry) -> String {
    let began = match service.onset {
        Some(_) => story::since_fault(report, service.onset),
        None => "at an unknown time".to_owned(),
    };
    format!("{}: hit {began}, recovered: {}", names::service(&service.name), story::recovery(report, service))
}

fn description(report: &Report, hit: &[&ServiceEntry]) -> String {
    if hit.is_empty() {
        return format!("Timeline of the experiment. {}", story::nothing_hit(report));
    }
    let sentences: Vec<String> =
        hit.iter().take(MOST_ROWS).map(|service| sentence(report, service)).collect();
    format!("Timeline, counted from the start of the fault. {}.", sentences.join("; "))
}

fn note(report: &Report, view: &TimeView, left_out: usize) -> String {
    let baseline = report.windows.baseline;
    let mut notes = Vec::new();
    if baseline.to <= report.windows.fault.from && baseline.from.0.ms() < view.from_ms {
        notes.push(format!(
            "The baseline begins earlier, at {}.",
            story::since_fault(report, Some(baseline.from))
        ));
    }
    if baseline.from >= report.windows.fault.to {
        notes.push(format!("The baseline was recorded after the fault: {}.", story::window(baseline)));
    }
    if left_out > 0 {
        notes.push(format!("{} more in the table below.", count(left_out, "service", "services")));
    }
    notes.join(" ")
}
