//! Which series moved, measured in units of their own noise? One module for each kind of change.

pub(crate) mod counts;
pub(crate) mod level;
pub(crate) mod presence;
