//! What the people who ran the experiment foresaw: whom it touches, how, how much, and for how long.

use std::collections::BTreeSet;
use std::fmt;

use crate::topology::Topology;

/// What was foreseen. Everything that it does not mention is unexpected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations {
    /// The service that the fault acts on. It is expected to be hit.
    pub target: Option<String>,
    /// Further services that may be hit, and in which way. Several entries of one service allow what any of them does.
    /// An entry for the target narrows down what is expected of it.
    pub expected: BTreeSet<ExpectedImpact>,
    /// How far the trouble may travel from the target; needs [`Self::topology`].
    pub reach: Option<Reach>,
    /// What must hold during the fault, whatever else is expected.
    pub limits: Vec<MetricLimit>,
    /// The longest time from the end of the fault until a service that was hit is back, in milliseconds.
    pub recover_within_ms: Option<i64>,
    /// Who calls whom, where it is known.
    pub topology: Option<Topology>,
}

/// A service that may be hit, and in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedImpact {
    /// The service.
    pub service: String,
    /// What may change; empty for anything.
    pub signals: BTreeSet<Signal>,
    /// Where it may go; `None` for either way.
    pub trend: Option<Trend>,
}

/// What a metric is about, in the words of the four golden signals (Beyer et al., Site Reliability Engineering, 2016).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Requests or work that failed.
    Errors,
    /// How long things take.
    Latency,
    /// How full or busy a resource is.
    Saturation,
    /// How much is asked.
    Traffic,
}

/// Which way something changes. A share of successes that falls is errors that go up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trend {
    /// More of it.
    Up,
    /// Less of it.
    Down,
}

/// How far trouble may travel through the call graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The number of calls between the target and the farthest service that may be hit.
    pub hops: usize,
    /// Along which calls.
    pub along: Along,
}

/// Along which calls trouble travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Along {
    /// From a service to those that call it: who waits for an answer suffers first.
    #[default]
    Callers,
    /// From a service to those that it calls: who is asked more, or less.
    Callees,
    /// Both.
    Both,
}

/// A bound in natural units that the typical value of a metric must keep during the fault.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricLimit {
    /// The service.
    pub service: String,
    /// The metric; for a histogram its family.
    pub metric: String,
    /// What is measured of it, such as `p99`; `None` for every measure.
    pub measure: Option<String>,
    /// The bound.
    pub bound: Bound,
}

/// A bound, in the unit of what it bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The value must stay below.
    Below(f64),
    /// The value must stay above.
    Above(f64),
}

impl Expectations {
    /// Whether any change of this service was foreseen.
    #[must_use]
    pub fn foresees(&self, service: &str) -> bool {
        self.target.as_deref() == Some(service)
            || self.expected.iter().any(|impact| impact.service == service)
            || self.within_reach().contains(service)
    }

    /// Whether a change of such a metric of this service was foreseen. `signal` is `None` where the name of the metric
    /// does not tell; that is never held against an expected service, but its direction is.
    #[must_use]
    pub fn allows(&self, service: &str, signal: Option<Signal>, trend: Trend) -> bool {
        let mut narrowed = self.expected.iter().filter(|impact| impact.service == service).peekable();
        if narrowed.peek().is_none() {
            return self.foresees(service);
        }
        narrowed.any(|impact| impact.allows(signal, trend))
    }

    /// The services that trouble may travel to, without the target.
    #[must_use]
    pub fn within_reach(&self) -> BTreeSet<&str> {
        let (Some(target), Some(reach), Some(topology)) = (&self.target, self.reach, &self.topology) else {
            return BTreeSet::new();
        };
        let mut reached: BTreeSet<&str> = BTreeSet::from([target.as_str()]);
        for _ in 0..reach.hops {
            let next: Vec<&str> =
                reached.iter().flat_map(|&service| reach.along.neighbours(topology, service)).collect();
            let before = reached.len();
            reached.extend(next);
            if reached.len() == before {
                break;
            }
        }
        reached.remove(target.as_str());
        reached
    }

    /// Every service that is named, with the target, sorted.
    #[must_use]
    pub fn named(&self) -> BTreeSet<&str> {
        let expected = self.expected.iter().map(|impact| impact.service.as_str());
        self.target.as_deref().into_iter().chain(expected).collect()
    }
}

impl ExpectedImpact {
    /// Any change of this service.
    #[must_use]
    pub fn any(service: impl Into<String>) -> Self {
        Self { service: service.into(), ..Self::default() }
    }

