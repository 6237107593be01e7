//! The clockwork: what time brings about without anybody asking (R3, R10).

use std::time::Duration;

use domain::Timestamp;
use domain::ports::{Admissions, MOST_RELEASED, StoreError};

use crate::App;

/// What one tick did; a part that failed does not keep the other from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queues in which tokens were expired, admitted or passed over, and those in which that failed.
    pub lines: Result<Admissions, StoreError>,
    /// How many reservations ran out.
    pub released: Result<u64, StoreError>,
    /// Whether the numbers that this server has seen could be noted before that.
    pub seen: Result<(), StoreError>,
    /// Whether it could be noted that all this was done. A tick that could not do its work leaves no mark.
    pub marked: Result<(), StoreError>,
}

impl Tick {
    /// Whether there may be more to do at once.
    pub fn left_some(&self) -> bool {
        self.released == Ok(u64::from(MOST_RELEASED))
            || self.lines.iter().flat_map(|lines| &lines.done).any(|line| line.more)
    }
}

impl App {
    /// Frees the seats that were not paid in time, then admits the next users. Any number of servers may do so at once.
    pub async fn tick(&self) -> Tick {
        let released = self.ports.reservations.release_expired().await;
        // Nobody who came back just before their turn is to be passed over.
        let seen = self.note_sightings().await;
        let lines = self.ports.queues.admit().await;
        if lines.as_ref().is_ok_and(|lines| !lines.done.is_empty()) {
            self.following.want();
        }
        let done = released.is_ok() && lines.is_ok();
        let marked = if done { self.ports.clockwork.ticked().await } else { Ok(()) };
        Tick { lines, released, seen, marked }
    }

    /// When a clockwork ticked last, in whichever process, by the store's clock; `None` when none ever has.
    pub async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ports.clockwork.last_tick().await
    }

    /// For how long no clockwork has ticked, in whichever process, as far as this server has seen; to be asked every few seconds.
    /// Since this server began to look at the longest.
    pub async fn clockwork_quiet_for(&self) -> Result<Duration, StoreError> {
        let mark = self.ports.clockwork.last_tick().await?;
        Ok(self.ticking.quiet_for(mark, self.ports.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use domain::QueueNumber;
    use domain::line::Line;
    use domain::ports::Admitted;
    use mockall::Sequence;

    use super::*;
    use crate::mocks::{SERVER, Task, World, block_on, down, holder};

    fn admitted(more: bool) -> Admitted {
        let line = Line { issued: 100, admitted: 5, frontier: 5, ended_beyond: 0, version: 9 };
        Admitted { queue: QueueNumber(1), admitted: 1, absent: 0, expired: 0, active: 1, line, more }
    }

    fn done(done: Vec<Admitted>) -> Admissions {
        Admissions { done, failed: Vec::new() }
    }

    /// It failed in another queue.
    fn failed(done: Vec<Admitted>) -> Admissions {
        Admissions { done, failed: vec![(QueueNumber(2), down())] }
    }

    /// The order matters. Seats are freed first, so that the users admitted next can buy them. Users who came back just before
    /// their turn are told to the store before anybody is passed over. Nothing else may be called.
    #[test]
    fn every_part_is_done_although_another_fails() {
        for failing in 0..5 {
            let (mut world, mut order) = (World::default(), Sequence::new());
            let answer = |part: usize| if part == failing { Err(down()) } else { Ok(()) };
            let (released, seen, lines) =
                (answer(0).map(|()| 3), answer(1), answer(2).map(|()| done(vec![admitted(false)])));
            let done = released.is_ok() && lines.is_ok();
            let marked = if done { answer(3) } else { Ok(()) };
            let expected =
                Tick { released: released.clone(), seen: seen.clone(), lines: lines.clone(), marked: marked.clone() };
            let (reservations, presence) = (&mut world.reservations, &mut world.presence);
            reservations.expect_release_expired().times(1).in_sequence(&mut order).return_once(|| released);
            let asked = |server: &uuid::Uuid, seen: &[_]| *server == SERVER && seen.len() == 1;
            presence.expect_note().times(1).in_sequence(&mut order).withf(asked).return_once(|_, _| seen);
            world.queues.expect_admit().times(1).in_sequence(&mut order).return_once(|| lines);
            // What was not done is not told to have been.
            let clockwork = &mut world.clockwork;
            clockwork
                .expect_ticked()
                .times(usize::from(done))
                .in_sequence(&mut order)
                .returning(move || marked.clone());
            let app = world.app();
            block_on(app.standing(holder())).unwrap();
            assert_eq!(block_on(app.tick()), expected, "part {failing} fails");
        }
    }

    fn ticking(lines: Result<Admissions, StoreError>, released: Result<u64, StoreError>) -> (Tick, bool) {
        let mut world = World::default();
        world.reservations.expect_release_expired().times(1).return_once(|| released);
        world.queues.expect_admit().times(1).return_once(|| lines);
        world.clockwork.expect_ticked().returning(|| Ok(()));
        let app = world.app();
        let tick = block_on(app.tick());
        (tick, Task::started(app.refresh_wanted()).answer().is_some())
    }

    /// No port of presence expects a call.
    #[test]
    fn who_saw_nobody_tells_of_nobody() {
        let (tick, _) = ticking(Ok(done(vec![])), Ok(0));
        assert_eq!(tick, Tick { lines: Ok(done(vec![])), released: Ok(0), seen: Ok(()), marked: Ok(()) });
    }

    #[test]
    fn a_refresh_is_wanted_when_a_line_has_moved() {
        for (lines, wanted) in [
            (Ok(done(vec![admitted(false)])), true),
            (Ok(failed(vec![admitted(false)])), true),
            (Ok(done(vec![])), false),
            (Ok(failed(vec![])), false),
            (Err(down()), false),
        ] {
            assert_eq!(ticking(lines, Ok(7)).1, wanted);
        }
    }

    #[test]
    fn a_tick_that_stopped_at_its_bound_says_that_there_may_be_more() {
        let most = u64::from(MOST_RELEASED);
        for (lines, released, left_some) in [
            (Ok(done(vec![])), Ok(most), true),
            (Ok(done(vec![])), Ok(most - 1), false),
            (Ok(done(vec![admitted(false), admitted(true)])), Ok(0), true),
            (Ok(done(vec![admitted(false)])), Ok(0), false),
            (Ok(done(vec![admitted(true)])), Err(down()), true),
            // What failed is not tried over and over: the next second is soon enough.
            (Ok(failed(vec![admitted(false)])), Ok(0), false),
            (Ok(failed(vec![admitted(true)])), Ok(0), true),
            (Err(down()), Ok(most), true),
            (Err(down()), Err(down()), false),
        ] {
            let (tick, _) = ticking(lines, released);
            assert_eq!(tick.left_some(), left_some, "{tick:?}");
        }
    }
}
