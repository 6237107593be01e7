//! The queues by name and number, with their seals: read from the store, kept in memory, swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ports::{QueueEntry, StoreError};
use domain::rejection::Kind;
use domain::seal::{Seal, SealedToken};
use domain::{QueueName, QueueNumber, Rejection, Ticket};

use crate::App;

/// All queues known at one moment.
#[derive(Default)]
pub(crate) struct Directory {
    by_number: HashMap<QueueNumber, Known>,
    by_name: HashMap<QueueName, QueueNumber>,
}

struct Known {
    name: QueueName,
    seal: Seal,
}

impl App {
    /// Reads the queues anew. To be called at start and now and then, as another server may have made one.
    ///
    /// Any number may do so at once: what one of them has made known stays known.
    pub async fn refresh_directory(&self) -> Result<(), StoreError> {
        let entries = self.ports.queues.directory().await?;
        let known = |entry: &QueueEntry| {
            let seal = self.keys.for_queue(entry.number, entry.epoch);
            (entry.number, Known { name: entry.name.clone(), seal })
        };
        let directory = Arc::new(Directory {
            by_number: entries.iter().map(known).collect(),
            by_name: entries.iter().map(|entry| (entry.name.clone(), entry.number)).collect(),
        });
        // Reads may end in another order than they began. A queue is never removed: who knows fewer has read earlier.
        self.directory.rcu(|known| {
            let newest = if known.by_number.len() > directory.by_number.len() { known } else { &directory };
            Arc::clone(newest)
        });
        Ok(())
    }

    /// The number of a queue; a join never creates one (R1).
    pub(crate) fn queue_number(&self, name: &QueueName) -> Result<QueueNumber, Rejection> {
        self.directory.load().by_name.get(name).copied().ok_or(Rejection::NotFound(Kind::Queue))
    }

    /// The numbers of all queues, ascending.
    pub(crate) fn queue_numbers(&self) -> Vec<QueueNumber> {
        let mut numbers: Vec<_> = self.directory.load().by_number.keys().copied().collect();
        numbers.sort_unstable();
        numbers
    }

    /// The name of a queue and the sealed token of a place in it.
    pub(crate) fn seal(&self, ticket: Ticket) -> Result<(QueueName, SealedToken), Rejection> {
        let directory = self.directory.load();
        let known = directory.by_number.get(&ticket.queue).ok_or(Rejection::NotFound(Kind::Queue))?;
        Ok((known.name.clone(), known.seal.seal(ticket.number)))
    }

    /// The place that a token proves, without asking the store (design 5).
    pub(crate) fn open(&self, token: SealedToken) -> Result<Ticket, Rejection> {
        let directory = self.directory.load();
        let known = directory.by_number.get(&token.claimed_queue()).ok_or(Rejection::TokenUnknown)?;
        known.seal.open(token).ok_or(Rejection::TokenUnknown)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;
    use crate::mocks::{World, down, entry, name_of, sealed, ticket};

    #[test]
    fn nothing_is_known_before_it_was_read() {
        let app = World::default().app_without_directory();
        assert_eq!(app.queue_number(&QueueName::main()), Err(Rejection::NotFound(Kind::Queue)));
        assert_eq!(app.open(sealed()), Err(Rejection::TokenUnknown));
        assert_eq!(app.seal(ticket()), Err(Rejection::NotFound(Kind::Queue)));
    }

    #[test]
    fn names_numbers_and_seals_belong_together() {
        let app = World::default().app();
        assert_eq!(app.queue_number(&name_of("other")), Ok(QueueNumber(2)));
        assert_eq!(app.seal(ticket()), Ok((QueueName::main(), sealed())));
        assert_eq!(app.open(sealed()), Ok(ticket()));
    }

    #[test]
    fn an_older_read_that_ends_later_takes_no_queue_away() {
        let mut world = World::default();
        let mut reads = vec![vec![entry(1, "main")], vec![entry(1, "main"), entry(2, "other")]];
        world.queues.expect_directory().times(2).returning(move || Ok(reads.pop().unwrap()));
        let app = world.app_without_directory();
        assert_eq!(block_on(app.refresh_directory()), Ok(()));
        assert_eq!(block_on(app.refresh_directory()), Ok(()));
        assert_eq!(app.queue_number(&name_of("other")), Ok(QueueNumber(2)));
    }

    #[test]
    fn a_read_that_failed_leaves_what_was_known() {
        let mut world = World::default();
        let mut reads = 0;
        world.queues.expect_directory().times(2).returning(move || {
            reads += 1;
            if reads == 1 { Ok(vec![entry(1, "main")]) } else { Err(down()) }
        });
        let app = world.app_without_directory();
        assert_eq!(block_on(app.refresh_directory()), Ok(()));
        assert_eq!(block_on(app.refresh_directory()), Err(down()));
        assert_eq!(app.open(sealed()), Ok(ticket()));
    }
}
