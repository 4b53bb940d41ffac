//! How strongly do the series of a service say that it changed?
//!
//! In: p-values, by what they are about. Out: [`Evidence`] on a logarithmic scale, of two kinds: that *any* thing
//! changed (Simes over stems of metric names), and that several did *jointly*: the truncated product of Zaykin et al.,
//! Genetic Epidemiology 22 (2002), which adds up what lies beyond 5 % and ignores the rest. One wild series is common
//! in quiet systems; several in one service at the same time are not. How common exactly is calibrated afterwards, so
//! neither needs independence.

use std::collections::{BTreeMap, BTreeSet};

use crate::multiple::simes;
use crate::scores::SeriesScore;
use crate::semantics::stem;

/// Only p-values up to this one are signs: the truncation that Zaykin et al. recommend.
pub(crate) const SIGN: f64 = 0.05;
/// No evidence is stronger than a p-value of e⁻²³⁰ = 10⁻¹⁰⁰: nothing is known about tails that far out.
const STRONGEST: f64 = 230.0;

/// The strength of evidence in natural logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) any: f64,
    pub(crate) joint: f64,
}

/// The stem of every metric name, worked out once: there are far fewer names than series.
#[derive(Clone, Debug, Default)]
pub(crate) struct StemOf {
    /// Sorted.
    stems: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl StemOf {
    pub(crate) fn of(series: &[&SeriesScore]) -> Self {
        let mut of_names: BTreeMap<&str, String> = BTreeMap::new();
        for score in series {
            of_names.entry(&score.key.metric).or_insert_with(|| stem(&score.key.metric));
        }
        let distinct: BTreeSet<&str> = of_names.values().map(String::as_str).collect();
        let stems: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
        let number = |stem: &String| stems.partition_point(|other| other < stem);
        let numbers = of_names.iter().map(|(name, stem)| ((*name).to_owned(), number(stem))).collect();
        Self { stems, numbers }
    }

    /// Every stem, in the order of their numbers, which is that of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.stems.iter().map(String::as_str)
    }

    /// The number of a metric's stem. Only names that it was made of have one; others count as the first.
    pub(crate) fn number(&self, metric: &str) -> usize {
        self.numbers.get(metric).copied().unwrap_or_default()
    }

    /// The stem of a metric that it was made of.
    pub(crate) fn stem(&self, metric: &str) -> &str {
        self.stems.get(self.number(metric)).map_or("", String::as_str)
    }
}

/// The evidence of one service: its p-values, grouped by what they are about.
pub(crate) fn evidence<'a>(groups: impl IntoIterator<Item = &'a mut Vec<f64>>) -> Evidence {
    let mut of_stems: Vec<f64> = groups.into_iter().map(|p_values| simes(p_values)).collect();
    let joint = of_stems.iter().map(|p_value| strength(p_value / SIGN)).sum();
    Evidence { any: strength(simes(&mut of_stems)), joint }
}

/// A p-value as the strength of evidence.
pub(crate) fn strength(p_value: f64) -> f64 {
    (-p_value.max(f64::MIN_POSITIVE).ln()).clamp(0.0, STRONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence_of(mut groups: Vec<Vec<f64>>) -> Evidence {
        evidence(&mut groups)
    }

    fn one_each(p_values: &[f64]) -> Evidence {
        evidence_of(p_values.iter().map(|&p| vec![p]).collect())
    }

    #[test]
    fn several_signs_are_stronger_together_than_one() {
        let one = one_each(&[0.001, 0.5, 0.5]);
        let several = one_each(&[0.001, 0.001, 0.002]);
        assert!(several.joint > 2.0 * one.joint);
    }

    #[test]
    fn what_is_not_a_sign_adds_nothing() {
        assert!(one_each(&[0.06, 0.9]).joint.abs() < f64::EPSILON);
    }

    #[test]
    fn repetitions_of_one_metric_count_once() {
        let repeated = evidence_of(vec![vec![0.001, 0.001, 0.001]]);
        assert!((repeated.joint - one_each(&[0.001]).joint).abs() < 1e-9);
    }
}
