//! Leaving a waiting line (R17).

use std::collections::BTreeSet;

use domain::line::Place;
use domain::{ScheduleId, Ticket, TokenStatus};

use crate::{App, Failure, Holder};

impl App {
    /// Ends a token that lives, and cancels its user's PENDING reservations in its queue; the schedules of which that gave up
    /// seats. Polls of this server know of it when this is answered. With a token that has ended nothing is done.
    pub async fn leave(&self, holder: Holder) -> Result<BTreeSet<ScheduleId>, Failure> {
        if self.has_ended(holder.ticket).await? {
            return Ok(BTreeSet::new());
        }
        let left = self.ports.queues.leave(holder.ticket).await??;
        if left.lived {
            // The token has ended, whether or not this server can read it back now.
            drop(self.refreshed().await);
        }
        Ok(left.freed)
    }

    /// Whether a place is known to have ended, which is for good. An ended token that asks over and over costs one read.
    async fn has_ended(&self, ticket: Ticket) -> Result<bool, Failure> {
        Ok(match self.queue(ticket.queue)?.known().snapshot.place(ticket.number) {
            Place::Ended => true,
            Place::Passed => self.token(ticket).await?.status() == TokenStatus::Expired,
            Place::Waiting(_) | Place::Unissued => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::ports::{Decided, Left};
    use domain::{Rejection, Token};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{NOW, World, active, active_until, block_on, down, ended, holder, run, ticket};

    fn freed() -> BTreeSet<ScheduleId> {
        [ScheduleId::new(Uuid::from_u128(3))].into()
    }

    fn left(lived: bool) -> Left {
        Left { lived, freed: if lived { freed() } else { BTreeSet::new() } }
    }

    /// What leaving came to, and how often the lines were read.
    fn leaving(answer: Decided<Left>, down: bool) -> (Result<BTreeSet<ScheduleId>, Failure>, usize) {
        let mut world = World::default();
        world.queues.expect_leave().times(1).withf(|asked| *asked == ticket()).return_once(|_| answer);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.set_down(down);
        (run(&app, app.leave(holder())), lines.reads())
    }

    #[test]
    fn the_store_ends_the_place_and_what_it_says_is_passed_on_r17() {
        assert_eq!(leaving(Ok(Ok(left(true))), false), (Ok(freed()), 2), "polls know of it");
        assert_eq!(leaving(Ok(Ok(left(true))), true), (Ok(freed()), 2), "what is done is done");
        assert_eq!(leaving(Ok(Ok(left(false))), false), (Ok(BTreeSet::new()), 1), "it had ended meanwhile");
        let refusal = Rejection::TokenUnknown;
        assert_eq!(leaving(Ok(Err(refusal.clone())), false), (Err(Failure::Rejected(refusal)), 1));
        assert_eq!(leaving(Err(down()), false), (Err(Failure::Store(down())), 1));
    }

    /// Neither a write nor a refresh, and one read however often it asks.
    #[test]
    fn an_ended_token_does_nothing_by_leaving_r17() {
        let reading = |token: Token, times: usize| {
            let mut world = World::default();
            world.lines.admit(ticket().number.get());
            world.queues.expect_tokens().times(times).returning(move |_, _| Ok(vec![token.clone()]));
            world
        };
        let left_waiting = World::default();
        left_waiting.lines.leave(ticket().number.get());
        for world in [reading(ended(), 1), left_waiting] {
            let lines = Arc::clone(&world.lines);
            let app = world.app();
            for _ in 0..3 {
                assert_eq!((block_on(app.leave(holder())), lines.reads()), (Ok(BTreeSet::new()), 1));
            }
        }
        // What only time has ended is for the store to write, and so is a live one.
        for token in [active_until(NOW), active()] {
            let mut world = reading(token, 1);
            world.queues.expect_leave().times(1).return_once(|_| Ok(Ok(left(false))));
            assert_eq!(block_on(world.app().leave(holder())), Ok(BTreeSet::new()));
        }
    }
}
