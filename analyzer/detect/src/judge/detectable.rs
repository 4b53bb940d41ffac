//! How small a change would this run have called a hit?
//!
//! In: the null distributions of series and services, and the error of each series. Out: for each service the smallest
//! change that would have counted as hit in four of five runs. It is what a pass is worth: absence of evidence says
//! nothing without it.
//!
//! The way of judging is walked backwards: the p-value that a service needs, the p-value that its metrics need for it,
//! the statistic that a series needs for that, the change that makes such a statistic, and a margin for noise.

use aftermath_model::DetectableChange;

use super::outcome::FAIL_AT;
use crate::calibrate::service::ServiceNull;
use crate::calibrate::{Known, Null};
use crate::detectors::level::{LEAST_EFFECT_SD, LEAST_SHARE, Precision, unbounded};
use crate::evidence::{SIGN, evidence};
use crate::math::{share_of, t_of_normal_deviate};
use crate::scores::SeriesScore;
use crate::semantics::{Concern, stem};
use crate::service::Service;

/// The normal deviate above which four of five values lie: with so large a margin beyond what is needed, the change is
/// found with a power of 80 % (the convention of Cohen, Statistical Power Analysis, 1988).
const MARGIN_OF_POWER: f64 = 0.8416;
/// No smaller p-value is looked for.
const LEAST_P: f64 = 1e-60;
/// No larger statistic is looked for; see the bound of graded deviates.
const MOST_DEVIATE: f64 = 300.0;
/// A run that would need a change of more standard deviations than this to be sure sees nothing that could be named.
const MOST_TOLD: f64 = 100.0;
/// Halvings of an interval: 20 leave a millionth of it.
const HALVINGS: usize = 20;

/// The nulls of one system, and how many services share the chances.
pub(super) struct Sensitivity<'a> {
    pub(super) null: &'a Null<'a>,
    pub(super) quiet: &'a ServiceNull,
    pub(super) services: usize,
}

/// The smallest change of one series that is found.
struct Smallest<'a> {
    score: &'a SeriesScore,
    /// In standard deviations.
    effect: f64,
    relative: Option<f64>,
}

impl Sensitivity<'_> {
    /// The smallest change of this service that would have been called a hit; `None` if none would have been.
    pub(super) fn of(&self, service: &Service) -> Option<DetectableChange> {
        let mut stems: Vec<(String, Vec<&SeriesScore>)> = Vec::new();
        for one in &service.series {
            let stem = stem(&one.score.key.metric);
            match stems.iter_mut().find(|(known, _)| *known == stem) {
                Some((_, series)) => series.push(one.score),
                None => stems.push((stem, vec![one.score])),
            }
        }
        let felt = |(_, series): &(String, Vec<&SeriesScore>)| {
            series.iter().any(|score| Concern::of(&score.key.metric).is_service_level())
        };
        let alone = self.smallest(service, stems.iter().filter(|stem| felt(stem)), stems.len(), 1);
        let together = || self.smallest(service, stems.iter(), stems.len(), 2);
        let (smallest, metrics_needed) = match alone {
            Some(alone) => (alone, 1),
            None => (together()?, 2),
        };
        Some(DetectableChange {
            key: smallest.score.key.to_series_key(),
            measure: smallest.score.measure,
            effect: smallest.effect,
            relative: smallest.relative,
            baseline: smallest.score.baseline,
            metrics_needed,
        })
    }

    /// The change that the best series of as many stems as are needed must reach.
    fn smallest<'a>(
        &self,
        service: &Service,
        candidates: impl Iterator<Item = &'a (String, Vec<&'a SeriesScore>)>,
        stems: usize,
        needed: usize,
    ) -> Option<Smallest<'a>> {
        let p_of_stem = self.p_needed(service, stems, needed)?;
        let mut best: Vec<Smallest> = candidates
            .filter_map(|(_, series)| {
                let p_value = p_of_stem / series.len() as f64;
                let of = |&score: &&'a SeriesScore| self.change(score, p_value);
                series.iter().filter_map(of).min_by(|a, b| a.effect.total_cmp(&b.effect))
            })
            .collect();
        best.sort_by(|a, b| a.effect.total_cmp(&b.effect).then(a.score.key.cmp(&b.score.key)));
        best.into_iter().nth(needed - 1)
    }

    /// The p-value that so many of the stems of a service must have, while the others say nothing, for the service to be
    /// the only one that counts as hit.
    fn p_needed(&self, service: &Service, stems: usize, needed: usize) -> Option<f64> {
        let is_hit = |p_value: f64| {
            let quiet = stems.saturating_sub(needed);
            let mut groups: Vec<Vec<f64>> = vec![vec![p_value]; needed];
            groups.extend(vec![vec![1.0]; quiet]);
            let p_service = self.quiet.trusting_p_value(evidence(&mut groups), service.trust);
            p_service / service.share_of_series() * self.services as f64 <= FAIL_AT
        };
        if stems < needed || !is_hit(LEAST_P) {
            return None;
        }
        let (mut enough, mut too_much) = (LEAST_P.ln(), SIGN.ln());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(enough, too_much);
            if is_hit(middle.exp()) { enough = middle } else { too_much = middle }
        }
        Some(enough.exp())
    }

    /// The change of a series that has this p-value in four of five runs; `None` where that cannot be said.
    fn change<'a>(&self, score: &'a SeriesScore, p_value: f64) -> Option<Smallest<'a>> {
        let Precision { error, noise, deviation, level, degrees, is_root } = score.precision;
        let [error, noise, deviation, level, degrees] =
            [error, noise, deviation, level, degrees].map(f64::from);
        if score.constant || error <= 0.0 || deviation <= 0.0 {
            return None;
        }
        let known = self.null.known(score);
        let statistic = self.statistic(score, known, p_value)?;
        let deviate = statistic * known.noise() * known.widening();
        let needed = t_of_normal_deviate(deviate.min(MOST_DEVIATE), degrees) * error;
        // Smaller ones do not matter, however certain.
        let least = (LEAST_EFFECT_SD * deviation).max(LEAST_SHARE * level * if is_root { 0.5 } else { 1.0 });
        let bounded = needed.max(least) + MARGIN_OF_POWER * noise * known.noise();
        if unbounded(bounded) > MOST_TOLD {
            return None;
        }
        let share = unbounded(bounded) / level;
        let relative = if is_root { (1.0 + share).powi(2) - 1.0 } else { share };
        Some(Smallest {
            score,
            effect: unbounded(bounded) / deviation,
            relative: (relative.is_finite() && score.baseline.is_some_and(|usual| usual != 0.0))
                .then_some(relative),
        })
    }

    /// The statistic that has this p-value; `None` if none has.
    fn statistic(&self, score: &SeriesScore, known: Known, p_value: f64) -> Option<f64> {
        let has = |statistic: f64| self.null.p_of_statistic(score, known, statistic) <= p_value;
        if !has(MOST_DEVIATE) {
            return None;
        }
        let (mut too_little, mut enough) = (0.0, MOST_DEVIATE);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(too_little, enough);
            if has(middle) { enough = middle } else { too_little = middle }
        }
        Some(enough)
    }
}

/// The change that would have been called a hit in half of the services; `None` if fewer can be spoken of.
pub(super) fn in_half_of<'a>(
    services: usize,
    changes: impl Iterator<Item = Option<&'a DetectableChange>>,
) -> Option<f64> {
    let mut effects: Vec<f64> = changes.flatten().map(|change| change.effect).collect();
    effects.sort_by(f64::total_cmp);
    effects.get(share_of(services, 0.5).max(1) - 1).copied()
}
