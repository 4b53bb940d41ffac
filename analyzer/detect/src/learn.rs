//! What do quiet windows teach?
//!
//! In: the scores of windows in which nothing happened. Out: a [`LearnedNull`]: how wide chance makes each series, each
//! metric, each service, and the system as a whole.

pub(crate) mod fit;
mod habit;
pub(crate) mod merge;
pub(crate) mod summary;

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::learned::{LearnedGeometry, LearnedSeries};
use aftermath_model::{Expectations, LearnedNull, Outcome, Timeline};

use crate::calibrate::moderate::{History, moderated};
use crate::calibrate::side::history;
use crate::calibrate::{Null, count_moves, trust_after};
use crate::detectors::level::is_graded;
use crate::evidence::Evidence;
use crate::judge::{FAIL_AT, judge};
use crate::scores::{Scores, SeriesScore};
use crate::semantics::stem;
use crate::service::quiet_evidence;
use fit::geometry;
use habit::{Graded, Quiet};

/// A metric keeps at most this many statistics, evenly chosen from the largest down: the tail is what matters, and a
/// file should stay small.
const MOST_STATISTICS: usize = 20_000;

/// To find how often quiet windows fail, they are parted into at most so many groups, each judged by what the others
/// teach: for up to ten windows that leaves out one at a time, and for more it costs no more.
const MOST_GROUPS: usize = 10;

/// Learns from windows in which nothing happened, and measures how often they would have failed: each is judged by what
/// others taught. That is not measured of a single window.
#[must_use]
pub fn learn(windows: &[(Scores, Timeline)]) -> LearnedNull {
    let mut learned = teach(&windows.iter().collect::<Vec<_>>());
    let groups = windows.len().min(MOST_GROUPS);
    if groups < 2 {
        return learned;
    }
    let group = |index: usize| index * groups / windows.len();
    for left_out in 0..groups {
        let (out, others): (Vec<_>, Vec<_>) =
            windows.iter().enumerate().partition(|&(index, _)| group(index) == left_out);
        let others = teach(&others.into_iter().map(|(_, window)| window).collect::<Vec<_>>());
        for (_, (scores, timeline)) in out {
            let verdict = judge(scores, timeline, &Expectations::default(), Some(&others), false);
            learned.failed.chances += 1;
            learned.failed.times += usize::from(verdict.outcome == Outcome::Fail);
            learned.system_p_values.extend(verdict.system.p_value);
        }
    }
    learned.system_p_values.sort_by(f64::total_cmp);
    learned
}

/// Which of these windows look as if something had happened in them, judged each by itself without anything learned:
/// their verdict is fail, at a level that makes one in a hundred sets of quiet windows show any (Bonferroni). The
/// indices ascend.
#[must_use]
pub fn suspicious(windows: &[(Scores, Timeline)]) -> Vec<usize> {
    let level = FAIL_AT / windows.len().max(1) as f64;
    let looks_hit = |(scores, timeline): &(Scores, Timeline)| {
        let verdict = judge(scores, timeline, &Expectations::default(), None, false);
        verdict.outcome == Outcome::Fail && verdict.system.p_value.is_some_and(|p_value| p_value <= level)
    };
    (0..windows.len()).filter(|&index| looks_hit(&windows[index])).collect()
}

/// Which of these windows hold the very samples of one before them. The indices ascend.
#[must_use]
pub fn repeated(windows: &[(Scores, Timeline)]) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    (0..windows.len()).filter(|&index| !seen.insert(fingerprint(&windows[index].0))).collect()
}

/// A number that two windows share only if their series moved alike to the last bit (FNV-1a over names and statistics,
/// the same on every machine).
fn fingerprint(scores: &Scores) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for score in scores.sorted() {
        add(score.key.metric.as_bytes());
        add(score.key.service.as_bytes());
        add(&score.deviate.to_bits().to_le_bytes());
        add(&score.baseline.unwrap_or_default().to_bits().to_le_bytes());
        add(&score.fault.unwrap_or_default().to_bits().to_le_bytes());
    }
    hash
}

