//! Where a time or a value lies in a drawing, and which lines of its axes are labelled.

use std::fmt;

use crate::export::numbers::{self, Unit};
use crate::export::report::{Report, WindowEntry};

/// A length in a drawing, printed with one decimal.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Px(pub(super) f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0 + 0.0)
    }
}

/// A labelled line of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: Px,
    pub(super) label: String,
}

/// A window of the experiment as a shaded band.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    /// `baseline`, `fault`, `recovery` or `excluded`.
    pub(super) name: &'static str,
    pub(super) x: Px,
    pub(super) width: Px,
    pub(super) middle: Px,
}

/// The stretch of time that every drawing of a page shows: the fault, what was watched after it, and as much before
/// it as leaves the fault wide enough to see.
#[derive(Clone, Debug)]
pub(super) struct TimeView {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    fault_from_ms: i64,
    bands: Vec<(&'static str, i64, i64)>,
}

/// At most this many times the length of fault and recovery is shown before the fault.
const LEAD: f64 = 1.5;

/// Steps between labelled times in seconds; past the last one, whole multiples of it.
const TIME_STEPS: [i64; 19] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

impl TimeView {
    pub(super) fn of(report: &Report) -> Self {
        let windows = &report.windows;
        let ms = |window: WindowEntry| (window.from.0.ms(), window.to.0.ms());
        let (fault_from_ms, fault_to) = ms(windows.fault);
        let (baseline_from, baseline_to) = ms(windows.baseline);
        let to_ms = windows.recovery.map_or(fault_to, |window| ms(window).1.max(fault_to));
        // In range: a stretch of the calendar in milliseconds is far below 2^53.
        #[allow(clippy::cast_possible_truncation)]
        let longest_lead = ((to_ms - fault_from_ms) as f64 * LEAD) as i64;
        let from_ms = baseline_from.clamp(fault_from_ms - longest_lead, fault_from_ms);
        let mut bands = vec![("baseline", baseline_from, baseline_to), ("fault", fault_from_ms, fault_to)];
        bands.extend(windows.recovery.map(|window| ("recovery", ms(window).0, ms(window).1)));
        bands.extend(windows.exclude.iter().map(|window| ("excluded", ms(*window).0, ms(*window).1)));
        Self { from_ms, to_ms, fault_from_ms, bands }
    }

    /// This view, or a longer one that also shows `ms` and a little beyond it.
    pub(super) fn holding(&self, ms: i64) -> Self {
        let beyond = (self.to_ms - self.from_ms) / 4;
        let mut view = self.clone();
        if ms < self.from_ms {
            view.from_ms = ms - beyond;
        } else if ms > self.to_ms {
            view.to_ms = ms + beyond;
        }
        view
    }

    /// Where `ms` lies between `left` and `left + width`; the ends where it lies outside.
    pub(super) fn x(&self, ms: i64, left: f64, width: f64) -> Px {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        let share = (ms.clamp(self.from_ms, self.to_ms) - self.from_ms) as f64 / span;
        Px(left + share * width)
    }

    /// The windows that are in view.
    pub(super) fn bands(&self, left: f64, width: f64) -> Vec<Band> {
        let in_view = self.bands.iter().filter(|(_, from, to)| *from < self.to_ms && *to > self.from_ms);
        let drawn = in_view.map(|&(name, from, to)| {
            let (start, end) = (self.x(from, left, width).0, self.x(to, left, width).0);
            Band { name, x: Px(start), width: Px(end - start), middle: Px(f64::midpoint(start, end)) }
        });
        drawn.collect()
    }

    /// At most `most` labelled times, counted from the start of the fault.
    pub(super) fn ticks(&self, left: f64, width: f64, most: i64) -> Vec<Tick> {
        let span_seconds = (self.to_ms - self.from_ms) / 1000;
        let week = TIME_STEPS[TIME_STEPS.len() - 1];
        let fitting = TIME_STEPS.into_iter().find(|step| span_seconds / step < most);
        let step_ms = 1000 * fitting.unwrap_or_else(|| (span_seconds / most / week + 1) * week);
        let first = (self.from_ms - self.fault_from_ms).div_euclid(step_ms);
        let last = (self.to_ms - self.fault_from_ms).div_euclid(step_ms);
        let offsets = (first..=last).map(|index| index * step_ms);
        let in_view = offsets.filter(|offset| self.fault_from_ms + offset >= self.from_ms);
        in_view
            .map(|offset| Tick {
                at: self.x(self.fault_from_ms + offset, left, width),
                label: if offset == 0 { "0".to_owned() } else { numbers::offset(offset) },
            })
            .collect()
    }
}

/// The values that a chart shows, from bottom to top.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueView {
    bottom: f64,
    top: f64,
    step: f64,
    unit: Unit,
    divisor: f64,
    suffix: &'static str,
}

/// About how many steps a value axis has.
const VALUE_STEPS: f64 = 3.0;

