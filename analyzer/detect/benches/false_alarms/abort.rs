//! The live abort: how often it stops a quiet run of 240 looks, and how soon it stops a harmful one.

use aftermath_detect::{AbortDecision, AbortTest, Harm};
use aftermath_generator::Random;

use crate::options::Options;
use crate::{median, percent};

const LOOKS: usize = 240;
const LATE: usize = 60;
const ALPHA: f64 = 0.01;

/// One table over memory, tails and the length of the baseline.
pub(crate) fn report(options: &Options) {
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
                let quiet = runs(options, phi, heavy, baseline, 0.0, 0);
                let stopped = quiet.iter().filter(|delay| delay.is_finite()).count();
                let harmed = |shift, onset| said(runs(options, phi, heavy, baseline, shift, onset));
                println!(
                    "| {baseline} | {phi} | {} | {} | {} | {} | {} | {} |",
                    if heavy { "t4" } else { "normal" },
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

fn said(delays: Vec<f64>) -> String {
    let stopped = delays.iter().filter(|delay| delay.is_finite()).count();
    let share = 100.0 * stopped as f64 / delays.len().max(1) as f64;
    format!("{share:.0} %, {:.0}", median(delays))
}

/// The delay of each run in samples; infinite where it was not stopped.
fn runs(options: &Options, phi: f64, heavy: bool, baseline: usize, shift: f64, onset: usize) -> Vec<f64> {
    options.seeds().map(|seed| run(seed, phi, heavy, baseline, shift, onset)).collect()
}

fn run(seed: u64, phi: f64, heavy: bool, baseline: usize, shift: f64, onset: usize) -> f64 {
    let mut random = Random::new(seed);
    let mut value = 0.0;
    let mut next = || {
        let shock = if heavy { random.heavy() } else { random.normal() };
        value = phi * value + (1.0 - phi * phi).sqrt() * shock;
        value
    };
    for _ in 0..300 {
        next();
    }
    let known: Vec<Option<f64>> = (0..baseline).map(|_| Some(next())).collect();
    let mut test = AbortTest::new(&known, Harm::Up, ALPHA).expect("the baseline is long enough");
    let stop = (0..LOOKS).find(|&look| {
        let sample = if look < onset { next() } else { next() + shift };
        test.look(Some(sample)) != AbortDecision::Continue
    });
    stop.map_or(f64::INFINITY, |look| (look + 1) as f64 - onset as f64)
}
