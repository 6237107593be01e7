//! Queues and places as this server knows them, found by a name, a number or a token.

use std::sync::Arc;

use domain::rejection::Missing;
use domain::seal::SealedToken;
use domain::{QueueName, QueueNumber, Rejection, Ticket, TicketNumber};

use crate::lines::FollowedQueue;
use crate::{App, Failure, Holder};

impl App {
    /// The number of a queue; a join never creates one (R1).
    pub(crate) fn queue_number(&self, name: &QueueName) -> Result<QueueNumber, Rejection> {
        self.lines.load().number(name).ok_or(Rejection::NotFound(Missing::Queue))
    }

    /// The number of a queue that somebody names; one that is not known may have been made at another server a moment ago.
    pub(crate) async fn named(&self, name: &QueueName) -> Result<QueueNumber, Failure> {
        if let Ok(number) = self.queue_number(name) {
            return Ok(number);
        }
        self.refreshed().await?;
        Ok(self.queue_number(name)?)
    }

    /// A queue that a token or an answer of the store named.
    pub(crate) fn queue(&self, number: QueueNumber) -> Result<Arc<FollowedQueue>, Rejection> {
        self.lines.load().queue(number).cloned().ok_or(Rejection::TokenUnknown)
    }

    /// The place that a token proves, without asking the store (ADR 2).
    pub(crate) fn open(&self, token: SealedToken) -> Result<Ticket, Rejection> {
        let lines = self.lines.load();
        let queue = lines.queue(token.claimed_queue()).ok_or(Rejection::TokenUnknown)?;
        queue.known().seal.open(token).ok_or(Rejection::TokenUnknown)
    }

    /// The holder of a place that was just given.
    pub(crate) fn holder(&self, ticket: Ticket) -> Result<Holder, Rejection> {
        let token = self.queue(ticket.queue)?.known().seal.seal(ticket.number);
        Ok(Holder { token, ticket })
    }

    /// Notes that somebody is there for a place.
    pub(crate) fn see(&self, queue: &FollowedQueue, number: TicketNumber) {
        if !self.rules.absence.is_zero() {
            queue.sightings.note(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mocks::{World, block_on, down, holder, name_of, sealed, ticket};

    #[test]
    fn nothing_is_known_before_it_was_read() {
        let app = World::default().app_without_lines();
        assert_eq!(app.queue_number(&QueueName::main()), Err(Rejection::NotFound(Missing::Queue)));
        assert_eq!(app.open(sealed()), Err(Rejection::TokenUnknown));
        assert_eq!(app.holder(ticket()), Err(Rejection::TokenUnknown));
    }

    #[test]
    fn names_numbers_and_seals_belong_together() {
        let app = World::default().app();
        assert_eq!(app.queue_number(&name_of("other")), Ok(QueueNumber(2)));
        assert_eq!(app.holder(ticket()), Ok(holder()));
        assert_eq!(app.open(sealed()), Ok(ticket()));
        let elsewhere = Ticket { queue: QueueNumber(2), ..ticket() };
        assert_eq!(app.open(app.holder(elsewhere).unwrap().token), Ok(elsewhere));
    }

    #[test]
    fn a_read_that_failed_leaves_what_was_known() {
        let world = World::default();
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.set_down(true);
        assert_eq!(block_on(app.refresh()), Err(down()));
        assert_eq!(app.open(sealed()), Ok(ticket()));
    }
}
