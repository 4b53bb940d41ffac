//! One learned null out of several of the same system.
//!
//! In: what was learned from parts of the quiet windows. Out: nearly what all of them together would have taught.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::LearnedNull;
use aftermath_model::learned::LearnedRate;

use super::thinned;
use crate::copies::LEAST_WINDOWS;
use crate::habits;

/// Joins what was learned from different quiet windows of one system.
///
/// Counts, rates, services and how each series follows load and season are those that [`learn`](crate::learn) would have
/// found in all windows at once. Four things are close to it only: the noise of each series and how well seasons predict
/// other days were measured with what a part knows of load and season; the statistics and the evidence of each part were measured
/// against the other windows of that part instead of all; a metric with more statistics than a file keeps was thinned
/// twice; and how often quiet windows failed was measured with what a part taught, which is less. No windows may be in
/// two parts: they would count twice.
#[must_use]
pub fn merge(parts: Vec<LearnedNull>) -> LearnedNull {
    let mut whole = LearnedNull { copies: agreed_copies(&parts), ..LearnedNull::default() };
    for part in parts {
        whole.windows += part.windows;
        whole.geometry = match (whole.geometry, part.geometry) {
            (Some(of_whole), Some(of_part)) => Some(of_whole.and(of_part)),
            (of_whole, of_part) => of_whole.or(of_part),
        };
        whole.fingerprints.extend(part.fingerprints);
        whole.services.extend(part.services);
        for (name, seen) in part.series {
            let series = whole.series.entry(name).or_default();
            series.windows += seen.windows;
            series.sum_of_squares += seen.sum_of_squares;
            habits::add(&mut series.habit, &seen.habit);
        }
        for (stem, statistics) in part.statistics {
            whole.statistics.entry(stem).or_default().extend(statistics);
        }
        for (channel, stems) in part.channels {
            let of_channel = whole.channels.entry(channel).or_default();
            for (stem, statistics) in stems {
                of_channel.entry(stem).or_default().extend(statistics);
            }
        }
        for (day, scores) in part.days {
            let whole = whole.days.entry(day).or_default();
            whole.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        }
        add(&mut whole.constants_moved, part.constants_moved);
        add(&mut whole.presence_changed, part.presence_changed);
        add(&mut whole.failed, part.failed);
        whole.service_evidence.extend(part.service_evidence);
        whole.system_p_values.extend(part.system_p_values);
        whole.experiments.extend(part.experiments);
    }
    whole.services.sort();
    whole.services.dedup();
    let of_channels = whole.channels.values_mut().flat_map(BTreeMap::values_mut);
    for statistics in whole.statistics.values_mut().chain(of_channels) {
        statistics.sort_by(f64::total_cmp);
        *statistics = thinned(std::mem::take(statistics));
    }
    whole.service_evidence.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    whole.system_p_values.sort_by(f64::total_cmp);
    whole
}

/// What a part takes for a copy, unless another part that knows the series well enough does not.
fn agreed_copies(parts: &[LearnedNull]) -> BTreeMap<String, String> {
    let mut copies: BTreeMap<String, String> = parts.iter().flat_map(|part| part.copies.clone()).collect();
    copies.retain(|copy, of| {
        parts.iter().all(|part| {
            let knows = part.series.get(copy).is_some_and(|seen| seen.windows >= LEAST_WINDOWS);
            !knows || part.copies.get(copy) == Some(of)
        })
    });
    copies
}

/// How many windows stand in more than one of these parts, as far as the parts tell.
#[must_use]
pub fn shared_windows(parts: &[LearnedNull]) -> usize {
    let told: usize = parts.iter().map(|part| part.fingerprints.len()).sum();
    told - parts.iter().flat_map(|part| &part.fingerprints).collect::<BTreeSet<_>>().len()
}

fn add(rate: &mut LearnedRate, more: LearnedRate) {
    rate.chances += more.chances;
    rate.times += more.times;
}