/// What the windows teach, without a measurement of how well.
fn teach(windows: &[&(Scores, Timeline)]) -> LearnedNull {
    let sorted: Vec<Quiet> =
        windows.iter().map(|(scores, timeline)| Quiet::of(scores.sorted(), timeline)).collect();
    let habit::Learned { series, graded, days, copies } = habit::learn(&sorted);
    let mut learned = LearnedNull {
        windows: windows.len(),
        geometry: windows.iter().map(|(_, timeline)| geometry(timeline)).reduce(LearnedGeometry::and),
        fingerprints: windows.iter().map(|(scores, _)| fingerprint(scores)).collect(),
        services: services(&sorted),
        statistics: statistics(&graded, &series, trust_after(windows.len())),
        series,
        days,
        copies,
        ..LearnedNull::default()
    };
    for score in sorted.iter().flat_map(|window| &window.series) {
        count_moves(&mut learned.constants_moved, &mut learned.presence_changed, quiet_statistic(score));
    }
    learned.channels = sides(sorted.iter().flat_map(|window| window.series.iter().copied()));
    let evidence = sorted
        .iter()
        .zip(windows)
        .flat_map(|(window, (_, timeline))| quiet(&window.series, timeline, &learned));
    learned.service_evidence = evidence.map(|evidence| [evidence.any, evidence.joint]).collect();
    learned.service_evidence.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    learned
}

/// The statistic of a quiet fault window; infinite where the series came or went in it.
fn quiet_statistic(score: &SeriesScore) -> f64 {
    if score.presence.has_changed() { f64::INFINITY } else { f64::from(score.deviate) }
}

fn services(windows: &[Quiet]) -> Vec<String> {
    let series = windows.iter().flat_map(|window| &window.series);
    let names: BTreeSet<&str> = series.map(|score| score.key.service.as_ref()).collect();
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Every graded statistic, measured against the other windows of its series.
fn statistics(
    graded: &[Graded],
    series: &BTreeMap<String, LearnedSeries>,
    trust: f64,
) -> BTreeMap<String, Vec<f64>> {
    let histories: Vec<History> = series.values().map(History::from).collect();
    let mut statistics: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for Graded { score, number, left, .. } in graded {
        let placebos =
            score.placebos.iter().map(|&placebo| f64::from(placebo)).filter(|&placebo| is_graded(placebo));
        let others = histories[*number].without(*left).scaled(trust).and(History::of(placebos));
        statistics.entry(stem(&score.key.metric)).or_default().push(moderated(*left, others).abs());
    }
    for values in statistics.values_mut() {
        values.sort_by(f64::total_cmp);
        *values = thinned(std::mem::take(values));
    }
    statistics
}

/// The statistics of the other kinds of change in the quiet fault windows, each measured against its own placebos.
fn sides<'a>(series: impl Iterator<Item = &'a SeriesScore>) -> BTreeMap<String, BTreeMap<String, Vec<f64>>> {
    let mut channels: BTreeMap<String, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for score in series {
        for side in score.sides.iter().filter(|side| is_graded(f64::from(side.deviate))) {
            let statistic = moderated(f64::from(side.deviate), history(side, None)).abs();
            let stems = channels.entry(side.channel.as_str().to_owned()).or_default();
            stems.entry(stem(&score.key.metric)).or_default().push(statistic);
        }
    }
    for values in channels.values_mut().flat_map(BTreeMap::values_mut) {
        values.sort_by(f64::total_cmp);
        *values = thinned(std::mem::take(values));
    }
    channels
}

fn thinned(sorted: Vec<f64>) -> Vec<f64> {
    let stride = sorted.len().div_ceil(MOST_STATISTICS).max(1);
    let mut kept: Vec<f64> = sorted.into_iter().rev().step_by(stride).collect();
    kept.reverse();
    kept
}

fn quiet(series: &[&SeriesScore], timeline: &Timeline, learned: &LearnedNull) -> Vec<Evidence> {
    let null = Null::of(series, timeline, Some(learned));
    quiet_evidence(series, &null, |score| Some(null.quiet_p_value(score)))
}
