//! Should a running experiment be stopped now, seen by all of its indicators?
//!
//! In: the baselines of several service level indicators and one tolerated chance of a false abort, then samples, one by one
//! and of each indicator at its own pace. Out: continue, or abort with the indicator that speaks loudest.
//!
//! The evidence of the guard is the mean of its indicators' wealth. A mean of e-values is an e-value whatever the indicators
//! have to do with each other (Vovk & Wang, "E-values: calibration, combination and applications", 2021), and it reaches its
//! threshold no later than the rule that divides the chance among the indicators, sooner when several are harmed.

use std::collections::BTreeMap;
use std::fmt;

use aftermath_model::Timestamp;

use super::{AbortTest, Harm};

/// A service level indicator to be watched.
#[derive(Clone, Copy, Debug)]
pub struct Indicator<'a> {
    /// Its name, in the words of whoever reads the abort.
    pub name: &'a str,
    /// Its quiet baseline: one entry a step, in order, `None` where the sample is missing, the last entry just before the fault.
    pub baseline: &'a [Option<f64>],
    /// Where it does harm.
    pub harm: Harm,
}

/// Why an experiment is to be stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// The name of the indicator with the most evidence.
    pub indicator: String,
    /// When its harm most likely began, to the step.
    pub since: Timestamp,
    /// The evidence of the whole guard: 1/`evidence` bounds the chance of ever seeing as much in a quiet run.
    pub evidence: f64,
    /// The chance of a false abort that the guard was made for, over the whole run and all indicators.
    pub false_abort_rate: f64,
}

/// What to do after a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardDecision {
    /// Nothing is proven.
    Continue,
    /// Stop the fault.
    Abort(Alarm),
}

/// Why a guard cannot be made, or a sample cannot be taken in.
#[derive(Clone, Debug, PartialEq)]
pub enum GuardError {
    /// The tolerated chance of a false abort does not lie between 0 and 1.
    FalseAbortRate(f64),
    /// The distance of samples is not positive.
    Step(i64),
    /// Two indicators have this name.
    NameTwice(String),
    /// No indicator has a baseline that can be watched against.
    NothingToWatch(Vec<String>),
    /// No indicator of this name is watched.
    Unknown(String),
    /// This sample is older than one that was already taken in, of the same step as one, or from before the fault.
    OutOfOrder {
        /// The indicator's name.
        indicator: String,
        /// The sample's time.
        at: Timestamp,
        /// The earliest time that can still be taken in.
        expected_from: Timestamp,
    },
}

impl fmt::Display for GuardError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FalseAbortRate(rate) => {
                write!(out, "a false abort rate must lie between 0 and 1, not {rate}; 0.01 is usual")
            }
            Self::Step(step_ms) => {
                write!(out, "samples must be a positive time apart, not {step_ms} ms")
            }
            Self::NameTwice(name) => {
                write!(out, "two indicators are named `{name}`; give each a name of its own")
            }
            Self::NothingToWatch(names) => write!(
                out,
                "no indicator can be watched ({}): each needs 20 finite samples before the fault; watch longer before it",
                names.join(", ")
            ),
            Self::Unknown(name) => write!(out, "no indicator named `{name}` is watched"),
            Self::OutOfOrder { indicator, at, expected_from } => write!(
                out,
                "the sample of `{indicator}` at {} ms comes too late: the next must be from {} ms or after; feed samples in order, \
                 one a step",
                at.ms(),
                expected_from.ms()
            ),
        }
    }
}

impl std::error::Error for GuardError {}

/// Watches several indicators during a fault. Its memory does not grow with the run.
#[derive(Clone, Debug)]
pub struct AbortGuard {
    fault_from: Timestamp,
    step_ms: i64,
    false_abort_rate: f64,
    watched: BTreeMap<String, AbortTest>,
    unwatched: Vec<String>,
    alarm: Option<Alarm>,
}

