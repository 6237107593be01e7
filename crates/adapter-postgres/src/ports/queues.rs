//! The waiting line's port.

use async_trait::async_trait;
use diesel::Queryable;
use diesel::sql_types::{Array, BigInt, Integer};
use diesel_async::RunQueryDsl;
use domain::ports::{Admissions, Decided, Joined, Left, QueueChange, QueueReport, QueueRepository, StoreError};
use domain::rejection::Missing;
use domain::sale::{Command, Outcome};
use domain::{NewQueue, QueueEdit, QueueNumber, Rejection, Ticket, TicketNumber, Token, UserId};
use futures::future::join_all;
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::batches::loading::{Made, Plan};
use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::store::PostgresStore;
use crate::tables::columns::{self, big, count, ticket_number};
use crate::tables::messages::{MessageRow, SqlMessage};
use crate::tables::queues::{QueueRow, SqlQueue};
use crate::tables::tokens::{SqlToken, TokenRow};

statement! {
    /// Reads the queues that have a newer version than the one known, and who has left each since then beyond the frontier:
    /// all from one snapshot. `known` has a version in the place of each queue's number, and -1 for none.
    FindChanges { known: Vec<i64> } -> (Integer, SqlQueue, SqlMessage, Array<BigInt>) =
    "SELECT q.queue, g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused, p.opens_at,
            m.ko, m.en,
            ARRAY(SELECT t.number FROM tokens t
                  WHERE t.queue = q.queue AND t.out_version > q.known AND t.number > q.frontier
                    AND t.end_reason = 'LEFT' AND t.activated_at IS NULL)
     FROM (SELECT *, coalesce((" known ")[queue], -1) AS known FROM queues OFFSET 0) AS q
     CROSS JOIN LATERAL (SELECT * FROM policies WHERE queue = q.queue AND seq = q.policy_seq OFFSET 0) AS p
     CROSS JOIN LATERAL (SELECT name FROM queue_registry WHERE number = q.queue OFFSET 0) AS g
     LEFT JOIN LATERAL (SELECT ko, en FROM messages WHERE queue = q.queue OFFSET 0) AS m ON true
     WHERE q.version > q.known"
}

statement! {
    /// Reads the tokens of these numbers.
    FindTokens { queue: i32, numbers: Vec<i64> } -> SqlToken =
    "SELECT t.number, t.user_id, t.status, t.issued_at, t.activated_at, t.deadline, t.ended_at, t.end_reason,
            t.paid_reservation, t.out_version, t.selection_ends_at, t.last_paid
     FROM unnest(" numbers ") AS a (number)
     CROSS JOIN LATERAL (
         SELECT * FROM tokens WHERE queue = " queue " AND number = a.number OFFSET 0) AS t"
}

statement! {
    /// Counts the tokens of each queue that are ACTIVE now.
    FindActive { now: Option<OffsetDateTime> } -> (Integer, BigInt) =
    "SELECT q.queue, a.active
     FROM queues q
     CROSS JOIN LATERAL (
         SELECT count(*) AS active FROM tokens t
         WHERE t.queue = q.queue AND t.status = 'ACTIVE' AND t.deadline > coalesce(" now ", now())) AS a
     WHERE q.admitted > 0 AND a.active > 0"
}

statement! {
    /// Reads which queues are due: those where somebody waits, or is ACTIVE past the deadline. The row of a queue that has never
    /// admitted anybody tells it; for the others it takes one look into an index.
    FindDueQueues { now: Option<OffsetDateTime> } -> Integer =
    "SELECT q.queue
     FROM queues q
     WHERE q.issued - q.frontier - q.ended_beyond > 0
        OR q.admitted > 0
           AND EXISTS (SELECT 1 FROM tokens t
                       WHERE t.queue = q.queue AND t.status = 'ACTIVE' AND t.deadline <= coalesce(" now ", now()))
     ORDER BY q.queue"
}

