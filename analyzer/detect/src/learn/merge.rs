//! One learned null out of several of the same system.
//!
//! In: what was learned from parts of the quiet windows. Out: nearly what all of them together would have taught.

use std::collections::BTreeMap;

use aftermath_model::LearnedNull;
use aftermath_model::learned::LearnedRate;

use super::thinned;

/// Joins what was learned from different quiet windows of one system.
///
/// Counts, rates, services and the noise of each series are those that [`learn`](crate::learn) would have found in all
/// windows at once. Three things are close to it only: the statistics and the evidence of each part were measured
/// against the other windows of that part instead of all; a metric with more statistics than a file keeps was thinned
/// twice; and how often quiet windows failed was measured with what a part taught, which is less. No windows may be in
/// two parts: they would count twice.
#[must_use]
pub fn merge(parts: Vec<LearnedNull>) -> LearnedNull {
    let mut whole = LearnedNull::default();
    for part in parts {
        whole.windows += part.windows;
        whole.services.extend(part.services);
        for (name, seen) in part.series {
            let series = whole.series.entry(name).or_default();
            series.windows += seen.windows;
            series.sum_of_squares += seen.sum_of_squares;
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

fn add(rate: &mut LearnedRate, more: LearnedRate) {
    rate.chances += more.chances;
    rate.times += more.times;
}