impl AbortGuard {
    /// A guard whose first look is at `fault_from`, with samples `step_ms` apart as in the baselines.
    ///
    /// `false_abort_rate` is the chance of a false abort that is tolerated over the whole run, however long, and over all
    /// indicators together. Indicators whose baseline is too short or broken are listed by [`Self::unwatched`].
    ///
    /// # Errors
    /// When the rate or the step make no sense, when two indicators share a name, or when none can be watched.
    pub fn new(
        fault_from: Timestamp,
        step_ms: i64,
        false_abort_rate: f64,
        indicators: &[Indicator<'_>],
    ) -> Result<Self, GuardError> {
        if !(false_abort_rate > 0.0 && false_abort_rate < 1.0) {
            return Err(GuardError::FalseAbortRate(false_abort_rate));
        }
        if step_ms <= 0 {
            return Err(GuardError::Step(step_ms));
        }
        let (mut watched, mut unwatched) = (BTreeMap::new(), Vec::new());
        for indicator in indicators {
            let name = indicator.name.to_owned();
            if watched.contains_key(&name) || unwatched.contains(&name) {
                return Err(GuardError::NameTwice(name));
            }
            match AbortTest::new(indicator.baseline, indicator.harm, false_abort_rate) {
                Some(test) => {
                    watched.insert(name, test);
                }
                None => unwatched.push(name),
            }
        }
        if watched.is_empty() {
            return Err(GuardError::NothingToWatch(unwatched));
        }
        Ok(Self { fault_from, step_ms, false_abort_rate, watched, unwatched, alarm: None })
    }

    /// The names of the indicators that cannot be watched: fewer than 20 samples in the baseline, or one that is not finite.
    #[must_use]
    pub fn unwatched(&self) -> &[String] {
        &self.unwatched
    }

    /// Takes in one sample of one indicator. Steps that are passed over count as missing, and so does `None` and a sample
    /// that is not finite: none of them is ever evidence. Once this has said abort it keeps saying so.
    ///
    /// # Errors
    /// When the indicator is not watched, or when the sample is not from a later step than its last one. Nothing is changed then.
    pub fn look(
        &mut self,
        indicator: &str,
        at: Timestamp,
        sample: Option<f64>,
    ) -> Result<GuardDecision, GuardError> {
        let (fault_from, step_ms) = (self.fault_from, self.step_ms);
        let Some(test) = self.watched.get_mut(indicator) else {
            return Err(GuardError::Unknown(indicator.to_owned()));
        };
        let step = usize::try_from((at.ms() - fault_from.ms()).div_euclid(step_ms)).ok();
        let Some(passed_over) = step.and_then(|step| step.checked_sub(test.looks)) else {
            let expected_from = time_of(fault_from, step_ms, test.looks);
            return Err(GuardError::OutOfOrder { indicator: indicator.to_owned(), at, expected_from });
        };
        test.miss(passed_over);
        if test.take(sample) && self.alarm.is_none() {
            self.alarm = self.raised();
        }
        Ok(self.alarm.clone().map_or(GuardDecision::Continue, GuardDecision::Abort))
    }

    /// The evidence so far: the mean over the indicators, 1 at the beginning.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        self.watched.values().map(AbortTest::evidence).sum::<f64>() / self.watched.len() as f64
    }

    fn raised(&self) -> Option<Alarm> {
        let evidence = self.evidence();
        if evidence < 1.0 / self.false_abort_rate {
            return None;
        }
        let (name, leading) = self.watched.iter().max_by(|a, b| a.1.evidence().total_cmp(&b.1.evidence()))?;
        let since = time_of(self.fault_from, self.step_ms, leading.stays_away()?);
        Some(Alarm { indicator: name.clone(), since, evidence, false_abort_rate: self.false_abort_rate })
    }
}

fn time_of(fault_from: Timestamp, step_ms: i64, look: usize) -> Timestamp {
    let looks = i64::try_from(look).unwrap_or(i64::MAX);
    fault_from.plus_ms(looks.saturating_mul(step_ms))
}

#[cfg(test)]
mod tests {
    use aftermath_generator::Random;

    use super::*;

    const STEP_MS: i64 = 15_000;

    fn fault_from() -> Timestamp {
        Timestamp::from_ms(1_772_000_000_000).expect("in 2026")
    }

    fn at(step: i64) -> Timestamp {
        fault_from().plus_ms(step * STEP_MS)
    }

    fn quiet(seed: u64, count: usize) -> Vec<Option<f64>> {
        let mut random = Random::new(seed);
        (0..count).map(|_| Some(10.0 + random.normal())).collect()
    }

    fn guard(names: &[&str]) -> AbortGuard {
        let baselines: Vec<Vec<Option<f64>>> = (0..names.len()).map(|seed| quiet(seed as u64, 120)).collect();
        let indicators: Vec<Indicator> = names
            .iter()
            .zip(&baselines)
            .map(|(name, baseline)| Indicator { name, baseline, harm: Harm::Up })
            .collect();
        AbortGuard::new(fault_from(), STEP_MS, 0.01, &indicators).expect("they can be watched")
    }

    /// The alarm, and the step of it.
    fn harmed(guard: &mut AbortGuard, name: &str, steps: std::ops::Range<i64>) -> Option<(i64, Alarm)> {
        let mut random = Random::new(99);
        for step in steps {
            let decision = guard.look(name, at(step), Some(15.0 + random.normal())).expect("in order");
            if let GuardDecision::Abort(alarm) = decision {
                return Some((step, alarm));
            }
        }
        None
    }

