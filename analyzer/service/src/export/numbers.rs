//! Numbers as people read them: with a unit that follows from the name of the metric, in a scale that fits.

use aftermath_model::Timestamp;

/// The unit of a measured number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A plain number.
    Plain,
    /// Events per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Seconds per second, the measure of a busy share.
    SecondsPerSecond,
    /// Processor cores: seconds of processor time per second.
    Cores,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// A share of 1.
    Ratio,
    /// Seconds since the epoch.
    Clock,
}

/// How the numbers of one chart or one cell are written: divided by `divisor`, with `suffix` behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// What a number is divided by before it is written.
    pub(super) divisor: f64,
    /// The unit with its prefix, without a blank; may be empty.
    pub(super) suffix: &'static str,
}

impl Unit {
    /// The unit of what `measure` reads of `metric`, from the names that Prometheus recommends
    /// (<https://prometheus.io/docs/practices/naming/>): base units as suffixes, `_total` for running totals.
    pub(super) fn of(metric: &str, measure: &str) -> Self {
        let total = metric.strip_suffix("_total");
        if measure == "shape" {
            return Self::Ratio;
        }
        if measure == "per second" {
            return match total.or_else(|| metric.strip_suffix("_sum")) {
                Some(base) if base.ends_with("cpu_seconds") => Self::Cores,
                Some(base) if base.ends_with("_seconds") => Self::SecondsPerSecond,
                Some(base) if base.ends_with("_bytes") => Self::BytesPerSecond,
                _ => Self::PerSecond,
            };
        }
        let base = total.unwrap_or(metric);
        if base.ends_with("_timestamp_seconds") || base.ends_with("_start_time_seconds") {
            Self::Clock
        } else if base.ends_with("_seconds") {
            Self::Seconds
        } else if base.ends_with("_bytes") {
            Self::Bytes
        } else if base.ends_with("_ratio") {
            Self::Ratio
        } else {
            Self::Plain
        }
    }

    /// The scale in which numbers up to `largest` are easy to read.
    pub(super) fn scale(self, largest: f64) -> Scale {
        // From which size on, divided by what, with which suffix.
        let steps: &[(f64, f64, &'static str)] = match self {
            Self::Plain => &[(1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, "")],
            Self::PerSecond => &[(1e9, 1e9, "G/s"), (1e6, 1e6, "M/s"), (1e4, 1e3, "k/s"), (0.0, 1.0, "/s")],
            Self::Seconds if largest == 0.0 => &[(0.0, 1.0, "s")],
            Self::Seconds => &[
                (172_800.0, 86_400.0, "d"),
                (7200.0, 3600.0, "h"),
                (300.0, 60.0, "min"),
                (1.0, 1.0, "s"),
                (1e-3, 1e-3, "ms"),
                (1e-6, 1e-6, "µs"),
                (0.0, 1e-9, "ns"),
            ],
            Self::SecondsPerSecond => &[(1.0, 1.0, "s/s"), (0.0, 1e-3, "ms/s")],
            Self::Cores => &[(0.0, 1.0, "cores")],
            Self::Bytes => {
                &[(TIB, TIB, "TiB"), (GIB, GIB, "GiB"), (MIB, MIB, "MiB"), (KIB, KIB, "KiB"), (0.0, 1.0, "B")]
            }
            Self::BytesPerSecond => &[
                (TIB, TIB, "TiB/s"),
                (GIB, GIB, "GiB/s"),
                (MIB, MIB, "MiB/s"),
                (KIB, KIB, "KiB/s"),
                (0.0, 1.0, "B/s"),
            ],
            Self::Ratio => &[(0.0, 0.01, "%")],
            Self::Clock => &[(0.0, 1.0, "")],
        };
        let fitting = steps.iter().find(|(from, ..)| largest.abs() >= *from);
        fitting.map_or(Scale { divisor: 1.0, suffix: "" }, |&(_, divisor, suffix)| Scale { divisor, suffix })
    }

    /// One number with its unit: `480 ms`, `1.2 GiB`, `23 /s`.
    pub(super) fn show(self, value: f64) -> String {
        if self == Self::Clock {
            return clock(value);
        }
        let scale = self.scale(value);
        let number = digits(value / scale.divisor);
        if scale.suffix.is_empty() { number } else { format!("{number}{}", suffixed(scale.suffix)) }
    }
}

const KIB: f64 = 1024.0;
const MIB: f64 = KIB * KIB;
const GIB: f64 = MIB * KIB;
const TIB: f64 = GIB * KIB;

/// A prefix alone stands at its number, a unit behind a blank.
fn suffixed(suffix: &str) -> String {
    if matches!(suffix, "k" | "M" | "G") { suffix.to_owned() } else { format!(" {suffix}") }
}

/// The time of day of `seconds` since the epoch, with the date in front.
fn clock(seconds: f64) -> String {
    // In range: the cast saturates, and the calendar refuses what lies outside it.
    #[allow(clippy::cast_possible_truncation)]
    let at = Timestamp::from_ms((seconds * 1000.0).round() as i64);
    at.map_or_else(|_| digits(seconds), |at| at.to_string().replace('T', " ").replace(".000Z", "Z"))
}

/// A number with three significant digits, never in exponents unless it is extreme.
pub(super) fn digits(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:.1e}").replace('-', MINUS);
    }
    let places: usize = match size {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.0995 => 3,
        size if size >= 0.00995 => 4,
        size if size >= 0.000_995 => 5,
        _ => 8,
    };
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    with_minus(text)
}

