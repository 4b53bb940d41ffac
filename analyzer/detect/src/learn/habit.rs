//! What do quiet windows teach about how each series follows load and seasons, and what is left of its statistics then?
//!
//! In: quiet windows. Out: the regression sums and the noise of each series, how well seasons predict days that they
//! were not learned from, and every graded statistic with its circumstances allowed for as far as the *other* windows
//! tell: a window must not explain itself.

use std::collections::BTreeMap;

use aftermath_model::Timeline;
use aftermath_model::learned::LearnedSeries;

use crate::calibrate::moderate::History;
use crate::calibrate::{learned_name, service_and_metric, trust_after};
use crate::circumstances::{CIRCUMSTANCES, Circumstances, LOAD_ONLY, WITH_DAY};
use crate::copies;
use crate::detectors::level::is_graded;
use crate::habits::{Elasticity, Expected, Habit, Habits, Sums, used};
use crate::load;
use crate::math::mean;
use crate::scores::SeriesScore;
use crate::semantics::stem;

const DAY_MS: i64 = 86_400_000;
/// A day is not credited or blamed for more than three deviations of one statistic.
const MOST_SQUARED: f64 = 9.0;
/// The noise that remains depends on what is explained, and that on the noise: after two rounds neither moves.
const ROUNDS: usize = 2;

/// A quiet window.
pub(super) struct Quiet<'a> {
    pub(super) series: Vec<&'a SeriesScore>,
    circumstances: Circumstances,
    day: i64,
}

impl<'a> Quiet<'a> {
    pub(super) fn of(series: Vec<&'a SeriesScore>, timeline: &Timeline) -> Self {
        let circumstances = Circumstances::of(load::explained(load::change(&series)), timeline);
        Self { series, circumstances, day: timeline.fault().from.ms().div_euclid(DAY_MS) }
    }
}

/// A graded statistic of a quiet window.
pub(super) struct Graded<'a> {
    pub(super) score: &'a SeriesScore,
    /// Which series it is, by its rank among the names.
    pub(super) number: usize,
    /// What is left of it once its circumstances are allowed for.
    pub(super) left: f64,
    row: [f64; CIRCUMSTANCES],
    /// What is left if only the prior is known: it weighs the statistic in the regression.
    left_by_prior: f64,
    window: usize,
    day: i64,
}

impl Graded<'_> {
    fn deviate(&self) -> f64 {
        f64::from(self.score.deviate)
    }
}

/// Everything learned of the series one by one.
pub(super) struct Learned<'a> {
    /// Every series, by its learned name; ranks in [`Graded::number`] follow this order.
    pub(super) series: BTreeMap<String, LearnedSeries>,
    pub(super) graded: Vec<Graded<'a>>,
    pub(super) days: BTreeMap<i64, [f64; 3]>,
    /// See [`aftermath_model::LearnedNull::copies`].
    pub(super) copies: BTreeMap<String, String>,
}

pub(super) fn learn<'a>(windows: &[Quiet<'a>]) -> Learned<'a> {
    let (names, mut graded) = graded(windows);
    let trust = trust_after(windows.len());
    let mut sums = vec![Sums::default(); names.len()];
    for seen in &graded {
        sums[seen.number].add(&seen.row, seen.deviate(), seen.left_by_prior, 1.0);
    }
    let days = days(&graded, &sums, trust);
    let mut series = with_noise(&names, &graded, &sums);
    for _ in 0..ROUNDS {
        let habits = Habits::of_series(&series, used(&days), trust);
        let of_number: Vec<(String, History)> =
            series.iter().map(|(name, seen)| (stem_of(name), seen.into())).collect();
        for seen in &mut graded {
            let (stem, history) = &of_number[seen.number];
            let mut others = sums[seen.number].clone();
            others.add(&seen.row, f64::from(seen.score.deviate), seen.left_by_prior, -1.0);
            let expected = habits.of_one(stem, &others, *history, trust).expected(&seen.row);
            seen.left = expected.left_of(f64::from(seen.score.deviate));
        }
        series = with_noise(&names, &graded, &sums);
    }
    let copies = copies_over_windows(&names, &graded);
    Learned { series, graded, days, copies }
}

