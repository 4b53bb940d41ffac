//! Was this service hit?
//!
//! In: series with their statistics. Out: for each service what its series say together, as a p-value that is
//! calibrated on quiet windows of the same services.

use std::collections::{BTreeMap, BTreeSet};

use aftermath_model::{Channel, LearnedNull};

use crate::calibrate::service::ServiceNull;
use crate::calibrate::{Known, Null, Weighed, trust_after};
use crate::detectors::level::{LEAST_EFFECT_SD, LEAST_SHARE, is_graded};
use crate::detectors::presence::Presence;
use crate::evidence::{Evidence, SIGN, evidence};
use crate::multiple::{cauchy, q_values, simes};
use crate::onset::Onset;
use crate::pattern::Pattern;
use crate::prepare::SHAPE;
use crate::recovery::{Recovery, is_lasting};
use crate::scores::SeriesScore;
use crate::scores::side::SideScore;
use crate::semantics::{Concern, stem};

/// False discoveries among findings that are tolerated: the usual 5 %.
const FALSE_DISCOVERIES: f64 = 0.05;

/// One series with the verdict of chance on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) score: &'a SeriesScore,
    pub(crate) p_value: f64,
    pub(crate) q_value: f64,
    pub(crate) strength: f64,
    /// The kind of change that speaks.
    pub(crate) channel: Channel,
    /// Whether the change is large enough to matter.
    pub(crate) matters: bool,
    /// The chance of being so far from normal at the end of the watch when the change that speaks is over.
    pub(crate) lasting_p: f64,
    /// Whether other services report the very same series: it then belongs to none of them.
    pub(crate) shared: bool,
    /// How far the learned null spoke, 0 to 1.
    trust: f64,
    /// What it is about: series of one stem, and copies of them under other names, corroborate each other no more than one.
    group: usize,
}

/// What the series of one service say together. Series without a service form one without a name.
#[derive(Clone, Debug)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) p_value: f64,
    /// The share of false discoveries among the services with at least this much evidence.
    pub(crate) q_value: f64,
    pub(crate) series: Vec<Judged<'a>>,
    /// How far the learned null spoke, 0 to 1.
    pub(crate) trust: f64,
    /// What its series show together that none shows by itself; `None` of too few series or windows.
    pub(crate) pattern: Option<Pattern>,
}

impl Judged<'_> {
    /// The change that speaks in its details, if it is another than that of the level.
    pub(crate) fn side(&self) -> Option<&SideScore> {
        self.score.sides.iter().find(|side| side.channel == self.channel)
    }

    /// When the change that speaks was over; `None` if it is not.
    pub(crate) fn back_ms(&self) -> Option<i64> {
        recovery_of(self.score, self.channel).at_ms.filter(|_| !is_lasting(self.lasting_p))
    }

    /// When the change that speaks began.
    pub(crate) fn onset(&self) -> Option<Onset> {
        let of_side = self.side().and_then(|side| side.detail.as_ref());
        of_side.map_or(self.score.onset, |detail| detail.onset)
    }

    /// Certain enough to stand for itself among all series.
    pub(crate) fn is_finding(&self) -> bool {
        self.matters && self.q_value <= FALSE_DISCOVERIES
    }

    /// Certain enough to speak for a service that was hit.
    pub(crate) fn is_sign(&self) -> bool {
        self.matters && self.p_value <= SIGN
    }
}

#[cfg(test)]
impl<'a> Judged<'a> {
    /// A series that changed beyond any doubt, for tests.
    pub(crate) const fn certain(score: &'a SeriesScore) -> Self {
        Self {
            score,
            p_value: 0.0,
            q_value: 0.0,
            strength: 9.0,
            channel: Channel::Level,
            matters: true,
            lasting_p: 1.0,
            shared: false,
            trust: 0.0,
            group: 0,
        }
    }
}

