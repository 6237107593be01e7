//! New epochs for all queues, once a database was restored (ADR 2): an operator's work, done while no server runs.

use diesel::QueryDsl;
use diesel::dsl::auto_type;
use diesel_async::RunQueryDsl;
use time::OffsetDateTime;

use crate::connections::error::BatchError;
use crate::connections::statement::{Begin, Commit, Now, run, statement};
use crate::schema::queues;
use crate::store::PostgresStore;
use crate::tables::servers::{ServerRow, find_servers};

statement! {
    /// Lets the statements of this transaction take as long as they need, however many tokens there are. The limit on waiting
    /// for a lock stays.
    TakeYourTime {} -> () = "SET LOCAL statement_timeout = 0"
}

/// Locks the rows of all queues, and reads their numbers.
#[auto_type(no_type_alias)]
pub(crate) fn lock_queues() -> _ {
    queues::table.select(queues::queue).order(queues::queue).for_no_key_update()
}

statement! {
    /// Writes what `Queue::renew` decides of each queue.
    RenewQueues { queues: Vec<i32>, epochs: Vec<Vec<u8>> } -> () =
    "UPDATE queues q
     SET epoch = n.epoch, version = q.version + 1, frontier = q.issued, ended_beyond = 0
     FROM unnest(" queues ", " epochs ") AS n (queue, epoch)
     WHERE q.queue = n.queue"
}

statement! {
    /// Writes what `Queue::expel` decides of each live token.
    ExpelTokens { now: OffsetDateTime } -> () =
    "UPDATE tokens t
     SET status = 'EXPIRED', ended_at = n.at, out_version = coalesce(t.out_version, q.version),
         end_reason = CASE WHEN t.deadline > n.at OR t.deadline IS NULL THEN 'NEW_EPOCH'
                           WHEN t.last_paid IS NULL THEN 'DEADLINE' ELSE 'PAID' END,
         paid_reservation = CASE WHEN t.deadline <= n.at THEN t.last_paid END
     FROM queues q
     CROSS JOIN (SELECT " now " AS at) AS n
     WHERE t.queue = q.queue AND t.ended_at IS NULL"
}

impl PostgresStore {
    /// Renews all queues in one transaction, and returns how many tokens ended. While a server tells of itself it does nothing
    /// and returns `None`.
    pub(crate) async fn renew(&self) -> Result<Option<u64>, BatchError> {
        let session = self.0.connections.session().await?;
        let conn = session.connection()?;
        let (_begun, _unlimited, queues, told, (now, _)) = futures::try_join!(
            Begin {}.execute(&mut &*conn),
            TakeYourTime {}.execute(&mut &*conn),
            lock_queues().load::<i32>(&mut &*conn),
            find_servers().load::<ServerRow>(&mut &*conn),
            Now {}.get_result::<(OffsetDateTime, String)>(&mut &*conn),
        )?;
        let now = self.0.environment.now(now);
        if told.into_iter().any(|server| server.watch().told_lately(now)) {
            // Dropping the session closes the connection, which ends the transaction.
            return Ok(None);
        }
        let epochs = queues.iter().map(|_| self.0.environment.ids.random().to_vec()).collect();
        let (_renewed, ended, ()) = futures::try_join!(
            run(conn, RenewQueues { queues, epochs }),
            ExpelTokens { now: now.to_utc() }.execute(&mut &*conn),
            run(conn, Commit {}),
        )?;
        session.give_back();
        Ok(Some(u64::try_from(ended).unwrap_or(u64::MAX)))
    }
}