/// Series whose statistics agree over the quiet windows in which they were seen, by the names of both: the second is the
/// first of its service by name. Pods of one workload share a name; what counts is their mean.
fn copies_over_windows(names: &[String], graded: &[Graded]) -> BTreeMap<String, String> {
    let mut seen: Vec<BTreeMap<usize, Vec<f64>>> = vec![BTreeMap::new(); names.len()];
    for one in graded {
        seen[one.number].entry(one.window).or_default().push(one.left);
    }
    // Only series that were seen in the same windows can be compared; names of one service stand side by side.
    let mut comparable: BTreeMap<(&str, Vec<usize>), Vec<usize>> = BTreeMap::new();
    for (number, seen) in seen.iter().enumerate().filter(|(_, seen)| seen.len() >= copies::LEAST_WINDOWS) {
        let windows: Vec<usize> = seen.keys().copied().collect();
        comparable.entry((service_and_metric(&names[number]).0, windows)).or_default().push(number);
    }
    let shape = |&number: &usize| copies::shape(seen[number].values().map(|left| mean(left)).collect());
    let mut found = BTreeMap::new();
    for members in comparable.values() {
        let firsts = copies::first_alike(&members.iter().map(shape).collect::<Vec<_>>());
        for (place, &first) in firsts.iter().enumerate().filter(|&(place, &first)| first != place) {
            found.insert(names[members[place]].clone(), names[members[first]].clone());
        }
    }
    found
}

fn stem_of(learned_name: &str) -> String {
    stem(service_and_metric(learned_name).1)
}

/// The name of every series, sorted, and every graded statistic.
fn graded<'a>(windows: &[Quiet<'a>]) -> (Vec<String>, Vec<Graded<'a>>) {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for score in windows.iter().flat_map(|window| &window.series) {
        numbers.insert(learned_name(score), 0);
    }
    numbers.values_mut().enumerate().for_each(|(number, place)| *place = number);
    let mut graded = Vec::new();
    for (number, window) in windows.iter().enumerate() {
        for &score in window.series.iter().filter(|score| is_graded(f64::from(score.deviate))) {
            let left = load::adjusted(score, window.circumstances.load());
            graded.push(Graded {
                score,
                number: numbers[&learned_name(score)],
                left,
                row: window.circumstances.times(f64::from(score.per_load)),
                left_by_prior: left,
                window: number,
                day: window.day,
            });
        }
    }
    (numbers.into_keys().collect(), graded)
}

fn with_noise(names: &[String], graded: &[Graded], sums: &[Sums]) -> BTreeMap<String, LearnedSeries> {
    let mut noise = vec![(0, 0.0); names.len()];
    for seen in graded {
        noise[seen.number].0 += 1;
        noise[seen.number].1 += seen.left * seen.left;
    }
    let one = |number: usize| LearnedSeries {
        windows: noise[number].0,
        sum_of_squares: noise[number].1,
        habit: sums[number].kept(),
    };
    names.iter().cloned().enumerate().map(|(number, name)| (name, one(number))).collect()
}

/// For each day how likely its statistics are, predicted from the other days by load alone, with the time of day, and
/// with the day of the week: logarithms, summed over series.
fn days(graded: &[Graded], sums: &[Sums], trust: f64) -> BTreeMap<i64, [f64; 3]> {
    let mut of_series: BTreeMap<(usize, i64), Vec<&Graded>> = BTreeMap::new();
    let mut noise = vec![Vec::new(); sums.len()];
    for seen in graded {
        of_series.entry((seen.number, seen.day)).or_default().push(seen);
        noise[seen.number].push(seen.left_by_prior);
    }
    let noise: Vec<History> = noise.into_iter().map(|left| History::of(left.into_iter())).collect();
    let mut days: BTreeMap<i64, [f64; 3]> = BTreeMap::new();
    for ((number, day), of_day) in of_series {
        let mut own = Sums::default();
        for seen in &of_day {
            own.add(&seen.row, seen.deviate(), seen.left_by_prior, 1.0);
        }
        let others = sums[number].clone().without(&own);
        let history = noise[number];
        let scores = days.entry(day).or_default();
        for (score, used) in scores.iter_mut().zip([LOAD_ONLY, WITH_DAY, CIRCUMSTANCES]) {
            let habit = Habit::of(&others, history, trust, Elasticity::PRIOR, used);
            *score += of_day
                .iter()
                .map(|seen| likelihood(habit.expected(&seen.row), seen.deviate(), history))
                .sum::<f64>();
        }
    }
    days
}

/// The logarithm of the likelihood of a statistic, but for a constant.
fn likelihood(expected: Expected, deviate: f64, history: History) -> f64 {
    let variance = history.mean_square() + expected.variance;
    let squared = ((deviate - expected.deviate).powi(2) / variance).min(MOST_SQUARED);
    -0.5 * (variance.ln() + squared)
}
