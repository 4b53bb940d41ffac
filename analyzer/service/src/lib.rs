//! The shell around the verdict: the command line, the order of the stages, and what leaves the program.
//!
//! Nothing in here computes a statistic or speaks a vendor's protocol.

pub mod cli;
pub mod clock;
pub mod exit_code;
pub mod failure;
pub mod progress;
pub mod run;

pub mod driver;
pub mod scraping;
pub mod source;

pub mod calibrate;
pub mod charts;
pub mod score;
pub mod snapshot;

pub mod export;

#[cfg(feature = "demo")]
pub mod demo;
