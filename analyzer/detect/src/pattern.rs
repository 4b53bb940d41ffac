//! Do the series of a service lie together where they never do, though none shows it by itself?
//!
//! In: for each series and window one deviate, and the courses of the series. Out: for each service a [`Pattern`] with
//! its chance. What the series usually do together is learned as the principal components of their courses. What a window
//! shows beyond these is its residual, the Q statistic of Jackson & Mudholkar, Technometrics 21 (1979): many small changes
//! at the same time, or series that part although they usually go together. Each placebo window is asked the same, by
//! components that were learned without it; how much it answers is the null. Nothing of it is kept in a learned file: the
//! components belong to one baseline.

mod principal;

use std::collections::BTreeMap;

use crate::calibrate::service::{Tail, WIDTH_OF_JOINT};
use crate::calibrate::{Known, Null};
use crate::detectors::level::is_graded;
use crate::evidence::{SIGN, strength};
use crate::math::{median, two_sided_normal_tail, upper_normal_deviate};
use crate::scores::SeriesScore;
use crate::windows::{Placebo, Plan};
use principal::{Components, dot};

/// Fewer series than this have no pattern.
const LEAST_SERIES: usize = 6;
/// As many components as a short baseline carries (detection plan, section 4), and at most one for three series.
const MOST_COMPONENTS: usize = 3;
/// The least number of quiet windows of all services whose ranks can say 5 %.
const LEAST_QUIET: usize = 19;
/// What is usual in the whole system counts as this many windows of the service itself, as theory does for one series.
const PRIOR_WINDOWS: f64 = 4.0;
/// At most so many series are named as those that carry a pattern.
const MOST_CARRIERS: usize = 5;
/// What rounds to nothing in a course is not blown up: one part of a [`crate::profile::Profile`].
const LEAST_DEVIATION: f64 = 1.0 / 15.0;

/// What the series of one service show together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    /// The chance of it when nothing happened.
    pub(crate) p_value: f64,
    /// The series that carry most of it, as their places among all series, the one with the largest residual first.
    pub(crate) carriers: Vec<usize>,
}

impl Pattern {
    /// Certain enough to speak for a service that was hit.
    pub(crate) fn is_sign(&self) -> bool {
        self.p_value <= SIGN && !self.carriers.is_empty()
    }
}

/// The pattern of every service that has one, by its name; none after so short a baseline that there are hardly any
/// placebo windows.
pub(crate) fn patterns<'a>(
    series: &[&'a SeriesScore],
    null: &Null,
    plan: &Plan,
) -> BTreeMap<&'a str, Pattern> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, score) in series.iter().enumerate().filter(|(_, score)| takes_part(score)) {
        members.entry(&score.key.service).or_default().push(index);
    }
    members.retain(|_, members| members.len() >= LEAST_SERIES);
    for members in members.values_mut() {
        // Sums depend on their order in the last bit, and series may come twice under one name.
        members.sort_by(|&a, &b| series[a].deviate.total_cmp(&series[b].deviate));
    }
    let residuals: Vec<Residuals> = members
        .values()
        .map(|members| Residuals::of(&members.iter().map(|&one| series[one]).collect::<Vec<_>>(), null, plan))
        .collect();
    let every: Vec<f64> = residuals.iter().flat_map(|of| &of.placebos).copied().collect();
    if every.len() < LEAST_QUIET {
        return BTreeMap::new();
    }
    let usual = median(&every).max(f64::MIN_POSITIVE);
    let quiet = residuals.iter().flat_map(|of| of.quiet_evidence(usual)).collect();
    let tail = Tail::of(quiet, WIDTH_OF_JOINT);
    let pattern = |(name, of): (&&'a str, &Residuals)| {
        let carriers = carriers(&of.left).into_iter().map(|place| members[name][place]).collect();
        (*name, Pattern { p_value: tail.p_value(of.evidence(usual)), carriers })
    };
    members.keys().zip(&residuals).map(pattern).collect()
}

/// Whether a series has a course, and deviates that say how much.
fn takes_part(score: &SeriesScore) -> bool {
    !score.constant && !score.presence.has_changed() && !score.profile.is_empty()
}

/// What one service shows beyond its components.
struct Residuals {
    /// The mean square of each placebo window, by its degrees of freedom.
    placebos: Vec<f64>,
    fault: f64,
    degrees: f64,
    /// What is left of each series' deviate in the fault window.
    left: Vec<f64>,
}

