//! Noticing that no clockwork ticks, here or anywhere.

use std::sync::Arc;
use std::time::Duration;

use app::{App, Readiness};
use tokio::sync::watch::Receiver;
use tracing::{info, warn};

use super::{every, next};

/// How often it is looked whether somebody ticks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Looks every few seconds whether some clockwork ticks, until `stop` turns true or its sender is gone. Says so when none has for too
/// long, and when one does again.
pub async fn listen(app: Arc<App>, mut stop: Receiver<bool>) {
    let (mut interval, mut missed) = (every(LOOK_EVERY), false);
    while next(&mut interval, &mut stop).await {
        missed = listen_once(&app, missed).await;
    }
}

/// Looks once; whether one is missed. A store that does not answer tells nothing of it.
pub(crate) async fn listen_once(app: &App, missed: bool) -> bool {
    let Ok(quiet) = app.clockwork_quiet_for().await else { return missed };
    metrics::gauge!("usher_clockwork_last_tick_seconds").set(quiet.as_secs_f64());
    let silent = quiet >= Readiness::QUIET_LIMIT;
    match (silent, missed) {
        (true, false) => warn!(
            "no clockwork has ticked for {} s: nobody is admitted, and no turn or hold ends; start usher-scheduler, or a server \
             without --scheduler off",
            quiet.as_secs()
        ),
        (false, true) => info!("a clockwork ticks again"),
        _ => {}
    }
    silent
}
