//! Both judges on the same numbers: series that only remember their past, and a metric that is 100 times too high for a
//! part of the window.

use std::collections::BTreeMap;

use aftermath_detect::{Scorer, judge};
use aftermath_generator::Random;
use aftermath_model::{
    Block, Expectations, Outcome, Series, SeriesKey, SeriesKind, Timeline, Timestamp, Window,
};

use crate::options::Options;
use crate::{kayenta, percent};

/// Equal windows, as a canary and its control have.
const STEPS: usize = 60;
const STEP_MS: i64 = 30_000;
const SERVICES: usize = 10;
const METRICS: [&str; 10] = [
    "queue_depth",
    "cache_entries",
    "open_connections",
    "heap_objects",
    "worker_threads",
    "pool_in_use",
    "index_shards",
    "session_tokens",
    "batch_lag",
    "disk_pages",
];

/// How many samples of the window one metric is too high for.
const HIGH: [usize; 6] = [3, 6, 12, 18, 30, 60];

/// One table: false alarms, and what is found of a metric 100 times too high for a part of the window.
pub(crate) fn report(options: &Options) {
    let series = options.systems * SERVICES * METRICS.len();
    println!(
        "\n### Beside Kayenta's rule: {STEPS} against {STEPS} samples, {} systems and {series} series a row; found of one metric 100 \
         times too high: Kayenta / Aftermath\n",
        options.systems
    );
    let lengths: Vec<String> = HIGH.iter().map(|high| format!("high for {high}")).collect();
    println!(
        "| memory φ | Kayenta: false High or Low | Aftermath: false findings | Aftermath: false fail | {} |",
        lengths.join(" | ")
    );
    println!("|---|---|---|---|{}", "---|".repeat(HIGH.len()));
    for phi in [0.0, 0.3, 0.5, 0.9, 0.97] {
        let (mut theirs, mut ours, mut fails) = (0, 0, 0);
        for seed in options.seeds() {
            let system = remembering(phi, seed);
            theirs += system.iter().filter(|series| kayenta_flags(series)).count();
            let (found, failed) = found(&system);
            ours += found.len();
            fails += usize::from(failed);
        }
        println!(
            "| {phi} | {} | {} | {} | {} |",
            percent(theirs, series),
            percent(ours, series),
            percent(fails, options.systems),
            HIGH.map(|high| power(options, phi, high)).join(" | ")
        );
    }
}

/// How often each finds a metric that is too high for so many samples.
fn power(options: &Options, phi: f64, high: usize) -> String {
    let (mut theirs, mut ours) = (0, 0);
    for seed in options.seeds() {
        let mut system = remembering(phi, seed);
        system[0].values[STEPS..STEPS + high].iter_mut().for_each(|value| *value *= 100.0);
        theirs += usize::from(kayenta_flags(&system[0]));
        ours += usize::from(found(&system).0.contains(&key(0)));
    }
    let share = |hits: usize| 100.0 * hits as f64 / options.systems.max(1) as f64;
    format!("{:.0} % / {:.0} %", share(theirs), share(ours))
}

struct Metric {
    values: Vec<f64>,
}

/// A hundred gauges at 1 with a noise of 1 %.
fn remembering(phi: f64, seed: u64) -> Vec<Metric> {
    let mut random = Random::new(seed);
    (0..SERVICES * METRICS.len())
        .map(|_| {
            let mut value = random.normal();
            let values = (0..2 * STEPS).map(|_| {
                value = phi * value + (1.0 - phi * phi).sqrt() * random.normal();
                1.0 + 0.01 * value
            });
            Metric { values: values.collect() }
        })
        .collect()
}

fn kayenta_flags(metric: &Metric) -> bool {
    kayenta::flags(&metric.values[..STEPS], &metric.values[STEPS..])
}

fn key(index: usize) -> SeriesKey {
    SeriesKey {
        metric: METRICS[index % METRICS.len()].to_owned(),
        service: format!(
            "service-{}",
            char::from(b'a' + u8::try_from(index / METRICS.len()).expect("ten services"))
        ),
        labels: BTreeMap::new(),
    }
}

/// The series that Aftermath reports, and whether it says fail.
fn found(system: &[Metric]) -> (Vec<SeriesKey>, bool) {
    let first_ms = 1_772_000_000_000;
    let at = |step: usize| first_ms + i64::try_from(step).expect("few steps") * STEP_MS;
    let series = system.iter().enumerate().map(|(index, metric)| {
        let samples = metric.values.iter().enumerate().map(|(step, &value)| (at(step), value)).collect();
        Series::from_raw(key(index), SeriesKind::Gauge, samples).0
    });
    let block = Block { series: series.collect() };
    let moment = |step: usize| Timestamp::from_ms(at(step)).expect("in 2026");
    let window = |from, to| Window::new(moment(from), moment(to)).expect("not empty");
    let timeline = Timeline::new(window(0, STEPS), window(STEPS, 2 * STEPS), None, Vec::new(), STEP_MS)
        .expect("windows that follow each other fit");
    let scores = Scorer::new(&timeline).score(&block);
    let verdict = judge(&scores, &timeline, &Expectations::default(), None, false);
    (verdict.findings.into_iter().map(|finding| finding.key).collect(), verdict.outcome == Outcome::Fail)
}
