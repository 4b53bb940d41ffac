//! The description of an evidence file, mapped by hand to its versioned JSON.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model as model;
use serde::{Deserialize, Serialize};

use super::foreseen::{ForeseenV1, unrestricted};

/// The footer key under which the description is kept.
pub(super) const KEY: &str = "aftermath.evidence";
/// The version that is written.
pub(super) const VERSION: u64 = 1;

/// The description of an evidence file.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceMeta {
    /// Where the samples come from.
    pub provenance: model::Provenance,
    /// What was done and foreseen, where that is known; with it a verdict replays without arguments.
    pub experiment: Option<model::Experiment>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct MetaV1 {
    pub(super) evidence_version: u64,
    provenance: ProvenanceV1,
    experiment: Option<ExperimentV1>,
}

#[derive(Serialize, Deserialize)]
struct ProvenanceV1 {
    aftermath_version: String,
    source_kind: String,
    source_address: String,
    source_version: String,
    selectors: Vec<String>,
    service_labels: Vec<String>,
    window_ms: [i64; 2],
    step_ms: i64,
    notes: Vec<String>,
    partial: bool,
    unread: BTreeMap<String, usize>,
}

#[derive(Serialize, Deserialize)]
struct ExperimentV1 {
    baseline_ms: [i64; 2],
    fault_ms: [i64; 2],
    recovery_ms: Option<[i64; 2]>,
    exclude_ms: Vec<[i64; 2]>,
    step_ms: i64,
    target: Option<String>,
    /// The services that may be hit in any way.
    expected: BTreeSet<String>,
    #[serde(default)]
    foreseen: ForeseenV1,
    topology: Option<BTreeSet<(String, String)>>,
    checks: Vec<CheckV1>,
}

#[derive(Serialize, Deserialize)]
struct CheckV1 {
    name: String,
    passed: bool,
    detail: String,
}

impl From<&EvidenceMeta> for MetaV1 {
    fn from(meta: &EvidenceMeta) -> Self {
        let provenance = &meta.provenance;
        Self {
            evidence_version: VERSION,
            provenance: ProvenanceV1 {
                aftermath_version: provenance.aftermath_version.clone(),
                source_kind: provenance.source.kind.clone(),
                source_address: provenance.source.address.clone(),
                source_version: provenance.source.version.clone(),
                selectors: provenance.selectors.clone(),
                service_labels: provenance.service_labels.clone(),
                window_ms: window_ms(provenance.window),
                step_ms: provenance.step_ms,
                notes: provenance.notes.clone(),
                partial: provenance.partial,
                unread: provenance
                    .unread
                    .iter()
                    .map(|gap| (gap.cause.as_str().to_owned(), gap.series))
                    .collect(),
            },
            experiment: meta.experiment.as_ref().map(ExperimentV1::from),
        }
    }
}

impl From<&model::Experiment> for ExperimentV1 {
    fn from(experiment: &model::Experiment) -> Self {
        let model::Experiment { timeline, expectations, checks } = experiment;
        Self {
            baseline_ms: window_ms(timeline.baseline()),
            fault_ms: window_ms(timeline.fault()),
            recovery_ms: timeline.recovery().map(window_ms),
            exclude_ms: timeline.exclude().iter().copied().map(window_ms).collect(),
            step_ms: timeline.step_ms(),
            target: expectations.target.clone(),
            expected: unrestricted(expectations),
            foreseen: ForeseenV1::from(expectations),
            topology: expectations.topology.as_ref().map(|topology| topology.edges.clone()),
            checks: checks
                .iter()
                .map(|check| CheckV1 {
                    name: check.name.clone(),
                    passed: check.passed,
                    detail: check.detail.clone(),
                })
                .collect(),
        }
    }
}

impl MetaV1 {
    /// The description, or what is wrong with it.
    pub(super) fn into_meta(self) -> Result<EvidenceMeta, String> {
        let provenance = self.provenance;
        Ok(EvidenceMeta {
            provenance: model::Provenance {
                aftermath_version: provenance.aftermath_version,
                source: model::SourceDescription {
                    kind: provenance.source_kind,
                    address: provenance.source_address,
                    version: provenance.source_version,
                },
                selectors: provenance.selectors,
                service_labels: provenance.service_labels,
                window: window("window_ms", provenance.window_ms)?,
                step_ms: provenance.step_ms,
                notes: provenance.notes,
                partial: provenance.partial,
                unread: provenance.unread.into_iter().map(gap_count).collect::<Result<_, _>>()?,
            },
            experiment: self.experiment.map(ExperimentV1::into_experiment).transpose()?,
        })
    }
}

impl ExperimentV1 {
    fn into_experiment(self) -> Result<model::Experiment, String> {
        let exclude = self
            .exclude_ms
            .into_iter()
            .map(|bounds| window("exclude_ms", bounds))
            .collect::<Result<_, _>>()?;
        let timeline = model::Timeline::new(
            window("baseline_ms", self.baseline_ms)?,
            window("fault_ms", self.fault_ms)?,
            self.recovery_ms.map(|bounds| window("recovery_ms", bounds)).transpose()?,
            exclude,
            self.step_ms,
        )
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        Ok(model::Experiment {
            timeline,
            expectations: self.foreseen.into_expectations(
                self.target,
                self.expected,
                self.topology.map(|edges| model::Topology { edges }),
            )?,
            checks: self
                .checks
                .into_iter()
                .map(|check| model::CheckOutcome {
                    name: check.name,
                    passed: check.passed,
                    detail: check.detail,
                })
                .collect(),
        })
    }
}

fn gap_count((name, series): (String, usize)) -> Result<model::GapCount, String> {
    let cause = model::GapCause::parse(&name).ok_or_else(|| format!("unread: `{name}` is no known cause"))?;
    Ok(model::GapCount { cause, series })
}

fn window_ms(window: model::Window) -> [i64; 2] {
    [window.from.ms(), window.to.ms()]
}

fn window(name: &str, [from, to]: [i64; 2]) -> Result<model::Window, String> {
    let at = |ms| model::Timestamp::from_ms(ms).map_err(|problem| format!("{name}: {problem}"));
    model::Window::new(at(from)?, at(to)?).ok_or_else(|| format!("{name}: {from}..{to} is empty"))
}
