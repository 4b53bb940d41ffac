//! How often does chance bend a series so much, without moving its level?
//!
//! In: the placebo statistics of the other kinds of change. Out: their p-values, from pools of their own for each kind:
//! spreads, bursts and trends have tails that levels do not have.

use std::collections::BTreeMap;

use aftermath_model::{Channel, LearnedNull};

use super::moderate::{History, moderated};
use super::pools::Pools;
use crate::detectors::level::is_graded;
use crate::detectors::sides::SIDES;
use crate::evidence::StemOf;
use crate::scores::SeriesScore;
use crate::scores::side::SideScore;

/// The pools of each kind of change.
#[derive(Clone, Debug, Default)]
pub(super) struct SideNull(BTreeMap<Channel, Pools>);

impl SideNull {
    /// The pools of the placebo windows, without one that is to be judged.
    pub(super) fn of_placebos(series: &[&SeriesScore], stems: &StemOf, left_out: Option<usize>) -> Self {
        let pools = |channel| {
            let mut values = vec![Vec::new(); stems.all().count()];
            for score in series {
                for side in score.sides.iter().filter(|side| side.channel == channel) {
                    let history = history(side, left_out);
                    let statistics = placebos(side, left_out)
                        .map(|deviate| moderated(deviate, history.without(deviate)).abs());
                    values[stems.number(&score.key.metric)].extend(statistics);
                }
            }
            Pools::of(values)
        };
        Self(SIDES.into_iter().map(|channel| (channel, pools(channel))).collect())
    }

    pub(super) fn of_learned(learned: &LearnedNull, stems: &StemOf) -> Self {
        let pools = |channel: Channel| {
            let values = learned.channels.get(channel.as_str()).map(|values| Pools::by_stem(values, stems));
            (channel, values.unwrap_or_default())
        };
        Self(SIDES.into_iter().map(pools).collect())
    }

    /// The p-value of a statistic; `None` of too few statistics.
    pub(super) fn p_value(&self, channel: Channel, stem: usize, statistic: f64) -> Option<f64> {
        self.0.get(&channel)?.p_value(stem, statistic)
    }
}

/// The quiet statistics of one kind of change of a series.
fn placebos(side: &SideScore, left_out: Option<usize>) -> impl Iterator<Item = f64> + use<'_> {
    let kept = side.placebos.iter().enumerate().filter(move |(window, _)| Some(*window) != left_out);
    kept.map(|(_, &deviate)| f64::from(deviate)).filter(|&deviate| is_graded(deviate))
}

/// How noisy one kind of change of a series is by itself.
pub(crate) fn history(side: &SideScore, left_out: Option<usize>) -> History {
    History::of(placebos(side, left_out))
}
