//! Seeded systems for tests: services with levels, rates, latencies, counters and rare events, whose samples depend on
//! their past, on each other, and on a shared load. Every shape that a false alarm can come from, and nothing that
//! is always in the same place.

// Each test file uses its own part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;

use aftermath_detect::{Scorer, Scores};
use aftermath_model::{Block, Series, SeriesKey, SeriesKind, Timeline, Timestamp, Window};

/// `SplitMix64` (Steele et al. 2014): small, seeded, good enough for samples.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// Uniform between 0 and 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Standard normal (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A Poisson count: products of uniforms for small means, rounded normal for large ones.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.uniform(), 0.0);
        while product > limit {
            product *= self.uniform();
            count += 1.0;
        }
        count
    }
}

/// What kind of system, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) services: usize,
    pub(crate) series: usize,
    pub(crate) baseline: usize,
    pub(crate) fault: usize,
    pub(crate) recovery: usize,
    /// The share of gauges that wander like a random walk.
    pub(crate) drifting: f64,
    /// By how much the shared load changes when the fault begins.
    pub(crate) load_step: f64,
    /// The service that is hit, the share of its series, and by how many standard deviations.
    pub(crate) hit: Option<(usize, f64, f64)>,
    /// How long the hit lasts beyond the fault, in samples.
    pub(crate) lingers: usize,
}

pub(crate) const STEP_MS: i64 = 15_000;
const START_MS: i64 = 1_700_000_000_000;

/// The time of that sample in milliseconds since the epoch.
fn at_ms(sample: usize) -> i64 {
    START_MS + i64::try_from(sample).expect("few samples") * STEP_MS
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            services: 10,
            series: 16,
            baseline: 120,
            fault: 20,
            recovery: 0,
            drifting: 0.05,
            load_step: 0.0,
            hit: None,
            lingers: 0,
        }
    }
}

impl Recipe {
    fn samples(&self) -> usize {
        self.baseline + self.fault + self.recovery
    }

    pub(crate) fn timeline(&self) -> Timeline {
        let window = |from: usize, to: usize| {
            let at = |sample: usize| Timestamp::from_ms(at_ms(sample)).expect("inside the calendar");
            Window::new(at(from), at(to)).expect("not empty")
        };
        let (fault, end) = (self.baseline, self.baseline + self.fault);
        let recovery = (self.recovery > 0).then(|| window(end, self.samples()));
        Timeline::new(window(0, fault), window(fault, end), recovery, Vec::new(), STEP_MS)
            .expect("the windows follow each other")
    }

