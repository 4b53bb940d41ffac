//! Which series of a service say the same as another one, and so are no second witness?
//!
//! In: the placebo statistics of a run, or the statistics of quiet windows. Out: for each series the group in which it
//! corroborates others: that of its metric, or that of the first series that it copies.
//!
//! Memory in bytes and as a share of its limit have the same statistics, number by number; CPU seconds of a container
//! and of its pod nearly so. Two such are one sign. Taking two series for copies that are none loses a sign, and never
//! makes one.

use std::collections::BTreeMap;

use crate::calibrate::learned_name;
use crate::detectors::level::is_graded;
use crate::evidence::StemOf;
use crate::math::median_in_place;
use crate::scores::SeriesScore;
use crate::semantics::counts_requests;

/// Near-copies correlate more than this over quiet windows (detection plan, S6).
const ALIKE: f64 = 0.95;
/// Fewer windows cannot tell near-copies: among the 500,000 pairs of a service of 1000 series, twelve windows take one
/// pair for copies by chance (t = 9.6 with 10 degrees of freedom), six windows 1,800.
pub(crate) const LEAST_WINDOWS: usize = 12;
/// Statistics that agree to three decimals are the same numbers in other units, if this many agree, and if they are
/// large enough that so many decimals say something.
const LEAST_SAME: usize = 3;
const LARGE_ENOUGH: f64 = 0.05;
const DECIMALS: f64 = 1000.0;

/// The group of each series: the number of its metric's stem, or of that of the first series of its service that it
/// copies by the placebo windows.
pub(crate) fn groups(series: &[&SeriesScore], stems: &StemOf) -> Vec<usize> {
    let mut groups: Vec<usize> = series.iter().map(|score| stems.number(&score.key.metric)).collect();
    let load = load_of_placebos(series);
    let mut services: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, score) in series.iter().enumerate() {
        services.entry(&score.key.service).or_default().push(index);
    }
    for members in services.values().filter(|members| members.len() > 1) {
        let numbers: Vec<Option<Vec<i64>>> = members.iter().map(|&index| decimals(series[index])).collect();
        let shapes =
            members.iter().map(|&index| placebo_shape(series[index], load.as_ref())).collect::<Vec<_>>();
        let (same, alike) = (first_same(&numbers), first_alike(&shapes));
        for place in 0..members.len() {
            let first = if same[place] == place { alike[place] } else { same[place] };
            groups[members[place]] = groups[members[first]];
        }
    }
    groups
}

/// Moves series that a learned null knows as copies into the group of what they copy, where that is seen too.
pub(crate) fn follow_learned(
    groups: &mut [usize],
    series: &[&SeriesScore],
    copies: &BTreeMap<String, String>,
) {
    if copies.is_empty() {
        return;
    }
    let names: Vec<String> = series.iter().map(|score| learned_name(score)).collect();
    let first_of: BTreeMap<&str, usize> =
        names.iter().enumerate().rev().map(|(index, name)| (name.as_str(), groups[index])).collect();
    for (group, name) in groups.iter_mut().zip(&names) {
        if let Some(&first) = copies.get(name).and_then(|of| first_of.get(of.as_str())) {
            *group = first;
        }
    }
}

/// For each shape the first that it is alike, or itself: shapes of length one whose product is nearly one. Only those
/// that peak in the same window are compared, which misses a few and keeps the work near linear in their number.
pub(crate) fn first_alike(shapes: &[Option<Vec<f64>>]) -> Vec<usize> {
    let mut firsts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut result: Vec<usize> = (0..shapes.len()).collect();
    for (index, shape) in shapes.iter().enumerate() {
        let Some(shape) = shape else { continue };
        let candidates = firsts.entry(peak(shape)).or_default();
        let is_alike = |&&first: &&usize| {
            shapes[first].as_ref().is_some_and(|other| product(shape, other).abs() > ALIKE)
        };
        match candidates.iter().find(is_alike) {
            Some(&first) => result[index] = first,
            None => candidates.push(index),
        }
    }
    result
}

/// The shape of statistics over windows: centred, and of length one; `None` if they hardly vary or are too few.
pub(crate) fn shape(mut values: Vec<f64>) -> Option<Vec<f64>> {
    let centre = values.iter().sum::<f64>() / values.len().max(1) as f64;
    for value in &mut values {
        *value -= centre;
    }
    let length = product(&values, &values).sqrt();
    if values.len() < LEAST_WINDOWS || length < LARGE_ENOUGH {
        return None;
    }
    for value in &mut values {
        *value /= length;
    }
    Some(values)
}

