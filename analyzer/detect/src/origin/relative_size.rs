//! The largest harmful changes in proportion to the usual level, among those that chance hardly explains.
//!
//! The score of a change is the absolute logarithm of the ratio of its level during the fault to that before, the rule
//! that was best on one public system and poor on others (detection plan, sections 0 and 7); the gate is significance.

use super::suspect::{Change, Suspect, is_good};
use crate::semantics::Concern;

/// A change to more than a hundredfold, or less than a hundredth, counts as a hundredfold: as good as nothing, or as much
/// as anyone asks.
const LARGEST_RATIO: f64 = 100.0;
/// Shares of errors below one in a hundred count as one in a hundred: a ratio to nothing would be without limit.
const LEAST_ERRORS: f64 = 0.01;

pub(super) fn score(own: &Suspect) -> f64 {
    own.mean_of_strongest(|change| {
        let counts = change.strength > 0.0 && change.series.is_sign();
        if counts { log_ratio(change).unwrap_or_default() } else { 0.0 }
    })
}

/// The absolute logarithm of during to before; `None` without a positive value on either side.
fn log_ratio(change: &Change) -> Option<f64> {
    let score = change.series.score;
    if score.presence.has_changed() {
        return Some(LARGEST_RATIO.ln());
    }
    let (mut before, mut during) = (score.baseline?, score.fault?);
    if change.concern == Concern::Errors && is_good(change.series) {
        // A share of successes out of 1 or of 100 says the same as the share of errors that is left.
        let full = if before.max(during) > 1.0 { 100.0 } else { 1.0 };
        let errors = |good: f64| (full - good).max(LEAST_ERRORS * full);
        (before, during) = (errors(before), errors(during));
    }
    let usable = before > 0.0 && during > 0.0;
    usable.then(|| (during / before).ln().abs().min(LARGEST_RATIO.ln()))
}
