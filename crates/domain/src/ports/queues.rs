//! The waiting line's storage.

use async_trait::async_trait;

use super::{Decided, StoreError};
use crate::line::{Line, Standing};
use crate::{Policy, PolicyChange, QueueEpoch, QueueName, QueueNumber, Ticket, UserId};

/// A queue as the registry lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its number.
    pub number: QueueNumber,
    /// Its name.
    pub name: QueueName,
    /// What its tokens are sealed with.
    pub epoch: QueueEpoch,
}

/// What joining answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The user's place, after the admission that ran in the same transaction.
    pub standing: Standing,
    /// Whether it is new.
    pub created: bool,
}

/// What a tick of the clockwork did for one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The queue.
    pub queue: QueueNumber,
    /// How many tokens became ACTIVE.
    pub admitted: u64,
    /// How many ACTIVE tokens were written EXPIRED, their deadline being over.
    pub expired: u64,
    /// How many tokens are ACTIVE after it, by stored status.
    pub active: u64,
    /// The counters after it.
    pub line: Line,
}

/// A queue as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueReport {
    /// Its name.
    pub name: QueueName,
    /// How fast it admits.
    pub policy: Policy,
    /// Its counters.
    pub line: Line,
    /// How many tokens are ACTIVE now: those past their deadline are not.
    pub active: u64,
}

/// The waiting line.
#[async_trait]
pub trait QueueRepository: Send + Sync {
    /// All queues there are. `main` is always among them.
    async fn directory(&self) -> Result<Vec<QueueEntry>, StoreError>;

    /// R1, R2: gives `user` a place in `queue`.
    ///
    /// MUST give the same token to a user whose token is WAITING or ACTIVE, however many ask at once, and a new one at
    /// the tail otherwise. MUST number tokens densely in commit order. MUST NOT create a queue: an unknown one is
    /// `NotFound`. MUST run admission (R3) in the same transaction, so that the answer shows its outcome.
    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined>;

    /// The token of `ticket` and where it stands, from one snapshot; `None` when no such number was issued. Writes
    /// nothing: a token past its deadline is shown as stored.
    async fn find(&self, ticket: Ticket) -> Result<Option<Standing>, StoreError>;

    /// R17: ends the token of `ticket` and cancels its user's PENDING reservations in this queue.
    ///
    /// MUST succeed again on a token that has ended, changing nothing. MUST be `TokenUnknown` for a number never issued.
    async fn leave(&self, ticket: Ticket) -> Decided<()>;

    /// R3: one tick of the clockwork for every queue that has something due: first writes EXPIRED to ACTIVE tokens past
    /// their deadline, then admits the first waiters as the policy allows. Queues with nothing to do are not listed.
    ///
    /// MUST admit strictly by ticket number. Two at once MUST lose and double nobody.
    async fn admit(&self) -> Result<Vec<Admitted>, StoreError>;

    /// The policy and counts of a queue, from one snapshot.
    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport>;

    /// R3: changes what `change` names of a policy, keeps the history, and starts a new window.
    async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport>;
}
