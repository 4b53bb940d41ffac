//! Systems to which nothing was done: every alarm is false.

use aftermath_generator::{Scenario, System};
use aftermath_model::{Outcome, ReasonId, Verdict};

use crate::options::Options;
use crate::{percent, verdict};

/// One table: what the judge says of quiet systems, each rate with the upper end of its exact 95 % interval.
pub(crate) fn report(scenarios: &[Scenario], options: &Options) {
    let first = &scenarios[0];
    println!("\n### Quiet systems: {} services × {} series\n", first.services, first.series_per_service);
    println!(
        "| scenario | systems | false fail | of one metric alone | false warn | for one uncorroborated metric | inconclusive | \
         false findings a system | seeds that failed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for scenario in scenarios {
        let mut outcomes = [0_usize; 3];
        let (mut lone, mut uncorroborated) = (0, 0);
        let mut findings = 0;
        let mut failed: Vec<String> = Vec::new();
        for seed in options.seeds() {
            let verdict = verdict(&System::generate(scenario, seed));
            findings += verdict.findings.len();
            lone += usize::from(rests_on_one_metric(&verdict));
            uncorroborated += usize::from(warns_for_one_metric(&verdict));
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
            "| {} | {} | {fail} | {} | {warn} | {} | {inconclusive} | {each:.2} | {} |",
            scenario.name,
            options.systems,
            percent(lone, options.systems),
            percent(uncorroborated, options.systems),
            // A few are enough to look into.
            failed[..failed.len().min(5)].join(" ")
        );
    }
}

/// Whether a failure rests on services of which one metric alone speaks, one that users feel.
fn rests_on_one_metric(verdict: &Verdict) -> bool {
    let mut hit = verdict.services.iter().filter(|service| service.affected);
    verdict.outcome == Outcome::Fail && hit.all(|service| service.rests_on_one_metric)
}

/// Whether nothing but a metric that nothing speaks with made the verdict a warning.
fn warns_for_one_metric(verdict: &Verdict) -> bool {
    let only = |reason: &aftermath_model::Reason| reason.id == ReasonId::UncorroboratedChange;
    verdict.outcome == Outcome::Warn && verdict.reasons.iter().all(only)
}
