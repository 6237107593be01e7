//! `usher migrate`: the tables of a database, and its epochs.

use std::process::ExitCode;

use anyhow::Context;
use domain::Rules;
use domain::ports::PATIENCE;
use domain::presence::Watch;

use crate::config::{Migrate, MigrateConfig};
use crate::console::say;
use crate::logging::{self, LogFormat};
use crate::storage::{self, Location, Storage};

/// Brings the tables up to date, and gives all queues a new epoch if that is asked for.
pub(crate) async fn run(config: &MigrateConfig) -> anyhow::Result<ExitCode> {
    let _log = logging::start(LogFormat::Human)?;
    let location = Location::parse(&config.database.database_url)?;
    let applied = storage::migrate(&location).await?;
    for name in &applied {
        say(&format!("applied {name}"));
    }
    say(&format!("{location} is up to date"));
    if config.new_epoch {
        let ended = renew_epochs(&location).await?;
        say(&format!("every queue has a new epoch; live tokens ended: {ended}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn renew_epochs(location: &Location) -> anyhow::Result<u64> {
    // No rule plays a part in it.
    let storage = Storage::open(location, Migrate::Off, Rules::default(), PATIENCE).await?;
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
