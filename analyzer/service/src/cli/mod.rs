//! The command line: what a person can say, and how each command is carried out.

mod args;
mod calibrate;
#[cfg(feature = "demo")]
mod demo;
mod expect;
mod judge;
mod learn;
mod past_experiment;
mod plan;
mod render;
mod report;
mod snapshot;
mod source;
pub mod times;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use args::{Cli, Command};

/// Reads the arguments of the process, carries out the command, and says how it ended.
pub async fn main() -> ExitCode {
    let parsed =
        Cli::command().try_get_matches().and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(refused) => {
            let code = if refused.use_stderr() { ExitCode::BadInput } else { ExitCode::Fine };
            // A closed pipe is no reason to fail while printing the help.
            let _ = refused.print();
            return code;
        }
    };
    match carry_out(cli.command, &matches).await {
        Ok(code) => code,
        Err(failure) => {
            render::failure(&failure);
            failure.code
        }
    }
}

async fn carry_out(command: Command, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    match command {
        Command::Judge(args) => judge::judge(args).await,
        Command::Snapshot(args) => snapshot::snapshot(args).await,
        Command::Learn(args) => {
            let of_learn = matches.subcommand_matches("learn").unwrap_or(matches);
            learn::learn(&args, of_learn)
        }
        Command::Calibrate(args) => calibrate::calibrate(args).await,
        Command::Report(args) => report::report(&args),
        Command::Completions { shell } => completions(shell),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::demo(args).await,
        #[cfg(feature = "demo")]
        Command::ShopProcess { arguments } => demo::shop_process(&arguments).await,
    }
}

fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "aftermath", &mut script);
    render::to_stdout(&script)?;
    Ok(ExitCode::Fine)
}
