//! The program as its users meet it.

mod architecture;
mod bad_input;
mod demo;
mod judge;
mod prometheus;
mod support;
