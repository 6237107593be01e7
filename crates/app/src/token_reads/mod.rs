//! Tokens by number. When many callers ask at once, one of them reads the store for all. Tokens that have ended are remembered.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::ports::{QueueRepository, StoreError};
use domain::{QueueNumber, Ticket, TicketNumber, Token, TokenStatus};
use futures::channel::oneshot;

/// How many numbers one read asks for, at most.
const MOST: usize = 512;

/// The reads of tokens that are under way, and those who wait for them.
#[derive(Default)]
pub(crate) struct TokenReads {
    /// The queues of which a read is under way, each with those who wait for the next one. There is one read of a queue at a
    /// time, as reading many tokens costs little more than reading one.
    queues: Mutex<HashMap<QueueNumber, VecDeque<Waiting>>>,
    ended: Mutex<Ended>,
}

/// The number that one who waits asks for, and where their answer goes.
type Waiting = (TicketNumber, oneshot::Sender<Turn>);

/// What one who waits is told.
enum Turn {
    /// The answer.
    Found(Result<Option<Token>, StoreError>),
    /// To read for all who wait now.
    Read,
}

/// A panic while one was held leaves nothing half-written: each is changed by single calls.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TokenReads {
    /// The token of `ticket`, read after this call unless it is over for good; `None` when no such number was issued.
    pub(crate) async fn find(&self, store: &dyn QueueRepository, ticket: Ticket) -> Result<Option<Token>, StoreError> {
        if let Some(token) = lock(&self.ended).get(ticket) {
            return Ok(Some(token));
        }
        loop {
            let reading = match self.ask(ticket) {
                Ok(reading) => reading,
                Err(wait) => match wait.told().await {
                    Some(Turn::Found(found)) => return found,
                    Some(Turn::Read) => Reading { reads: self, queue: ticket.queue },
                    // Whoever read for us has gone away.
                    None => continue,
                },
            };
            return reading.read(store, ticket.number).await;
        }
    }

    /// The right to read, or a wait for whoever reads.
    fn ask(&self, ticket: Ticket) -> Result<Reading<'_>, Wait<'_>> {
        match lock(&self.queues).entry(ticket.queue) {
            Entry::Vacant(idle) => {
                idle.insert(VecDeque::new());
                Ok(Reading { reads: self, queue: ticket.queue })
            }
            Entry::Occupied(mut waiting) => {
                let (sender, receiver) = oneshot::channel();
                waiting.get_mut().push_back((ticket.number, sender));
                Err(Wait { reads: self, queue: ticket.queue, receiver })
            }
        }
    }

    /// A read has ended: the next one who waits reads, if anybody does.
    fn read_ended(&self, queue: QueueNumber) {
        let mut queues = lock(&self.queues);
        let Some(waiting) = queues.get_mut(&queue) else { return };
        while let Some((_, next)) = waiting.pop_front() {
            if next.send(Turn::Read).is_ok() {
                return;
            }
        }
        queues.remove(&queue);
    }
}

/// One who waits. If they go away when it is their turn to read, they pass the turn on.
struct Wait<'a> {
    reads: &'a TokenReads,
    queue: QueueNumber,
    receiver: oneshot::Receiver<Turn>,
}

impl Wait<'_> {
    async fn told(mut self) -> Option<Turn> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.receiver.close();
        if matches!(self.receiver.try_recv(), Ok(Some(Turn::Read))) {
            self.reads.read_ended(self.queue);
        }
    }
}

/// The right to read. Whatever becomes of it, the next one reads when it ends.
struct Reading<'a> {
    reads: &'a TokenReads,
    queue: QueueNumber,
}

impl Reading<'_> {
    async fn read(self, store: &dyn QueueRepository, own: TicketNumber) -> Result<Option<Token>, StoreError> {
        let others = self.take_others();
        let mut numbers: Vec<_> = others.iter().map(|(number, _)| *number).chain([own]).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let found = self.find(store, &numbers).await;
        if let Ok(tokens) = &found {
            lock(&self.reads.ended).remember(tokens);
        }
        for (number, other) in others {
            // One who went away meanwhile needs no answer.
            drop(other.send(Turn::Found(answer(&found, number))));
        }
        answer(&found, own)
    }

    /// All of them with one read. Where one is damaged each is read by itself, so that it fails only those who ask for it.
    async fn find(&self, store: &dyn QueueRepository, numbers: &[TicketNumber]) -> Found {
        let by_number = |token: Token| (token.ticket.number, Ok(token));
        match store.tokens(self.queue, numbers).await {
            Err(StoreError::Inconsistent { .. }) if numbers.len() > 1 => {}
            read => return read.map(|tokens| tokens.into_iter().map(by_number).collect()),
        }
        let mut found = HashMap::new();
        for number in numbers {
            match store.tokens(self.queue, &[*number]).await {
                Ok(tokens) => found.extend(tokens.into_iter().map(by_number)),
                Err(damaged @ StoreError::Inconsistent { .. }) => drop(found.insert(*number, Err(damaged))),
                Err(failure) => return Err(failure),
            }
        }
        Ok(found)
    }

    fn take_others(&self) -> Vec<Waiting> {
        let mut queues = lock(&self.reads.queues);
        let Some(waiting) = queues.get_mut(&self.queue) else { return Vec::new() };
        let first = waiting.len().min(MOST - 1);
        waiting.drain(..first).collect()
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.reads.read_ended(self.queue);
    }
}

/// What was read, of a damaged token what is wrong with it.
type Tokens = HashMap<TicketNumber, Result<Token, StoreError>>;

type Found = Result<Tokens, StoreError>;

fn answer(found: &Found, number: TicketNumber) -> Result<Option<Token>, StoreError> {
    found.as_ref().map_err(Clone::clone)?.get(&number).cloned().transpose()
}

/// Tokens that are EXPIRED in the store, which is final: the latest ones, at most twice [`Ended::MOST`].
#[derive(Default)]
struct Ended {
    young: HashMap<Ticket, Token>,
    old: HashMap<Ticket, Token>,
}

impl Ended {
    /// How many are kept before the older half is forgotten.
    const MOST: usize = 32_768;

    fn get(&self, ticket: Ticket) -> Option<Token> {
        self.young.get(&ticket).or_else(|| self.old.get(&ticket)).cloned()
    }

    fn remember(&mut self, tokens: &Tokens) {
        for token in tokens.values().flatten().filter(|token| token.status() == TokenStatus::Expired) {
            if self.young.len() >= Self::MOST {
                self.old = std::mem::take(&mut self.young);
            }
            self.young.insert(token.ticket, token.clone());
        }
    }
}

#[cfg(test)]
mod tests;
