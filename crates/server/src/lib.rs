//! The programs `usher` and `usher-scheduler`: configuration, wiring and life cycle. Everything that decides anything is
//! in the crates that are wired here.

mod commands;
mod config;
mod demo;
mod environment;
mod logging;
mod signals;
mod storage;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::commands::{audit, migrate, scheduler, serve};
use crate::config::{Cli, Command, SchedulerCli};

/// Runs `usher` with the process's arguments.
pub async fn usher() -> ExitCode {
    let cli = match arguments::<Cli>("usher") {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let (outcome, failed) = match cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve))) {
        Command::Serve(config) => (serve::run(&config).await.map(|()| ExitCode::SUCCESS), 1),
        Command::Migrate(config) => (migrate::run(&config).await.map(|()| ExitCode::SUCCESS), 1),
        // An audit that found something exits 1; one that could not look says so differently.
        Command::Audit(config) => (audit::run(config).await, 2),
    };
    // The whole chain on one line: what failed, then why.
    outcome.unwrap_or_else(|error| complain("usher", &format!("{error:#}"), failed))
}

/// Runs `usher-scheduler` with the process's arguments.
pub async fn usher_scheduler() -> ExitCode {
    const NAME: &str = "usher-scheduler";
    let cli = match arguments::<SchedulerCli>(NAME) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    scheduler::run(&cli).await.map_or_else(|error| complain(NAME, &format!("{error:#}"), 1), |()| ExitCode::SUCCESS)
}

/// The process's arguments, or how it ends without them: after its help, or after one line on what is wrong.
fn arguments<C: Parser>(name: &str) -> Result<C, ExitCode> {
    C::try_parse().map_err(|wrong| {
        if wrong.use_stderr() { complain(name, &config::one_line(&wrong, name), 2) } else { wrong.exit() }
    })
}

/// One line to stderr, and the exit code; if even stderr is gone, the code has to do.
fn complain(name: &str, line: &str, code: u8) -> ExitCode {
    writeln!(std::io::stderr(), "{name}: {line}").map_or(ExitCode::from(3), |()| ExitCode::from(code))
}
