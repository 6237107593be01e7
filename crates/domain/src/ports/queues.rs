//! The waiting line's storage.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;

use super::{Decided, StoreError};
use crate::line::Line;
use crate::{
    Edit, Message, NewQueue, Policy, PolicyChange, QueueEdit, QueueEpoch, QueueName, QueueNumber, ScheduleId, Ticket,
    TicketNumber, Timestamp, Token, UserId,
};

/// The most tokens whose turn comes in one transaction, and the most that one writes EXPIRED: about as many as a batch has
/// commands, so that admission asks no more of a slow store than everything else does.
pub const MOST_TURNS: u32 = 500;

/// A queue that changed, as one read of the store shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueChange {
    /// Its number.
    pub number: QueueNumber,
    /// Its name.
    pub name: QueueName,
    /// What its tokens are sealed with.
    pub epoch: QueueEpoch,
    /// How fast it admits, and from when on.
    pub policy: Policy,
    /// Since when this policy holds.
    pub policy_since: Timestamp,
    /// What those who wait are told.
    pub message: Option<Message>,
    /// Its counters.
    pub line: Line,
    /// The numbers beyond the frontier that left since the version that was known, in any order.
    pub left: Vec<TicketNumber>,
}

/// What joining answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The user's token, after the admission that ran in the same transaction.
    pub token: Token,
    /// Whether it is new.
    pub created: bool,
    /// The counters: of a new token right after its number was issued and the admission that ran with that, so that nobody
    /// stands behind it; of one that was there already no earlier than when it was found.
    pub line: Line,
}

/// What leaving came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether the place was live until then.
    pub lived: bool,
    /// The schedules of which it gave up seats.
    pub freed: BTreeSet<ScheduleId>,
}

/// What a tick of the clockwork did for one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The queue.
    pub queue: QueueNumber,
    /// How many tokens became ACTIVE.
    pub admitted: u64,
    /// How many were passed over, being absent.
    pub absent: u64,
    /// How many ACTIVE tokens were written EXPIRED, their deadline being over.
    pub expired: u64,
    /// How many tokens are ACTIVE after it, by stored status.
    pub active: u64,
    /// The counters after it.
    pub line: Line,
    /// Whether it stopped at its bound, so that there may be more to do at once.
    pub more: bool,
}

/// What a tick of the clockwork did for all queues. One in which there was nothing to do is in neither list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admissions {
    /// What was done, by queue, and is kept whatever failed.
    pub done: Vec<Admitted>,
    /// Where it failed, or takes longer than a tick waits: what is due there is due again.
    pub failed: Vec<(QueueNumber, StoreError)>,
}

/// How many tokens of a queue ended, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Endings {
    /// They paid, written or not.
    pub paid: u64,
    /// Their users left, waiting or ACTIVE.
    pub left: u64,
    /// ACTIVE was over, written or not.
    pub deadline: u64,
    /// They were absent when their turn came.
    pub absent: u64,
    /// A new epoch ended them.
    pub new_epoch: u64,
}

/// The endings that a storage counts, so that [`Endings::of`] may tell the others: ACTIVE are those who had been admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// They paid: those that are written so, and those that are over by their deadline after a payment (R14).
    pub paid: u64,
    /// They left while ACTIVE.
    pub left_active: u64,
    /// They left while waiting, behind the frontier and beyond it.
    pub left_waiting: u64,
    /// A new epoch ended them while ACTIVE.
    pub expelled_active: u64,
    /// A new epoch ended them while waiting.
    pub expelled_waiting: u64,
}

impl Endings {
    /// All endings of a line of which `active` are ACTIVE now, from one view of the store. By far the most tokens end by
    /// their deadline or absent. Nobody counts those: the deadline ended all who were admitted, are not ACTIVE now and did not
    /// end otherwise; absent were all who ceased to wait, were not admitted and did not end otherwise.
    pub const fn of(line: &Line, active: u64, counted: &Counted) -> Self {
        let Counted { paid, left_active, left_waiting, expelled_active, expelled_waiting } = *counted;
        let ceased = line.issued.saturating_sub(line.waiting());
        let passed = ceased.saturating_sub(line.admitted);
        let over = line.admitted.saturating_sub(active);
        Self {
            paid,
            left: left_active + left_waiting,
            deadline: over.saturating_sub(paid + left_active + expelled_active),
            absent: passed.saturating_sub(left_waiting + expelled_waiting),
            new_epoch: expelled_active + expelled_waiting,
        }
    }
}

