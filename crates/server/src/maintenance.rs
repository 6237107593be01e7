//! What can be done with a database without serving it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use crate::audit;
use crate::config::DatabaseConfig;
use crate::storage::{self, Location};

/// `usher migrate`: brings the tables up to date.
pub(crate) async fn migrate(config: &DatabaseConfig) -> anyhow::Result<()> {
    let location = Location::parse(&config.database_url)?;
    let applied = storage::migrate(&location).await?;
    let mut out = std::io::stdout();
    for name in &applied {
        writeln!(out, "applied {name}")?;
    }
    writeln!(out, "{location} is up to date")?;
    Ok(())
}

/// `usher audit`: one line per violation, and an exit code that says whether there was any.
pub(crate) async fn audit(config: &DatabaseConfig) -> anyhow::Result<ExitCode> {
    let location = Location::parse(&config.database_url)?;
    let told = format!("could not audit {location}");
    let auditing = move || match &location {
        Location::Sqlite(path) => audit::run(path),
        Location::Postgres(url) => audit::run_postgres(url),
    };
    let report = tokio::task::spawn_blocking(auditing).await?.context(told)?;
    let mut out = std::io::stdout();
    write!(out, "{report}")?;
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
