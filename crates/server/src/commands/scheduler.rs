//! `usher-scheduler`: the clockwork alone, for servers that run without one. Any number may run on one database.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use app::App;
use domain::ports::IdGenerator;
use domain::seal::{ServerKey, ServerKeys};
use tokio::sync::watch;
use tracing::info;

use crate::config::{SchedulerCli, variables};
use crate::console::say;
use crate::environment::SystemIds;
use crate::logging;
use crate::signals::{Signals, second_signal};
use crate::storage::{Location, Storage};

const NAME: &str = "usher-scheduler";

/// Ticks until SIGTERM or SIGINT.
pub(crate) async fn run(config: &SchedulerCli) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let _log = logging::start(config.log_format)?;
    variables::warn_of_unknown();
    let location = Location::parse(&config.database_url)?;
    if let Location::Sqlite(_) = location {
        bail!("a SQLite file has one server, in which the clockwork runs; {NAME} is for servers on PostgreSQL");
    }
    let opening = Storage::open(&location, config.migrate, config.rules.rules(), config.patience.patience());
    let Some(storage) = signals.unless_told(opening).await else { return Ok(ExitCode::SUCCESS) };
    let storage = storage?;
    let app = Arc::new(App::new(storage.ports(), config.rules.rules(), config.rules.wallet_gate(), no_keys()?));
    let (stop, stopped) = watch::channel(false);
    let mut ticking = tokio::spawn(adapter_scheduler::run(app, stopped));
    storage.tell_of_concerns();
    say(&format!("{NAME} {} ticks on {location}", env!("CARGO_PKG_VERSION")));
    tokio::select! {
        () = signals.next() => {}
        ended = &mut ticking => {
            ended.context("the clockwork failed")?;
            bail!("the clockwork ended by itself");
        }
    }
    info!("stopping: finishing the tick");
    stop.send_replace(true);
    tokio::select! {
        ended = ticking => ended.context("the clockwork failed")?,
        again = second_signal() => again?,
    }
    storage.shutdown().await;
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The clockwork seals no token and opens none, so that it needs no key of the servers: it gets one that nobody has.
fn no_keys() -> anyhow::Result<ServerKeys> {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(SystemIds.random().into_iter().chain(SystemIds.random())) {
        *to = from;
    }
    ServerKeys::new(vec![ServerKey::from_bytes(bytes)]).context("one key is enough")
}