impl<'a> Service<'a> {
    pub(crate) fn signs(&self) -> impl Iterator<Item = &Judged<'a>> {
        self.series.iter().filter(|one| one.is_sign())
    }

    /// Whether at least two different things changed, or one that users feel, or half of the service is gone.
    pub(crate) fn is_corroborated(&self) -> bool {
        if self.has_lost_half() {
            return true;
        }
        let groups: BTreeSet<usize> = self.signs().map(|one| one.group).collect();
        groups.len() > 1 || self.signs().any(|one| Concern::of(&one.score.key.metric).is_service_level())
    }

    /// Whether it is corroborated by nothing but one metric that users feel.
    pub(crate) fn rests_on_one_metric(&self) -> bool {
        let stems: BTreeSet<String> = self.signs().map(|one| stem(&one.score.key.metric)).collect();
        stems.len() == 1 && !self.has_lost_half()
    }

    /// The weight that its series have beside its pattern: so much of their certainty is left where that says nothing.
    pub(crate) fn share_of_series(&self) -> f64 {
        if self.pattern.is_some() { 1.0 - PATTERN_SHARE * (1.0 - self.trust) } else { 1.0 }
    }

    /// Whether at least half of the series that can tell presence vanished.
    fn has_lost_half(&self) -> bool {
        let covered = |one: &&Judged| one.score.covers > 0;
        let vanished = |one: &&Judged| one.score.presence == Presence::Vanished;
        let gone = self.series.iter().filter(covered).filter(vanished).count();
        gone > 0 && 2 * gone >= self.series.iter().filter(covered).count()
    }
}

/// Every series with its p-value and q-value.
pub(crate) fn judge_series<'a>(series: &[&'a SeriesScore], null: &Null) -> Vec<Judged<'a>> {
    let known: Vec<Known> = series.iter().map(|score| null.known(score)).collect();
    let weighed: Vec<Weighed> =
        series.iter().zip(&known).map(|(score, &known)| null.weigh(score, known)).collect();
    let p_values: Vec<f64> = weighed.iter().map(|weighed| weighed.p_value).collect();
    let q_values = q_values(&p_values);
    let shared = shared(series);
    (0..series.len())
        .map(|index| Judged {
            score: series[index],
            p_value: p_values[index],
            q_value: q_values[index],
            strength: weighed[index].strength,
            channel: weighed[index].channel,
            matters: matters(series[index], weighed[index].channel),
            lasting_p: lasting_p(series[index], known[index], weighed[index].channel, null),
            shared: shared[index],
            trust: known[index].trust,
            group: null.groups()[index],
        })
        .collect()
}

/// The recovery from that kind of change.
fn recovery_of(score: &SeriesScore, channel: Channel) -> Recovery {
    let side = score.sides.iter().find(|side| side.channel == channel);
    side.and_then(|side| side.detail.as_ref()).map_or(score.recovery, |detail| detail.recovery)
}

fn lasting_p(score: &SeriesScore, known: Known, channel: Channel, null: &Null) -> f64 {
    let lasting = f64::from(recovery_of(score, channel).lasting);
    match lasting {
        _ if lasting.is_infinite() => 0.0,
        _ if is_graded(lasting) => null.lasting_p_value(score, known, channel, lasting),
        _ => 1.0,
    }
}

/// Whether the change is large enough to matter in natural units.
fn matters(score: &SeriesScore, channel: Channel) -> bool {
    if let Some(side) = score.sides.iter().find(|side| side.channel == channel) {
        let moved = side.detail.as_ref().map_or(0.0, |detail| (detail.fault - detail.baseline).abs());
        let usual = score.baseline.unwrap_or_default().abs();
        let enough = moved > 0.0 && moved >= LEAST_SHARE * usual;
        return enough && f64::from(side.effect.abs()) >= LEAST_EFFECT_SD;
    }
    let (Some(before), Some(during)) = (score.baseline, score.fault) else { return true };
    if score.restarts > 0 {
        return true;
    }
    let moved = (during - before).abs();
    // Of observations that lie elsewhere, a share of all observations matters.
    let usual = if score.measure == SHAPE { 1.0 } else { before.abs() };
    let enough = moved > 0.0 && moved >= LEAST_SHARE * usual;
    enough && (score.constant || f64::from(score.effect.abs()) >= LEAST_EFFECT_SD)
}

