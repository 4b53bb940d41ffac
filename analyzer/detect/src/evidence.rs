//! How strongly do the series of a service say that it changed?
//!
//! In: p-values, by what they are about. Out: [`Evidence`] on a logarithmic scale, of two kinds: that *any* thing
//! changed (Simes over stems of metric names), and that several did *jointly*: the truncated product of Zaykin et al.,
//! Genetic Epidemiology 22 (2002), which adds up what lies beyond 5 % and ignores the rest. One wild series is common
//! in quiet systems; several in one service at the same time are not. How common exactly is calibrated afterwards, so
//! neither needs independence.

use std::collections::BTreeMap;

use crate::multiple::simes;

/// P-values of series by the stem of their metric's name.
pub(crate) type Stems = BTreeMap<String, Vec<f64>>;

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

/// The evidence of one service.
pub(crate) fn evidence(stems: Stems) -> Evidence {
    let mut of_stems: Vec<f64> = stems.into_values().map(|mut p_values| simes(&mut p_values)).collect();
    let strength = |p_value: f64| (-p_value.max(f64::MIN_POSITIVE).ln()).clamp(0.0, STRONGEST);
    let joint = of_stems.iter().map(|p_value| strength(p_value / SIGN)).sum();
    Evidence { any: strength(simes(&mut of_stems)), joint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(p_values: &[f64]) -> Stems {
        p_values.iter().enumerate().map(|(index, &p)| (index.to_string(), vec![p])).collect()
    }

    #[test]
    fn several_signs_are_stronger_together_than_one() {
        let one = evidence(stems(&[0.001, 0.5, 0.5]));
        let several = evidence(stems(&[0.001, 0.001, 0.002]));
        assert!(several.joint > 2.0 * one.joint);
    }

    #[test]
    fn what_is_not_a_sign_adds_nothing() {
        assert!(evidence(stems(&[0.06, 0.9])).joint.abs() < f64::EPSILON);
    }

    #[test]
    fn repetitions_of_one_metric_count_once() {
        let repeated = BTreeMap::from([("latency".to_owned(), vec![0.001, 0.001, 0.001])]);
        let once = BTreeMap::from([("latency".to_owned(), vec![0.001])]);
        assert!((evidence(repeated).joint - evidence(once).joint).abs() < 1e-9);
    }
}
