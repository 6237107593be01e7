//! What an operator is told of a queue, on a connection of its own.

use std::time::Duration;

use diesel::SqliteConnection;
use domain::ports::{Counted, Decided, Endings, QueueReport, StoreError};
use domain::rejection::Missing;
use domain::{QueueNumber, Rejection};

use crate::connections::pool::Snapshot;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow};
use crate::tables::{messages, queues, tokens};

statements! {
    // Each of an index alone, that has nobody else.
    Ended: Walks, IndexAlone = "SELECT COUNT(*) FILTER (WHERE end_reason = 'PAID'), COUNT(*) FILTER (WHERE end_reason = 'LEFT'), \
        COUNT(*) FILTER (WHERE end_reason = 'NEW_EPOCH') \
        FROM tokens INDEXED BY tokens_ended WHERE queue = ? AND activated_at IS NOT NULL AND end_reason <> 'DEADLINE'";
    Left: Walks, IndexAlone = "SELECT COUNT(*) FROM tokens INDEXED BY tokens_left \
        WHERE queue = ? AND end_reason = 'LEFT' AND activated_at IS NULL";
    Expelled: IndexAlone = "SELECT COUNT(*) FROM tokens INDEXED BY tokens_expelled \
        WHERE queue = ? AND end_reason = 'NEW_EPOCH' AND activated_at IS NULL";
    Waits = "SELECT activated_at - issued_at FROM tokens \
        WHERE queue = ? AND number > ? AND number <= ? AND activated_at >= ?";
    Active: Walks, IndexAlone = "SELECT queue, COUNT(*) FROM tokens INDEXED BY tokens_active \
        WHERE status = 'ACTIVE' AND deadline > ? GROUP BY queue";
}

/// The policy and counts of a queue.
pub(crate) fn report(snapshot: &mut Snapshot<'_>, number: QueueNumber) -> Decided<QueueReport> {
    let (conn, now) = (&mut *snapshot.conn, snapshot.now);
    let Some(row) = queues::find(conn, number)? else {
        return Ok(Err(Rejection::NotFound(Missing::Queue)));
    };
    let queue = row.queue;
    let line = queue.line;
    let active = tokens::count_live(conn, number, now)?;
    let mut counted = counted(conn, number)?;
    counted.paid += tokens::count_paid_due(conn, number, now)?;
    let first = tokens::waiting(conn, number, line.frontier, 1)?.pop();
    let newest = line.frontier.saturating_sub(u64::from(QueueReport::MOST_WAITS));
    let recent = now.minus(QueueReport::RECENT);
    let waits: Vec<Wait> = Waits::rows(conn, binds![number, newest, line.frontier, recent])?;
    Ok(Ok(QueueReport {
        name: queue.name,
        policy: queue.policy,
        message: messages::find(conn, number)?,
        line,
        active,
        ended: Endings::of(&line, active, &counted),
        oldest_wait: first.map(|token| now.since(token.issued_at)),
        waits: waits.into_iter().map(|wait| wait.0).collect(),
    }))
}

/// How many tokens are ACTIVE now, of all queues that have any.
pub(crate) fn active(snapshot: &mut Snapshot<'_>) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
    Active::rows(snapshot.conn, binds![snapshot.now])
}

fn counted(conn: &mut SqliteConnection, queue: QueueNumber) -> Result<Counted, StoreError> {
    let left: Option<Count> = Left::row(conn, binds![queue])?;
    let expelled: Option<Count> = Expelled::row(conn, binds![queue])?;
    Ok(Counted {
        left_waiting: left.map_or(0, |count| count.0),
        expelled_waiting: expelled.map_or(0, |count| count.0),
        ..Ended::row(conn, binds![queue])?.unwrap_or_default()
    })
}

/// Of those who were admitted.
impl FromRow for Counted {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let count = |place| row.number(place, ("tokens", "end_reason"));
        Ok(Self { paid: count(0)?, left_active: count(1)?, expelled_active: count(2)?, ..Self::default() })
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
