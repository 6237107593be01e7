//! The waiting line's port.

use async_trait::async_trait;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::line::Standing;
use domain::ports::{Admitted, Decided, Joined, QueueEntry, QueueReport, QueueRepository, StoreError};
use domain::rejection::Kind;
use domain::{PolicyChange, QueueName, QueueNumber, Rejection, Ticket, TokenStatus, UserId};
use futures::future::join_all;
use time::OffsetDateTime;

use crate::command::{Command, Outcome};
use crate::facts::QueueRow;
use crate::locks::SqlQueue;
use crate::rows::{self, TokenRow, big, count, epoch_of, inconsistent};
use crate::statement::statement;
use crate::store::{PostgresStore, unavailable};

type SqlUuid = diesel::sql_types::Uuid;

statement! {
    /// All queues.
    Directory {} -> (Integer, Text, Binary) =
    "SELECT q.queue, g.name, q.epoch
     FROM queue_registry g
     JOIN queues q ON q.queue = g.number
     ORDER BY g.number"
}

statement! {
    /// A token, the counters of its queue, whether that is paused, and how many between the frontier and it ended while
    /// they waited: all of one snapshot.
    FindStanding { queue: i32, number: i64 } -> (
        (
            BigInt, Text, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>,
            Nullable<Text>, Nullable<SqlUuid>,
        ),
        (BigInt, BigInt, BigInt, BigInt, BigInt, Bool, BigInt),
    ) =
    "SELECT t.number, t.user_id, t.status, t.issued_at, t.activated_at, t.deadline, t.ended_at, t.end_reason,
            t.paid_reservation,
            q.issued, q.admitted, q.frontier, q.ended_beyond, q.version, p.paused,
            CASE WHEN t.status = 'WAITING' THEN
                (SELECT count(*) FROM tokens l
                 WHERE l.queue = " queue " AND l.status = 'EXPIRED' AND l.activated_at IS NULL
                   AND l.number > q.frontier AND l.number < t.number)
            ELSE 0 END
     FROM tokens t
     JOIN queues q ON q.queue = t.queue
     JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
     WHERE t.queue = " queue " AND t.number = " number
}

statement! {
    /// A queue with the policy in force, and how many of its tokens are ACTIVE now: of one snapshot.
    FindReport { queue: i32, now: Option<OffsetDateTime> } -> (SqlQueue, BigInt) =
    "SELECT g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused,
            (SELECT count(*) FROM tokens t
             WHERE t.queue = " queue " AND t.status = 'ACTIVE' AND t.deadline > coalesce(" now ", now()))
     FROM queues q
     JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
     JOIN queue_registry g ON g.number = q.queue
     WHERE q.queue = " queue
}

statement! {
    /// The queues that have somebody waiting or somebody ACTIVE past the deadline: what is due, of all queues at once.
    FindDueQueues { now: Option<OffsetDateTime> } -> Integer =
    "SELECT q.queue
     FROM queues q
     WHERE q.issued - q.frontier - q.ended_beyond > 0
        OR EXISTS (SELECT 1 FROM tokens t
                   WHERE t.queue = q.queue AND t.status = 'ACTIVE' AND t.deadline <= coalesce(" now ", now()))
     ORDER BY q.queue"
}

#[async_trait]
impl QueueRepository for PostgresStore {
    async fn directory(&self) -> Result<Vec<QueueEntry>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let rows = Directory {}.load::<(i32, String, Vec<u8>)>(&mut &*connection).await.map_err(unavailable)?;
            let entry = |(number, name, epoch): (i32, String, Vec<u8>)| {
                let name = QueueName::parse(&name).ok_or_else(|| inconsistent("queue_registry", "name", name))?;
                Ok(QueueEntry { number: rows::queue_number("queues", number)?, name, epoch: epoch_of(epoch)? })
            };
            rows.into_iter().map(entry).collect()
        })
        .await
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        match self.sale(queue, Command::Join(user.clone())).await? {
            Ok(Outcome::Joined(joined)) => Ok(Ok(joined)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn find(&self, ticket: Ticket) -> Result<Option<Standing>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let find = FindStanding { queue: rows::queue(ticket.queue), number: big(ticket.number.get()) };
            let found = find.load::<StandingRow>(&mut &*connection).await.map_err(unavailable)?;
            found.into_iter().next().map(|row| standing(ticket.queue, row)).transpose()
        })
        .await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<()> {
        match self.sale(ticket.queue, Command::Leave(ticket)).await? {
            Ok(Outcome::Done) => Ok(Ok(())),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn admit(&self) -> Result<Vec<Admitted>, StoreError> {
        let due = self.in_time(async {
            let connection = self.connection().await?;
            let due = FindDueQueues { now: self.0.environment.fixed_now() };
            due.load::<i32>(&mut &*connection).await.map_err(unavailable)
        });
        let due = due.await?;
        let queues: Vec<_> =
            due.into_iter().map(|number| rows::queue_number("queues", number)).collect::<Result<_, _>>()?;
        let answers = join_all(queues.into_iter().map(|queue| self.sale(queue, Command::Admit))).await;
        let (mut admitted, mut failed) = (Vec::new(), None);
        for answer in answers {
            match answer {
                Ok(Ok(Outcome::Admitted(done))) => admitted.extend(done),
                Ok(Ok(other)) => failed = Some(other.unexpected()),
                Ok(Err(rejection)) => tracing::warn!(%rejection, "a queue vanished before it was admitted to"),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // What was done is told; what failed is due again at the next tick.
            Some(error) if admitted.is_empty() => Err(error),
            Some(error) => {
                tracing::error!(%error, "a queue could not be admitted to");
                Ok(admitted)
            }
            None => Ok(admitted),
        }
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.in_time(async {
            let connection = self.connection().await?;
            let find = FindReport { queue: rows::queue(queue), now: self.0.environment.fixed_now() };
            let found = find.load::<(QueueRow, i64)>(&mut &*connection).await.map_err(unavailable)?;
            let Some((row, active)) = found.into_iter().next() else {
                return Ok(Err(Rejection::NotFound(Kind::Queue)));
            };
            let found = rows::queue_row(queue, row)?;
            let active = count("tokens", "status", active)?;
            Ok(Ok(QueueReport { name: found.name, policy: found.policy, line: found.line, active }))
        })
        .await
    }

    async fn change_policy(&self, queue: QueueNumber, change: &PolicyChange) -> Decided<QueueReport> {
        match self.sale(queue, Command::ChangePolicy(*change)).await? {
            Ok(Outcome::Policy(report)) => Ok(Ok(report)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }
}

type StandingRow = (TokenRow, (i64, i64, i64, i64, i64, bool, i64));

fn standing(queue: QueueNumber, (token, counters): StandingRow) -> Result<Standing, StoreError> {
    let (issued, admitted, frontier, ended_beyond, version, paused, left) = counters;
    let line = domain::line::Line {
        issued: count("queues", "issued", issued)?,
        admitted: count("queues", "admitted", admitted)?,
        frontier: count("queues", "frontier", frontier)?,
        ended_beyond: count("queues", "ended_beyond", ended_beyond)?,
        version: count("queues", "version", version)?,
    };
    let token = token.token(queue)?;
    let position = match token.status() {
        TokenStatus::Waiting => line.position(token.ticket.number, count("tokens", "number", left)?),
        TokenStatus::Active | TokenStatus::Expired => 0,
    };
    Ok(Standing { token, position, line, paused })
}
