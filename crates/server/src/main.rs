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

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(config) => serve::run(&config).await.map(|()| ExitCode::SUCCESS),
        Command::Migrate(config) => database::migrate(&config).map(|()| ExitCode::SUCCESS),
        Command::Audit(config) => database::audit(&config),
    };
    outcome.unwrap_or_else(|error| {
        // The whole chain on one line: what failed, then why. Nothing is left to do if even stderr is gone.
        let printed = writeln!(std::io::stderr(), "usher: {error:#}");
        if printed.is_ok() { ExitCode::FAILURE } else { ExitCode::from(2) }
    })
}
