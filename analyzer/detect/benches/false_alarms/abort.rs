//! The live abort: how often it stops a quiet run of 240 looks, and how soon it stops a harmful one.

use aftermath_detect::{AbortDecision, AbortGuard, AbortTest, GuardDecision, Harm, Indicator};
use aftermath_generator::Random;
use aftermath_model::Timestamp;

use crate::options::Options;
use crate::{median, percent};

const LOOKS: usize = 240;
const LATE: usize = 60;
const ALPHA: f64 = 0.01;
const STEP_MS: i64 = 15_000;

/// Two tables: one indicator, and guards over several.
pub(crate) fn report(options: &Options) {
    one_indicator(options);
    guards(options);
}

/// Over memory, tails and the length of the baseline.
fn one_indicator(options: &Options) {
    println!(
        "\n### Live abort: {LOOKS} looks, α = 1 %; delays in samples, the run counted as endless where it is not stopped\n"
    );
    println!(
        "| baseline | memory φ | tails | runs | false aborts | +2 sd: stopped, median delay | +4 sd | +4 sd from look {LATE} on |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for baseline in [120, 40] {
        for phi in [0.0, 0.5, 0.8, 0.9, 0.95, 0.97] {
            for heavy in [false, true] {
                let run = Run { phi, heavy, baseline, ..Run::default() };
                let quiet: Vec<f64> = options.seeds().map(|seed| run.of_one(seed)).collect();
                let stopped = quiet.iter().filter(|delay| delay.is_finite()).count();
                let harmed = |shift, onset| {
                    let run = Run { shift, onset, ..run };
                    said(options.seeds().map(|seed| run.of_one(seed)).collect())
                };
                println!(
                    "| {baseline} | {phi} | {} | {} | {} | {} | {} | {} |",
                    tails(heavy),
                    quiet.len(),
                    percent(stopped, quiet.len()),
                    harmed(2.0, 0),
                    harmed(4.0, 0),
                    harmed(4.0, LATE)
                );
            }
        }
    }
}

/// Over the number of indicators, with the mean of their evidence and with α divided among them.
fn guards(options: &Options) {
    println!(
        "\n### Guards over several indicators: baseline of 120, {LOOKS} looks, α = 1 % for the whole guard, half of the noise \
         heavy-tailed; each cell: mean of the evidence / α divided\n"
    );
    println!(
        "| indicators | memory φ | shared noise | runs | false aborts | one at +4 sd: median delay | one at +4 sd from look {LATE} on | \
         all at +2 sd |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for indicators in [1, 5, 20] {
        for phi in [0.0, 0.5, 0.8, 0.9] {
            for shared in [0.0, 0.8] {
                let run = Run { phi, indicators, shared, ..Run::default() };
                let all = |run: Run| -> [Vec<f64>; 2] {
                    let delays: Vec<[f64; 2]> = options.seeds().map(|seed| run.of_a_guard(seed)).collect();
                    [0, 1].map(|rule| delays.iter().map(|of_run| of_run[rule]).collect())
                };
                let falsely = all(run).map(|delays| {
                    percent(delays.iter().filter(|delay| delay.is_finite()).count(), delays.len())
                });
                let both = |run: Run| all(run).map(median).map(|delay| format!("{delay:.0}")).join(" / ");
                println!(
                    "| {indicators} | {phi} | {shared} | {} | {} | {} | {} | {} |",
                    options.systems,
                    falsely.join(" / "),
                    both(Run { shift: 4.0, ..run }),
                    both(Run { shift: 4.0, onset: LATE, ..run }),
                    both(Run { shift: 2.0, harmed: indicators, ..run })
                );
            }
        }
    }
}

fn tails(heavy: bool) -> &'static str {
    if heavy { "t4" } else { "normal" }
}

fn said(delays: Vec<f64>) -> String {
    let stopped = delays.iter().filter(|delay| delay.is_finite()).count();
    let share = 100.0 * stopped as f64 / delays.len().max(1) as f64;
    format!("{share:.0} %, {:.0}", median(delays))
}

