//! Systems to which nothing was done: every alarm is false.

use aftermath_generator::{Scenario, System};
use aftermath_model::Outcome;

use crate::options::Options;
use crate::{percent, verdict};

/// One table: what the judge says of quiet systems, each rate with the upper end of its exact 95 % interval.
pub(crate) fn report(scenarios: &[Scenario], options: &Options) {
    let first = &scenarios[0];
    println!("\n### Quiet systems: {} services × {} series\n", first.services, first.series_per_service);
    println!(
        "| scenario | systems | false fail | false warn | inconclusive | false findings a system | seeds that failed |"
    );
    println!("|---|---|---|---|---|---|---|");
    for scenario in scenarios {
        let mut outcomes = [0_usize; 3];
        let mut findings = 0;
        let mut failed: Vec<String> = Vec::new();
        for seed in options.seeds() {
            let verdict = verdict(&System::generate(scenario, seed));
            findings += verdict.findings.len();
            match verdict.outcome {
                Outcome::Fail => {
                    outcomes[0] += 1;
                    failed.push(seed.to_string());
                }
                Outcome::Warn => outcomes[1] += 1,
                Outcome::Inconclusive => outcomes[2] += 1,
                Outcome::Pass => {}
            }
        }
        let [fail, warn, inconclusive] = outcomes.map(|count| percent(count, options.systems));
        let each = f64::from(u32::try_from(findings).unwrap_or(u32::MAX)) / options.systems.max(1) as f64;
        println!(
            "| {} | {} | {fail} | {warn} | {inconclusive} | {each:.2} | {} |",
            scenario.name,
            options.systems,
            // A few are enough to look into.
            failed[..failed.len().min(5)].join(" ")
        );
    }
}
