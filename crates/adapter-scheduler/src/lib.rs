//! Inbound adapter: the work that nobody asks for. Every second the clockwork frees the seats that were not paid in time, and
//! admits the next users (R3, R10). [`follow()`] keeps this server's lines up to date, [`take_stock()`] what it tells of the
//! seats that are left. [`watch()`] tells the store which users this server has seen.
//! [`listen()`] notices that no clockwork ticks, in whichever process.
//!
//! Any number of servers may run them on one database; the store makes sure that nobody is admitted twice.

use std::sync::Arc;
use std::time::Duration;

use app::{App, Tick};
use domain::ports::StoreError;
use tokio::sync::watch::Receiver;
use tokio::time::{Interval, MissedTickBehavior};
use tracing::{debug, error, warn};

mod follow;
mod stock;
mod ticking;
mod watch;

pub use follow::{follow, follow_once};
pub use stock::take_stock;
pub use ticking::listen;
pub use watch::{say_goodbye, watch};

/// How often the clockwork ticks: thirty times as often as the requirements ask.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Ticks every [`INTERVAL`] until `stop` turns true or its sender is gone. A tick that has begun is finished.
pub async fn run(app: Arc<App>, mut stop: Receiver<bool>) {
    let mut interval = every(INTERVAL);
    while next(&mut interval, &mut stop).await {
        // What one transaction left need not wait for the next second.
        while run_once(&app).await.left_some() && !*stop.borrow() {}
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Waits for the next time; `false` when it is time to stop.
async fn next(interval: &mut Interval, stop: &mut Receiver<bool>) -> bool {
    tokio::select! {
        _ = interval.tick() => true,
        stopped = stop.wait_for(|stop| *stop) => {
            debug!(by_signal = stopped.is_ok(), "stopped");
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
    match &tick.lines {
        Ok(lines) => {
            let absent = lines.done.iter().map(|line| line.absent).sum();
            metrics::counter!("usher_tokens_absent_total").increment(absent);
            for (queue, error) in &lines.failed {
                warn!(queue = queue.0, "nobody could be admitted in this queue, or not in time");
                failed("admit", error);
            }
        }
        Err(error) => failed("admit", error),
    }
    if let Err(error) = &tick.seen {
        failed("tell whom it has seen", error);
    }
    if let Err(error) = &tick.marked {
        failed("tell that it ticked", error);
    }
    tick
}

fn failed(what: &'static str, error: &StoreError) {
    metrics::counter!("usher_tick_failures_total", "part" => what).increment(1);
    error!(part = what, %error, "this server could not {what}");
}

#[cfg(test)]
mod tests;
