//! Whether this server may be sent callers.

use std::time::Duration;

use domain::ports::StoreError;

use crate::App;

/// What a server that reached its store knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// How far this server's clock is from the store's.
    pub clock_skew: Duration,
    /// For how long no clockwork has ticked, in whichever process.
    pub clockwork_quiet: Duration,
}

impl Readiness {
    /// The skew from which on a server is not ready: its answers about time would contradict the store's decisions.
    pub const SKEW_LIMIT: Duration = Duration::from_secs(1);

    /// From when on a clockwork that does not tick is taken to be dead. It ticks every second.
    pub const QUIET_LIMIT: Duration = Duration::from_secs(10);

    /// Whether this server may be sent callers. Without a clockwork it may: all servers are without it, and a balancer must not
    /// take all of them away.
    pub fn is_ready(&self) -> bool {
        self.clock_skew < Self::SKEW_LIMIT
    }

    /// Whether nobody is admitted and nothing ends, as no clockwork runs.
    pub fn lacks_clockwork(&self) -> bool {
        self.clockwork_quiet >= Self::QUIET_LIMIT
    }
}

impl App {
    /// Asks the store for its time and compares it with this server's, and for the last tick of a clockwork.
    pub async fn readiness(&self) -> Result<Readiness, StoreError> {
        let store = self.ports.probe.store_time().await?;
        let clock_skew = self.ports.clock.now().apart(store);
        Ok(Readiness { clock_skew, clockwork_quiet: self.clockwork_quiet_for().await? })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::Timestamp;
    use domain::ports::Clock;

    use super::*;
    use crate::mocks::{NOW, World, at, block_on, down};

    fn readiness(ahead_micros: i64) -> Readiness {
        let mut world = World::default();
        world
            .probe
            .expect_store_time()
            .times(1)
            .return_once(move || Ok(Timestamp::from_micros(at(NOW).micros() + ahead_micros)));
        world.clockwork.expect_last_tick().return_once(|| Ok(None));
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
    fn a_clockwork_that_does_not_tick_for_ten_seconds_is_missed_and_makes_no_server_unready() {
        let mut world = World::default();
        let clock = Arc::clone(&world.clock);
        let now = Arc::clone(&clock);
        world.probe.expect_store_time().returning(move || Ok(now.now()));
        world.clockwork.expect_last_tick().returning(|| Ok(Some(at(7))));
        let app = world.app();
        for (micros, lacks) in [(0, false), (9_999_999, false), (10_000_000, true)] {
            clock.set(Timestamp::from_micros(at(NOW).micros() + micros));
            let found = block_on(app.readiness()).unwrap();
            assert_eq!((found.is_ready(), found.lacks_clockwork()), (true, lacks), "{micros}");
        }
    }

    #[test]
    fn a_store_that_does_not_answer_is_a_failure() {
        let mut world = World::default();
        world.probe.expect_store_time().return_once(|| Err(down()));
        assert_eq!(block_on(world.app().readiness()), Err(down()));
    }
}
