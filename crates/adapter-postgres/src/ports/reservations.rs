//! The port of holds, and the sweep of what ran out.

use async_trait::async_trait;
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::{Queryable, Selectable};
use diesel_async::RunQueryDsl;
use domain::page::Listed;
use domain::ports::{Answer, Cancelled, Decided, HoldCommand, MOST_RELEASED, ReservationRepository, StoreError};
use domain::reservation::Reservation;
use domain::sale::{Command, Outcome};
use domain::{Page, QueueNumber, ReservationId, Ticket, UserId};
use futures::future::join_all;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::{ReadNow, statement};
use crate::schema::reservations;
use crate::store::PostgresStore;
use crate::tables::columns;
use crate::tables::seated::{FindReservations, ListReservations, SeatedRow, seated};

statement! {
    /// Reads PENDING reservations past their deadline, of all queues, the oldest deadline first. Its conditions are those of the
    /// index `reservations_due`, word for word.
    FindDue { now: Option<OffsetDateTime>, after: OffsetDateTime, queue: i32, id: Uuid, limit: i64 } -> AsSelect<DueRow, Pg> =
    "SELECT expires_at, queue, id
     FROM reservations
     WHERE status <> 'CONFIRMED' AND cancel_reason IS NULL AND expires_at <= coalesce(" now ", now()) AND expires_at >= " after "
       AND (expires_at, queue, id) > (" after ", " queue ", " id ")
     ORDER BY expires_at, queue, id
     LIMIT " limit
}

#[async_trait]
impl ReservationRepository for PostgresStore {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        match self.sale(command.ticket.queue, Command::Hold(command.clone())).await? {
            Ok(Outcome::Held(answer)) => Ok(Ok(answer)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        match self.sale(ticket.queue, Command::Cancel(ticket, reservation)).await? {
            Ok(Outcome::Cancelled(cancelled)) => Ok(Ok(cancelled)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        self.read(async |connection| {
            let find = FindReservations { queue: columns::queue(queue), ids: vec![reservation.uuid()] };
            let (found, now) = futures::try_join!(
                find.load::<SeatedRow>(&mut &*connection),
                ReadNow {}.get_result::<OffsetDateTime>(&mut &*connection),
            )?;
            let now = self.0.environment.now(now);
            let found = seated(queue, found)?.into_iter().find(|found| found.user == *user);
            Ok(found.map(|found| found.as_of(now)))
        })
        .await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        self.read(async |connection| {
            let list = ListReservations {
                queue: columns::queue(queue),
                user: user.as_str().to_owned(),
                before: page.after.map_or_else(Uuid::max, ReservationId::uuid),
                limit: i64::from(page.limit) + 1,
            };
            let (listed, now) = futures::try_join!(
                list.load::<SeatedRow>(&mut &*connection),
                ReadNow {}.get_result::<OffsetDateTime>(&mut &*connection),
            )?;
            let now = self.0.environment.now(now);
            let items = seated(queue, listed)?.into_iter().map(|reservation| reservation.as_of(now)).collect();
            Ok(Listed::cut(items, page, |reservation| reservation.id))
        })
        .await
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        let mut released = 0;
        let mut after = DueRow::FIRST;
        while released < MOST_RELEASED {
            let due = self.due(after, MOST_RELEASED - released).await?;
            let Some(last) = due.last() else { break };
            after = *last;
            released += self.release(due).await?;
        }
        Ok(released.into())
    }
}

/// Where a reservation is in the order of what is due.
#[derive(Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = reservations, check_for_backend(Pg))]
pub(crate) struct DueRow {
    expires_at: OffsetDateTime,
    queue: i32,
    id: Uuid,
}

impl DueRow {
    /// Before everything.
    const FIRST: Self = Self { expires_at: OffsetDateTime::UNIX_EPOCH, queue: 0, id: Uuid::nil() };
}

impl PostgresStore {
    async fn due(&self, after: DueRow, limit: u32) -> Result<Vec<DueRow>, StoreError> {
        self.read(async |connection| {
            let find = FindDue {
                now: self.0.environment.fixed_now(),
                after: after.expires_at,
                queue: after.queue,
                id: after.id,
                limit: i64::from(limit),
            };
            Ok(find.load(&mut &*connection).await?)
        })
        .await
    }

    /// Hands each reservation to its queue's lane, which takes all that wait into one transaction. It logs one that fails, and
    /// leaves it as it is.
    async fn release(&self, due: Vec<DueRow>) -> Result<u32, StoreError> {
        let release = async |row: DueRow| {
            let queue = columns::queue_number("reservations", row.queue)?;
            self.sale(queue, Command::Release(ReservationId::new(row.id))).await
        };
        let ids: Vec<Uuid> = due.iter().map(|row| row.id).collect();
        let mut released = 0;
        for (id, answer) in ids.into_iter().zip(join_all(due.into_iter().map(release)).await) {
            match answer {
                Ok(Ok(Outcome::Released(true))) => released += 1,
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => tracing::error!(%failure, reservation = %id, "a release was refused"),
                Err(failure) => {
                    tracing::error!(%failure, reservation = %id, "a reservation that ran out could not be cancelled");
                }
            }
        }
        Ok(released)
    }
}
