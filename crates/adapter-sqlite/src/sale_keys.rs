//! Rows of `sale_keys`: successes of holds and payments under an idempotency key (R15).

use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::{Fingerprint, IdempotencyKey, QueueNumber, Timestamp, UserId};
use uuid::Uuid;

use crate::columns::{Columns, FromRow};
use crate::statement::{Statement, binds, statements};

statements! {
    Find = "SELECT fingerprint, created_at, result_id FROM sale_keys \
        WHERE queue = ? AND user_id = ? AND operation = ? AND key = ?";
    // A key that was there is forgotten by the rule, or else the request would have been a replay.
    Record = "INSERT INTO sale_keys (queue, user_id, operation, key, fingerprint, result_id, created_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (queue, user_id, operation, key) DO UPDATE \
        SET fingerprint = excluded.fingerprint, result_id = excluded.result_id, created_at = excluded.created_at";
    Forget = "DELETE FROM sale_keys WHERE (queue, user_id, operation, key) IN \
        (SELECT queue, user_id, operation, key FROM sale_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)";
}

/// What a key is scoped to besides itself.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) queue: QueueNumber,
    pub(crate) user: &'a UserId,
    pub(crate) operation: Operation,
}

/// What was asked for under a key.
#[derive(Clone, Copy)]
pub(crate) enum Operation {
    Hold,
    Pay,
}

impl Operation {
    const fn text(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::Pay => "PAY",
        }
    }
}

/// What a key recorded, and the reservation or payment that it made.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    scope: Scope<'_>,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, Uuid)>, StoreError> {
    Find::row(conn, binds![scope.queue, scope.user, scope.operation.text(), key])
}

/// Records what a request made.
pub(crate) fn record(
    conn: &mut SqliteConnection,
    scope: Scope<'_>,
    key: &IdempotencyKey,
    request: &Fingerprint,
    result: Uuid,
    now: Timestamp,
) -> Result<(), StoreError> {
    Record::change_one(conn, binds![scope.queue, scope.user, scope.operation.text(), key, request, result, now])
}

/// Removes at most `limit` keys that are as old as `before` or older.
pub(crate) fn forget(conn: &mut SqliteConnection, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    Forget::execute(conn, binds![before, limit]).map(drop)
}

impl FromRow for (Recorded, Uuid) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let recorded = Recorded {
            fingerprint: Fingerprint(row.bytes(0, ("sale_keys", "fingerprint"))?),
            at: row.instant(1, ("sale_keys", "created_at"))?,
        };
        Ok((recorded, row.id(2, ("sale_keys", "result_id"))?))
    }
}
