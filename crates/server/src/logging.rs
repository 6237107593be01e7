//! Logs: to stderr, for people or as JSON; `RUST_LOG` says how much. Tokens and keys are never logged.

use std::env::VarError;
use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// The framework calls it an error when a caller sends what is no HTTP: anybody could fill the log with that.
const USUAL: &str = "info,actix_server=warn,actix_http=off";

/// How a log is written: for people, or an object a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Human,
    Json,
}

/// Starts logging for the life of the process. A line that cannot be written is lost, and nothing else: the disk of the log may be
/// full, or whoever read it may have ended.
pub(crate) fn start(format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Err(VarError::NotPresent) => EnvFilter::new(USUAL),
        wanted => EnvFilter::try_new(wanted.context("RUST_LOG")?).context("RUST_LOG")?,
    };
    // Else it would complain of that on stderr, which is what cannot be written to, and panic.
    let builder = tracing_subscriber::fmt().log_internal_errors(false);
    let builder = builder.with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))
}
