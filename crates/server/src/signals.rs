//! The signals that stop a process.

use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A second thought of whoever stops us. What comes within the same second is the same thought: terminals and process
/// supervisors signal both a process and its group.
pub(crate) async fn second_signal() -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Signals::listen()?.next().await;
    Ok(())
}

/// The signals that stop the server, from when they are first listened to.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
        Ok(Self { terminate, interrupt })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