/// Which series several services report with the same numbers, such as the load of a node for every pod on it.
fn shared(series: &[&SeriesScore]) -> Vec<bool> {
    let mut owners: BTreeMap<Numbers, (&str, bool)> = BTreeMap::new();
    for score in series {
        let service = score.key.service.as_ref();
        let (first, others) = owners.entry(numbers(score)).or_insert((service, false));
        *others |= *first != service;
    }
    // A constant that changes in many services has the same numbers everywhere without being one series.
    series.iter().map(|score| !score.constant && score.deviate != 0.0 && owners[&numbers(score)].1).collect()
}

/// Statistic, values before and during the fault, bit by bit, and metric and measure: what differs most comes first.
type Numbers<'a> = (u32, Option<u64>, Option<u64>, &'a str, &'a str);

fn numbers(score: &SeriesScore) -> Numbers<'_> {
    let bits = |value: Option<f64>| value.map(f64::to_bits);
    (score.deviate.to_bits(), bits(score.baseline), bits(score.fault), &score.key.metric, score.measure)
}

/// Which of some series belong to each service, and within it to each stem; both in the order of their names.
struct Groups<'a>(BTreeMap<&'a str, BTreeMap<usize, Vec<usize>>>);

impl<'a> Groups<'a> {
    fn of(series: impl Iterator<Item = &'a SeriesScore>, null: &Null) -> Self {
        let mut groups: BTreeMap<&str, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
        for (index, score) in series.enumerate() {
            let of_service = groups.entry(&score.key.service).or_default();
            of_service.entry(null.stems().number(&score.key.metric)).or_default().push(index);
        }
        Self(groups)
    }
}

/// The weight of the pattern beside the evidence of single series: small, because most faults show in single series, which
/// lose as much certainty as the pattern has weight.
const PATTERN_SHARE: f64 = 0.2;

/// A service is judged by what was learned if the learned null knows at least this share of its series.
const KNOWN_SHARE: f64 = 0.5;

/// Every service, sorted by name.
pub(crate) fn services<'a>(
    judged: &[Judged<'a>],
    null: &Null,
    quiet: &ServiceNull,
    mut patterns: BTreeMap<&str, Pattern>,
) -> Vec<Service<'a>> {
    let groups = Groups::of(judged.iter().map(|one| one.score), null);
    let of_name = |(name, stems): (&'a str, _)| service(name, &stems, judged, quiet, patterns.remove(name));
    let mut services: Vec<Service> = groups.0.into_iter().map(of_name).collect();
    let p_values: Vec<f64> = services.iter().map(|service| service.p_value).collect();
    for (service, q_value) in services.iter_mut().zip(q_values(&p_values)) {
        service.q_value = q_value;
    }
    services
}

fn service<'a>(
    name: &'a str,
    stems: &BTreeMap<usize, Vec<usize>>,
    judged: &[Judged<'a>],
    quiet: &ServiceNull,
    pattern: Option<Pattern>,
) -> Service<'a> {
    let p_values = |indices: &Vec<usize>| indices.iter().map(|&index| judged[index].p_value).collect();
    let mut groups: Vec<Vec<f64>> = stems.values().map(p_values).collect();
    let mut indices: Vec<usize> = stems.values().flatten().copied().collect();
    indices.sort_unstable();
    let series: Vec<Judged> = indices.into_iter().map(|index| judged[index]).collect();
    let known = series.iter().filter(|one| one.trust > 0.0).count() as f64;
    let most = series.iter().map(|one| one.trust).fold(0.0, f64::max);
    let trust = if known >= KNOWN_SHARE * series.len() as f64 { most } else { 0.0 };
    let of_series = quiet.trusting_p_value(evidence(&mut groups), trust);
    // A pattern is calibrated by placebo windows, so it has no say where learned windows have taken their place.
    let p_value = pattern
        .as_ref()
        .map_or(of_series, |pattern| cauchy(of_series, pattern.p_value, PATTERN_SHARE * (1.0 - trust)));
    Service { name, p_value, q_value: 1.0, series, trust, pattern: pattern.filter(|_| trust < 1.0) }
}

