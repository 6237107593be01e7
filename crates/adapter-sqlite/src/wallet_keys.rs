//! Rows of `wallet_keys`: successes of charges under an idempotency key (R15).

use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::{Fingerprint, IdempotencyKey, Timestamp, UserId};

use crate::columns::{Columns, FromRow};
use crate::statement::{Statement, binds, statements};

statements! {
    Find = "SELECT fingerprint, created_at, entry_seq FROM wallet_keys WHERE user_id = ? AND key = ?";
    // A key that was there is forgotten by the rule, or else the request would have been a replay.
    Record = "INSERT INTO wallet_keys (user_id, key, fingerprint, entry_seq, created_at) VALUES (?, ?, ?, ?, ?) \
        ON CONFLICT (user_id, key) DO UPDATE \
        SET fingerprint = excluded.fingerprint, entry_seq = excluded.entry_seq, created_at = excluded.created_at";
    Forget = "DELETE FROM wallet_keys WHERE (user_id, key) IN \
        (SELECT user_id, key FROM wallet_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)";
}

/// What a key recorded, and the `seq` of the entry that it made.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    user: &UserId,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, u64)>, StoreError> {
    Find::row(conn, binds![user, key])
}

/// Records the entry that a charge made.
pub(crate) fn record(
    conn: &mut SqliteConnection,
    user: &UserId,
    key: &IdempotencyKey,
    request: &Fingerprint,
    entry_seq: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    Record::change_one(conn, binds![user, key, request, entry_seq, now])
}

/// Removes at most `limit` keys that are as old as `before` or older.
pub(crate) fn forget(conn: &mut SqliteConnection, before: Timestamp, limit: u32) -> Result<(), StoreError> {
    Forget::execute(conn, binds![before, limit]).map(drop)
}

impl FromRow for (Recorded, u64) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let recorded = Recorded {
            fingerprint: Fingerprint(row.bytes(0, ("wallet_keys", "fingerprint"))?),
            at: row.instant(1, ("wallet_keys", "created_at"))?,
        };
        Ok((recorded, row.number(2, ("wallet_keys", "entry_seq"))?))
    }
}