/// The sign that typographers use: as wide as a plus.
const MINUS: &str = "−";

fn with_minus(text: &str) -> String {
    text.strip_prefix('-').map_or_else(|| text.to_owned(), |size| format!("{MINUS}{size}"))
}

/// A stretch of time: `850 ms`, `12 s`, `1 min 30 s`, `2 h 5 min`, `3 d 4 h`.
pub(super) fn duration(ms: i64) -> String {
    let ms = ms.unsigned_abs();
    if ms < 1000 {
        return format!("{ms} ms");
    }
    let tenths = (ms + 50) / 100;
    if tenths < 100 {
        return if tenths.is_multiple_of(10) {
            format!("{} s", tenths / 10)
        } else {
            format!("{}.{} s", tenths / 10, tenths % 10)
        };
    }
    let seconds = (ms + 500) / 1000;
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{large} {large_unit}")
        } else {
            format!("{large} {large_unit} {small} {small_unit}")
        }
    };
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..=86_399 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A point `ms` after an event: `+12 s`, `−1 min`, `0 s`.
pub(super) fn offset(ms: i64) -> String {
    match ms {
        0 => "0 s".to_owned(),
        1.. => format!("+{}", duration(ms)),
        _ => format!("{MINUS}{}", duration(ms)),
    }
}

/// A probability: `0.23`, `0.0012`, `< 0.0001`; a dash where there is none.
pub(super) fn probability(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 1e-4 => "< 0.0001".to_owned(),
        Some(p) if p < 0.001 => format!("{p:.4}"),
        Some(p) if p < 0.01 => format!("{p:.3}"),
        Some(p) => format!("{p:.2}"),
    }
}

/// A share of 1 in per cent: `2.5 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", digits((share * 1000.0).round() / 10.0))
}

/// How much larger or smaller: `×40`, `+23 %`, `÷5`; `None` where a ratio says nothing.
pub(super) fn change(baseline: Option<f64>, fault: Option<f64>) -> Option<String> {
    let (before, during) = (baseline?, fault?);
    if before <= 0.0 || during <= 0.0 {
        return None;
    }
    let ratio = during / before;
    let percent = (ratio - 1.0) * 100.0;
    match ratio {
        ratio if ratio >= 1e4 => Some("×10000 or more".to_owned()),
        ratio if ratio >= 2.0 => Some(format!("×{}", two_digits(ratio))),
        ratio if ratio <= 0.5 => Some(format!("÷{}", two_digits(1.0 / ratio))),
        _ if percent.abs() < 0.05 => None,
        _ if percent > 0.0 => Some(format!("+{} %", two_digits(percent))),
        _ => Some(format!("{MINUS}{} %", two_digits(-percent))),
    }
}

fn two_digits(value: f64) -> String {
    if value >= 9.95 { format!("{value:.0}") } else { digits((value * 10.0).round() / 10.0) }
}