    fn allows(&self, signal: Option<Signal>, trend: Trend) -> bool {
        let of_signal = signal.is_none_or(|signal| self.signals.is_empty() || self.signals.contains(&signal));
        of_signal && self.trend.is_none_or(|expected| expected == trend)
    }
}

impl Along {
    fn neighbours<'a>(self, topology: &'a Topology, service: &'a str) -> Vec<&'a str> {
        match self {
            Self::Callers => topology.callers(service).collect(),
            Self::Callees => topology.callees(service).collect(),
            Self::Both => topology.callers(service).chain(topology.callees(service)).collect(),
        }
    }

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callers => "callers",
            Self::Callees => "callees",
            Self::Both => "both",
        }
    }

    /// The one with that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Callers, Self::Callees, Self::Both].into_iter().find(|along| along.as_str() == name)
    }
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 4] = [Self::Errors, Self::Latency, Self::Saturation, Self::Traffic];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Saturation => "saturation",
            Self::Traffic => "traffic",
        }
    }

    /// The one with that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }
}

impl Trend {
    /// The name used on the command line and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// The one with that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Up, Self::Down].into_iter().find(|trend| trend.as_str() == name)
    }
}

impl Bound {
    /// Whether a value keeps the bound. A value that is not a number keeps none.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::Below(bound) => value < bound,
            Self::Above(bound) => value > bound,
        }
    }
}

impl fmt::Display for MetricLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.metric)?;
        if let Some(measure) = &self.measure {
            write!(f, " {measure}")?;
        }
        match self.bound {
            Bound::Below(bound) => write!(f, "<{bound}"),
            Bound::Above(bound) => write!(f, ">{bound}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// gateway → cart → cache, and cart → ledger.
    fn expectations(reach: Reach) -> Expectations {
        let edges = [("gateway", "cart"), ("cart", "cache"), ("cart", "ledger")];
        let edges = edges.into_iter().map(|(from, to)| (from.to_owned(), to.to_owned())).collect();
        Expectations {
            target: Some("cache".to_owned()),
            reach: Some(reach),
            topology: Some(Topology { edges }),
            ..Expectations::default()
        }
    }

    #[test]
    fn trouble_reaches_as_far_as_was_said_and_in_the_direction_that_was_said() {
        let cases: [(usize, Along, &[&str]); 6] = [
            (0, Along::Callers, &[]),
            (1, Along::Callers, &["cart"]),
            (2, Along::Callers, &["cart", "gateway"]),
            (2, Along::Callees, &[]),
            (2, Along::Both, &["cart", "gateway", "ledger"]),
            (usize::MAX, Along::Callers, &["cart", "gateway"]),
        ];
        for (hops, along, reached) in cases {
            let expectations = expectations(Reach { hops, along });
            assert_eq!(expectations.within_reach(), reached.iter().copied().collect(), "{hops} {along:?}");
        }
    }

    #[test]
    fn a_service_without_entry_may_change_in_any_way_once_it_is_foreseen() {
        let expectations = expectations(Reach { hops: 1, along: Along::Callers });
        assert!(expectations.allows("cache", Some(Signal::Errors), Trend::Up));
        assert!(expectations.allows("cart", Some(Signal::Traffic), Trend::Down));
        assert!(!expectations.allows("ledger", Some(Signal::Errors), Trend::Up));
    }

    #[test]
    fn entries_of_one_service_add_up_and_narrow_it_down() {
        let impact = |signal, trend| ExpectedImpact {
            service: "cache".to_owned(),
            signals: BTreeSet::from([signal]),
            trend: Some(trend),
        };
        let mut expectations = expectations(Reach { hops: 0, along: Along::Callers });
        expectations.expected =
            [impact(Signal::Errors, Trend::Up), impact(Signal::Traffic, Trend::Down)].into();
        let allows = |signal, trend| expectations.allows("cache", signal, trend);
        assert!(allows(Some(Signal::Errors), Trend::Up));
        assert!(allows(Some(Signal::Traffic), Trend::Down));
        assert!(!allows(Some(Signal::Traffic), Trend::Up));
        assert!(!allows(Some(Signal::Latency), Trend::Up));
        assert!(allows(None, Trend::Up), "a name that tells nothing is not held against it");
    }

    #[test]
    fn a_bound_is_not_kept_by_reaching_it_or_by_no_number() {
        assert!(Bound::Below(0.02).holds(0.019) && !Bound::Below(0.02).holds(0.02));
        assert!(Bound::Above(5.0).holds(5.1) && !Bound::Above(5.0).holds(5.0));
        assert!(!Bound::Below(1.0).holds(f64::NAN) && !Bound::Above(1.0).holds(f64::NAN));
    }
}
