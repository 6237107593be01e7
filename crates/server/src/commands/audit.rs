//! `usher audit`: what crate `audit` finds, told to whoever asked.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use audit::{Format, Report};

use crate::config::AuditConfig;
use crate::storage::Location;

/// One line per violation, as it is found, and an exit code that says whether there was any. Who watches on
/// a terminal sees on stderr how far it is.
pub(crate) async fn run(config: AuditConfig) -> anyhow::Result<ExitCode> {
    let location = Location::parse(&config.database.database_url)?;
    let told = format!("could not audit {location}");
    let format = if config.json { Format::Json } else { Format::Lines };
    let auditing = move || {
        let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
        let progress: Option<&mut dyn Write> = if err.is_terminal() { Some(&mut err) } else { None };
        let mut report = Report::new(format, &mut out, progress);
        let audited = match &location {
            Location::Sqlite(path) => audit::run_sqlite(path, &mut report),
            Location::Postgres(url) => audit::run_postgres(url, &mut report),
        };
        audited.map(|()| report.violations())
    };
    let violations = tokio::task::spawn_blocking(auditing).await?.context(told)?;
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
