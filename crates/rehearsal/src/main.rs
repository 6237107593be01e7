//! `usher-rehearsal`: plays a whole on-sale against a running Usher, and proves that nothing went wrong.
//!
//! It is a REST client and nothing else: all it knows of the service is its public API, so that it shows as well how a client
//! is written.

mod answers;
mod arrival;
mod character;
mod client;
mod dice;
mod identity;
mod operation;
mod options;
mod person;
mod play;
mod progress;
mod recorder;
mod referee;
mod rehearsal;
mod report;
mod stage;
mod trial;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use time::OffsetDateTime;
use tokio::time::Instant;

use client::Client;
use identity::Identity;
use options::Options;
use recorder::Recorder;
use referee::Referee;
use rehearsal::Rehearsal;
use report::Report;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(wrong) if wrong.use_stderr() => return could_not(&options::one_line(&wrong)),
        Err(help) => help.exit(),
    };
    match run(options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => could_not(&format!("{error:#}")),
    }
}

/// Plays, and tells; whether every promise was kept.
async fn run(options: Options) -> anyhow::Result<bool> {
    let began = now();
    let servers = trial::servers(&options.urls)?;
    let identity = options.user_key.as_deref().map(Identity::new);
    trial::check_queue(&options)?;
    trial::check_reports(&options)?;
    trial::check_servers(&servers, identity.as_ref(), &stage::new_name(began)).await?;
    let stage = stage::set(&options, &servers, began).await?;
    let connections = usize::try_from(options.connections)?;
    let rehearsal = Arc::new(Rehearsal {
        client: Client::new(servers, connections).context("no connections can be made")?,
        identity,
        recorder: Recorder::new(Instant::now(), stage.seats),
        referee: Referee::default(),
        stage,
        options,
    });
    let report = play::play(Arc::clone(&rehearsal), began, interrupted()).await?;
    tell(&report, &rehearsal.options)?;
    Ok(report.violation_counts.is_empty())
}

/// Tells what came of it, in all the ways that were asked for. The terminal first: a file may fail.
fn tell(report: &Report, options: &Options) -> anyhow::Result<()> {
    report::terminal::write(report, &mut std::io::stdout().lock()).context("the report cannot be printed")?;
    let written = |file: &Path, text: Vec<u8>| {
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    };
    if let Some(file) = &options.json {
        written(file, serde_json::to_vec_pretty(report)?)?;
    }
    if let Some(file) = &options.html {
        let mut page = Vec::new();
        report::page::write(report, &mut page)?;
        written(file, page)?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system what day it is, for names that are new"
)]
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Waits until somebody wants it to end; who wants so once more ends it at once, without a report.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
}

/// Says why it could not run, on one line, if anybody can read it.
fn could_not(run: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "usher-rehearsal: {run}"));
    ExitCode::from(2)
}
