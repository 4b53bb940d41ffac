//! How does each series usually follow the load, the time of day and the day of the week?
//!
//! In: the regression sums that quiet windows left of each series. Out: what its statistic is expected to be under given
//! circumstances, and how uncertain that is.
//!
//! A Bayesian linear regression (Gelman et al., Bayesian Data Analysis, 3rd edition, 14.2) whose prior for the
//! elasticity to the load is that of all telemetry ([`crate::load`]), moved towards what series of the same metric show
//! (an empirical Bayes estimate by expectation and maximisation). Windows that teach nothing leave the prior as it is.

use std::collections::BTreeMap;

use aftermath_model::LearnedNull;
use aftermath_model::learned::{LearnedHabit, LearnedSeries};

use crate::calibrate::moderate::History;
use crate::calibrate::service_and_metric;
use crate::circumstances::{CIRCUMSTANCES, LOAD_ONLY, WITH_DAY};
use crate::load::{ELASTICITY, ELASTICITY_SPREAD};
use crate::semantics::stem;

/// Seasons of the logarithm of a level before anything is known of them: none, give or take a third, which is a day
/// whose peak is about twice its trough.
const SEASON_SPREAD: f64 = 0.35;
/// An elasticity is no constant of nature: however often it was seen it is not known better than this, so a load that
/// grows by a fifth leaves a doubt of 2 %, less than the change that does not matter.
const LEAST_ELASTICITY_SPREAD: f64 = 0.1;
/// What is expected of the elasticities of a metric before any is seen counts as this many series.
const PRIOR_SERIES: f64 = 4.0;
/// Rounds of expectation and maximisation: each moves at most as far as the data carry, and after these no further.
const ROUNDS: usize = 10;
/// Statistics beyond this many deviations are weighed down in proportion (Huber 1964): one window that held an incident
/// must not become a habit.
const SOFT_LIMIT: f64 = 3.0;

/// What a statistic is expected to be if only the circumstances change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    pub(crate) deviate: f64,
    /// Of that expectation, in squared deviates.
    pub(crate) variance: f64,
}

impl Expected {
    /// What is left of a graded deviate.
    pub(crate) fn left_of(self, deviate: f64) -> f64 {
        (deviate - self.deviate) / self.variance.sqrt().hypot(1.0)
    }
}

/// A prior or pooled elasticity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Elasticity {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

impl Elasticity {
    /// That of all telemetry.
    pub(crate) const PRIOR: Self = Self { mean: ELASTICITY, variance: ELASTICITY_SPREAD * ELASTICITY_SPREAD };
}

/// The habits of a system.
#[derive(Clone, Debug)]
pub(crate) struct Habits {
    /// How many circumstances are used: see [`used`].
    used: usize,
    of_stems: BTreeMap<String, Elasticity>,
}

/// What is known of one series.
#[derive(Clone, Debug)]
pub(crate) struct Habit {
    used: usize,
    /// The lower triangular root of the precision.
    root: [[f64; CIRCUMSTANCES]; CIRCUMSTANCES],
    mean: [f64; CIRCUMSTANCES],
}

impl Habits {
    pub(crate) fn of(learned: &LearnedNull, trust: f64) -> Self {
        Self::of_series(&learned.series, used(&learned.days), trust)
    }

    pub(crate) fn of_series(series: &BTreeMap<String, LearnedSeries>, used: usize, trust: f64) -> Self {
        let mut by_stem: BTreeMap<String, Vec<&LearnedSeries>> = BTreeMap::new();
        for (name, seen) in series.iter().filter(|(_, seen)| !seen.habit.is_empty()) {
            by_stem.entry(stem(service_and_metric(name).1)).or_default().push(seen);
        }
        let of_stems = by_stem.into_iter().map(|(stem, series)| (stem, pooled(&series, trust))).collect();
        Self { used, of_stems }
    }

    /// Whether the time of day is used, and the day of the week.
    pub(crate) const fn seasons(&self) -> (bool, bool) {
        (self.used >= WITH_DAY, self.used > WITH_DAY)
    }

    /// What is known of a series; `sums` may lack the window that is judged.
    pub(crate) fn of_one(&self, stem: &str, sums: &Sums, history: History, trust: f64) -> Habit {
        let prior = self.of_stems.get(stem).copied().unwrap_or(Elasticity::PRIOR);
        Habit::of(sums, history, trust, prior, self.used)
    }
}

