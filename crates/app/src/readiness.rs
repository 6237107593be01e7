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

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;
    use crate::mocks::{NOW, World, at, block_on, down};

    fn readiness(ahead_micros: i64) -> Readiness {
        let mut world = World::default();
        world
            .probe
            .expect_store_time()
            .times(1)
            .return_once(move || Ok(Timestamp::from_micros(at(NOW).micros() + ahead_micros)));
        block_on(world.app().readiness()).unwrap()
    }

    #[test]
    fn a_server_is_ready_while_its_clock_is_less_than_a_second_from_the_stores_p1() {
        for (micros, ready) in [(0, true), (999_000, true), (999_999, true), (1_000_000, false), (3_600_000_000, false)]
        {
            for ahead in [micros, -micros] {
                let found = readiness(ahead);
                assert_eq!(found.clock_skew, Duration::from_micros(micros.unsigned_abs()), "{ahead}");
                assert_eq!(found.is_ready(), ready, "{ahead}");
            }
        }
    }

    #[test]
    fn a_store_that_does_not_answer_is_a_failure() {
        let mut world = World::default();
        world.probe.expect_store_time().return_once(|| Err(down()));
        assert_eq!(block_on(world.app().readiness()), Err(down()));
    }
}
