//! What do quiet windows teach?
//!
//! In: the scores of windows in which nothing happened. Out: a [`LearnedNull`]: how wide chance makes each series, each
//! class of series, and the system as a whole.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::learned::{LearnedClass, LearnedSeries};
use aftermath_model::{LearnedNull, Timeline};

use crate::calibrate::{Null, count_moves, is_graded, learned_name, usable};
use crate::moderate::{History, Prior, moderated};
use crate::scores::{Class, Scores, SeriesScore};
use crate::service::system_p_value;

/// A class keeps at most this many statistics, evenly chosen from the sorted ones, the largest always: the tail is what
/// matters, and a file should stay small.
const MOST_STATISTICS: usize = 20_000;

/// Learns from windows in which nothing happened.
#[must_use]
pub fn learn(windows: &[(Scores, Timeline)]) -> LearnedNull {
    let sorted: Vec<Vec<&SeriesScore>> = windows.iter().map(|(scores, _)| scores.sorted()).collect();
    let mut learned = LearnedNull {
        windows: windows.len(),
        services: services(&sorted),
        series: histories(&sorted),
        ..LearnedNull::default()
    };
    for score in sorted.iter().flatten() {
        count_moves(&mut learned.constants_moved, &mut learned.presence_changed, f64::from(score.deviate));
    }
    learned.classes = classes(&sorted, &learned.series);
    let mut system: Vec<f64> = sorted.iter().filter_map(|series| quiet(series, &learned)).collect();
    system.sort_by(f64::total_cmp);
    learned.system_p_values = system;
    learned
}

fn services(windows: &[Vec<&SeriesScore>]) -> Vec<String> {
    let names: BTreeSet<&str> = windows.iter().flatten().map(|score| score.key.service.as_str()).collect();
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn histories(windows: &[Vec<&SeriesScore>]) -> BTreeMap<String, LearnedSeries> {
    let mut series: BTreeMap<String, LearnedSeries> = BTreeMap::new();
    for score in windows.iter().flatten() {
        let deviate = f64::from(score.deviate);
        if is_graded(deviate) {
            let history = series.entry(learned_name(score)).or_default();
            history.windows += 1;
            history.sum_of_squares += deviate * deviate;
        }
    }
    series
}

fn classes(
    windows: &[Vec<&SeriesScore>],
    series: &BTreeMap<String, LearnedSeries>,
) -> BTreeMap<String, LearnedClass> {
    Class::ALL
        .into_iter()
        .filter(|&class| class != Class::Constant)
        .map(|class| {
            let members: Vec<&SeriesScore> =
                windows.iter().flatten().copied().filter(|score| score.class == class).collect();
            (class.as_str().to_owned(), class_of(&members, series))
        })
        .collect()
}

fn class_of(members: &[&SeriesScore], series: &BTreeMap<String, LearnedSeries>) -> LearnedClass {
    let names: BTreeSet<String> = members.iter().map(|score| learned_name(score)).collect();
    let histories: Vec<History> =
        names.iter().filter_map(|name| series.get(name)).map(|&seen| seen.into()).collect();
    let prior = Prior::of(&histories);
    let mut statistics: Vec<f64> = members
        .iter()
        .filter(|score| is_graded(f64::from(score.deviate)))
        .map(|score| {
            let deviate = f64::from(score.deviate);
            let seen = series.get(&learned_name(score)).map_or_else(History::default, |&seen| seen.into());
            moderated(deviate, seen.and(History::of(usable(score))).without(deviate), prior).abs()
        })
        .collect();
    statistics.sort_by(f64::total_cmp);
    LearnedClass { mean_square: prior.mean_square, degrees: prior.degrees, statistics: thinned(statistics) }
}

/// Evenly chosen from the largest down.
fn thinned(sorted: Vec<f64>) -> Vec<f64> {
    let stride = sorted.len().div_ceil(MOST_STATISTICS).max(1);
    let mut kept: Vec<f64> = sorted.into_iter().rev().step_by(stride).collect();
    kept.reverse();
    kept
}

fn quiet(series: &[&SeriesScore], learned: &LearnedNull) -> Option<f64> {
    let null = Null::of(series, Some(learned));
    system_p_value(series, |score| Some(null.quiet_p_value(score)))
}