/// How many circumstances days that were predicted from other days justify: the load alone, with the time of day, or
/// with the day of the week too. A season must be better over all and on three quarters of the days; two days cannot
/// show that it comes back, and days of the week need two weeks.
pub(crate) fn used(days: &BTreeMap<i64, [f64; 3]>) -> usize {
    const LEAST_DAYS: usize = 3;
    const TWO_WEEKS: i64 = 14;
    let better = |with: usize, without: usize| {
        let gains = || days.values().map(|scores| scores[with] - scores[without]);
        let gained = gains().filter(|&gain| gain > 0.0).count();
        days.len() >= LEAST_DAYS && 4 * gained >= 3 * days.len() && gains().sum::<f64>() > 0.0
    };
    if !better(1, 0) {
        return LOAD_ONLY;
    }
    let spanned = days.keys().last().zip(days.keys().next()).map_or(0, |(last, first)| 1 + last - first);
    if spanned >= TWO_WEEKS && better(2, 1) { CIRCUMSTANCES } else { WITH_DAY }
}

/// The elasticity of the series of one metric: mean and spread over series.
fn pooled(series: &[&LearnedSeries], trust: f64) -> Elasticity {
    let first = |sums: &[f32]| sums.first().copied().map_or(0.0, f64::from);
    // Information on the elasticity, and what it says.
    let told: Vec<(f64, f64)> = series
        .iter()
        .map(|&seen| {
            let weight = trust / History::from(seen).mean_square();
            (weight * first(&seen.habit.products), weight * first(&seen.habit.responses))
        })
        .collect();
    let count = PRIOR_SERIES + series.len() as f64;
    (0..ROUNDS).fold(Elasticity::PRIOR, |at, _| {
        let posterior = |&(information, says): &(f64, f64)| {
            let variance = 1.0 / (1.0 / at.variance + information);
            Elasticity { mean: variance * (at.mean / at.variance + says), variance }
        };
        let each: Vec<Elasticity> = told.iter().map(posterior).collect();
        let mean = (PRIOR_SERIES * ELASTICITY + each.iter().map(|one| one.mean).sum::<f64>()) / count;
        let apart = |one: &Elasticity| one.variance + (one.mean - mean).powi(2);
        let prior_apart = PRIOR_SERIES * apart(&Elasticity::PRIOR);
        Elasticity { mean, variance: (prior_apart + each.iter().map(apart).sum::<f64>()) / count }
    })
}

impl Habit {
    pub(crate) fn of(sums: &Sums, history: History, trust: f64, prior: Elasticity, used: usize) -> Self {
        let weight = trust / history.mean_square();
        let mut precision = [[0.0; CIRCUMSTANCES]; CIRCUMSTANCES];
        let mut mean = [0.0; CIRCUMSTANCES];
        for row in 0..used {
            for (column, entry) in precision[row][..=row].iter_mut().enumerate() {
                *entry = weight * sums.products[place(row, column)];
            }
            let own = if row == 0 { prior.variance } else { SEASON_SPREAD * SEASON_SPREAD };
            precision[row][row] += 1.0 / own;
            mean[row] = weight * sums.responses[row];
        }
        mean[0] += prior.mean / prior.variance;
        let root = cholesky(&precision, used);
        solve_lower(&root, &mut mean, used);
        solve_upper(&root, &mut mean, used);
        Self { used, root, mean }
    }

    /// What the circumstances, times what the level does to the statistic, are expected to do to it.
    pub(crate) fn expected(&self, row: &[f64; CIRCUMSTANCES]) -> Expected {
        let deviate = (0..self.used).map(|index| self.mean[index] * row[index]).sum();
        let mut scaled = *row;
        solve_lower(&self.root, &mut scaled, self.used);
        let variance: f64 = scaled[..self.used].iter().map(|value| value * value).sum();
        Expected { deviate, variance: variance.max((LEAST_ELASTICITY_SPREAD * row[0]).powi(2)) }
    }

