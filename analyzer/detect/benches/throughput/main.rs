//! How fast is the scorer, does its time grow in step with the number of series, and what does a series weigh afterwards?
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p aftermath-detect --bench throughput -- --most-series 1000000`
//!
//! `--most-series` (default 10000), `--steps` (samples a series, default 240). Series are AR(1) gauges, made block by block
//! and dropped when scored, as in a run.
//!
//! `--against-mann-whitney 2000` also runs scipy's Mann-Whitney test, metric by metric, over as many of the same series where
//! Python with scipy is installed.
#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a bench reads its arguments and the clock, and prints

mod mann_whitney;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aftermath_detect::{Scorer, Scores, judge};
use aftermath_generator::Random;
use aftermath_model::{Block, Expectations, Series, SeriesKey, SeriesKind, Timeline, Timestamp, Window};

const STEP_MS: i64 = 30_000;
const FIRST_MS: i64 = 1_772_000_000_000;
const SERIES_IN_A_BLOCK: usize = 1_000;
const FAULT_STEPS: usize = 20;
const RECOVERY_STEPS: usize = 40;

/// What one size took.
struct Taken {
    series: usize,
    scoring: Duration,
    judging: Duration,
    bytes: Option<u64>,
}

fn main() {
    let flag = |name: &str, default: usize| {
        let arguments: Vec<String> = std::env::args().collect();
        let value =
            arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
        value.map_or(default, |value| value.parse().unwrap_or(default))
    };
    let (most, steps) =
        (flag("--most-series", 10_000), flag("--steps", 240).max(2 * (FAULT_STEPS + RECOVERY_STEPS)));
    let against = flag("--against-mann-whitney", 0);
    let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| "all".to_owned());
    println!("\n### Scorer: {steps} samples a series, {threads} threads\n");
    println!(
        "| series | million samples/s | time per series against the smallest | judge, µs a series | resident bytes a series |"
    );
    println!("|---|---|---|---|---|");
    let sizes = std::iter::successors(Some(1_000), |size| Some(size * 10)).take_while(|&size| size <= most);
    let mut smallest = None;
    for size in sizes {
        let taken = measure(size, steps);
        let each = taken.scoring.as_secs_f64() / taken.series as f64;
        let first = *smallest.get_or_insert(each);
        let weight = taken.bytes.map_or_else(|| "–".to_owned(), |bytes| (bytes / size as u64).to_string());
        println!(
            "| {size} | {:.1} | {:.2} | {:.1} | {weight} |",
            steps as f64 / each / 1e6,
            each / first,
            1e6 * taken.judging.as_secs_f64() / size as f64
        );
    }
    if against > 0 {
        mann_whitney::report(against, steps);
    }
}

fn measure(size: usize, steps: usize) -> Taken {
    let timeline = timeline(steps);
    let scorer = Scorer::new(&timeline);
    let mut random = Random::new(size as u64);
    // What the first block leaves behind in caches and in the allocator belongs to no series.
    drop(scorer.score(&block(0, steps, &mut random)));
    let before = resident_bytes();
    let mut kept = Scores::default();
    let mut scoring = Duration::ZERO;
    for first in (0..size).step_by(SERIES_IN_A_BLOCK) {
        let block = block(first, steps, &mut random);
        let start = Instant::now();
        let fresh = scorer.score(&block);
        scoring += start.elapsed();
        kept.merge(fresh);
    }
    let bytes = resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    let start = Instant::now();
    let verdict = judge(&kept, &timeline, &Expectations::default(), None, false);
    let judging = start.elapsed();
    assert_eq!(verdict.coverage.series, size, "every series is read");
    Taken { series: size, scoring, judging, bytes }
}

fn at(step: usize) -> i64 {
    FIRST_MS + i64::try_from(step).expect("few steps") * STEP_MS
}

fn timeline(steps: usize) -> Timeline {
    let moment = |step: usize| Timestamp::from_ms(at(step)).expect("in 2026");
    let window = |from, to| Window::new(moment(from), moment(to)).expect("not empty");
    let fault = steps - FAULT_STEPS - RECOVERY_STEPS;
    let recovery = Some(window(fault + FAULT_STEPS, steps));
    Timeline::new(window(0, fault), window(fault, fault + FAULT_STEPS), recovery, Vec::new(), STEP_MS)
        .expect("windows that follow each other fit")
}

/// Gauges of a hundred series a service with memories between 0 and 0.9.
fn block(first: usize, steps: usize, random: &mut Random) -> Block {
    let series = (first..first + SERIES_IN_A_BLOCK).map(|index| {
        let phi = random.between(0.0, 0.9);
        let mut value = random.normal();
        let samples = (0..steps)
            .map(|step| {
                value = phi * value + (1.0 - phi * phi).sqrt() * random.normal();
                (at(step), 100.0 + value)
            })
            .collect();
        let key = SeriesKey {
            metric: format!("queue_depth_{}", index % 50),
            service: format!("service-{}", index / 100),
            labels: BTreeMap::from([("pod".to_owned(), format!("pod-{}", index % 2))]),
        };
        Series::from_raw(key, SeriesKind::Gauge, samples).0
    });
    Block { series: series.collect() }
}

/// What the process holds in memory; `None` where the system does not tell.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
