//! Inbound adapter: the clockwork. Every second it frees what was not paid and admits who is next (R3, R10).
//!
//! Any number of servers may run it on one database; the store makes sure that nobody is admitted twice.

use std::sync::Arc;
use std::time::Duration;

use app::{App, Tick};
use domain::ports::{MOST_RELEASED, StoreError};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tracing::{debug, error};

/// How often the clockwork ticks: thirty times as often as the requirements ask.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Ticks every [`INTERVAL`] until `stop` turns true or its sender is gone. A tick that has begun is finished.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut interval = seconds();
    while next(&mut interval, &mut stop).await {
        // What a full sweep left need not wait for the next second.
        while run_once(&app).await.released == Ok(u64::from(MOST_RELEASED)) && !*stop.borrow() {}
    }
}

/// For a server whose clockwork runs elsewhere: until `stop`, learns every [`INTERVAL`] of the queues that others made.
pub async fn follow(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut interval = seconds();
    while next(&mut interval, &mut stop).await {
        follow_once(&app).await;
    }
}

/// Reads the queues anew, and logs when that failed. The next second tries again.
pub async fn follow_once(app: &App) {
    if let Err(error) = app.refresh_directory().await {
        failed("read the queues", &error);
    }
}

fn seconds() -> Interval {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Waits for the next second; `false` when it is time to stop.
async fn next(interval: &mut Interval, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        _ = interval.tick() => true,
        stopped = stop.wait_for(|stop| *stop) => {
            debug!(by_signal = stopped.is_ok(), "clockwork stopped");
            false
        }
    }
}

/// One tick: does what is due, counts it, and logs what failed. The next tick tries again.
pub async fn run_once(app: &App) -> Tick {
    let tick = app.tick().await;
    metrics::counter!("usher_ticks_total").increment(1);
    match &tick.released {
        Ok(count) => metrics::counter!("usher_holds_expired_total").increment(*count),
        Err(error) => failed("free expired reservations", error),
    }
    if let Err(error) = &tick.lines {
        failed("admit", error);
    }
    if let Err(error) = &tick.directory {
        failed("read the queues", error);
    }
    tick
}

fn failed(what: &'static str, error: &StoreError) {
    metrics::counter!("usher_tick_failures_total", "part" => what).increment(1);
    error!(part = what, %error, "the clockwork could not {what}");
}

#[cfg(test)]
mod tests;
