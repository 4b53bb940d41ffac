//! Who calls whom, and whom the experiment was expected to touch.

use std::collections::BTreeSet;

/// A call graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// `(caller, callee)`.
    pub edges: BTreeSet<(String, String)>,
}

impl Topology {
    /// The services that `caller` calls.
    pub fn callees<'a>(&'a self, caller: &'a str) -> impl Iterator<Item = &'a str> {
        self.edges.iter().filter(move |(from, _)| from == caller).map(|(_, to)| to.as_str())
    }

    /// The services that call `callee`.
    pub fn callers<'a>(&'a self, callee: &'a str) -> impl Iterator<Item = &'a str> {
        self.edges.iter().filter(move |(_, to)| to == callee).map(|(from, _)| from.as_str())
    }
}

/// What the people who ran the experiment foresaw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The service that the fault acts on. It is expected to be hit.
    pub target: Option<String>,
    /// Further services that may be hit.
    pub expected: BTreeSet<String>,
    /// Who calls whom, where it is known.
    pub topology: Option<Topology>,
}

impl Expectations {
    /// Whether a change of this service was foreseen.
    #[must_use]
    pub fn foresees(&self, service: &str) -> bool {
        self.target.as_deref() == Some(service) || self.expected.contains(service)
    }
}
