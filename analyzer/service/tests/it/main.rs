//! The program as its users meet it.

mod architecture;
mod bad_input;
mod judge;
mod support;
