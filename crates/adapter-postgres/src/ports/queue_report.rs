//! A queue as its operator sees it.

use std::time::Duration;

use diesel::Queryable;
use diesel::sql_types::{Array, BigInt, Nullable};
use diesel_async::RunQueryDsl;
use domain::QueueNumber;
use domain::ports::{Counted, Endings, QueueReport, StoreError};
use time::OffsetDateTime;

use crate::connections::statement::statement;
use crate::store::PostgresStore;
use crate::tables::columns::{self, count};
use crate::tables::messages::{MessageRow, SqlMessage};
use crate::tables::queues::{QueueRow, SqlQueue};

statement! {
    /// Reads a queue with the policy in force, all of it from one snapshot:
    ///
    /// - how many of its tokens are ACTIVE now, and the counts of [`Counted`];
    /// - how long the first user in line has waited so far, in microseconds;
    /// - how long users had waited when they were admitted: those admitted in the last `recent` seconds, of the newest `most`
    ///   numbers up to the frontier.
    ///
    /// Each count reads one index alone, which either has no other rows or is sorted by what is counted. But of those who are
    /// over by time and not written so yet, who are few, it reads the rows: whether they had paid (R14).
    FindReport { queue: i32, now: Option<OffsetDateTime>, most: i64, recent: i64 } -> (
        SqlQueue, SqlMessage, BigInt, (BigInt, BigInt, BigInt, BigInt, BigInt), Nullable<BigInt>, Array<BigInt>,
    ) =
    "SELECT g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused, p.opens_at,
            m.ko, m.en,
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.status = 'ACTIVE' AND t.deadline > n.at),
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.end_reason = 'PAID' AND t.activated_at IS NOT NULL)
          + (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.status = 'ACTIVE' AND t.deadline <= n.at AND t.last_paid IS NOT NULL),
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.end_reason = 'LEFT' AND t.activated_at IS NOT NULL),
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.end_reason = 'LEFT' AND t.activated_at IS NULL),
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.end_reason = 'NEW_EPOCH' AND t.activated_at IS NOT NULL),
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.end_reason = 'NEW_EPOCH' AND t.activated_at IS NULL),
            (SELECT extract(epoch FROM n.at - t.issued_at) * 1000000 FROM tokens t
             WHERE t.queue = " queue " AND t.number > q.frontier AND t.status = 'WAITING'
             ORDER BY t.number
             LIMIT 1)::bigint,
            ARRAY(SELECT (extract(epoch FROM t.activated_at - t.issued_at) * 1000000)::bigint FROM tokens t
                  WHERE t.queue = " queue " AND t.number > q.frontier - " most " AND t.number <= q.frontier
                    AND t.activated_at >= n.at - " recent " * interval '1 second')
     FROM (SELECT coalesce(" now ", now()) AS at) AS n
     CROSS JOIN queues q
     JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
     JOIN queue_registry g ON g.number = q.queue
     LEFT JOIN messages m ON m.queue = q.queue
     WHERE q.queue = " queue
}

#[derive(Queryable)]
struct ReportRow {
    queue: QueueRow,
    message: MessageRow,
    active: i64,
    counted: CountedRow,
    /// In microseconds, as the others.
    oldest_wait: Option<i64>,
    waits: Vec<i64>,
}

/// How many tokens ended in each way that is counted.
#[derive(Queryable)]
struct CountedRow {
    paid: i64,
    left_active: i64,
    left_waiting: i64,
    expelled_active: i64,
    expelled_waiting: i64,
}

impl PostgresStore {
    /// Reads the report of a queue; `None` when there is no such queue.
    pub(crate) async fn find_report(&self, queue: QueueNumber) -> Result<Option<QueueReport>, StoreError> {
        self.read(async |connection| {
            let find = FindReport {
                queue: columns::queue(queue),
                now: self.0.environment.fixed_now(),
                most: i64::from(QueueReport::MOST_WAITS),
                recent: i64::try_from(QueueReport::RECENT.as_secs()).unwrap_or(i64::MAX),
            };
            let found = find.load::<ReportRow>(&mut &*connection).await?;
            Ok(found.into_iter().next().map(|row| report(queue, row)).transpose()?)
        })
        .await
    }
}

fn report(number: QueueNumber, row: ReportRow) -> Result<QueueReport, StoreError> {
    let (queue, tokens) = (row.queue.queue(number)?, row.counted);
    let active = count("tokens", "status", row.active)?;
    let ended = |many| count("tokens", "end_reason", many);
    let counted = Counted {
        paid: ended(tokens.paid)?,
        left_active: ended(tokens.left_active)?,
        left_waiting: ended(tokens.left_waiting)?,
        expelled_active: ended(tokens.expelled_active)?,
        expelled_waiting: ended(tokens.expelled_waiting)?,
    };
    Ok(QueueReport {
        active,
        ended: Endings::of(&queue.line, active, &counted),
        oldest_wait: row.oldest_wait.map(wait),
        waits: row.waits.into_iter().map(wait).collect(),
        name: queue.name,
        policy: queue.policy,
        message: row.message.message()?,
        line: queue.line,
    })
}

/// A wait from its microseconds; zero when a clock went back.
fn wait(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
