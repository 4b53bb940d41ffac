//! The same series through our scorer and through scipy's Mann-Whitney test, metric by metric, in one run.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use aftermath_detect::{Scorer, Scores, judge};
use aftermath_generator::Random;
use aftermath_model::{Block, Expectations, Series};

use crate::{FAULT_STEPS, RECOVERY_STEPS, SERIES_IN_A_BLOCK, block, timeline};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/throughput/mann_whitney.py");

/// The fastest of so many rounds counts, here and in the script: what else the machine does only ever adds time.
const ROUNDS: usize = 3;

/// One line, or why there is none.
pub(crate) fn report(series: usize, steps: usize) {
    let mut random = Random::new(7);
    let blocks: Vec<Block> =
        (0..series).step_by(SERIES_IN_A_BLOCK).map(|first| block(first, steps, &mut random)).collect();
    let count: usize = blocks.iter().map(|block| block.series.len()).sum();
    println!(
        "\n### Against scipy's Mann-Whitney test, metric by metric: {count} series of {steps} samples\n"
    );
    let ours = (0..ROUNDS).map(|_| ours(&blocks, steps)).fold(f64::INFINITY, f64::min);
    match theirs(&blocks, steps) {
        Ok(theirs) => println!(
            "Aftermath {:.2} µs a series with its verdict, scipy {:.1} µs for a p-value: {:.0} times as fast",
            1e6 * ours / count as f64,
            1e6 * theirs / count as f64,
            theirs / ours
        ),
        Err(reason) => println!("skipped: {reason}"),
    }
}

/// The seconds from blocks to a verdict: all placebo windows, the calibration and every service included.
fn ours(blocks: &[Block], steps: usize) -> f64 {
    let timeline = timeline(steps);
    let scorer = Scorer::new(&timeline);
    let start = Instant::now();
    let mut kept = Scores::default();
    for block in blocks {
        kept.merge(scorer.score(block));
    }
    let verdict = judge(&kept, &timeline, &Expectations::default(), None, false);
    let seconds = start.elapsed().as_secs_f64();
    assert!(verdict.coverage.judged > 0, "the series are judged");
    seconds
}

/// The seconds that the script says its fastest loop took.
fn theirs(blocks: &[Block], steps: usize) -> Result<f64, String> {
    let bytes: Vec<u8> = blocks
        .iter()
        .flat_map(|block| &block.series)
        .flat_map(Series::values)
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let file = std::env::temp_dir().join(format!("aftermath-mann-whitney-{}.f64", std::process::id()));
    std::fs::write(&file, bytes).map_err(|cause| format!("{} cannot be written: {cause}", file.display()))?;
    let said = run_script(&file, steps);
    // The figure is not worth less if the file stays.
    let _ = std::fs::remove_file(&file);
    said
}

fn run_script(file: &Path, steps: usize) -> Result<f64, String> {
    let fault_from = steps - FAULT_STEPS - RECOVERY_STEPS;
    let output = Command::new("python3")
        .arg(SCRIPT)
        .arg(file)
        .args([steps, fault_from, fault_from + FAULT_STEPS, ROUNDS].map(|number| number.to_string()))
        .output()
        .map_err(|cause| format!("python3 cannot be started: {cause}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("python3 with scipy is needed: {}", said.lines().last().unwrap_or_default()));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    said.trim().parse().map_err(|_| format!("the script said `{}` instead of seconds", said.trim()))
}