    /// The series of the system that this seed gives.
    pub(crate) fn system(&self, seed: u64) -> Vec<Series> {
        let mut random = Random::seeded(seed);
        let load = self.load(&mut random);
        (0..self.services)
            .flat_map(|service| {
                let shared = autoregressive(&mut random, 0.9, self.samples());
                (0..self.series)
                    .map(|index| self.one(service, index, &load, &shared, &mut random))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    pub(crate) fn scores(&self, seed: u64) -> Scores {
        Scorer::new(&self.timeline()).score(&Block { series: self.system(seed) })
    }

    /// The logarithm of the shared load: slow, with a step if asked for.
    fn load(&self, random: &mut Random) -> Vec<f64> {
        let slow = autoregressive(random, 0.98, self.samples());
        let step = |sample: usize| if sample >= self.baseline { self.load_step.ln_1p() } else { 0.0 };
        slow.iter().enumerate().map(|(sample, value)| 0.03 * value + step(sample)).collect()
    }

    fn one(&self, service: usize, index: usize, load: &[f64], shared: &[f64], random: &mut Random) -> Series {
        let phi = if random.uniform() < 0.35 { 0.0 } else { random.between(0.0, 0.97) };
        let of_service = if random.uniform() < 0.4 { random.between(0.0, 0.7) } else { 0.0 };
        let own = autoregressive(random, phi, self.samples());
        let noise: Vec<f64> = own
            .iter()
            .zip(shared)
            .map(|(own, shared)| (1.0 - of_service * of_service).sqrt() * own + of_service * shared)
            .collect();
        let shift = self.shift(service, random);
        let (metric, kind, values) = self.shape(index, load, &noise, &shift, random);
        let key = SeriesKey { metric, service: format!("service-{service:02}"), labels: BTreeMap::new() };
        let times = (0..self.samples()).map(at_ms);
        Series::from_raw(key, kind, times.zip(values).collect()).0
    }

    /// By how many standard deviations the hit moves each sample of a series.
    fn shift(&self, service: usize, random: &mut Random) -> Vec<f64> {
        let (chosen, direction) = (random.uniform(), if random.uniform() < 0.3 { -1.0 } else { 1.0 });
        let size = random.between(0.7, 1.5) * direction;
        let until = self.baseline + self.fault + self.lingers;
        let hit = self.hit.filter(|&(target, share, _)| target == service && chosen < share);
        (0..self.samples())
            .map(|sample| {
                hit.filter(|_| (self.baseline..until).contains(&sample)).map_or(0.0, |(_, _, sd)| sd * size)
            })
            .collect()
    }

    fn shape(
        &self,
        index: usize,
        load: &[f64],
        noise: &[f64],
        shift: &[f64],
        random: &mut Random,
    ) -> (String, SeriesKind, Vec<f64>) {
        let level = 10_f64.powf(random.between(-1.0, 6.0));
        let wobble = 10_f64.powf(random.between(-1.3, -0.5));
        let elasticity = if random.uniform() < 0.5 { 0.0 } else { random.between(0.2, 1.3) };
        let moved = |sample: usize| noise[sample] + shift[sample];
        let samples = 0..self.samples();
        match index % 8 {
            0..=2 if random.uniform() < self.drifting => {
                let mut at = level;
                let walk = samples.map(|sample| {
                    at += 0.003 * level * random.normal();
                    at + 0.03 * level * shift[sample]
                });
                (format!("drifting_{index}"), SeriesKind::Gauge, walk.collect())
            }
            0..=3 => {
                let gauge = samples
                    .map(|sample| level * (elasticity * load[sample]).exp() * (1.0 + wobble * moved(sample)));
                (format!("usage_{index}"), SeriesKind::Gauge, gauge.collect())
            }
            4 => {
                let latency = samples
                    .map(|sample| 0.05 * (elasticity * load[sample] + 2.0 * wobble * moved(sample)).exp());
                ("request_duration_seconds".to_owned(), SeriesKind::Gauge, latency.collect())
            }
            5 | 6 => {
                let rate = 10_f64.powf(random.between(0.5, 4.0));
                let mut total = 0.0;
                let counter = samples.map(|sample| {
                    total += random.poisson(rate * (load[sample] + 0.1 * moved(sample)).exp());
                    total
                });
                (format!("requests_{index}_total"), SeriesKind::Counter, counter.collect())
            }
            _ => {
                let rate = 10_f64.powf(random.between(-2.0, -0.5));
                let mut total = 0.0;
                let counter = samples.map(|sample| {
                    total += random.poisson(rate * (1.0 + shift[sample].abs()));
                    total
                });
                (format!("errors_{index}_total"), SeriesKind::Counter, counter.collect())
            }
        }
    }
}

/// An AR(1) process of unit variance, from its stationary distribution.
fn autoregressive(random: &mut Random, phi: f64, samples: usize) -> Vec<f64> {
    let mut at = random.normal();
    (0..samples)
        .map(|_| {
            at = phi * at + (1.0 - phi * phi).sqrt() * random.normal();
            at
        })
        .collect()
}

/// The windows of `shape` cut out of a long run, beginning at that sample, scored.
pub(crate) fn cut_out(run: &[Series], first: usize, shape: &Recipe) -> (Scores, Timeline) {
    let offset = at_ms(first) - START_MS;
    let (from, to) = (at_ms(first), at_ms(first + shape.samples()));
    let series = run
        .iter()
        .map(|series| {
            let moved = series.between(from, to).map(|(ms, value)| (ms - offset, value)).collect();
            Series::from_raw(series.key.clone(), series.kind, moved).0
        })
        .collect();
    let timeline = shape.timeline();
    (Scorer::new(&timeline).score(&Block { series }), timeline)
}

/// The same series with the levels of one service multiplied by `1 + by` from that sample on.
pub(crate) fn lift(run: &[Series], service: &str, first: usize, by: f64) -> Vec<Series> {
    let from = at_ms(first);
    run.iter()
        .map(|series| {
            let lifted = series.key.service == service && series.kind == SeriesKind::Gauge;
            let factor = |ms: i64| if lifted && ms >= from { 1.0 + by } else { 1.0 };
            let samples = series.timestamps_ms().iter().zip(series.values());
            let samples = samples.map(|(&ms, &value)| (ms, value * factor(ms))).collect();
            Series::from_raw(series.key.clone(), series.kind, samples).0
        })
        .collect()
}
