//! `usher-scheduler`: the clockwork alone, for servers that run without one. Any number may run on one database.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use app::App;
use domain::ports::IdGenerator;
use domain::seal::{ServerKey, ServerKeys};
use tokio::sync::watch;
use tracing::info;

use crate::config::SchedulerCli;
use crate::environment::SystemIds;
use crate::logging;
use crate::signals::{Signals, second_signal};
use crate::storage::{Location, Storage};

/// Ticks until SIGTERM or SIGINT.
pub(crate) async fn run(config: &SchedulerCli) -> anyhow::Result<()> {
    logging::start(config.log_format)?;
    let location = Location::parse(&config.database_url)?;
    let storage = Storage::open(&location, config.migrate, config.rules.rules(), config.patience.patience()).await?;
    let app = Arc::new(App::new(storage.ports(), config.rules.rules(), config.rules.wallet_gate(), no_keys()?));
    let mut signals = Signals::listen()?;
    let (stop, stopped) = watch::channel(false);
    let mut ticking = tokio::spawn(adapter_scheduler::run(app, stopped));
    writeln!(std::io::stdout(), "usher-scheduler {} ticks on {location}", env!("CARGO_PKG_VERSION"))?;
    tokio::select! {
        () = signals.next() => {}
        ended = &mut ticking => return ended.context("the clockwork failed"),
    }
    info!("stopping: finishing the tick");
    stop.send_replace(true);
    tokio::select! {
        ended = ticking => ended.context("the clockwork failed")?,
        again = second_signal() => again?,
    }
    storage.shutdown().await;
    info!("stopped");
    Ok(())
}

/// The clockwork seals no token and opens none, so that it needs no key of the servers: it gets one that nobody has.
fn no_keys() -> anyhow::Result<ServerKeys> {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(SystemIds.random().into_iter().chain(SystemIds.random())) {
        *to = from;
    }
    ServerKeys::new(vec![ServerKey::from_bytes(bytes)]).context("one key is enough")
}
