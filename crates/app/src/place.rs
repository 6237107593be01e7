//! Where a token stands, as its holder is told: position, wait, and when to ask again (R4).

use std::sync::PoisonError;
use std::time::Duration;

use domain::line::{Standing, poll_after};
use domain::seal::SealedToken;
use domain::{QueueName, QueueNumber, Timestamp, TokenStatus, UserId};

use crate::{App, Failure};

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The token, for its holder only.
    pub token: SealedToken,
    /// The queue it is in.
    pub queue: QueueName,
    /// Whose it is.
    pub user: UserId,
    /// Its state at `server_time`.
    pub status: TokenStatus,
    /// Live waiters ahead + 1; 0 when ACTIVE; `None` when EXPIRED.
    pub position: Option<u64>,
    /// The version of the line that the position is exact at.
    pub version: u64,
    /// How long the wait will be at the pace of the last minutes; `None` while unknown, paused or not waiting.
    pub estimated_wait: Option<Duration>,
    /// When to ask again; `None` when there is nothing to wait for.
    pub poll_after: Option<Duration>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was admitted.
    pub activated_at: Option<Timestamp>,
    /// When ACTIVE is over; `None` while it waits.
    pub expires_at: Option<Timestamp>,
    /// This server's time.
    pub server_time: Timestamp,
    /// When the line was looked at.
    pub as_of: Timestamp,
    /// Whether that is too long ago to be trusted: the position may be too high, never too low.
    pub stale: bool,
}

impl App {
    /// Tells the holder of a token, in any state, where it stands.
    pub async fn place(&self, token: SealedToken) -> Result<Place, Failure> {
        let standing = self.standing(token).await?;
        self.describe(standing)
    }

    /// Puts together what the holder of a place is told.
    pub(crate) fn describe(&self, standing: Standing) -> Result<Place, Failure> {
        let now = self.ports.clock.now();
        let ticket = standing.token.ticket;
        let (queue, token) = self.seal(ticket)?;
        let status = standing.token.status_at(now);
        let position = standing.position_at(now);
        let waiting = position.filter(|_| status == TokenStatus::Waiting);
        let pace = self.observe_pace(ticket.queue, now, standing.line.admitted, waiting.unwrap_or(0));
        let estimated_wait = waiting.and(pace).filter(|_| !standing.paused);
        let [jitter, ..] = self.ports.ids.random();
        Ok(Place {
            token,
            queue,
            user: standing.token.user,
            status,
            position,
            version: standing.line.version,
            estimated_wait,
            poll_after: waiting.map(|position| poll_after(estimated_wait, position, jitter)),
            issued_at: standing.token.issued_at,
            activated_at: standing.token.active.map(|active| active.since),
            expires_at: standing.token.active.map(|active| active.deadline),
            server_time: now,
            as_of: now,
            stale: false,
        })
    }

    /// Notes how many a queue has admitted, and tells how long `position` will take.
    pub(crate) fn observe_pace(
        &self,
        queue: QueueNumber,
        now: Timestamp,
        admitted: u64,
        position: u64,
    ) -> Option<Duration> {
        // A panic while it was held cannot leave a pace half-written that matters: it only estimates.
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry(queue).or_default();
        pace.observe(now, admitted);
        pace.wait(position)
    }
}

#[cfg(test)]
mod tests {
    use domain::line::Line;
    use futures::executor::block_on;

    use super::*;
    use crate::mocks::{NOW, World, active, active_until, at, ended, sealed, user, waiting};

    fn place(standing: Standing) -> Place {
        block_on(World::of(standing).app().place(sealed())).unwrap()
    }

    #[test]
    fn a_waiting_token_is_told_its_position_and_when_to_ask_again_r4() {
        let expected = Place {
            token: sealed(),
            queue: QueueName::main(),
            user: user(),
            status: TokenStatus::Waiting,
            position: Some(3),
            version: 31,
            estimated_wait: None,
            poll_after: Some(poll_after(None, 3, 127)),
            issued_at: at(1),
            activated_at: None,
            expires_at: None,
            server_time: at(NOW),
            as_of: at(NOW),
            stale: false,
        };
        assert_eq!(place(waiting()), expected);
    }

    #[test]
    fn who_does_not_wait_is_told_no_wait_r4() {
        for (standing, status, position, expires_at) in [
            (active(), TokenStatus::Active, Some(0), NOW + 1),
            // Stored as ACTIVE, and over: the deadline is now.
            (active_until(NOW), TokenStatus::Expired, None, NOW),
            (ended(), TokenStatus::Expired, None, NOW + 1),
        ] {
            let told = place(standing);
            assert_eq!((told.status, told.position), (status, position));
            assert_eq!((told.estimated_wait, told.poll_after), (None, None));
            assert_eq!((told.activated_at, told.expires_at), (Some(at(2)), Some(at(expires_at))));
        }
    }

    /// Two polls a minute apart, between which 30 were admitted; then the third in line waits 6 s.
    fn second_poll(paused: bool) -> Place {
        let mut world = World::default();
        let mut admitted = 0;
        world.queues.expect_find().returning(move |_| {
            admitted += 30;
            let line = Line { admitted, ..waiting().line };
            Ok(Some(Standing { line, paused, ..waiting() }))
        });
        let clock = std::sync::Arc::clone(&world.clock);
        let app = world.app();
        assert_eq!(block_on(app.place(sealed())).unwrap().estimated_wait, None, "unknown as yet");
        clock.set(at(NOW + 60));
        block_on(app.place(sealed())).unwrap()
    }

    #[test]
    fn the_wait_is_measured_and_not_foretold_while_paused() {
        let (running, paused) = (second_poll(false), second_poll(true));
        assert_eq!(running.estimated_wait, Some(Duration::from_secs(6)));
        assert_eq!(running.poll_after, Some(poll_after(running.estimated_wait, 3, 127)));
        assert_eq!(paused.estimated_wait, None);
        assert_eq!(paused.poll_after, Some(poll_after(None, 3, 127)));
    }
}
