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
    let cli = Cli::parse();
    let (outcome, failed) = match cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve))) {
        Command::Serve(config) => (serve::run(&config).await.map(|()| ExitCode::SUCCESS), 1),
        Command::Migrate(config) => (database::migrate(&config).map(|()| ExitCode::SUCCESS), 1),
        // An audit that found something exits 1; one that could not look says so differently.
        Command::Audit(config) => (database::audit(&config), 2),
    };
    outcome.unwrap_or_else(|error| {
        // The whole chain on one line: what failed, then why. If even stderr is gone, the code has to do.
        writeln!(std::io::stderr(), "usher: {error:#}").map_or(ExitCode::from(3), |()| ExitCode::from(failed))
    })
}
