//! Rows of `queues`, each with its name and the policy in force, and of `policies`.

use diesel::Queryable;
use diesel::sql_types::Integer;
use domain::line::Line;
use domain::policy::Window;
use domain::ports::StoreError;
use domain::{Policy, Queue, QueueEpoch, QueueName, QueueNumber, Timestamp};
use time::OffsetDateTime;

use crate::connections::statement::statement;
use crate::schema::{policies, queue_registry, queues};
use crate::tables::columns::{Column, big, count, inconsistent, instant, int, small};

/// The columns of [`QueueRow`].
pub(crate) type SqlQueue = (
    Column<queue_registry::name>,
    Column<queues::epoch>,
    Column<queues::version>,
    Column<queues::issued>,
    Column<queues::admitted>,
    Column<queues::frontier>,
    Column<queues::ended_beyond>,
    Column<queues::policy_seq>,
    Column<queues::window_index>,
    Column<queues::window_granted>,
    Column<policies::since>,
    Column<policies::max_active>,
    Column<policies::batch>,
    Column<policies::interval_seconds>,
    Column<policies::paused>,
    Column<policies::opens_at>,
);

/// A row of `queues` with its name and the policy in force.
#[derive(Queryable)]
pub(crate) struct QueueRow {
    name: String,
    epoch: Vec<u8>,
    version: i64,
    issued: i64,
    admitted: i64,
    frontier: i64,
    ended_beyond: i64,
    /// The number of the policy in force.
    pub(crate) policy_seq: i32,
    window_index: i64,
    window_granted: i32,
    since: OffsetDateTime,
    max_active: i32,
    batch: i32,
    interval_seconds: i32,
    paused: bool,
    opens_at: Option<OffsetDateTime>,
}

impl QueueRow {
    pub(crate) fn queue(self, number: QueueNumber) -> Result<Queue, StoreError> {
        let counter = |column, value| count("queues", column, value);
        let setting = |column, value| small("policies", column, value);
        Ok(Queue {
            number,
            epoch: epoch_of(self.epoch)?,
            line: Line {
                issued: counter("issued", self.issued)?,
                admitted: counter("admitted", self.admitted)?,
                frontier: counter("frontier", self.frontier)?,
                ended_beyond: counter("ended_beyond", self.ended_beyond)?,
                version: counter("version", self.version)?,
            },
            policy: Policy {
                max_active: setting("max_active", self.max_active)?,
                batch: setting("batch", self.batch)?,
                interval_seconds: setting("interval_seconds", self.interval_seconds)?,
                paused: self.paused,
                opens_at: self.opens_at.map(instant),
            },
            policy_since: instant(self.since),
            window: Window {
                index: counter("window_index", self.window_index)?,
                granted: small("queues", "window_granted", self.window_granted)?,
            },
            name: QueueName::parse(&self.name)
                .ok_or_else(|| inconsistent("queue_registry", "name", format!("{:?}", self.name)))?,
        })
    }
}

pub(crate) fn epoch_of(bytes: Vec<u8>) -> Result<QueueEpoch, StoreError> {
    bytes
        .try_into()
        .map(QueueEpoch)
        .map_err(|bytes: Vec<u8>| inconsistent("queues", "epoch", format!("{} bytes", bytes.len())))
}

statement! {
    /// Locks the queue's row. What stands in it is read by the next statement, which sees what is true under the lock:
    /// a policy that came into force while this one waited too.
    LockQueue { queue: i32 } -> Integer =
    "SELECT queue FROM queues WHERE queue = " queue " FOR NO KEY UPDATE"
}

statement! {
    /// The queue's row with the policy in force.
    FindQueue { queue: i32 } -> SqlQueue =
    "SELECT g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused, p.opens_at
     FROM queues q
     JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
     JOIN queue_registry g ON g.number = q.queue
     WHERE q.queue = " queue
}

statement! {
    InsertPolicies {
        queue: i32, seqs: Vec<i32>, since: OffsetDateTime, active: Vec<i32>, batches: Vec<i32>, intervals: Vec<i32>,
        paused: Vec<bool>, openings: Vec<Option<OffsetDateTime>>,
    } -> () =
    "INSERT INTO policies (queue, seq, since, max_active, batch, interval_seconds, paused, opens_at)
     SELECT " queue ", n.seq, " since ", n.max_active, n.batch, n.interval_seconds, n.paused, n.opens_at
     FROM unnest(" seqs ", " active ", " batches ", " intervals ", " paused ", " openings ")
         AS n (seq, max_active, batch, interval_seconds, paused, opens_at)"
}

statement! {
    UpdateQueue {
        queue: i32, version: i64, issued: i64, admitted: i64, frontier: i64, ended_beyond: i64, policy_seq: i32,
        window_index: i64, window_granted: i32,
    } -> () =
    "UPDATE queues
     SET version = " version ", issued = " issued ", admitted = " admitted ", frontier = " frontier ",
         ended_beyond = " ended_beyond ", policy_seq = " policy_seq ", window_index = " window_index ",
         window_granted = " window_granted "
     WHERE queue = " queue
}

/// Policies that came into force at this time, the first of them under the number `first`.
pub(crate) fn insert_policies(queue: i32, since: Timestamp, first: i32, policies: &[Policy]) -> InsertPolicies {
    InsertPolicies {
        queue,
        since: since.to_utc(),
        seqs: (first..).take(policies.len()).collect(),
        active: policies.iter().map(|p| int(p.max_active)).collect(),
        batches: policies.iter().map(|p| int(p.batch)).collect(),
        intervals: policies.iter().map(|p| int(p.interval_seconds)).collect(),
        paused: policies.iter().map(|p| p.paused).collect(),
        openings: policies.iter().map(|p| p.opens_at.map(Timestamp::to_utc)).collect(),
    }
}

pub(crate) fn update_queue(row: &Queue, policy_seq: i32) -> UpdateQueue {
    UpdateQueue {
        queue: i32::from(row.number.0),
        version: big(row.line.version),
        issued: big(row.line.issued),
        admitted: big(row.line.admitted),
        frontier: big(row.line.frontier),
        ended_beyond: big(row.line.ended_beyond),
        policy_seq,
        window_index: big(row.window.index),
        window_granted: int(row.window.granted),
    }
}
