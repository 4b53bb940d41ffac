//! Who calls whom.

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
