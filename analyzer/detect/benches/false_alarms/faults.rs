//! Systems with a fault: what is found, how much of it is false, and how well its end is timed.

use std::collections::BTreeMap;

use aftermath_generator::{FaultKind, Scenario, Shape, System};
use aftermath_model::{OriginScorer, Outcome, RecoveryState, Verdict};

use crate::options::Options;
use crate::{median, percent, places, verdict};

#[derive(Default)]
struct Tally {
    systems: usize,
    alarmed: usize,
    hit: usize,
    hit_found: usize,
    target_found: usize,
    unhit: usize,
    unhit_found: usize,
    /// The share of false findings of each system; 0 where there are none.
    false_shares: Vec<f64>,
    /// Estimated less true steps until recovery, of services that were found and came back.
    timing: Vec<f64>,
    lasting: usize,
    lasting_seen: usize,
    origin_first: usize,
    /// The place of the target by each rule, with the call graph and without.
    places: BTreeMap<(OriginScorer, bool), Vec<usize>>,
}

/// One table for each size and shape.
pub(crate) fn report(options: &Options) {
    let fault = |name, kind| Scenario { name, fault: Some(kind), ..Scenario::quiet() };
    let shaped = |shape| FaultKind { shape: Some(shape), ..FaultKind::step(3.0) };
    let lasting = |steps, name| Scenario { fault_steps: steps, ..fault(name, FaultKind::step(3.0)) };
    let scenarios = [
        fault("step 1.5 sd", FaultKind::step(1.5)),
        Scenario { fault: Some(FaultKind::coherent(0.75)), name: "coherent .75", ..Scenario::quiet() },
        Scenario {
            fault: Some(FaultKind::coherent(0.75)),
            name: "coherent .75, coupled",
            ..Scenario::coupled()
        },
        Scenario { fault: Some(FaultKind::decoupled()), name: "decoupled", ..Scenario::coupled() },
        fault("step 3 sd", FaultKind::step(3.0)),
        Scenario { load_step: 0.2, ..fault("step 3 sd, load +20 %", FaultKind::step(3.0)) },
        lasting(4, "step 3 sd for 4 steps"),
        lasting(60, "step 3 sd for 60 steps"),
        fault("step 3 sd, target only", FaultKind { dependents: 0, ..FaultKind::step(3.0) }),
        Scenario { near_copies: 0.5, ..fault("step 3 sd, near copies", FaultKind::step(3.0)) },
        fault("ramp 3 sd", shaped(Shape::Ramp)),
        fault("burst 3 sd", shaped(Shape::Burst)),
        fault("pulse 3 sd", shaped(Shape::Pulse)),
        fault("leak 3 sd", shaped(Shape::Leak)),
        fault("spread 3 sd", shaped(Shape::Spread)),
        fault("vanish", shaped(Shape::Vanish)),
        fault("every shape 3 sd, half lasting", FaultKind::mixed(3.0)),
    ];
    println!("\n### Faults: target 60 % of its series at twice the size, 4 dependents 20 % of theirs\n");
    println!(
        "| fault | systems | found (fail or warn) | dependents found | target found | unhit services flagged | \
         false discovery proportion | origin first | recovery time: median error in steps (half of all within) | lasting: said so |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let wanted = if options.wants("all-faults") { scenarios.len() } else { 5 };
    let mut rules = Vec::new();
    for scenario in scenarios.into_iter().take(wanted) {
        let scenario = options.sized(&scenario);
        let mut tally = Tally::default();
        for seed in options.seeds() {
            let system = System::generate(&scenario, seed);
            tally.add(&system, &verdict(&system));
            tally.rank(&system);
        }
        rules.push((scenario.name, tally.rules()));
        println!("| {} | {} |", scenario.name, tally.cells());
    }
    println!(
        "\n### Origin: target first / among the first three, by rule, with and without the call graph\n"
    );
    let names = OriginScorer::ALL.map(|rule| format!("{} | without", rule.as_str())).join(" | ");
    println!("| fault | {names} |\n|---|{}", "---|".repeat(2 * OriginScorer::ALL.len()));
    for (name, cells) in rules {
        println!("| {name} | {cells} |");
    }
}

impl Tally {
    fn add(&mut self, system: &System, verdict: &Verdict) {
        self.systems += 1;
        self.alarmed += usize::from(matches!(verdict.outcome, Outcome::Fail | Outcome::Warn));
        let truth = &system.truth;
        self.origin_first +=
            usize::from(verdict.origin.first().map(|first| &first.service) == truth.target.as_ref());
        for service in &verdict.services {
            let found = usize::from(service.affected);
            let Some(hit) = truth.hit.get(&service.name) else {
                self.unhit += 1;
                self.unhit_found += found;
                continue;
            };
            if truth.target.as_ref() == Some(&service.name) {
                self.target_found += found;
            } else {
                self.hit += 1;
                self.hit_found += found;
            }
            match (service.affected, hit.back_after_ms) {
                (true, None) => {
                    self.lasting += 1;
                    self.lasting_seen += usize::from(service.state == RecoveryState::NotRecovered);
                }
                (true, Some(back_ms)) => {
                    let error = service.recovery_seconds.map(|seconds| 1000.0 * seconds - back_ms);
                    self.timing.extend(error.map(|ms| ms / system.timeline.step_ms() as f64));
                }
                (false, _) => {}
            }
        }
        let is_false = |finding: &&aftermath_model::Finding| {
            truth.hit.get(&finding.key.service).is_none_or(|hit| !hit.changed(&finding.key))
        };
        let wrong = verdict.findings.iter().filter(is_false).count();
        self.false_shares.push(wrong as f64 / verdict.findings.len().max(1) as f64);
    }

    fn rank(&mut self, system: &System) {
        for with_graph in [true, false] {
            let past = places(system, with_graph);
            for (rule, place) in past.into_iter().flat_map(|past| past.ranks) {
                self.places.entry((rule, with_graph)).or_default().push(place);
            }
        }
    }

    /// For each rule with and without the call graph: the share of targets first and among the first three.
    fn rules(&self) -> String {
        let cell = |rule, with_graph| {
            let places = self.places.get(&(rule, with_graph)).map_or(&[][..], Vec::as_slice);
            let share = |most| {
                places.iter().filter(|&&place| place <= most).count() as f64 / places.len().max(1) as f64
            };
            format!("{:.2} / {:.2}", share(1), share(3))
        };
        OriginScorer::ALL.map(|rule| format!("{} | {}", cell(rule, true), cell(rule, false))).join(" | ")
    }

    /// The columns after the name.
    fn cells(self) -> String {
        let false_share = self.false_shares.iter().sum::<f64>() / self.false_shares.len().max(1) as f64;
        let timed = self.timing.len();
        let spread = median(self.timing.iter().map(|error| error.abs()).collect());
        [
            self.systems.to_string(),
            percent(self.alarmed, self.systems),
            percent(self.hit_found, self.hit),
            percent(self.target_found, self.systems),
            percent(self.unhit_found, self.unhit),
            format!("{false_share:.3}"),
            percent(self.origin_first, self.systems),
            format!("{:+.1} (± {spread:.1}, {timed} services)", median(self.timing)),
            percent(self.lasting_seen, self.lasting),
        ]
        .join(" | ")
    }
}
