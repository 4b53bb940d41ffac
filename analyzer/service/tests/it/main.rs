//! The program as its users meet it.

mod architecture;
mod bad_input;
mod calibrate;
mod demo;
mod judge;
mod prometheus;
mod support;