    /// The elasticity to the load.
    pub(crate) fn elasticity(&self) -> Elasticity {
        let mut row = [0.0; CIRCUMSTANCES];
        row[0] = 1.0;
        solve_lower(&self.root, &mut row, self.used);
        Elasticity { mean: self.mean[0], variance: row[..self.used].iter().map(|value| value * value).sum() }
    }
}

/// The sums of a regression, with room for all circumstances.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sums {
    products: [f64; CIRCUMSTANCES * (CIRCUMSTANCES + 1) / 2],
    responses: [f64; CIRCUMSTANCES],
}

impl Default for Sums {
    fn default() -> Self {
        Self { products: [0.0; CIRCUMSTANCES * (CIRCUMSTANCES + 1) / 2], responses: [0.0; CIRCUMSTANCES] }
    }
}

impl Sums {
    /// A file holds either none or all of the sums; what it lacks counts as nothing seen.
    pub(crate) fn of(habit: &LearnedHabit) -> Self {
        let mut sums = Self::default();
        sums.products.iter_mut().zip(&habit.products).for_each(|(sum, &seen)| *sum = f64::from(seen));
        sums.responses.iter_mut().zip(&habit.responses).for_each(|(sum, &seen)| *sum = f64::from(seen));
        sums
    }

    /// Adds a window, or takes it out again with `times` -1. `left` is the statistic once the load was allowed for.
    pub(crate) fn add(&mut self, row: &[f64; CIRCUMSTANCES], deviate: f64, left: f64, times: f64) {
        let weight = times * (SOFT_LIMIT / left.abs().max(SOFT_LIMIT));
        for (first, one) in row.iter().enumerate() {
            for (second, other) in row[..=first].iter().enumerate() {
                self.products[place(first, second)] += weight * one * other;
            }
            self.responses[first] += weight * one * deviate;
        }
    }

    /// Takes out what another sum holds.
    #[must_use]
    pub(crate) fn without(mut self, other: &Self) -> Self {
        self.products.iter_mut().zip(&other.products).for_each(|(sum, part)| *sum -= part);
        self.responses.iter_mut().zip(&other.responses).for_each(|(sum, part)| *sum -= part);
        self
    }

    /// As it is kept; nothing if nothing was seen.
    #[allow(clippy::cast_possible_truncation)] // seven digits are more than any of them is worth
    pub(crate) fn kept(&self) -> LearnedHabit {
        if self.products.iter().all(|&sum| sum == 0.0) {
            return LearnedHabit::default();
        }
        LearnedHabit {
            products: self.products.iter().map(|&sum| sum as f32).collect(),
            responses: self.responses.iter().map(|&sum| sum as f32).collect(),
        }
    }
}

/// Adds what another part of the quiet windows taught of the same series.
pub(crate) fn add(to: &mut LearnedHabit, more: &LearnedHabit) {
    if to.is_empty() {
        to.clone_from(more);
        return;
    }
    to.products.iter_mut().zip(&more.products).for_each(|(sum, part)| *sum += part);
    to.responses.iter_mut().zip(&more.responses).for_each(|(sum, part)| *sum += part);
}

/// Where a lower triangle that is kept row by row holds an entry.
const fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

type Matrix = [[f64; CIRCUMSTANCES]; CIRCUMSTANCES];

/// The lower triangular root of a positive definite matrix of which the lower triangle is given. Pivots that rounding
/// took below zero become tiny.
fn cholesky(matrix: &Matrix, used: usize) -> Matrix {
    let mut root = [[0.0; CIRCUMSTANCES]; CIRCUMSTANCES];
    for row in 0..used {
        for column in 0..=row {
            let known: f64 = (0..column).map(|index| root[row][index] * root[column][index]).sum();
            let rest = matrix[row][column] - known;
            root[row][column] =
                if row == column { rest.max(f64::EPSILON).sqrt() } else { rest / root[column][column] };
        }
    }
    root
}

fn solve_lower(root: &Matrix, values: &mut [f64; CIRCUMSTANCES], used: usize) {
    for row in 0..used {
        let known: f64 = (0..row).map(|index| root[row][index] * values[index]).sum();
        values[row] = (values[row] - known) / root[row][row];
    }
}

