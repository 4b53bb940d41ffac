//! How often does the judge cry wolf, and what does it find? Whole generated systems through the public API.
//!
//! `cargo bench -p aftermath-detect --bench false_alarms -- --systems 1000 --scenario all`
//!
//! `--scenario` is a name such as `quiet`, `load-step-up`, `step-fault`; or `all-quiet`, `all-faults`, `kayenta`, `abort`, or
//! `all`. Sizes: `--services`, `--series` (per service), `--baseline`, `--fault`, `--recovery` (in steps), `--first-seed`.
#![allow(clippy::print_stdout, clippy::disallowed_methods)] // a bench reads its arguments and prints what it measured

mod abort;
mod beside_kayenta;
mod faults;
mod kayenta;
mod options;
mod quiet;

use aftermath_detect::{Proportion, Scorer, Scores, judge, past_experiment};
use aftermath_generator::System;
use aftermath_model::{Expectations, PastExperiment, Verdict};

use options::Options;

fn main() {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            println!("{problem}");
            std::process::exit(2);
        }
    };
    let quiet = options.quiet();
    if !quiet.is_empty() {
        quiet::report(&quiet, &options);
    }
    if options.wants("step-fault") || options.wants("all-faults") {
        faults::report(&options);
    }
    if options.wants("kayenta") {
        beside_kayenta::report(&options);
    }
    if options.wants("abort") {
        abort::report(&options);
    }
}

/// The verdict on a generated system, without any history.
fn verdict(system: &System) -> Verdict {
    let kept = scores(system);
    let expectations = Expectations { topology: Some(system.topology.clone()), ..Expectations::default() };
    judge(&kept, &system.timeline, &expectations, None, false)
}

/// The place of the target in the ranking of every rule.
fn places(system: &System, with_graph: bool) -> Option<PastExperiment> {
    let topology = with_graph.then_some(&system.topology);
    past_experiment(&scores(system), &system.timeline, system.truth.target.as_ref()?, topology, None).ok()
}

fn scores(system: &System) -> Scores {
    let scorer = Scorer::new(&system.timeline);
    let mut kept = Scores::default();
    for block in &system.blocks {
        kept.merge(scorer.score(block));
    }
    kept
}

/// A rate with the upper end of its 95 % interval, in percent.
fn percent(hits: usize, trials: usize) -> String {
    let proportion = Proportion::of(hits, trials);
    proportion.rate().map_or_else(
        || "–".to_owned(),
        |rate| format!("{:.1} % (≤ {:.1})", 100.0 * rate, 100.0 * proportion.upper),
    )
}

/// The value in the middle; not a number of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
