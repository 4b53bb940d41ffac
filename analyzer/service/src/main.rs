//! The binary `aftermath`.
fn main() {}
