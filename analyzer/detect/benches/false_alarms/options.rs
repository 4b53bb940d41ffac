//! What to measure, from the command line.

use aftermath_generator::Scenario;

/// Quick by default: `cargo bench` and `cargo test --benches` only show that it works.
const FEW_SYSTEMS: usize = 3;

pub(crate) struct Options {
    pub(crate) systems: usize,
    pub(crate) first_seed: u64,
    scenario: String,
    services: Option<usize>,
    series: Option<usize>,
    baseline: Option<usize>,
    fault: Option<usize>,
    recovery: Option<usize>,
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            systems: FEW_SYSTEMS,
            first_seed: 1,
            scenario: "all".to_owned(),
            services: None,
            series: None,
            baseline: None,
            fault: None,
            recovery: None,
        };
        while let Some(flag) = arguments.next() {
            // Cargo itself adds these.
            if flag == "--bench" || flag == "--test" {
                continue;
            }
            let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number =
                || value.parse::<usize>().map_err(|_| format!("{flag} needs a number, not `{value}`"));
            match flag.as_str() {
                "--systems" => options.systems = number()?,
                "--first-seed" => options.first_seed = number()? as u64,
                "--scenario" => options.scenario.clone_from(&value),
                "--services" => options.services = Some(number()?),
                "--series" => options.series = Some(number()?),
                "--baseline" => options.baseline = Some(number()?),
                "--fault" => options.fault = Some(number()?),
                "--recovery" => options.recovery = Some(number()?),
                _ => return Err(format!("`{flag}` is no option of this bench; see the top of its source")),
            }
        }
        options.known()
    }

    fn known(self) -> Result<Self, String> {
        let groups = ["all", "all-quiet", "all-faults", "step-fault", "kayenta", "abort"];
        let known = groups.contains(&self.scenario.as_str()) || !self.quiet().is_empty();
        if known { Ok(self) } else { Err(format!("there is no scenario `{}`", self.scenario)) }
    }

    /// Whether a group of measurements was asked for.
    pub(crate) fn wants(&self, group: &str) -> bool {
        self.scenario == "all" || self.scenario == group
    }

    /// The quiet scenarios that were asked for, in the asked size.
    pub(crate) fn quiet(&self) -> Vec<Scenario> {
        Scenario::all_quiet()
            .into_iter()
            .chain([Scenario::coupled()])
            .filter(|one| self.wants("all-quiet") || one.name.replace(' ', "-") == self.scenario)
            .map(|one| self.sized(&one))
            .collect()
    }

    /// The scenario in the asked size.
    pub(crate) fn sized(&self, scenario: &Scenario) -> Scenario {
        Scenario {
            services: self.services.unwrap_or(scenario.services),
            series_per_service: self.series.unwrap_or(scenario.series_per_service),
            baseline_steps: self.baseline.unwrap_or(scenario.baseline_steps),
            fault_steps: self.fault.unwrap_or(scenario.fault_steps),
            recovery_steps: self.recovery.unwrap_or(scenario.recovery_steps),
            ..scenario.clone()
        }
    }

    pub(crate) fn seeds(&self) -> impl Iterator<Item = u64> {
        self.first_seed..self.first_seed + self.systems as u64
    }
}
