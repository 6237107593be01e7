//! The signals that a process obeys.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;

/// A second thought of whoever stops us. What comes within the same second is the same thought: terminals and process
/// supervisors signal both a process and its group.
pub(crate) async fn second_signal() -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Signals::listen()?.next().await;
    Ok(())
}

/// The signals that stop a program, from when they are first listened to. Listen before anything is waited for: the first process
/// of a container is stopped by no signal that it does not listen to.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
        let hangup = signal(SignalKind::hangup()).context("could not listen for SIGHUP")?;
        Ok(Self { terminate, interrupt, hangup })
    }

    /// Waits until the program is told to stop. A terminal that is closed, or somebody who wants settings to be read anew, does
    /// not stop it.
    pub(crate) async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => info!("SIGHUP: no setting can be read anew; a restart does that. Going on"),
            }
        }
    }

    /// Does `work`, unless it is told to stop before: then `None`, and the rest of the work is left.
    pub(crate) async fn unless_told<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.next() => None,
        }
    }
}