/// What one run is like.
#[derive(Clone, Copy)]
struct Run {
    phi: f64,
    heavy: bool,
    baseline: usize,
    indicators: usize,
    /// The correlation of each indicator with a common factor of the same memory.
    shared: f64,
    /// How many indicators are harmed, by how many standard deviations, and from which look on.
    harmed: usize,
    shift: f64,
    onset: usize,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            phi: 0.0,
            heavy: false,
            baseline: 120,
            indicators: 1,
            shared: 0.0,
            harmed: 1,
            shift: 0.0,
            onset: 0,
        }
    }
}

impl Run {
    /// A path with unit variance through the baseline and the looks.
    fn path(self, heavy: bool, random: &mut Random) -> Vec<f64> {
        let mut value = 0.0;
        let mut next = || {
            let shock = if heavy { random.heavy() } else { random.normal() };
            value = self.phi * value + (1.0 - self.phi * self.phi).sqrt() * shock;
            value
        };
        (0..300 + self.baseline + LOOKS).map(|_| next()).skip(300).collect()
    }

    fn harm(self, indicator: usize, look: usize) -> f64 {
        if indicator < self.harmed && look >= self.onset { self.shift } else { 0.0 }
    }

    /// The delay in samples; infinite where the run was not stopped.
    fn of_one(self, seed: u64) -> f64 {
        let path = self.path(self.heavy, &mut Random::new(seed));
        let (baseline, looks) = path.split_at(self.baseline);
        let mut test = test(baseline, ALPHA);
        let stop = (0..LOOKS)
            .find(|&look| test.look(Some(looks[look] + self.harm(0, look))) != AbortDecision::Continue);
        self.delay(stop)
    }

    fn delay(self, stop: Option<usize>) -> f64 {
        stop.map_or(f64::INFINITY, |look| (look + 1) as f64 - self.onset as f64)
    }

    /// The delays by the mean of the evidence and by a divided α.
    fn of_a_guard(self, seed: u64) -> [f64; 2] {
        let mut random = Random::new(seed);
        let common = self.path(false, &mut random);
        let paths: Vec<Vec<f64>> = (0..self.indicators)
            .map(|indicator| {
                let own = self.path(indicator % 2 == 1, &mut random);
                let rest = (1.0 - self.shared * self.shared).sqrt();
                own.iter().zip(&common).map(|(own, common)| rest * own + self.shared * common).collect()
            })
            .collect();
        let names: Vec<String> = (0..self.indicators).map(|indicator| format!("sli {indicator}")).collect();
        let baselines: Vec<Vec<Option<f64>>> =
            paths.iter().map(|path| path[..self.baseline].iter().copied().map(Some).collect()).collect();
        let watched: Vec<Indicator> = names
            .iter()
            .zip(&baselines)
            .map(|(name, baseline)| Indicator { name, baseline, harm: Harm::Up })
            .collect();
        let fault_from = Timestamp::from_ms(1_772_000_000_000).expect("in 2026");
        let mut guard = AbortGuard::new(fault_from, STEP_MS, ALPHA, &watched).expect("they can be watched");
        let mut divided: Vec<AbortTest> =
            paths.iter().map(|path| test(&path[..self.baseline], ALPHA / self.indicators as f64)).collect();
        let mut stops = [None; 2];
        for look in 0..LOOKS {
            let at = fault_from.plus_ms(i64::try_from(look).expect("few looks") * STEP_MS);
            for (indicator, path) in paths.iter().enumerate() {
                let sample = Some(path[self.baseline + look] + self.harm(indicator, look));
                if stops[0].is_none() {
                    let decision = guard.look(&names[indicator], at, sample).expect("in order");
                    stops[0] = (decision != GuardDecision::Continue).then_some(look);
                }
                if stops[1].is_none() {
                    stops[1] = (divided[indicator].look(sample) != AbortDecision::Continue).then_some(look);
                }
            }
            if stops.iter().all(Option::is_some) {
                break;
            }
        }
        stops.map(|stop| self.delay(stop))
    }
}

fn test(baseline: &[f64], alpha: f64) -> AbortTest {
    let known: Vec<Option<f64>> = baseline.iter().copied().map(Some).collect();
    AbortTest::new(&known, Harm::Up, alpha).expect("the baseline is long enough")
}
