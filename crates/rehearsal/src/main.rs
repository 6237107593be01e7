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
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Plays, and tells; whether every promise was kept.
async fn run(options: Options) -> anyhow::Result<bool> {
    let began = now();
    let servers: Vec<_> = options.urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
    let stage = stage::set(&options, &servers, began).await?;
    let connections = usize::try_from(options.connections)?;
    let rehearsal = Arc::new(Rehearsal {
        client: Client::new(servers, connections).context("no connections can be made")?,
        identity: options.user_key.as_deref().map(Identity::new),
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

#[expect(clippy::print_stderr, reason = "this is where a program that people start complains")]
fn complain(what: &str) {
    eprintln!("usher-rehearsal: {what}");
}
