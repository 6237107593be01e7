//! Where a token stands, as a server finds out: by the snapshot of its line and the token's own row.

use domain::line::{Line, Place, Snapshot};
use domain::ports::{QueueChange, QueueRepository, StoreError};
use domain::{QueueNumber, Timestamp, Token, TokenStatus};

/// A queue, read whole, and the snapshot of its line.
pub(crate) struct View {
    pub(crate) change: QueueChange,
    pub(crate) snapshot: Snapshot,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The token as stored.
    pub(crate) token: Token,
    /// Live waiters ahead + 1 while it is WAITING in the store; 0 otherwise.
    pub(crate) position: u64,
    /// The counters of its queue.
    pub(crate) line: Line,
    /// Whether its queue is paused.
    pub(crate) paused: bool,
}

impl View {
    /// Reads a queue that exists as if nothing was known of any.
    pub(crate) async fn read(queues: &dyn QueueRepository, queue: QueueNumber) -> Result<Self, StoreError> {
        let changes = queues.changes(&[]).await?;
        let change = changes.into_iter().find(|change| change.number == queue).expect("a queue that exists");
        let snapshot = Snapshot::build(change.line, change.left.iter().copied()).unwrap();
        Ok(Self { change, snapshot })
    }

    /// Where a token stands that was read after this. It may have ceased to wait meanwhile, but not begun to.
    pub(crate) fn standing(&self, token: Token) -> Standing {
        let position = if token.status() == TokenStatus::Waiting { self.position(&token) } else { 0 };
        Standing { token, position, line: self.change.line, paused: self.change.policy.paused }
    }

    /// The position by the snapshot; 0, which is nobody's who waits, when it says that the token does not.
    pub(crate) fn position(&self, token: &Token) -> u64 {
        match self.snapshot.place(token.ticket.number) {
            Place::Waiting(position) => position,
            Place::Passed | Place::Ended | Place::Unissued => 0,
        }
    }
}

impl Standing {
    /// R4 as told to the user at `now`: 0 when ACTIVE, nothing when EXPIRED.
    pub(crate) fn position_at(&self, now: Timestamp) -> Option<u64> {
        match self.token.status_at(now) {
            TokenStatus::Waiting => Some(self.position),
            TokenStatus::Active => Some(0),
            TokenStatus::Expired => None,
        }
    }
}
