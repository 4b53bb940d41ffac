//! What past experiments say about how to tell where trouble starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A rule that ranks services by how likely the trouble started there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginScorer {
    /// The strongest harmful changes, as far as the called services do not explain them. The default.
    StrongestChanges,
    /// The largest harmful changes in proportion to the usual level, among those that chance hardly explains.
    RelativeSize,
    /// The largest jump of the strongest change over that of any called service.
    LargestJump,
    /// The earliest beginning of what chance hardly explains.
    EarliestOnset,
}

impl OriginScorer {
    /// Every rule, the default first.
    pub const ALL: [Self; 4] =
        [Self::StrongestChanges, Self::RelativeSize, Self::LargestJump, Self::EarliestOnset];

    /// Its name in reports and learned files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StrongestChanges => "strongest_changes",
            Self::RelativeSize => "relative_size",
            Self::LargestJump => "largest_jump",
            Self::EarliestOnset => "earliest_onset",
        }
    }
}

/// An experiment whose target is known, and how well each rule found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastExperiment {
    /// The service that the fault acted on.
    pub target: String,
    /// How many services were ranked.
    pub services: usize,
    /// The place of the target in the ranking of each rule, from 1 on.
    pub ranks: BTreeMap<OriginScorer, usize>,
}
