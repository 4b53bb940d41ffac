//! What is kept of the changes of one series besides that of its level.
//!
//! In: a [`Cut`]. Out: [`SideScore`]s, with details in natural units only where something may have happened.

use aftermath_model::Channel;

use crate::cut::{Cut, single};
use crate::detectors::burst::WIDTH;
use crate::detectors::sides::SIDES;
use crate::math::{mean, median};
use crate::onset::Onset;
use crate::recovery::{Normal, Recovery, recovery};
use crate::windows::Plan;

/// A statistic this small is no sign of anything, whatever the null; its details are not kept.
const NOTHING: f32 = 1.0;

/// The change of one kind, in the fault window and in each placebo window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SideScore {
    pub(crate) channel: Channel,
    /// See [`crate::detectors::Side::deviate`].
    pub(crate) deviate: f32,
    /// See [`crate::detectors::Side::effect`].
    pub(crate) effect: f32,
    /// By how much the deviate moves when the load changes by a factor of e and the noise of the series follows it.
    pub(crate) per_load: f32,
    /// The same statistic of each placebo window; not a number where it cannot be told.
    pub(crate) placebos: Box<[f32]>,
    pub(crate) detail: Option<Box<Detail>>,
}

/// A change in natural units and in time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    /// See [`aftermath_model::Finding::baseline`].
    pub(crate) baseline: f64,
    /// See [`aftermath_model::Finding::fault`].
    pub(crate) fault: f64,
    pub(crate) onset: Option<Onset>,
    pub(crate) recovery: Recovery,
}

/// The side scores of a series; none where the fault is too short or the series has no noise of its own. `of_level` is
/// when the change of the level began and whether it is over.
pub(crate) fn side_scores(cut: &Cut, plan: &Plan, of_level: (Option<Onset>, Recovery)) -> Box<[SideScore]> {
    let Some(fault) = cut.sides() else { return Box::default() };
    let allowance = single(plan.drift_allowance());
    let placebos: Vec<_> =
        plan.placebos.iter().map(|&placebo| cut.placebo_sides(placebo).unwrap_or_default()).collect();
    let kept = SIDES.iter().zip(fault.0).enumerate().filter_map(|(index, (&channel, side))| {
        let side = side?;
        let of_placebo = |side: Option<crate::detectors::Side>| {
            side.map_or(f32::NAN, |side| allowance * single(side.deviate))
        };
        let deviate = single(side.deviate);
        Some(SideScore {
            channel,
            deviate,
            effect: single(side.effect),
            per_load: single(side.per_log_noise),
            placebos: placebos.iter().map(|sides| of_placebo(sides.0[index])).collect(),
            detail: (deviate.abs() > NOTHING).then(|| Box::new(detail(cut, channel, of_level))),
        })
    });
    kept.collect()
}

fn detail(cut: &Cut, channel: Channel, (onset, recovered): (Option<Onset>, Recovery)) -> Detail {
    let (before, during) = (&cut.baseline.natural, &cut.fault.natural);
    match channel {
        Channel::Spread => Detail {
            baseline: mean(&moves(before)),
            fault: mean(&moves(during)),
            onset: None,
            recovery: recovery_of_spread(cut),
        },
        Channel::Burst => {
            let place = farthest_burst(cut);
            Detail {
                baseline: median(before),
                fault: during.get(place..place + WIDTH).map_or(f64::NAN, mean),
                onset: burst_onset(&cut.fault.times_ms, place),
                recovery: recovered,
            }
        }
        Channel::Trend | Channel::Level | Channel::Presence | Channel::Restart | Channel::Pattern => {
            let third = during.len() / 3;
            Detail {
                baseline: median(&during[..third]),
                fault: median(&during[during.len() - third..]),
                onset,
                recovery: recovered,
            }
        }
    }
}

fn farthest_burst(cut: &Cut) -> usize {
    let Some(standardized) = &cut.standardized else { return 0 };
    let values = &standardized.fault.values;
    let farthest = standardized.fault.threes.farthest(values.whole(), values.moments(values.whole()).mean);
    farthest.map_or(0, |(place, _)| place)
}

/// The burst began with one of its three samples.
fn burst_onset(times_ms: &[i64], place: usize) -> Option<Onset> {
    let (&at, &last) = (times_ms.get(place)?, times_ms.get(place + WIDTH - 1)?);
    Some(Onset { at, from: times_ms[place.saturating_sub(1)], to: last })
}

fn moves(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect()
}

/// Back is what moves from sample to sample as it did before.
fn recovery_of_spread(cut: &Cut) -> Recovery {
    let watched = &cut.recovery;
    let times = watched.times_ms.get(1..).unwrap_or_default();
    Normal::of(&moves(&cut.baseline.steady))
        .map_or(Recovery::UNKNOWN, |normal| recovery(&normal, times, &moves(&watched.steady)))
}
