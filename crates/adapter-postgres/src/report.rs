//! A queue as its operator sees it.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Nullable};
use diesel_async::RunQueryDsl;
use domain::QueueNumber;
use domain::ports::{Endings, QueueReport, StoreError};
use time::OffsetDateTime;

use crate::facts::QueueRow;
use crate::locks::SqlQueue;
use crate::rows::{self, count};
use crate::statement::statement;
use crate::store::{PostgresStore, unavailable};

statement! {
    /// A queue with the policy in force; how many of its tokens are ACTIVE now; how many numbers up to the frontier ended,
    /// by reason; for how many microseconds the first one in line has waited, and those of the newest `most` numbers up to
    /// the frontier had who were admitted in the last `recent` seconds: all of one snapshot.
    FindReport { queue: i32, now: Option<OffsetDateTime>, most: i64, recent: i64 } -> (
        SqlQueue, BigInt, (BigInt, BigInt, BigInt, BigInt, BigInt), Nullable<BigInt>, Array<BigInt>,
    ) =
    "SELECT g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused,
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.status = 'ACTIVE' AND t.deadline > n.at),
            e.paid, e.left_line, e.deadline, e.absent, e.new_epoch,
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
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE t.end_reason = 'PAID') AS paid,
                count(*) FILTER (WHERE t.end_reason = 'LEFT') AS left_line,
                count(*) FILTER (WHERE t.end_reason = 'DEADLINE'
                                    OR t.status = 'ACTIVE' AND t.deadline <= n.at) AS deadline,
                count(*) FILTER (WHERE t.end_reason = 'ABSENT') AS absent,
                count(*) FILTER (WHERE t.end_reason = 'NEW_EPOCH') AS new_epoch
         FROM tokens t
         WHERE t.queue = " queue " AND t.number <= q.frontier) AS e
     WHERE q.queue = " queue
}

type ReportRow = (QueueRow, i64, (i64, i64, i64, i64, i64), Option<i64>, Vec<i64>);

impl PostgresStore {
    /// The report of a queue; `None` when there is no such queue.
    pub(crate) async fn find_report(&self, queue: QueueNumber) -> Result<Option<QueueReport>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let find = FindReport {
                queue: rows::queue(queue),
                now: self.0.environment.fixed_now(),
                most: i64::from(QueueReport::MOST_WAITS),
                recent: i64::try_from(QueueReport::RECENT.as_secs()).unwrap_or(i64::MAX),
            };
            let found = find.load::<ReportRow>(&mut &*connection).await.map_err(unavailable)?;
            found.into_iter().next().map(|row| report(queue, row)).transpose()
        })
        .await
    }
}

fn report(number: QueueNumber, row: ReportRow) -> Result<QueueReport, StoreError> {
    let (queue, active, (paid, left, deadline, absent, new_epoch), oldest, waits) = row;
    let queue = rows::queue_row(number, queue)?;
    let ended = |many| count("tokens", "end_reason", many);
    Ok(QueueReport {
        active: count("tokens", "status", active)?,
        ended: Endings {
            paid: ended(paid)?,
            // Beyond the frontier tokens end by nothing else.
            left: ended(left)? + queue.line.ended_beyond,
            deadline: ended(deadline)?,
            absent: ended(absent)?,
            new_epoch: ended(new_epoch)?,
        },
        oldest_wait: oldest.map(wait),
        waits: waits.into_iter().map(wait).collect(),
        name: queue.name,
        policy: queue.policy,
        line: queue.line,
    })
}

/// From microseconds; nothing when a clock went back.
fn wait(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
