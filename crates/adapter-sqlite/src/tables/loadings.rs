//! Rows of `loadings`: what was loaded under which key (R15).

use diesel::SqliteConnection;
use domain::concert::Loaded;
use domain::ports::StoreError;
use domain::{ConcertId, Fingerprint, IdempotencyKey, QueueNumber, Timestamp};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow};

statements! {
    Find = "SELECT fingerprint, queue, concert_id FROM loadings WHERE idempotency_key = ?";
    Insert = "INSERT INTO loadings (idempotency_key, fingerprint, queue, concert_id, loaded_at) VALUES (?, ?, ?, ?, ?)";
}

/// What was loaded under a key.
pub(crate) fn find(conn: &mut SqliteConnection, key: &IdempotencyKey) -> Result<Option<Loaded>, StoreError> {
    Find::row(conn, binds![key])
}

/// Keeps what is loaded under a key.
pub(crate) fn insert(
    conn: &mut SqliteConnection,
    key: &IdempotencyKey,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<(), StoreError> {
    Insert::change_one(conn, binds![key, &loaded.fingerprint, loaded.queue, loaded.concert, now])
}

impl FromRow for Loaded {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            fingerprint: Fingerprint(row.bytes(0, ("loadings", "fingerprint"))?),
            queue: QueueNumber(row.number(1, ("loadings", "queue"))?),
            concert: ConcertId::new(row.id(2, ("loadings", "concert_id"))?),
        })
    }
}
