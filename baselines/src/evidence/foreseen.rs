//! What was foreseen beyond names of services, mapped by hand to the JSON of an evidence file.

use std::collections::BTreeSet;

use aftermath_model as model;
use serde::{Deserialize, Serialize};

/// Expectations beyond the names of services. Files of earlier programs have none.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct ForeseenV1 {
    /// Services that may be hit in some ways only.
    impacts: Vec<ImpactV1>,
    reach: Option<ReachV1>,
    limits: Vec<LimitV1>,
    recover_within_ms: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct ImpactV1 {
    service: String,
    signals: Vec<String>,
    trend: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ReachV1 {
    hops: usize,
    along: String,
}

#[derive(Serialize, Deserialize)]
struct LimitV1 {
    service: String,
    metric: String,
    measure: Option<String>,
    below: Option<f64>,
    above: Option<f64>,
}

fn is_unrestricted(impact: &model::ExpectedImpact) -> bool {
    impact.signals.is_empty() && impact.trend.is_none()
}

/// The services that may be hit in any way.
pub(super) fn unrestricted(expectations: &model::Expectations) -> BTreeSet<String> {
    let any = expectations.expected.iter().filter(|impact| is_unrestricted(impact));
    any.map(|impact| impact.service.clone()).collect()
}

impl From<&model::Expectations> for ForeseenV1 {
    fn from(expectations: &model::Expectations) -> Self {
        let impact = |impact: &model::ExpectedImpact| ImpactV1 {
            service: impact.service.clone(),
            signals: impact.signals.iter().map(|signal| signal.as_str().to_owned()).collect(),
            trend: impact.trend.map(|trend| trend.as_str().to_owned()),
        };
        let restricted = expectations.expected.iter().filter(|impact| !is_unrestricted(impact));
        Self {
            impacts: restricted.map(impact).collect(),
            reach: expectations
                .reach
                .map(|reach| ReachV1 { hops: reach.hops, along: reach.along.as_str().to_owned() }),
            limits: expectations.limits.iter().map(LimitV1::from).collect(),
            recover_within_ms: expectations.recover_within_ms,
        }
    }
}

impl From<&model::MetricLimit> for LimitV1 {
    fn from(limit: &model::MetricLimit) -> Self {
        let (below, above) = match limit.bound {
            model::Bound::Below(bound) => (Some(bound), None),
            model::Bound::Above(bound) => (None, Some(bound)),
        };
        let model::MetricLimit { service, metric, measure, .. } = limit.clone();
        Self { service, metric, measure, below, above }
    }
}

impl ForeseenV1 {
    /// The expectations, or what is wrong with them.
    pub(super) fn into_expectations(
        self,
        target: Option<String>,
        expected: BTreeSet<String>,
        topology: Option<model::Topology>,
    ) -> Result<model::Expectations, String> {
        let mut impacts: BTreeSet<model::ExpectedImpact> =
            expected.into_iter().map(model::ExpectedImpact::any).collect();
        for impact in self.impacts {
            impacts.insert(impact.into_impact()?);
        }
        Ok(model::Expectations {
            target,
            expected: impacts,
            reach: self.reach.map(ReachV1::into_reach).transpose()?,
            limits: self.limits.into_iter().map(LimitV1::into_limit).collect::<Result<_, _>>()?,
            recover_within_ms: self.recover_within_ms,
            topology,
        })
    }
}

impl ImpactV1 {
    fn into_impact(self) -> Result<model::ExpectedImpact, String> {
        let signal = |name: &String| {
            model::Signal::parse(name).ok_or_else(|| format!("impacts: `{name}` is no known signal"))
        };
        let trend = |name: String| {
            model::Trend::parse(&name).ok_or_else(|| format!("impacts: `{name}` is neither up nor down"))
        };
        Ok(model::ExpectedImpact {
            signals: self.signals.iter().map(signal).collect::<Result<_, _>>()?,
            trend: self.trend.map(trend).transpose()?,
            service: self.service,
        })
    }
}

impl ReachV1 {
    fn into_reach(self) -> Result<model::Reach, String> {
        let along = model::Along::parse(&self.along)
            .ok_or_else(|| format!("reach: `{}` is neither callers, callees nor both", self.along))?;
        Ok(model::Reach { hops: self.hops, along })
    }
}

impl LimitV1 {
    fn into_limit(self) -> Result<model::MetricLimit, String> {
        let bound = match (self.below, self.above) {
            (Some(bound), None) => model::Bound::Below(bound),
            (None, Some(bound)) => model::Bound::Above(bound),
            _ => return Err(format!("limits: {} needs either below or above", self.metric)),
        };
        let Self { service, metric, measure, .. } = self;
        Ok(model::MetricLimit { service, metric, measure, bound })
    }
}
