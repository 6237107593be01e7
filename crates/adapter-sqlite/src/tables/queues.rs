//! Rows of `queue_registry`, `queues` and `policies`.

use diesel::SqliteConnection;
use domain::line::Line;
use domain::policy::Window;
use domain::ports::StoreError;
use domain::{Policy, Queue, QueueEpoch, QueueName, QueueNumber, Timestamp};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Column, Columns, Count, FromRow, wrong};

/// A queue and which row of its policies is in force.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct QueueRow {
    pub(crate) queue: Queue,
    pub(crate) policy_seq: u64,
}

statements! {
    Find = "SELECT q.queue, r.name, q.epoch, q.issued, q.admitted, q.frontier, q.ended_beyond, q.version, \
        p.max_active, p.batch, p.interval_seconds, p.paused, p.since, q.window_index, q.window_granted, q.policy_seq, \
        p.opens_at \
        FROM queues q JOIN queue_registry r ON r.number = q.queue \
        JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq WHERE q.queue = ?";
    Versions: Walks = "SELECT queue, version FROM queues ORDER BY queue";
    Due: Walks = "SELECT queue, version FROM queues AS q WHERE q.issued > q.frontier + q.ended_beyond OR EXISTS (\
        SELECT 1 FROM tokens INDEXED BY tokens_active \
        WHERE tokens.queue = q.queue AND status = 'ACTIVE' AND deadline <= ?) ORDER BY queue";
    Named = "SELECT number FROM queue_registry WHERE name = ?";
    Newest = "SELECT COALESCE(MAX(number), 0) FROM queue_registry";
    InsertName = "INSERT INTO queue_registry (number, name, created_at) VALUES (?, ?, ?)";
    InsertPolicy = "INSERT INTO policies (queue, seq, since, max_active, batch, interval_seconds, paused, opens_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    Insert = "INSERT INTO queues (queue, epoch, version, issued, admitted, frontier, ended_beyond, policy_seq, \
        window_index, window_granted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    Update = "UPDATE queues SET version = ?, issued = ?, admitted = ?, frontier = ?, ended_beyond = ?, \
        policy_seq = ?, window_index = ?, window_granted = ?, epoch = ? WHERE queue = ?";
}

/// A queue; `None` when there is none of this number.
pub(crate) fn find(conn: &mut SqliteConnection, number: QueueNumber) -> Result<Option<QueueRow>, StoreError> {
    Find::row(conn, binds![number])
}

/// All queues and their versions.
pub(crate) fn versions(conn: &mut SqliteConnection) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
    Versions::rows(conn, &[])
}

/// The queues in which somebody waits or is past a deadline though stored ACTIVE, as they were before this transaction
/// changed any.
pub(crate) fn due(conn: &mut SqliteConnection, now: Timestamp) -> Result<Vec<QueueNumber>, StoreError> {
    let due: Vec<(QueueNumber, u64)> = Due::rows(conn, binds![now])?;
    Ok(due.into_iter().map(|(number, _)| number).collect())
}

/// The number of the queue of this name.
pub(crate) fn named(conn: &mut SqliteConnection, name: &QueueName) -> Result<Option<QueueNumber>, StoreError> {
    let number = Named::row::<Count>(conn, binds![name])?;
    number.map(|number| queue_number(number.0)).transpose()
}

/// A number that was never used; `None` when all are.
pub(crate) fn next_number(conn: &mut SqliteConnection) -> Result<Option<QueueNumber>, StoreError> {
    let newest = Newest::row::<Count>(conn, &[])?.map_or(0, |count| count.0);
    Ok(u16::try_from(newest + 1).ok().map(QueueNumber))
}

/// Inserts a new queue with its first policy.
pub(crate) fn insert(conn: &mut SqliteConnection, queue: &Queue) -> Result<(), StoreError> {
    InsertName::change_one(conn, binds![queue.number, &queue.name, queue.policy_since])?;
    insert_policy(conn, queue, 1)?;
    let Line { issued, admitted, frontier, ended_beyond, version } = queue.line;
    let Window { index, granted } = queue.window;
    let epoch: &[u8] = &queue.epoch.0;
    Insert::change_one(
        conn,
        binds![queue.number, epoch, version, issued, admitted, frontier, ended_beyond, 1_u32, index, granted],
    )
}

/// Inserts the policy of `queue` as the one of this `seq`.
pub(crate) fn insert_policy(conn: &mut SqliteConnection, queue: &Queue, seq: u64) -> Result<(), StoreError> {
    let Policy { max_active, batch, interval_seconds, paused, opens_at } = queue.policy;
    InsertPolicy::change_one(
        conn,
        binds![queue.number, seq, queue.policy_since, max_active, batch, interval_seconds, paused, opens_at],
    )
}

/// Writes what may change of a queue.
pub(crate) fn update(conn: &mut SqliteConnection, row: &QueueRow) -> Result<(), StoreError> {
    let Line { issued, admitted, frontier, ended_beyond, version } = row.queue.line;
    let Window { index, granted } = row.queue.window;
    let epoch: &[u8] = &row.queue.epoch.0;
    Update::change_one(
        conn,
        binds![
            version,
            issued,
            admitted,
            frontier,
            ended_beyond,
            row.policy_seq,
            index,
            granted,
            epoch,
            row.queue.number
        ],
    )
}

fn queue_number(number: u64) -> Result<QueueNumber, StoreError> {
    u16::try_from(number).map(QueueNumber).map_err(|_beyond| wrong(("queue_registry", "number"), number))
}

/// A queue's name in `place`.
pub(crate) fn queue_name<'a>(row: &impl Columns<'a>, place: usize) -> Result<QueueName, StoreError> {
    const NAME: Column = ("queue_registry", "name");
    let name = row.text(place, NAME)?;
    QueueName::parse(&name).ok_or_else(|| wrong(NAME, format!("{name:?}")))
}

impl FromRow for (QueueNumber, u64) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok((QueueNumber(row.number(0, ("queues", "queue"))?), row.number(1, ("queues", "version"))?))
    }
}

impl FromRow for QueueRow {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let number = QueueNumber(row.number(0, ("queues", "queue"))?);
        let (name, epoch) = (queue_name(row, 1)?, QueueEpoch(row.bytes(2, ("queues", "epoch"))?));
        let line = Line {
            issued: row.number(3, ("queues", "issued"))?,
            admitted: row.number(4, ("queues", "admitted"))?,
            frontier: row.number(5, ("queues", "frontier"))?,
            ended_beyond: row.number(6, ("queues", "ended_beyond"))?,
            version: row.number(7, ("queues", "version"))?,
        };
        let policy = Policy {
            max_active: row.number(8, ("policies", "max_active"))?,
            batch: row.number(9, ("policies", "batch"))?,
            interval_seconds: row.number(10, ("policies", "interval_seconds"))?,
            paused: row.flag(11, ("policies", "paused"))?,
            opens_at: row.instant_or_null(16, ("policies", "opens_at"))?,
        };
        policy.check().map_err(|refusal| wrong(("policies", "seq"), format!("policy of {name}: {refusal}")))?;
        let policy_since: Timestamp = row.instant(12, ("policies", "since"))?;
        let window = Window {
            index: row.number(13, ("queues", "window_index"))?,
            granted: row.number(14, ("queues", "window_granted"))?,
        };
        let queue = Queue { number, name, epoch, line, policy, policy_since, window };
        Ok(Self { queue, policy_seq: row.number(15, ("queues", "policy_seq"))? })
    }
}
