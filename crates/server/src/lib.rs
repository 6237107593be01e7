//! The programs `usher` and `usher-scheduler`: configuration, wiring and life cycle. Everything that decides anything is
//! in the crates that are wired here.

mod commands;
mod config;
mod console;
mod demo;
mod environment;
mod logging;
mod port;
mod signals;
mod storage;

use std::process::ExitCode;

use anyhow::bail;
use clap::Parser;

use crate::commands::{audit, migrate, scheduler, serve};
use crate::config::{Cli, Command, SchedulerCli};
use crate::console::complain;
use crate::signals::Signals;

/// Runs `usher` with the process's arguments.
pub fn usher() -> ExitCode {
    const NAME: &str = "usher";
    let cli = match arguments::<Cli>(NAME) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    run(NAME, async {
        match cli.command.unwrap_or_else(|| Command::Serve(Box::new(cli.serve))) {
            Command::Serve(config) => (serve::run(&config).await, 1),
            Command::Migrate(config) => (stoppable(migrate::run(&config)).await, 1),
            // An audit that found something exits 1; one that could not look says so differently.
            Command::Audit(config) => (stoppable(audit::run(config)).await, 2),
        }
    })
}

/// Runs `usher-scheduler` with the process's arguments.
pub fn usher_scheduler() -> ExitCode {
    const NAME: &str = "usher-scheduler";
    let cli = match arguments::<SchedulerCli>(NAME) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    run(NAME, async { (scheduler::run(&cli).await, 1) })
}

/// Runs a program to its end. Beside its outcome stands the code that a failure of it is to have.
fn run(name: &str, program: impl Future<Output = (anyhow::Result<ExitCode>, u8)>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return complain(name, &format!("could not start: {error}"), 1),
    };
    let (outcome, failed) = runtime.block_on(Box::pin(program));
    // A thread that waits, for a lock of the database perhaps, is not waited for.
    runtime.shutdown_background();
    // The whole chain on one line: what failed, then why.
    outcome.unwrap_or_else(|error| complain(name, &format!("{error:#}"), failed))
}

/// Work that ends with itself or with a signal.
async fn stoppable(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    Signals::listen()?.unless_told(work).await.unwrap_or_else(|| bail!("a signal stopped it"))
}

/// The process's arguments, or how it ends without them: after its help, or after one line on what is wrong.
fn arguments<C: Parser>(name: &str) -> Result<C, ExitCode> {
    C::try_parse().map_err(|wrong| {
        if wrong.use_stderr() { complain(name, &config::one_line(&wrong, name), 2) } else { wrong.exit() }
    })
}