/// A queue as its operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueReport {
    /// Its name.
    pub name: QueueName,
    /// How fast it admits, and from when on.
    pub policy: Policy,
    /// What those who wait are told.
    pub message: Option<Message>,
    /// Its counters.
    pub line: Line,
    /// How many tokens are ACTIVE now: those past their deadline are not.
    pub active: u64,
    /// How many ended.
    pub ended: Endings,
    /// How long the first one in line has waited; `None` when nobody waits.
    pub oldest_wait: Option<Duration>,
    /// How long those had waited who were admitted last: of the newest [`QueueReport::MOST_WAITS`] numbers behind the
    /// frontier those admitted within [`QueueReport::RECENT`], in any order.
    pub waits: Vec<Duration>,
}

impl QueueReport {
    /// How far back waits are looked at.
    pub const RECENT: Duration = Duration::from_secs(300);
    /// How many numbers are looked at, at most.
    pub const MOST_WAITS: u32 = 10_000;

    /// How long `percent` of those admitted lately had waited at most, 1 to 100 (nearest rank); `None` when nobody was.
    pub fn wait_of(&self, percent: usize) -> Option<Duration> {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        let rank = (waits.len() * percent).div_ceil(100);
        waits.get(rank.checked_sub(1)?).copied()
    }
}

/// The waiting line.
#[async_trait]
pub trait QueueRepository: Send + Sync {
    /// Every queue whose version is greater than the one `known` names for it, and every queue that `known` does not
    /// name, with all of its line; all from one view of the store, so that counters and numbers agree. `main` always is.
    ///
    /// MUST cost in proportion to what changed, not to how many wait. MUST show every change of a version that it shows,
    /// however late its transaction committed.
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError>;

    /// Makes a queue, in whose line nobody is yet, under the next number that was never used.
    ///
    /// MUST be `QueueExists` for a name that a queue has, and change nothing then: of those who ask for one name at once one
    /// makes it.
    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport>;

    /// R1, R2: gives `user` a place in `queue`.
    ///
    /// MUST give the same token to a user whose token is WAITING or ACTIVE, however many ask at once, and a new one at
    /// the tail otherwise. MUST number tokens densely in commit order. MUST NOT create a queue: an unknown one is
    /// `NotFound`. MUST run admission (R3) in the same transaction when [`Queue::admits_at_join`] says so, so that the
    /// answer shows its outcome.
    ///
    /// [`Queue::admits_at_join`]: crate::Queue::admits_at_join
    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined>;

    /// The tokens of these numbers, in any order; none for a number never issued. Writes nothing: a token past its
    /// deadline is shown as stored.
    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError>;

    /// R17: ends the token of `ticket` and cancels its user's PENDING reservations in this queue.
    ///
    /// MUST succeed again on a token that has ended, changing nothing. MUST be `TokenUnknown` for a number never issued.
    async fn leave(&self, ticket: Ticket) -> Decided<Left>;

    /// R3: one tick of the clockwork for every queue that has something due: in one transaction it first writes EXPIRED to
    /// ACTIVE tokens past their deadline, then admits the first waiters as the policy allows, passing over the absent, at most
    /// [`MOST_TURNS`] in all. Where there is [more](Admitted::more) to do, whoever asks comes again at once.
    ///
    /// MUST admit strictly by ticket number. Two at once MUST lose and double nobody. MUST pass over as many absent ones
    /// as stand before those there is room for. Queues in which nobody waits and nobody is ACTIVE cost nothing to speak of.
    ///
    /// MUST come to an end however slow the store is: a store that gives up transactions that take too long makes the next
    /// ones smaller. MUST keep no queue waiting for another, and MUST tell which one failed.
    async fn admit(&self) -> Result<Admissions, StoreError>;

    /// The policy and counts of a queue, from one snapshot.
    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport>;

    /// R3, R19: changes what `edit` names of a queue, all of it or, when the rules refuse it, nothing. A change of policy keeps
    /// the history and starts a new window; another message does neither. Both are a change of the line.
    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport>;

    /// The same of a policy alone.
    async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport> {
        self.edit(queue, &QueueEdit { policy: Some(*change), message: Edit::Keep }).await
    }

    /// How many tokens are ACTIVE now, of all queues that have any.
    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError>;

    /// Gives every queue a new epoch and ends all live tokens, in one transaction; how many. For a database that was
    /// restored from a backup (ADR 2).
    ///
    /// `None`, and nothing is done, while a server sends notes ([`Watch::GAP`]): it would go on sealing tokens with the epoch
    /// before.
    ///
    /// [`Watch::GAP`]: crate::presence::Watch::GAP
    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError>;
}
