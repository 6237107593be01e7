//! The clockwork: what time brings about without anybody asking (R3, R10).

use domain::ports::{Admitted, MOST_RELEASED, StoreError};

use crate::App;

/// What one tick did; a part that failed does not keep the other from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queues in which tokens were expired, admitted or passed over.
    pub lines: Result<Vec<Admitted>, StoreError>,
    /// How many reservations ran out.
    pub released: Result<u64, StoreError>,
    /// Whether it could be told first whom this server has seen.
    pub seen: Result<(), StoreError>,
}

impl Tick {
    /// Whether there may be more to do at once.
    pub fn left_some(&self) -> bool {
        self.released == Ok(u64::from(MOST_RELEASED)) || self.lines.iter().flatten().any(|line| line.more)
    }
}

impl App {
    /// Frees what was not paid, then admits who is next. Any number of servers may do so at once.
    pub async fn tick(&self) -> Tick {
        let released = self.ports.reservations.release_expired().await;
        // Who came back just before their turn is not to be passed over.
        let seen = self.note_sightings().await;
        let lines = self.ports.queues.admit().await;
        if lines.as_ref().is_ok_and(|lines| !lines.is_empty()) {
            self.following.want();
        }
        Tick { lines, released, seen }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::line::Line;
    use domain::{QueueNumber, Timestamp};
    use futures::executor::block_on;
    use mockall::Sequence;

    use super::*;
    use crate::mocks::{World, at, down, entry, sealed, waiting};

    fn admitted(in_all: u64) -> Admitted {
        let line = Line { issued: 100, admitted: in_all, frontier: in_all, ended_beyond: 0, version: 9 };
        Admitted { queue: QueueNumber(1), admitted: 1, expired: 0, active: 1, line }
    }

    #[test]
    fn every_part_is_done_although_another_fails() {
        for failing in 0..3 {
            let mut world = World::default();
            let answer = |part: usize| if part == failing { Err(down()) } else { Ok(()) };
            let (released, lines, directory) = (answer(0), answer(1), answer(2));
            let mut order = Sequence::new();
            let expected = Tick {
                released: released.clone().map(|()| 3),
                lines: lines.clone().map(|()| vec![admitted(4)]),
                directory: directory.clone(),
            };
            // What is freed first may be sold to who is admitted next.
            world
                .reservations
                .expect_release_expired()
                .times(1)
                .in_sequence(&mut order)
                .return_once(|| released.map(|()| 3));
            world
                .queues
                .expect_admit()
                .times(1)
                .in_sequence(&mut order)
                .return_once(|| lines.map(|()| vec![admitted(4)]));
            world.queues.expect_directory().times(1).return_once(|| directory.map(|()| vec![entry(1, "main")]));
            assert_eq!(block_on(world.app_without_directory().tick()), expected, "part {failing} fails");
        }
    }

    /// The estimate is measured by the clockwork's ticks, so that nobody need poll for it to be known.
    #[test]
    fn ticks_measure_the_pace() {
        let mut world = World::of(domain::line::Standing { line: admitted(60).line, ..waiting() });
        world.reservations.expect_release_expired().returning(|| Ok(0));
        let mut in_all = 0;
        world.queues.expect_admit().times(2).returning_st(move || {
            in_all += 30;
            Ok(vec![admitted(in_all)])
        });
        world.queues.expect_directory().returning(|| Ok(vec![entry(1, "main")]));
        let clock = std::sync::Arc::clone(&world.clock);
        let app = world.app_without_directory();
        let tick = |second: Timestamp| {
            clock.set(second);
            block_on(app.tick())
        };
        assert!(tick(at(100)).lines.is_ok() && tick(at(160)).lines.is_ok());
        // 30 admitted in 60 s: the third in line waits 6 s.
        assert_eq!(block_on(app.place(sealed())).unwrap().estimated_wait, Some(Duration::from_secs(6)));
    }
}