/// The chance that no service changed: Simes over services, so that it agrees with their q-values.
pub(crate) fn system_p_value(mut of_services: Vec<f64>) -> Option<f64> {
    (!of_services.is_empty()).then(|| simes(&mut of_services))
}

/// The evidence of every service in a quiet window, when each series has the p-value that is given.
pub(crate) fn quiet_evidence(
    series: &[&SeriesScore],
    null: &Null,
    p_value: impl Fn(&SeriesScore) -> Option<f64>,
) -> Vec<Evidence> {
    let groups = Groups::of(series.iter().copied(), null);
    let of_service = |stems: BTreeMap<usize, Vec<usize>>| {
        let p_values =
            |indices: &Vec<usize>| indices.iter().filter_map(|&index| p_value(series[index])).collect();
        evidence_of_stems(stems.values().map(p_values).collect())
    };
    groups.0.into_values().filter_map(of_service).collect()
}

/// The evidence of a service; `None` where no series of it can be judged.
fn evidence_of_stems(mut groups: Vec<Vec<f64>>) -> Option<Evidence> {
    groups.retain(|p_values| !p_values.is_empty());
    (!groups.is_empty()).then(|| evidence(&mut groups))
}

/// The service null: from placebo windows, and from learned windows where there are any. Learned windows that replace
/// the placebos for every series leave those unasked.
pub(crate) fn service_null(
    series: &[&SeriesScore],
    null: &Null,
    placebos: impl Iterator<Item = usize>,
    learned: Option<&LearnedNull>,
) -> ServiceNull {
    let learned = learned.filter(|learned| !learned.service_evidence.is_empty());
    let known: Vec<Known> = series.iter().map(|score| null.known(score)).collect();
    let replaced = learned.is_some_and(|learned| trust_after(learned.windows) >= 1.0)
        && known.iter().all(|known| known.trust >= 1.0);
    let windows: Vec<usize> = if replaced { Vec::new() } else { placebos.collect() };
    let groups = Groups::of(series.iter().copied(), null);
    let quiet: Vec<Evidence> = groups
        .0
        .values()
        .flat_map(|stems| {
            let p_values = |index: usize| {
                let of_window = |&window| null.known_placebo_p_value(series[index], known[index], window);
                windows.iter().map(of_window).collect()
            };
            placebo_evidence(stems, windows.len(), p_values)
        })
        .collect();
    match learned {
        Some(learned) => ServiceNull::with_learned(&quiet, &learned.service_evidence),
        None => ServiceNull::of(&quiet),
    }
}

/// The evidence of one service in each placebo window, given the p-values of each of its series in all of them.
fn placebo_evidence(
    stems: &BTreeMap<usize, Vec<usize>>,
    windows: usize,
    p_values: impl Fn(usize) -> Vec<Option<f64>>,
) -> Vec<Evidence> {
    let by_stem: Vec<Vec<Vec<Option<f64>>>> =
        stems.values().map(|indices| indices.iter().map(|&index| p_values(index)).collect()).collect();
    let in_window = |window: usize| {
        let group = |series: &Vec<Vec<Option<f64>>>| series.iter().filter_map(|of| of[window]).collect();
        evidence_of_stems(by_stem.iter().map(group).collect())
    };
    (0..windows).filter_map(in_window).collect()
}

#[cfg(test)]
mod uniformity;
