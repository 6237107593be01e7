//! Logs: to stderr, for people or as JSON; `RUST_LOG` says how much. Tokens and keys are never logged.

use std::env::VarError;
use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::console::for_a_moment;

/// The framework calls it an error when a caller sends what is no HTTP: anybody could fill the log with that.
const USUAL: &str = "info,actix_server=warn,actix_http=off";

/// How a log is written: for people, or an object a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// How many lines may wait to be written; more are lost.
const WAITING: usize = 10_000;

/// A log that is written. With it ends what writes it, once the last lines are out.
pub(crate) struct Log(Option<WorkerGuard>);

impl Drop for Log {
    fn drop(&mut self) {
        let writing = self.0.take();
        for_a_moment(|| drop(writing));
    }
}

/// Starts logging, on a thread that nobody waits for: whoever reads the log may stand still. A line that cannot be written is lost,
/// and nothing else: the disk of the log may be full, or its reader may have ended.
pub(crate) fn start(format: LogFormat) -> anyhow::Result<Log> {
    let filter = match std::env::var("RUST_LOG") {
        Err(VarError::NotPresent) => EnvFilter::new(USUAL),
        wanted => EnvFilter::try_new(wanted.context("RUST_LOG")?).context("RUST_LOG")?,
    };
    // Else it would complain of that on stderr, which is what cannot be written to, and panic.
    let builder = tracing_subscriber::fmt().log_internal_errors(false);
    let (writer, writing) = NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(std::io::stderr());
    let builder = builder.with_env_filter(filter).with_writer(writer);
    let started = match format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))?;
    Ok(Log(Some(writing)))
}
