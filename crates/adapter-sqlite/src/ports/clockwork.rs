//! The port of when the clockwork ticked.

use async_trait::async_trait;
use domain::Timestamp;
use domain::ports::{ClockworkRepository, MARK_FOR, StoreError};

use crate::SqliteStore;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow};

statements! {
    Mark = "UPDATE clockwork SET ticked_at = ? WHERE id = 1 AND (ticked_at IS NULL OR ticked_at > ? OR ticked_at <= ?)";
    Last = "SELECT ticked_at FROM clockwork WHERE id = 1";
}

/// When it ticked, if it did.
struct Ticked(Option<Timestamp>);

impl FromRow for Ticked {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        row.instant_or_null(0, ("clockwork", "ticked_at")).map(Self)
    }
}

#[async_trait]
impl ClockworkRepository for SqliteStore {
    async fn ticked(&self) -> Result<(), StoreError> {
        let mark = self.writer().run(|transaction| {
            let now = transaction.now;
            Mark::execute(transaction.conn, binds![now, now, now.minus(MARK_FOR)])
        });
        mark.await.map(drop)
    }

    async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError> {
        let last = self.reads().run(|snapshot| Last::row::<Ticked>(snapshot.conn, &[])).await?;
        Ok(last.and_then(|last| last.0))
    }
}
