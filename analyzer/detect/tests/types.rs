//! Each type of series gets its own treatment.

use std::collections::BTreeMap;

use aftermath_detect::prepare::{Nature, measures};
use aftermath_detect::{Scorer, judge};
use aftermath_model::{
    Block, Channel, Direction, Expectations, Finding, GapCause, Series, SeriesKey, SeriesKind, Timeline,
    Timestamp, Window,
};

const STEP_MS: i64 = 10_000;
const START_MS: i64 = 1_700_000_000_000;
const BASELINE: usize = 240;
const FAULT: usize = 10;

fn timeline() -> Timeline {
    let at = |step: usize| Timestamp::from_ms(at_ms(step)).expect("inside the calendar");
    let window = |from, to| Window::new(at(from), at(to)).expect("not empty");
    let windows = (window(0, BASELINE), window(BASELINE, BASELINE + FAULT));
    Timeline::new(windows.0, windows.1, None, Vec::new(), STEP_MS).expect("the windows follow each other")
}

fn at_ms(step: usize) -> i64 {
    START_MS + i64::try_from(step).expect("few steps") * STEP_MS
}

fn at_s(step: usize) -> f64 {
    at_ms(step) as f64 / 1000.0
}

/// A series with a value for each step that it has.
fn series(
    metric: &str,
    label: &[(&str, &str)],
    kind: SeriesKind,
    value: impl Fn(usize) -> Option<f64>,
) -> Series {
    let labels: BTreeMap<String, String> =
        label.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let key = SeriesKey { metric: metric.to_owned(), service: "cart".to_owned(), labels };
    let samples = (0..BASELINE + FAULT).filter_map(|step| Some((at_ms(step), value(step)?)));
    Series::from_raw(key, kind, samples.collect()).0
}

/// Uneven without being random.
fn wave(step: usize) -> f64 {
    f64::from(u32::try_from(step * 7 % 13).expect("small"))
}

fn number(step: usize) -> f64 {
    f64::from(u32::try_from(step).expect("small"))
}