/// `1 series`, `2 series`, `1 service`, `3 services`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_follows_from_the_names() {
        let cases = [
            ("http_request_duration_seconds", "p99", Unit::Seconds),
            ("http_request_duration_seconds", "per second", Unit::PerSecond),
            ("process_cpu_seconds_total", "per second", Unit::Cores),
            ("gc_pause_seconds_total", "per second", Unit::SecondsPerSecond),
            ("network_receive_bytes_total", "per second", Unit::BytesPerSecond),
            ("process_resident_memory_bytes", "value", Unit::Bytes),
            ("process_start_time_seconds", "value", Unit::Clock),
            ("cache_hit_ratio", "value", Unit::Ratio),
            ("queue_depth", "value", Unit::Plain),
            ("errors_total", "per second", Unit::PerSecond),
        ];
        for (metric, measure, expected) in cases {
            assert_eq!(Unit::of(metric, measure), expected, "{metric} {measure}");
        }
    }

    #[test]
    fn a_number_is_shown_in_the_scale_that_fits_it() {
        let cases = [
            (Unit::Seconds, 0.012, "12 ms"),
            (Unit::Seconds, 0.48, "480 ms"),
            (Unit::Seconds, 0.000_25, "250 µs"),
            (Unit::Seconds, 1.5, "1.5 s"),
            (Unit::Seconds, 600.0, "10 min"),
            (Unit::Seconds, 0.0, "0 s"),
            (Unit::Bytes, 0.0, "0 B"),
            (Unit::Bytes, 1_288_490_189.0, "1.2 GiB"),
            (Unit::BytesPerSecond, 2048.0, "2 KiB/s"),
            (Unit::PerSecond, 23.4, "23.4 /s"),
            (Unit::PerSecond, 12_345.0, "12.3 k/s"),
            (Unit::Plain, 1234.0, "1234"),
            (Unit::Plain, 12_345_678.0, "12.3M"),
            (Unit::Plain, -0.5, "−0.5"),
            (Unit::Ratio, 0.975, "97.5 %"),
            (Unit::Cores, 0.25, "0.25 cores"),
            (Unit::Clock, 1_709_624_232.0, "2024-03-05 07:37:12Z"),
            (Unit::Plain, 1e-30, "1.0e−30"),
        ];
        for (unit, value, expected) in cases {
            assert_eq!(unit.show(value), expected, "{unit:?} {value}");
        }
    }

    #[test]
    fn three_digits_are_enough() {
        for (value, expected) in [
            (123_456.0, "123456"),
            (99.96, "100"),
            (12.345, "12.3"),
            (1.2345, "1.23"),
            (0.012_345, "0.0123"),
            (0.001_234_5, "0.00123"),
            (-3.0, "−3"),
        ] {
            assert_eq!(digits(value), expected);
        }
    }

    #[test]
    fn a_stretch_of_time_has_at_most_two_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1500, "1.5 s"),
            (9960, "10 s"),
            (12_000, "12 s"),
            (59_900, "1 min"),
            (90_000, "1 min 30 s"),
            (7_500_000, "2 h 5 min"),
            (273_600_000, "3 d 4 h"),
        ] {
            assert_eq!(duration(ms), expected, "{ms}");
        }
        assert_eq!(offset(12_000), "+12 s");
        assert_eq!(offset(-60_000), "−1 min");
        assert_eq!(offset(0), "0 s");
    }

    #[test]
    fn a_probability_never_reads_as_zero() {
        for (p, expected) in [
            (None, "–"),
            (Some(0.0), "< 0.0001"),
            (Some(0.000_34), "0.0003"),
            (Some(0.0049), "0.005"),
            (Some(1.0), "1.00"),
        ] {
            assert_eq!(probability(p), expected);
        }
    }

    #[test]
    fn a_change_is_a_factor_or_a_share_and_silent_where_neither_says_anything() {
        for (before, during, expected) in [
            (Some(0.012), Some(0.48), Some("×40")),
            (Some(10.0), Some(12.3), Some("+23 %")),
            (Some(10.0), Some(6.0), Some("−40 %")),
            (Some(10.0), Some(2.0), Some("÷5")),
            (Some(0.0), Some(2.0), None),
            (Some(-1.0), Some(2.0), None),
            (None, Some(2.0), None),
        ] {
            assert_eq!(change(before, during).as_deref(), expected, "{before:?} {during:?}");
        }
    }
}