#[async_trait]
impl QueueRepository for PostgresStore {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        self.read(async |connection| {
            let find = FindChanges { known: by_number(known) };
            let found = find.load::<ChangeRow>(&mut &*connection).await?;
            Ok(found.into_iter().map(change).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        match self.load(Plan::Queue(queue.clone())).await? {
            Ok(Made::Queue(number)) => self.report(number).await,
            Ok(other) => Err(other.unexpected()),
            Err(rejection) => Ok(Err(rejection)),
        }
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        match self.sale(queue, Command::Join(user.clone())).await? {
            Ok(Outcome::Joined(joined)) => Ok(Ok(joined)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        self.read(async |connection| {
            let numbers = numbers.iter().map(|number| big(number.get())).collect();
            let find = FindTokens { queue: columns::queue(queue), numbers };
            let found = find.load::<TokenRow>(&mut &*connection).await?;
            Ok(found.into_iter().map(|row| row.token(queue)).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        match self.sale(ticket.queue, Command::Leave(ticket)).await? {
            Ok(Outcome::Left(left)) => Ok(Ok(left)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn admit(&self) -> Result<Admissions, StoreError> {
        let due = self.read(async |connection| {
            let due = FindDueQueues { now: self.0.environment.fixed_now() };
            Ok(due.load::<i32>(&mut &*connection).await?)
        });
        let due = due.await?;
        let queues: Vec<_> =
            due.into_iter().map(|number| columns::queue_number("queues", number)).collect::<Result<_, _>>()?;
        let tick = self.0.connections.limits().tick();
        let asked = queues.into_iter().map(async |queue| {
            let admitted = timeout(tick, self.sale(queue, Command::Admit)).await;
            (
                queue,
                admitted.unwrap_or_else(|_elapsed| {
                    Err(StoreError::Unavailable("it goes on, and takes longer than a tick".to_owned()))
                }),
            )
        });
        let mut admissions = Admissions::default();
        for (queue, answer) in join_all(asked).await {
            match answer {
                Ok(Ok(Outcome::Admitted(done))) => admissions.done.extend(done),
                Ok(Ok(other)) => admissions.failed.push((queue, other.unexpected())),
                Ok(Err(rejection)) => tracing::warn!(%rejection, "a queue vanished before it was admitted to"),
                Err(error) => admissions.failed.push((queue, error)),
            }
        }
        Ok(admissions)
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        Ok(self.find_report(queue).await?.ok_or(Rejection::NotFound(Missing::Queue)))
    }

    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport> {
        match self.sale(queue, Command::Edit(edit.clone())).await? {
            Ok(Outcome::Done) => self.report(queue).await,
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        self.read(async |connection| {
            let find = FindActive { now: self.0.environment.fixed_now() };
            let found = find.load::<ActiveRow>(&mut &*connection).await?;
            let active = |row: ActiveRow| {
                Ok((columns::queue_number("tokens", row.queue)?, count("tokens", "status", row.active)?))
            };
            Ok(found.into_iter().map(active).collect::<Result<_, StoreError>>()?)
        })
        .await
    }

    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        self.renew().await.map_err(BatchError::into_store_error)
    }
}

/// The versions known, each in the place of its queue's number, counted from one as PostgreSQL counts; -1 for none. So the
/// statement finds each version by its place.
fn by_number(known: &[(QueueNumber, u64)]) -> Vec<i64> {
    let mut versions = Vec::new();
    for (queue, version) in known {
        if let Some(place) = usize::from(queue.0).checked_sub(1) {
            if versions.len() <= place {
                versions.resize(place + 1, -1);
            }
            if let Some(known) = versions.get_mut(place) {
                *known = big(*version);
            }
        }
    }
    versions
}

/// A queue that changed, and the numbers of those who left.
#[derive(Queryable)]
struct ChangeRow {
    number: i32,
    queue: QueueRow,
    message: MessageRow,
    left: Vec<i64>,
}

/// How many tokens of a queue are ACTIVE.
#[derive(Queryable)]
struct ActiveRow {
    queue: i32,
    active: i64,
}

fn change(row: ChangeRow) -> Result<QueueChange, StoreError> {
    let queue = row.queue.queue(columns::queue_number("queues", row.number)?)?;
    Ok(QueueChange {
        number: queue.number,
        name: queue.name,
        epoch: queue.epoch,
        policy: queue.policy,
        policy_since: queue.policy_since,
        message: row.message.message()?,
        line: queue.line,
        left: row.left.into_iter().map(ticket_number).collect::<Result<_, _>>()?,
    })
}
