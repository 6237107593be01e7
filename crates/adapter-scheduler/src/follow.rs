//! Following the store's lines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::App;
use domain::ports::StoreError;
use tokio::sync::watch::Receiver;
use tracing::{error, info, warn};

/// The longest that nobody looks at what changed.
const AT_LEAST_EVERY: Duration = Duration::from_millis(250);
/// The shortest time between the beginnings of two looks, however many wait for one: a crowd of impatient callers is to
/// cost the store no more than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(20);

/// Keeps this server's lines up to date until `stop` turns true or its sender is gone: looks at what changed every 250 ms,
/// and sooner when somebody waits for it or this server changed something itself.
pub async fn follow(app: Arc<App>, mut stop: Receiver<bool>) {
    let mut failing = false;
    loop {
        let pace = tokio::time::sleep(AT_MOST_EVERY);
        failing = told(follow_once(&app).await, failing);
        pace.await;
        tokio::select! {
            () = app.refresh_wanted() => {}
            () = tokio::time::sleep(AT_LEAST_EVERY.saturating_sub(AT_MOST_EVERY)) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Looks once at what changed.
pub async fn follow_once(app: &App) -> Result<(), StoreError> {
    let begun = Instant::now();
    let refreshed = app.refresh().await;
    metrics::histogram!("usher_line_refresh_seconds").record(begun.elapsed());
    let refreshed = refreshed.inspect_err(|_error| {
        metrics::counter!("usher_line_refresh_failures_total").increment(1);
    })?;
    for misjudged in refreshed.misjudged {
        metrics::histogram!("usher_wait_misjudged_seconds").record(misjudged);
    }
    for (queue, broken) in refreshed.broken {
        metrics::counter!("usher_line_refresh_failures_total").increment(1);
        error!(queue = queue.0, %broken, "a queue's numbers do not agree with its counters");
    }
    Ok(())
}

/// Logs when following begins to fail and when it succeeds again, not every time; whether it fails now.
fn told(looked: Result<(), StoreError>, failing: bool) -> bool {
    match (looked, failing) {
        (Err(error), false) => {
            warn!(%error, "the lines cannot be followed; who waits is told the last known positions");
            true
        }
        (Ok(()), true) => {
            info!("the lines are followed again");
            false
        }
        (looked, _) => looked.is_err(),
    }
}
