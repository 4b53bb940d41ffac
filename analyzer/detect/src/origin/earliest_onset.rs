//! The earliest beginning of what chance hardly explains.
//!
//! Causes come before effects. Only as good as the sampling is fast: a fault that spreads within one step has no order.

use super::Suspects;
use super::suspect::Suspect;
use crate::onset::{Onset, of_service};

/// From the earliest to the latest beginning of any service, in milliseconds; `None` where nothing began.
pub(super) fn span(all: &Suspects) -> Option<(i64, i64)> {
    let began: Vec<i64> = all.values().filter_map(onset).map(|onset| onset.at).collect();
    began.iter().min().copied().zip(began.iter().max().copied())
}

/// 1 for the earliest service, 0 for the latest, and below for one that shows no beginning.
pub(super) fn score(own: &Suspect, span: Option<(i64, i64)>) -> f64 {
    let (Some(own), Some((first, last))) = (onset(own), span) else { return -1.0 };
    1.0 - (own.at - first) as f64 / (last - first).max(1) as f64
}

fn onset(suspect: &Suspect) -> Option<Onset> {
    let signs = suspect.changes.iter().filter(|change| change.strength > 0.0 && change.series.is_sign());
    let dated = signs.filter_map(|change| Some((change.series.score.onset?, change.strength)));
    of_service(&dated.collect::<Vec<_>>())
}