/// What a case is called, its series, what is measured of them, and why nothing else is.
type Case = (&'static str, Vec<Series>, Vec<(&'static str, &'static str, Nature)>, Vec<GapCause>);

#[test]
fn each_type_of_series_is_measured_in_its_own_way() {
    for (name, series, expected, gaps) in numbers().into_iter().chain(families()).chain(others()) {
        let prepared = measures(&Block { series }, &timeline());
        let found: Vec<(&str, &str, Nature)> =
            prepared.measures.iter().map(|one| (one.key.metric.as_str(), one.name, one.nature)).collect();
        assert_eq!(found, expected, "{name}");
        let causes: Vec<GapCause> = prepared.gaps.iter().map(|gap| gap.cause).collect();
        assert_eq!(causes, gaps, "{name}");
        let finite = prepared.measures.iter().flat_map(|one| &one.values).all(|value| value.is_finite());
        assert!(finite, "{name}");
        let rates =
            prepared.measures.iter().filter(|one| one.name == "per second").flat_map(|one| &one.values);
        assert!(rates.into_iter().all(|rate| *rate >= 0.0), "{name}: a reset is no negative rate");
    }
}

fn numbers() -> Vec<Case> {
    let since_reset = |step: usize| if step < 30 { step } else { step - 30 };
    vec![
        (
            "a counter with a reset",
            vec![series("hits_total", &[], SeriesKind::Counter, |step| {
                Some(5.0 * number(since_reset(step)))
            })],
            vec![("hits_total", "per second", Nature::EventRate)],
            vec![],
        ),
        (
            "a counter of seconds",
            vec![series("cpu_seconds_total", &[], SeriesKind::Counter, |step| Some(0.25 * number(step)))],
            vec![("cpu_seconds_total", "per second", Nature::Rate)],
            vec![],
        ),
        (
            "rare events",
            vec![series("errors_total", &[], SeriesKind::Counter, |step| Some((number(step) / 9.0).floor()))],
            vec![("errors_total", "per second", Nature::EventRate)],
            vec![],
        ),
        (
            "a gauge, a share, a duration and a constant",
            vec![
                series("a_queue", &[], SeriesKind::Gauge, |step| Some(wave(step))),
                series("b_hit_ratio", &[], SeriesKind::Gauge, |step| Some(0.99 + wave(step) / 2000.0)),
                series("c_delay_seconds", &[], SeriesKind::Gauge, |step| Some(0.01 * (1.0 + wave(step)))),
                series("d_replicas", &[], SeriesKind::Gauge, |_| Some(3.0)),
            ],
            ["a_queue", "b_hit_ratio", "c_delay_seconds", "d_replicas"]
                .map(|metric| (metric, "value", Nature::Level))
                .to_vec(),
            vec![],
        ),
    ]
}

fn families() -> Vec<Case> {
    let bucket = |bound: &str, share: f64| {
        let kind = SeriesKind::HistogramBucket;
        series("wait_seconds_bucket", &[("le", bound)], kind, move |step| Some(share * 40.0 * number(step)))
    };
    vec![
        (
            "a classic histogram",
            vec![
                bucket("0.1", 0.5),
                bucket("1", 0.75),
                bucket("+Inf", 1.0),
                series("wait_seconds_sum", &[], SeriesKind::HistogramSum, |step| Some(8.0 * number(step))),
                series("wait_seconds_count", &[], SeriesKind::HistogramCount, |step| {
                    Some(40.0 * number(step))
                }),
            ],
            [("mean", Nature::Level), ("p50", Nature::Level), ("p90", Nature::Level), ("p99", Nature::Level)]
                .into_iter()
                .chain([("per second", Nature::EventRate), ("shape", Nature::Shape)])
                .map(|(name, nature)| ("wait_seconds", name, nature))
                .collect(),
            vec![],
        ),
        (
            "a summary",
            vec![
                series("rpc_seconds", &[("quantile", "0.99")], SeriesKind::Gauge, |step| Some(wave(step))),
                series("rpc_seconds_sum", &[], SeriesKind::HistogramSum, |step| Some(number(step))),
                series("rpc_seconds_count", &[], SeriesKind::HistogramCount, |step| Some(9.0 * number(step))),
            ],
            vec![
                ("rpc_seconds", "mean", Nature::Level),
                ("rpc_seconds", "per second", Nature::EventRate),
                ("rpc_seconds", "value", Nature::Level),
            ],
            vec![],
        ),
        (
            "a sum that nobody counts",
            vec![series("wait_seconds_sum", &[], SeriesKind::HistogramSum, |step| Some(number(step)))],
            vec![],
            vec![GapCause::IncompleteHistogram],
        ),
    ]
}

fn others() -> Vec<Case> {
    let pod = |name: &str, from: usize, to: usize| {
        let within = move |step: usize| (from..to).contains(&step).then(|| wave(step));
        series("heap_bytes", &[("pod", name)], SeriesKind::Gauge, within)
    };
    vec![
        (
            "labels on a constant",
            vec![series("build_info", &[("version", "1")], SeriesKind::Info, |_| Some(1.0))],
            vec![],
            vec![GapCause::Info],
        ),
        (
            "a start time and a heartbeat",
            vec![
                series("a_start_time_seconds", &[], SeriesKind::Gauge, |_| Some(at_s(0) - 900.0)),
                series("b_last_seen_timestamp_seconds", &[], SeriesKind::Gauge, |step| {
                    Some(at_s(step) - 1.0)
                }),
            ],
            vec![
                ("a_start_time_seconds", "value", Nature::Epoch),
                ("b_last_seen_timestamp_seconds", "age in seconds", Nature::Level),
            ],
            vec![],
        ),
        (
            "a pod that is replaced by another",
            vec![
                pod("web-5f55b6cf68-77cfw", 0, BASELINE + 2),
                pod("web-5f55b6cf68-9xk2p", BASELINE + 1, BASELINE + FAULT),
            ],
            vec![("heap_bytes", "value", Nature::Level)],
            vec![],
        ),
        (
            "two pods that stay",
            vec![
                pod("web-5f55b6cf68-77cfw", 0, BASELINE + FAULT),
                pod("web-5f55b6cf68-9xk2p", 0, BASELINE + FAULT),
            ],
            vec![("heap_bytes", "value", Nature::Level); 2],
            vec![],
        ),
    ]
}

fn findings(series: Vec<Series>) -> Vec<Finding> {
    let timeline = timeline();
    let scores = Scorer::new(&timeline).score(&Block { series });
    judge(&scores, &timeline, &Expectations::default(), None, false).findings
}

/// Enough calm series of other services to know what is usual; most of them never move.
fn calm() -> Vec<Series> {
    let one = |index: usize| {
        let moves = index.is_multiple_of(4);
        let mut one = series("load", &[], SeriesKind::Gauge, move |step| {
            Some(if moves { 9.0 + wave(step + index) } else { 9.0 })
        });
        one.key.service = format!("calm-{index:03}");
        one
    };
    (0..400).map(one).collect()
}

#[test]
fn restarts_are_said_with_their_number_and_the_last_of_them() {
    let start_time = |starts: fn(usize) -> usize| {
        series("process_start_time_seconds", &[], SeriesKind::Gauge, move |step| {
            Some(at_s(starts(step)) - 0.5)
        })
    };
    let never: fn(usize) -> usize = |_| 0;
    let once: fn(usize) -> usize = |step| if step < BASELINE + 5 { 0 } else { BASELINE + 5 };
    let thrice: fn(usize) -> usize = |step| match step.saturating_sub(BASELINE) {
        ..2 => 0,
        2..4 => BASELINE + 2,
        4..7 => BASELINE + 4,
        _ => BASELINE + 7,
    };
    for (starts, expected, last) in [(never, 0, 0), (once, 1, BASELINE + 5), (thrice, 3, BASELINE + 7)] {
        let found = findings(calm().into_iter().chain([start_time(starts)]).collect());
        let restarts: Vec<&Finding> = found.iter().filter(|one| one.channel == Channel::Restart).collect();
        assert_eq!(restarts.iter().map(|one| one.restarts).sum::<usize>(), expected, "{found:?}");
        for one in restarts {
            assert_eq!(one.fault, Some(at_s(last) - 0.5));
            assert_eq!(one.baseline, Some(at_s(0) - 0.5));
            assert_eq!((one.direction, one.key.service.as_str()), (Direction::Up, "cart"));
            assert!(one.onset.is_some());
        }
    }
}

#[test]
fn a_pod_that_is_replaced_restarts_its_workload_once() {
    let pod = |name: &str, from: usize, to: usize| {
        let within = move |step: usize| (from..to).contains(&step).then(|| at_s(from) - 0.5);
        series("process_start_time_seconds", &[("pod", name)], SeriesKind::Gauge, within)
    };
    // Both are seen for two steps.
    let pods = [
        pod("web-5f55b6cf68-77cfw", 0, BASELINE + 5),
        pod("web-5f55b6cf68-9xk2p", BASELINE + 3, BASELINE + FAULT),
    ];
    let found = findings(calm().into_iter().chain(pods).collect());
    let restarts: Vec<usize> =
        found.iter().map(|one| one.restarts).filter(|&restarts| restarts > 0).collect();
    assert_eq!(restarts, [1], "{found:?}");
}

#[test]
fn each_type_of_change_is_found_as_what_it_is() {
    let moved = |step: usize, before: f64, during: f64| if step < BASELINE { before } else { during };
    let cases: Vec<(&str, Series, Channel, Direction)> = vec![
        (
            "rare events that become frequent",
            series("errors_total", &[], SeriesKind::Counter, |step| {
                let rare = (number(step.min(BASELINE)) / 20.0).floor();
                Some(rare + 2.0 * number(step.saturating_sub(BASELINE)))
            }),
            Channel::Level,
            Direction::Up,
        ),
        (
            "a share near one",
            series("hit_ratio", &[], SeriesKind::Gauge, |step| {
                Some(moved(step, 0.995, 0.90) - wave(step) / 10_000.0)
            }),
            Channel::Level,
            Direction::Down,
        ),
        (
            "a duration",
            series("delay_seconds", &[], SeriesKind::Gauge, |step| {
                Some(moved(step, 0.01, 0.05) * (1.0 + wave(step) / 50.0))
            }),
            Channel::Level,
            Direction::Up,
        ),
        (
            "a constant that moves",
            series("replicas", &[], SeriesKind::Gauge, |step| Some(moved(step, 3.0, 2.0))),
            Channel::Level,
            Direction::Down,
        ),
        (
            "a series that vanishes",
            series("queue", &[], SeriesKind::Gauge, |step| (step < BASELINE).then(|| wave(step))),
            Channel::Presence,
            Direction::Vanished,
        ),
        (
            "a series that appears",
            series("fallback", &[], SeriesKind::Gauge, |step| (step >= BASELINE).then(|| wave(step))),
            Channel::Presence,
            Direction::Appeared,
        ),
    ];
    for (name, changed, channel, direction) in cases {
        let metric = changed.key.metric.clone();
        let found = findings(calm().into_iter().chain([changed]).collect());
        let kinds: Vec<(&str, Channel, Direction)> =
            found.iter().map(|one| (one.key.metric.as_str(), one.channel, one.direction)).collect();
        assert_eq!(kinds, [(metric.as_str(), channel, direction)], "{name}");
    }
}
