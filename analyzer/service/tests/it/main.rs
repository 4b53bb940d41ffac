//! The program as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod architecture;
mod bad_input;
mod calibrate;
mod demo;
mod judge;
mod prometheus;
mod support;
