//! What an operator is told of a queue. Counts go through the numbers behind the frontier: for a large line that takes a
//! while, on a connection of its own.

use std::time::Duration;

use domain::ports::{Decided, Endings, QueueReport, StoreError};
use domain::rejection::Kind;
use domain::{QueueNumber, Rejection};

use crate::columns::{Columns, FromRow};
use crate::reads::Snapshot;
use crate::statement::{Statement, binds, statements};
use crate::{queue_rows, tokens};

statements! {
    // By the primary key.
    Ended = "SELECT COALESCE(SUM(end_reason = 'PAID'), 0), COALESCE(SUM(end_reason = 'LEFT'), 0), \
        COALESCE(SUM(end_reason = 'DEADLINE' OR (status = 'ACTIVE' AND deadline <= ?)), 0), \
        COALESCE(SUM(end_reason = 'ABSENT'), 0), COALESCE(SUM(end_reason = 'NEW_EPOCH'), 0) \
        FROM tokens WHERE queue = ? AND number <= ?";
    Waits = "SELECT activated_at - issued_at FROM tokens \
        WHERE queue = ? AND number > ? AND number <= ? AND activated_at >= ?";
    Active = "SELECT queue, COUNT(*) FROM tokens INDEXED BY tokens_active \
        WHERE status = 'ACTIVE' AND deadline > ? GROUP BY queue";
}

/// The policy and counts of a queue.
pub(crate) fn report(snapshot: &mut Snapshot<'_>, number: QueueNumber) -> Decided<QueueReport> {
    let (conn, now) = (&mut *snapshot.conn, snapshot.now);
    let Some(row) = queue_rows::find(conn, number)? else {
        return Ok(Err(Rejection::NotFound(Kind::Queue)));
    };
    let queue = row.queue;
    let line = queue.line;
    let behind: Option<Endings> = Ended::row(conn, binds![now, number, line.frontier])?;
    let mut ended = behind.unwrap_or_default();
    // Whoever ended beyond the frontier had waited, and left.
    ended.left += line.ended_beyond;
    let first = tokens::waiting(conn, number, line.frontier, 1)?.pop();
    let newest = line.frontier.saturating_sub(u64::from(QueueReport::MOST_WAITS));
    let recent = now.minus(QueueReport::RECENT);
    let waits: Vec<Wait> = Waits::rows(conn, binds![number, newest, line.frontier, recent])?;
    Ok(Ok(QueueReport {
        name: queue.name,
        policy: queue.policy,
        line,
        active: tokens::count_live(conn, number, now)?,
        ended,
        oldest_wait: first.map(|token| now.since(token.issued_at)),
        waits: waits.into_iter().map(|wait| wait.0).collect(),
    }))
}

/// How many tokens are ACTIVE now, of all queues that have any.
pub(crate) fn active(snapshot: &mut Snapshot<'_>) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
    Active::rows(snapshot.conn, binds![snapshot.now])
}

impl FromRow for Endings {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let count = |place| row.number(place, ("tokens", "end_reason"));
        Ok(Self { paid: count(0)?, left: count(1)?, deadline: count(2)?, absent: count(3)?, new_epoch: count(4)? })
    }
}

struct Wait(Duration);

impl FromRow for Wait {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let micros = row.int(0, ("tokens", "activated_at"))?;
        // A clock that was set back meanwhile.
        Ok(Self(Duration::from_micros(u64::try_from(micros).unwrap_or(0))))
    }
}