fn solve_upper(root: &Matrix, values: &mut [f64; CIRCUMSTANCES], used: usize) {
    for row in (0..used).rev() {
        let known: f64 = (row + 1..used).map(|index| root[index][row] * values[index]).sum();
        values[row] = (values[row] - known) / root[row][row];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(load: f64) -> [f64; CIRCUMSTANCES] {
        let mut row = [0.0; CIRCUMSTANCES];
        row[0] = load;
        row
    }

    fn learned(windows: &[(f64, f64)]) -> Habit {
        let mut sums = Sums::default();
        for &(load, deviate) in windows {
            sums.add(&one(load), deviate, 0.0, 1.0);
        }
        let history = History::of(std::iter::repeat_n(1.0, windows.len()));
        Habit::of(&sums, history, 1.0, Elasticity::PRIOR, LOAD_ONLY)
    }

    #[test]
    fn windows_of_the_same_load_teach_nothing_about_it() {
        let habit = learned(&[(0.0, 1.0), (0.0, -2.0), (0.0, 0.5)]);
        let expected = habit.expected(&one(2.0));
        assert!((expected.deviate - 2.0 * ELASTICITY).abs() < 1e-9);
        assert!((expected.variance.sqrt() - 2.0 * ELASTICITY_SPREAD).abs() < 1e-9);
    }

    #[test]
    fn a_load_that_varied_teaches_how_a_series_follows_it() {
        let windows: Vec<(f64, f64)> =
            (-10_i32..=10).map(|at| (f64::from(at), 0.9 * f64::from(at))).collect();
        let elasticity = learned(&windows).elasticity();
        assert!((elasticity.mean - 0.9).abs() < 0.01, "{elasticity:?}");
        assert!(elasticity.variance.sqrt() < 0.05);
        let expected = learned(&windows).expected(&one(20.0));
        assert!(
            expected.variance.sqrt() >= 20.0 * LEAST_ELASTICITY_SPREAD - 1e-9,
            "no elasticity is a constant"
        );
        assert!(expected.left_of(18.0).abs() < 0.2 && expected.left_of(30.0) > 4.0);
    }

    #[test]
    fn a_window_that_is_taken_out_was_never_there() {
        let mut sums = Sums::default();
        sums.add(&one(2.0), 1.5, 0.5, 1.0);
        let before = sums.clone();
        sums.add(&one(-3.0), 40.0, 40.0, 1.0);
        sums.add(&one(-3.0), 40.0, 40.0, -1.0);
        assert!((sums.products[0] - before.products[0]).abs() < 1e-9);
        assert!((sums.responses[0] - before.responses[0]).abs() < 1e-9);
    }

    #[test]
    fn one_incident_is_no_habit() {
        let mut windows: Vec<(f64, f64)> = (-10_i32..=10).map(|at| (0.3 * f64::from(at), 0.0)).collect();
        let calm = learned(&windows).elasticity().mean;
        let mut sums = Sums::default();
        windows.push((3.0, 100.0));
        for &(load, deviate) in &windows {
            sums.add(&one(load), deviate, deviate, 1.0);
        }
        let history = History::of(windows.iter().map(|window| window.1));
        let moved = Habit::of(&sums, history, 1.0, Elasticity::PRIOR, LOAD_ONLY).elasticity();
        assert!((moved.mean - calm).abs() < 0.5 && moved.variance > 0.1, "{moved:?} from {calm}");
    }

    #[test]
    fn a_season_is_used_where_it_predicts_days_it_was_not_learned_from() {
        let days = |count: i64, scores: [f64; 3]| (0..count).map(|day| (day, scores)).collect();
        let cases = [
            (days(2, [0.0, 9.0, 9.0]), LOAD_ONLY),
            (days(3, [0.0, 9.0, 10.0]), WITH_DAY),
            (days(3, [0.0, -1.0, 9.0]), LOAD_ONLY),
            (days(14, [0.0, 9.0, 10.0]), CIRCUMSTANCES),
            (days(14, [0.0, 9.0, 8.0]), WITH_DAY),
        ];
        for (days, expected) in cases {
            assert_eq!(used(&days), expected, "{days:?}");
        }
        let mut mostly_worse: BTreeMap<i64, [f64; 3]> = days(4, [0.0, -0.1, 0.0]);
        mostly_worse.insert(9, [0.0, 50.0, 0.0]);
        assert_eq!(used(&mostly_worse), LOAD_ONLY, "one odd day is no season");
    }
}