impl Residuals {
    fn of(members: &[&SeriesScore], null: &Null, plan: &Plan) -> Self {
        let blocks = plan.blocks();
        let courses = Courses::of(members);
        let most = MOST_COMPONENTS.min(members.len() / 3);
        let degrees = (members.len() - most) as f64;
        let beyond = |known: &[usize], deviates: &[f64]| courses.beyond(known, most, deviates);
        let known: Vec<Known> = members.iter().map(|score| null.known(score)).collect();
        let members = || members.iter().copied().zip(known.iter().copied());
        let placebo = |(window, placebo): (usize, &Placebo)| {
            let judged = blocks.touched(placebo.test.from, placebo.test.to);
            let others: Vec<usize> = (0..blocks.count()).filter(|block| !judged.contains(block)).collect();
            let deviates: Vec<f64> =
                members().map(|(score, known)| placebo_deviate(score, known, null, window)).collect();
            let left = beyond(&others, &deviates);
            dot(&left, &left) / degrees
        };
        let placebos = plan.placebos.iter().enumerate().map(placebo).collect();
        let deviates: Vec<f64> = members().map(|(score, known)| fault_deviate(score, known, null)).collect();
        let left = beyond(&(0..blocks.count()).collect::<Vec<_>>(), &deviates);
        Self { placebos, fault: dot(&left, &left) / degrees, degrees, left }
    }

    fn evidence(&self, usual: f64) -> f64 {
        self.evidence_of(self.fault, &self.placebos, usual)
    }

    /// The evidence of each placebo window, held against the others.
    fn quiet_evidence(&self, usual: f64) -> Vec<f64> {
        let of = |window: usize| {
            let mut others = self.placebos.clone();
            let mean_square = others.swap_remove(window);
            self.evidence_of(mean_square, &others, usual)
        };
        (0..self.placebos.len()).map(of).collect()
    }

    /// A mean square in units of what is usual for this service, read as a chi-square by its cube root (Wilson &
    /// Hilferty, PNAS 17, 1931), so that services with few and with many series can be compared.
    fn evidence_of(&self, mean_square: f64, others: &[f64], usual: f64) -> f64 {
        let own = others.iter().sum::<f64>();
        let scale = (PRIOR_WINDOWS * usual + own) / (PRIOR_WINDOWS + others.len() as f64);
        let variance = 2.0 / (9.0 * self.degrees);
        let deviate = ((mean_square / scale).cbrt() - (1.0 - variance)) / variance.sqrt();
        let beyond = two_sided_normal_tail(deviate) / 2.0;
        strength(if deviate > 0.0 { beyond } else { 1.0 - beyond })
    }
}

/// The places of the series with the largest residuals, as far as these are larger than usual; the largest first.
fn carriers(left: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..left.len()).filter(|&place| left[place].abs() > 1.0).collect();
    places.sort_by(|&a, &b| left[b].abs().total_cmp(&left[a].abs()));
    places.truncate(MOST_CARRIERS);
    places
}

/// The deviate of a standard normal that is as rare as the fault window of this series.
fn fault_deviate(score: &SeriesScore, known: Known, null: &Null) -> f64 {
    let deviate = f64::from(score.deviate);
    if !is_graded(deviate) {
        return 0.0;
    }
    normal_deviate(null.level_p_value(score, known), deviate)
}

/// The same of a placebo window.
fn placebo_deviate(score: &SeriesScore, known: Known, null: &Null, window: usize) -> f64 {
    let deviate = score.placebos.get(window).map_or(f64::NAN, |&deviate| f64::from(deviate));
    if !is_graded(deviate) {
        return 0.0;
    }
    null.level_placebo_p_value(score, known, window).map_or(0.0, |p_value| normal_deviate(p_value, deviate))
}

fn normal_deviate(p_value: f64, signed: f64) -> f64 {
    upper_normal_deviate(p_value / 2.0) * signed.signum()
}

/// The courses of the series of one service: a row for each block, a column for each series.
struct Courses {
    rows: Vec<Vec<f64>>,
    /// `products[i][j]` of rows i and j.
    products: Vec<Vec<f64>>,
}

impl Courses {
    /// Every column in its own deviations. What is missing counts as usual.
    fn of(members: &[&SeriesScore]) -> Self {
        let columns: Vec<Vec<f64>> = members
            .iter()
            .map(|score| {
                let values: Vec<f64> = score.profile.values().map(Option::unwrap_or_default).collect();
                let mean_square = dot(&values, &values) / values.len() as f64;
                let deviation = mean_square.sqrt().max(LEAST_DEVIATION);
                values.into_iter().map(|value| value / deviation).collect()
            })
            .collect();
        let height = columns.iter().map(Vec::len).min().unwrap_or_default();
        let rows: Vec<Vec<f64>> =
            (0..height).map(|row| columns.iter().map(|column| column[row]).collect()).collect();
        let products = rows.iter().map(|row| rows.iter().map(|other| dot(row, other)).collect()).collect();
        Self { rows, products }
    }

    /// What is left of the deviates beyond the components of the `known` blocks.
    fn beyond(&self, known: &[usize], most: usize, deviates: &[f64]) -> Vec<f64> {
        let components = Components::of(&self.products, known, most);
        let with_rows: Vec<f64> = self.rows.iter().map(|row| dot(row, deviates)).collect();
        let mut left = deviates.to_vec();
        for (row, weight) in components.explained(&with_rows) {
            left.iter_mut().zip(&self.rows[row]).for_each(|(left, value)| *left -= weight * value);
        }
        left
    }
}

#[cfg(test)]
mod tests;
