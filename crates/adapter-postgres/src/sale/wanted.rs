//! What a batch needs to be read.

use uuid::Uuid;

/// What a batch needs to be read, collected from its commands.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether it changes the line, so that the queue's row is locked.
    pub(crate) line: bool,
    /// Whether it admits. A batch of joins may, too, see [`Wanted::admits_when_waiting`].
    pub(crate) admit: bool,
    /// Tickets that commands come with.
    pub(crate) tickets: Vec<i64>,
    /// Users who join.
    pub(crate) users: Vec<String>,
    /// Tickets that leave.
    pub(crate) leavers: Vec<i64>,
    /// Tickets that hold, each with its idempotency key.
    pub(crate) holders: Vec<(i64, Option<String>)>,
    /// Tickets that pay, each with its idempotency key.
    pub(crate) payers: Vec<(i64, Option<String>)>,
    /// Seats by id.
    pub(crate) seats: Vec<Uuid>,
    /// Seats by schedule and number.
    pub(crate) numbered: Vec<(Uuid, i32)>,
    /// Reservations to pay, cancel or release.
    pub(crate) reservations: Vec<Uuid>,
}

impl Wanted {
    /// There may be an admission, so that tokens past their deadline are wanted, when at most so many wait: joins admit
    /// when nobody does, which may be so once all who leave in the same batch have left.
    pub(crate) fn admits_when_waiting(&self) -> Option<i64> {
        let joins = !self.users.is_empty();
        let leavers = || i64::try_from(self.leavers.len()).unwrap_or(i64::MAX);
        if self.admit { Some(i64::MAX) } else { joins.then(leavers) }
    }
}
