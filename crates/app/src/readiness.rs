//! Whether this server may be sent callers.

use std::time::Duration;

use domain::ports::StoreError;

use crate::App;

/// What a server that reached its store knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// How far this server's clock is from the store's.
    pub clock_skew: Duration,
}

impl Readiness {
    /// The skew from which on a server is not ready: its answers about time would contradict the store's decisions.
    pub const SKEW_LIMIT: Duration = Duration::from_secs(1);

    /// Whether this server may be sent callers.
    pub fn is_ready(&self) -> bool {
        self.clock_skew < Self::SKEW_LIMIT
    }
}

impl App {
    /// Asks the store for its time and compares it with this server's.
    pub async fn readiness(&self) -> Result<Readiness, StoreError> {
        let store = self.ports.probe.store_time().await?;
        let here = self.ports.clock.now();
        Ok(Readiness { clock_skew: here.since(store).max(store.since(here)) })
    }
}
