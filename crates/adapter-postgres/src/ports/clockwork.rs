//! The port of when the clockwork ticked.

use async_trait::async_trait;
use diesel::dsl::auto_type;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use domain::Timestamp;
use domain::ports::{ClockworkRepository, MARK_FOR, StoreError};
use time::OffsetDateTime;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::schema::clockwork;
use crate::store::PostgresStore;
use crate::tables::columns::{big, instant};

statement! {
    /// Keeps that a tick was done, unless a mark stands that is not old, nor of a time to come. By hand, because diesel prepares an
    /// `UPDATE` of its own anew each time.
    MarkTick { now: Option<OffsetDateTime>, seconds: i64 } -> () =
    "UPDATE clockwork
     SET ticked_at = n.now
     FROM (SELECT coalesce(" now ", clock_timestamp()) AS now) AS n
     WHERE id = 1
       AND (ticked_at IS NULL OR ticked_at > n.now OR ticked_at <= n.now - interval '1 s' * " seconds ")"
}

/// Reads when it ticked last.
#[auto_type(no_type_alias)]
pub(crate) fn find_tick() -> _ {
    clockwork::table.filter(clockwork::id.eq(1_i32)).select(clockwork::ticked_at)
}

#[async_trait]
impl ClockworkRepository for PostgresStore {
    async fn ticked(&self) -> Result<(), StoreError> {
        self.read(async |connection| {
            let mark = MarkTick { now: self.0.environment.fixed_now(), seconds: big(MARK_FOR.as_secs()) };
            mark.execute(&mut &*connection).await.map(drop).map_err(BatchError::from)
        })
        .await
    }

    async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(async |connection| {
            let found = find_tick().load::<Option<OffsetDateTime>>(&mut &*connection).await?;
            Ok(found.into_iter().flatten().next().map(instant))
        })
        .await
    }
}