impl ValueView {
    /// The view of all `values` in `unit`; from zero up where they are not far from zero.
    pub(super) fn of(values: &[f64], unit: Unit) -> Self {
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let scale = unit.scale(largest);
        let scaled = |value: f64| value / scale.divisor;
        let mut low = values.iter().copied().map(scaled).fold(f64::INFINITY, f64::min);
        let mut high = values.iter().copied().map(scaled).fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 1.0);
        }
        if low > 0.0 && low < 0.7 * high {
            low = 0.0;
        }
        if high - low <= high.abs().max(low.abs()) * 1e-9 {
            let margin = if high == 0.0 { 1.0 } else { high.abs() * 0.5 };
            (low, high) = (if low >= 0.0 { (low - margin).max(0.0) } else { low - margin }, high + margin);
        }
        let step = nice_step((high - low) / VALUE_STEPS);
        let (bottom, top) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { bottom, top, step, unit, divisor: scale.divisor, suffix: scale.suffix }
    }

    /// Where `value` lies between `top_px` and `top_px + height`.
    pub(super) fn y(&self, value: f64, top_px: f64, height: f64) -> Px {
        let share = (value / self.divisor - self.bottom) / (self.top - self.bottom);
        Px(top_px + height * (1.0 - share.clamp(0.0, 1.0)))
    }

    /// The labelled values.
    pub(super) fn ticks(&self, top_px: f64, height: f64) -> Vec<Tick> {
        let places = decimals(self.step);
        let mut ticks = Vec::new();
        let mut value = self.bottom;
        while value <= self.top + self.step * 0.5 && ticks.len() < 12 {
            let label = self.label(value, places);
            ticks.push(Tick { at: self.y(value * self.divisor, top_px, height), label });
            value += self.step;
        }
        ticks
    }

    fn label(&self, value: f64, places: usize) -> String {
        if self.unit == Unit::Clock {
            let shown = self.unit.show(value);
            return shown.split(' ').next_back().unwrap_or_default().to_owned();
        }
        let rounded = if value.abs() < self.step * 1e-6 { 0.0 } else { value };
        let number = format!("{rounded:.places$}").replace('-', "−");
        if self.suffix == "%" { format!("{number} %") } else { number }
    }

    /// The unit that stands above the axis; empty where the numbers are plain or carry it themselves.
    pub(super) fn suffix(&self) -> &'static str {
        if self.suffix == "%" { "" } else { self.suffix }
    }
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `raw`.
fn nice_step(raw: f64) -> f64 {
    if !(raw.is_finite() && raw > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| raw <= factor * power * (1.0 + 1e-9));
    factor.unwrap_or(10.0) * power
}

/// How many decimals tell the multiples of `step` apart.
fn decimals(step: f64) -> usize {
    (0..9)
        .find(|places| {
            let shifted = step * 10_f64.powi(*places);
            (shifted - shifted.round()).abs() < shifted * 1e-6
        })
        .map_or(9, |places: i32| places.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn steps_are_round_numbers_with_just_enough_decimals() {
        for (raw, step, places) in
            [(0.9, 1.0, 0), (1.1, 2.0, 0), (2.2, 2.5, 1), (0.031, 0.05, 2), (170.0, 200.0, 0), (0.0, 1.0, 0)]
        {
            assert!((nice_step(raw) - step).abs() < 1e-12, "{raw}");
            assert_eq!(decimals(step), places, "{raw}");
        }
    }

    #[test]
    fn a_value_axis_holds_every_value_and_names_its_unit() {
        let view = ValueView::of(&[0.012, 0.48], Unit::Seconds);
        let labels: Vec<String> = view.ticks(0.0, 100.0).into_iter().map(|tick| tick.label).collect();
        assert_eq!((labels.join(" ").as_str(), view.suffix()), ("0 200 400 600", "ms"));
        assert_eq!(view.y(0.0, 0.0, 100.0), Px(100.0));
        assert_eq!(view.y(0.6, 0.0, 100.0), Px(0.0));
    }

    #[test]
    fn a_flat_or_empty_series_still_has_an_axis() {
        for values in [vec![], vec![0.0], vec![5.0, 5.0], vec![-2.0], vec![1e300, -1e300]] {
            let ticks = ValueView::of(&values, Unit::Plain).ticks(0.0, 100.0);
            assert!(ticks.len() >= 2, "{values:?}");
            assert!(ticks.iter().all(|tick| tick.at.0.is_finite()), "{values:?}");
        }
    }

    #[test]
    fn times_are_counted_from_the_start_of_the_fault() {
        let view = TimeView::of(&samples::hidden_victim());
        let labels: Vec<String> = view.ticks(0.0, 100.0, 8).into_iter().map(|tick| tick.label).collect();
        assert_eq!(
            labels,
            ["−2 min", "−1 min 30 s", "−1 min", "−30 s", "0", "+30 s", "+1 min", "+1 min 30 s"]
        );
    }

    #[test]
    fn a_long_baseline_does_not_squash_the_fault() {
        let mut report = samples::hidden_victim();
        let fault = report.windows.fault.from.0;
        report.windows.baseline.from.0 = fault.plus_ms(-86_400_000);
        let view = TimeView::of(&report);
        let fault_band =
            view.bands(0.0, 100.0).into_iter().find(|band| band.name == "fault").expect("in view");
        assert!(fault_band.width > Px(10.0), "{fault_band:?}");
    }

    #[test]
    fn a_baseline_after_the_fault_leaves_the_view_at_the_fault() {
        let mut report = samples::hidden_victim();
        let end = report.windows.recovery.expect("watched").to.0;
        report.windows.baseline.from.0 = end.plus_ms(10_000);
        report.windows.baseline.to.0 = end.plus_ms(60_000);
        let view = TimeView::of(&report);
        assert_eq!(view.from_ms, report.windows.fault.from.0.ms());
        assert!(view.bands(0.0, 100.0).iter().all(|band| band.name != "baseline"));
    }
}
