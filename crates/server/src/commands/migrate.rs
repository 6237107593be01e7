//! What can be done with a database without serving it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use audit::{Format, Report};
use domain::Rules;
use domain::presence::Watch;

use crate::config::{AuditConfig, Migrate, MigrateConfig};
use crate::storage::{self, Location, Storage};

/// `usher migrate`: brings the tables up to date, and gives all queues a new epoch if that is asked for.
pub(crate) async fn migrate(config: &MigrateConfig) -> anyhow::Result<()> {
    let location = Location::parse(&config.database.database_url)?;
    let applied = storage::migrate(&location).await?;
    let mut out = std::io::stdout();
    for name in &applied {
        writeln!(out, "applied {name}")?;
    }
    writeln!(out, "{location} is up to date")?;
    if config.new_epoch {
        let ended = renew_epochs(&location).await?;
        writeln!(out, "every queue has a new epoch; live tokens ended: {ended}")?;
    }
    Ok(())
}

async fn renew_epochs(location: &Location) -> anyhow::Result<u64> {
    // No rule plays a part in it.
    let storage = Storage::open(location, Migrate::Off, Rules::default()).await?;
    let renewed = storage.ports().queues.renew_epochs().await;
    storage.shutdown().await;
    let ended = renewed.context("could not give the queues a new epoch")?;
    ended.with_context(|| {
        format!(
            "a server still tells {location} of itself: stop all servers, wait {} s, and repeat",
            Watch::GAP.as_secs()
        )
    })
}

/// `usher audit`: one line per violation, as it is found, and an exit code that says whether there was any. Who watches on
/// a terminal sees on stderr how far it is.
pub(crate) async fn audit(config: AuditConfig) -> anyhow::Result<ExitCode> {
    let location = Location::parse(&config.database.database_url)?;
    let told = format!("could not audit {location}");
    let format = if config.json { Format::Json } else { Format::Lines };
    let auditing = move || {
        let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr());
        let progress: Option<&mut dyn Write> = if err.is_terminal() { Some(&mut err) } else { None };
        let mut report = Report::new(format, &mut out, progress);
        let audited = match &location {
            Location::Sqlite(path) => audit::run(path, &mut report),
            Location::Postgres(url) => audit::run_postgres(url, &mut report),
        };
        audited.map(|()| report.violations())
    };
    let violations = tokio::task::spawn_blocking(auditing).await?.context(told)?;
    Ok(if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
