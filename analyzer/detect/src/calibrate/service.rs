//! How strong is the evidence against a quiet service?
//!
//! In: the evidence that services of this system show in placebo or learned windows. Out: a [`ServiceNull`] that
//! turns evidence into a p-value. The series of a service depend on each other in ways that nobody knows; quiet
//! windows of the same services carry exactly that dependence, so nothing has to be assumed about it.

use super::between;
use crate::evidence::Evidence;
use crate::math::{mean, share_of};
use crate::multiple::cauchy;

/// The share of quiet evidence that shapes the tail, and the least number of values that can.
const TAIL_SHARE: f64 = 0.1;
const LEAST_IN_TAIL: usize = 10;
/// What is expected of the tail before it is seen counts as this many values.
const PRIOR_VALUES: f64 = 10.0;
/// Calibrated evidence falls by a factor of e a unit.
const WIDTH_OF_ANY: f64 = 1.0;
/// Joint evidence falls by e a unit if its parts are independent, and more slowly if they come together: expected is
/// that they come in pairs.
pub(crate) const WIDTH_OF_JOINT: f64 = 2.0;

/// How strong evidence is when nothing happened.
#[derive(Clone, Debug)]
pub(crate) struct ServiceNull {
    placebos: Tails,
    learned: Option<Tails>,
}

#[derive(Clone, Debug)]
struct Tails {
    any: Tail,
    joint: Tail,
}

#[derive(Clone, Debug)]
pub(crate) struct Tail {
    sorted: Vec<f64>,
    threshold: f64,
    share_beyond: f64,
    width: f64,
    worth: f64,
}

impl ServiceNull {
    /// The null of placebo windows alone.
    pub(crate) fn of(quiet: &[Evidence]) -> Self {
        Self { placebos: Tails::of(quiet), learned: None }
    }

    /// The null of placebo windows beside that of learned windows.
    pub(crate) fn with_learned(quiet: &[Evidence], learned: &[[f64; 2]]) -> Self {
        let learned: Vec<Evidence> = learned.iter().map(|&[any, joint]| Evidence { any, joint }).collect();
        Self { placebos: Tails::of(quiet), learned: (!learned.is_empty()).then(|| Tails::of(&learned)) }
    }

    /// The chance of evidence at least this strong in a quiet service, by placebo windows.
    pub(crate) fn p_value(&self, evidence: Evidence) -> f64 {
        self.placebos.p_value(evidence)
    }

    /// The same, by learned windows as far as they are trusted with this service, 0 to 1.
    pub(crate) fn trusting_p_value(&self, evidence: Evidence, trust: f64) -> f64 {
        let placebos = || self.placebos.p_value(evidence);
        self.learned
            .as_ref()
            .map_or_else(placebos, |learned| between(trust, || learned.p_value(evidence), placebos))
    }
}

impl Tails {
    fn of(quiet: &[Evidence]) -> Self {
        Self {
            any: Tail::of(quiet.iter().map(|evidence| evidence.any).collect(), WIDTH_OF_ANY),
            joint: Tail::of(quiet.iter().map(|evidence| evidence.joint).collect(), WIDTH_OF_JOINT),
        }
    }

    /// Both kinds together; the better of both pays a factor of two if the other says nothing.
    fn p_value(&self, evidence: Evidence) -> f64 {
        cauchy(self.any.p_value(evidence.any), self.joint.p_value(evidence.joint), 0.5)
    }
}

impl Tail {
    pub(crate) fn of(mut sorted: Vec<f64>, expected_width: f64) -> Self {
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let beyond = LEAST_IN_TAIL.max(share_of(count, TAIL_SHARE)).min(count / 2);
        if beyond == 0 {
            return Self {
                sorted,
                threshold: 0.0,
                share_beyond: 1.0,
                width: expected_width,
                worth: PRIOR_VALUES,
            };
        }
        let threshold = sorted[count - beyond - 1];
        let excesses: Vec<f64> = sorted[count - beyond..].iter().map(|value| value - threshold).collect();
        let seen = beyond as f64;
        let worth = PRIOR_VALUES + seen;
        let width = (PRIOR_VALUES * expected_width + mean(&excesses) * seen) / worth;
        Self { threshold, share_beyond: seen / count as f64, width, worth, sorted }
    }

    /// Beyond the threshold an exponential tail whose width is known from few values only: averaged over what the
    /// width may be, it is a Lomax tail, heavier the fewer values there were.
    pub(crate) fn p_value(&self, evidence: f64) -> f64 {
        if evidence > self.threshold {
            let reach = 1.0 + (evidence - self.threshold) / (self.width * self.worth);
            return self.share_beyond * reach.powf(-self.worth);
        }
        let at_least = self.sorted.len() - self.sorted.partition_point(|&value| value < evidence);
        ((1 + at_least) as f64 / (self.sorted.len() + 1) as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(count: u32) -> Vec<Evidence> {
        // Quantiles of calibrated evidence: -ln of evenly spread p-values.
        (0..count)
            .map(|rank| -((f64::from(rank) + 0.5) / f64::from(count)).ln())
            .map(|any| Evidence { any, joint: 0.0 })
            .collect()
    }

    #[test]
    fn evidence_of_calibrated_services_gives_back_their_p_values() {
        let null = ServiceNull::of(&quiet(1000));
        for p_value in [0.3_f64, 0.05, 0.001] {
            let got = null.p_value(Evidence { any: -p_value.ln(), joint: 0.0 }) / 2.0;
            assert!((0.5..2.0).contains(&(got / p_value)), "{p_value} became {got}");
        }
    }

    #[test]
    fn the_fewer_quiet_services_were_seen_the_less_is_believed() {
        let strong = Evidence { any: 15.0, joint: 0.0 };
        assert!(
            ServiceNull::of(&quiet(20)).p_value(strong) > 3.0 * ServiceNull::of(&quiet(2000)).p_value(strong)
        );
    }

    #[test]
    fn without_any_quiet_service_evidence_is_taken_at_its_word() {
        let p_value = ServiceNull::of(&[]).p_value(Evidence { any: 4.0, joint: 0.0 });
        assert!(p_value > (-4.0_f64).exp() && p_value < 0.2);
    }
}