/// The shape of the placebo statistics without what the load explains: following the same load makes no copies.
fn placebo_shape(score: &SeriesScore, load: Option<&Vec<f64>>) -> Option<Vec<f64>> {
    let mut values: Vec<f64> = score.placebos.iter().map(|&placebo| f64::from(placebo)).collect();
    if values.iter().any(|&value| !is_graded(value)) {
        return None;
    }
    if let Some(load) = load.filter(|load| load.len() == values.len()) {
        let follows = product(&values, load);
        values.iter_mut().zip(load).for_each(|(value, load)| *value -= follows * load);
    }
    shape(values)
}

/// The shape of the load over the placebo windows: the median statistic of what counts requests.
fn load_of_placebos(series: &[&SeriesScore]) -> Option<Vec<f64>> {
    let counters: Vec<&&SeriesScore> =
        series.iter().filter(|score| counts_requests(&score.key.metric)).collect();
    let windows = counters.iter().map(|score| score.placebos.len()).max()?;
    let median_of = |window: usize| {
        let seen = counters.iter().filter_map(|score| score.placebos.get(window));
        let mut seen: Vec<f64> =
            seen.map(|&placebo| f64::from(placebo)).filter(|&placebo| is_graded(placebo)).collect();
        median_in_place(&mut seen)
    };
    shape((0..windows).map(median_of).collect())
}

fn first_same(numbers: &[Option<Vec<i64>>]) -> Vec<usize> {
    let mut firsts: BTreeMap<&[i64], usize> = BTreeMap::new();
    let mut result: Vec<usize> = (0..numbers.len()).collect();
    for (index, numbers) in numbers.iter().enumerate() {
        if let Some(numbers) = numbers {
            result[index] = *firsts.entry(numbers).or_insert(index);
        }
    }
    result
}

/// The placebo statistics to three decimals, signs aside where all are turned; `None` if they say too little.
fn decimals(score: &SeriesScore) -> Option<Vec<i64>> {
    let tells = |deviate: f64| is_graded(deviate) && deviate.abs() >= LARGE_ENOUGH;
    let large = score.placebos.iter().filter(|&&placebo| tells(f64::from(placebo))).count();
    if large < LEAST_SAME || score.placebos.iter().any(|placebo| placebo.is_nan()) {
        return None;
    }
    let turn = score.placebos.iter().find(|placebo| **placebo != 0.0).map_or(1.0, |placebo| placebo.signum());
    // Statistics are bounded far inside the range; infinite ones become its ends.
    #[allow(clippy::cast_possible_truncation)]
    let decimal = |placebo: &f32| (f64::from(placebo * turn) * DECIMALS).round() as i64;
    Some(score.placebos.iter().map(decimal).collect())
}

fn peak(shape: &[f64]) -> usize {
    let higher = |a: &(usize, &f64), b: &(usize, &f64)| a.1.abs().total_cmp(&b.1.abs());
    shape.iter().enumerate().max_by(higher).map_or(0, |(window, _)| window)
}

fn product(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(windows: u32, phase: f64) -> Option<Vec<f64>> {
        shape((0..windows).map(|window| (f64::from(window) * 2.4 + phase).sin()).collect())
    }

    #[test]
    fn what_moves_alike_is_a_copy_of_the_first_also_upside_down() {
        let turned = wave(24, 0.0).map(|shape| shape.into_iter().map(|value| -value).collect());
        let shapes = [wave(24, 0.0), wave(24, 1.5), None, turned, wave(24, 0.01)];
        assert_eq!(first_alike(&shapes), [0, 1, 2, 0, 0]);
    }

    #[test]
    fn few_windows_have_no_shape() {
        assert!(wave(11, 0.0).is_none() && wave(12, 0.0).is_some());
        assert!(shape(vec![0.3; 24]).is_none(), "nor has what stands still");
    }

    #[test]
    fn the_same_numbers_are_copies_of_the_first() {
        let numbers = [Some(vec![1, 2, 3]), None, Some(vec![1, 2, 3]), Some(vec![3, 2, 1])];
        assert_eq!(first_same(&numbers), [0, 1, 0, 3]);
    }
}