    #[test]
    fn the_alarm_names_the_harmed_indicator_and_when_it_began() {
        let mut guard = guard(&["errors", "latency", "queue"]);
        for (step, sample) in (0..).zip(quiet(7, 30)) {
            for name in ["errors", "latency", "queue"] {
                assert_eq!(guard.look(name, at(step), sample), Ok(GuardDecision::Continue));
            }
        }
        let (step, alarm) = harmed(&mut guard, "latency", 30..50).expect("five deviations");
        assert!(step <= 36, "{step}");
        assert_eq!(alarm.indicator, "latency");
        assert!((at(29)..=at(31)).contains(&alarm.since), "{:?}", alarm.since);
        assert!(alarm.evidence >= 100.0 && (alarm.false_abort_rate - 0.01).abs() < 1e-12);
        let later = guard.look("errors", at(60), Some(10.0)).expect("in order");
        assert_eq!(later, GuardDecision::Abort(alarm), "it keeps saying so");
    }

    #[test]
    fn each_indicator_may_come_at_its_own_pace_and_miss_samples() {
        let mut guard = guard(&["errors", "latency"]);
        for step in [0, 1, 5, 17] {
            assert_eq!(guard.look("errors", at(step), Some(10.0)), Ok(GuardDecision::Continue));
        }
        assert_eq!(guard.look("latency", at(3), None), Ok(GuardDecision::Continue));
        let before = guard.evidence();
        for step in 18..60 {
            assert_eq!(guard.look("errors", at(step), None), Ok(GuardDecision::Continue));
            assert_eq!(guard.look("latency", at(step), Some(f64::NAN)), Ok(GuardDecision::Continue));
        }
        assert!((guard.evidence() - before).abs() < 1e-12, "nothing was learned");
        assert!(harmed(&mut guard, "latency", 60..70).is_some());
    }

    #[test]
    fn a_sample_out_of_order_is_refused_and_changes_nothing() {
        let mut guard = guard(&["errors"]);
        assert!(guard.look("errors", at(4), Some(11.0)).is_ok());
        let before = guard.evidence();
        for early in [at(4), at(4).plus_ms(STEP_MS - 1), at(0), at(-1)] {
            let refused = guard.look("errors", early, Some(99.0)).expect_err("too early");
            let message = refused.to_string();
            assert!(message.contains("`errors`") && message.contains("in order"), "{message}");
            assert_eq!(
                refused,
                GuardError::OutOfOrder { indicator: "errors".to_owned(), at: early, expected_from: at(5) }
            );
        }
        assert!((guard.evidence() - before).abs() < 1e-12);
        assert!(guard.look("errors", at(5), Some(10.0)).is_ok());
    }

    #[test]
    fn what_makes_no_guard_is_refused_with_the_reason() {
        let (long, short) = (quiet(1, 40), quiet(2, 10));
        let indicator = |name, baseline| Indicator { name, baseline, harm: Harm::Both };
        let made = |rate, step_ms, indicators: &[Indicator]| {
            AbortGuard::new(fault_from(), step_ms, rate, indicators)
        };
        let good = indicator("errors", &long);
        for (rate, step_ms, indicators, said) in [
            (0.0, STEP_MS, &[good][..], "between 0 and 1"),
            (f64::NAN, STEP_MS, &[good][..], "between 0 and 1"),
            (0.01, 0, &[good][..], "positive time"),
            (0.01, STEP_MS, &[good, good][..], "`errors`"),
            (0.01, STEP_MS, &[indicator("latency", &short)][..], "latency"),
            (0.01, STEP_MS, &[][..], "no indicator"),
        ] {
            let refused = made(rate, step_ms, indicators).expect_err(said).to_string();
            assert!(refused.contains(said), "{refused}");
        }
        let mut partly = made(0.01, STEP_MS, &[good, indicator("latency", &short)]).expect("one is enough");
        assert_eq!(partly.unwatched(), ["latency"]);
        let unknown = partly.look("latency", at(0), Some(1.0));
        assert_eq!(unknown, Err(GuardError::Unknown("latency".to_owned())));
    }

    #[test]
    fn many_slightly_harmed_indicators_together_are_evidence_sooner() {
        let names = ["a", "b", "c", "d", "e"];
        let stop = |harmed: usize| {
            let mut guard = guard(&names);
            let mut random = Random::new(5);
            (0..200).find(|&step| {
                names.iter().enumerate().any(|(index, name)| {
                    let harm = if index < harmed { 2.0 } else { 0.0 };
                    let sample = Some(10.0 + harm + random.normal());
                    guard.look(name, at(step), sample) != Ok(GuardDecision::Continue)
                })
            })
        };
        let (one, all) = (stop(1), stop(5));
        assert!(all.is_some_and(|all| one.is_none_or(|one| all < one)), "{one:?} {all:?}");
    }
}
