//! `usher`: configuration, wiring and life cycle. Everything that decides anything is in the crates it wires.

mod audit;
mod config;
mod database;
mod demo;
mod environment;
mod logging;
mod serve;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::config::{Cli, Command};

/// Many small values are made and dropped on several threads at once; the system's allocator is measurably slower at it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => help.exit(),
        Err(wrong) => return complain(&config::one_line(&wrong), 2),
    };
    let (outcome, failed) = match cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve))) {
        Command::Serve(config) => (serve::run(&config).await.map(|()| ExitCode::SUCCESS), 1),
        Command::Migrate(config) => (database::migrate(&config).map(|()| ExitCode::SUCCESS), 1),
        // An audit that found something exits 1; one that could not look says so differently.
        Command::Audit(config) => (database::audit(&config), 2),
    };
    // The whole chain on one line: what failed, then why.
    outcome.unwrap_or_else(|error| complain(&format!("{error:#}"), failed))
}

/// One line to stderr, and the exit code; if even stderr is gone, the code has to do.
fn complain(line: &str, code: u8) -> ExitCode {
    writeln!(std::io::stderr(), "usher: {line}").map_or(ExitCode::from(3), |()| ExitCode::from(code))
}
