//! The port of what is sold.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use domain::concert::{Concert, CreatedConcert, Found, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::ports::{Answer, ConcertRepository, Decided, LoadCommand, StoreError};
use domain::rejection::Missing;
use domain::{ConcertId, Page, QueueName, QueueNumber, ScheduleId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batches::loading::{Made, Plan};
use crate::connections::statement::{ReadNow, statement};
use crate::schema::{concerts, queue_registry, schedules, seats};
use crate::store::PostgresStore;
use crate::tables::columns::{self, inconsistent};
use crate::tables::schedules::{ScheduleRow, list_schedules, start};
use crate::tables::seats::SeatRow;

statement! {
    /// Reads a page of the concerts that have a schedule for sale, of all queues. The newest comes first: ids grow with time,
    /// so that the order is by id. There is a row for each schedule that is for sale.
    ListConcerts { now: Option<OffsetDateTime>, before: Uuid, limit: i64 } -> AsSelect<ConcertRow, Pg> =
    "SELECT c.id, c.title, g.name, s.starts_at, s.offset_minutes
     FROM (SELECT * FROM concerts k
           WHERE k.id < " before " AND EXISTS (
               SELECT 1 FROM schedules e
               WHERE e.queue = k.queue AND e.concert_id = k.id AND e.starts_at > coalesce(" now ", now()))
           ORDER BY k.id DESC
           LIMIT " limit ") c
     JOIN queue_registry g ON g.number = c.queue
     JOIN schedules s ON s.queue = c.queue AND s.concert_id = c.id AND s.starts_at > coalesce(" now ", now())
     ORDER BY c.id DESC"
}

statement! {
    /// Counts the seats that may be held, as `Seat::status_at` would. The ORDER BY makes the planner read the schedule's seats
    /// alone, however many of the queue's seats the statistics take them to be.
    CountAvailable { queue: i32, schedule: Uuid, now: Option<OffsetDateTime> } -> BigInt =
    "SELECT count(*)
     FROM (SELECT * FROM seats WHERE queue = " queue " AND schedule_id = " schedule " ORDER BY number OFFSET 0) AS s
     WHERE reservation_id IS NULL OR held_until <= coalesce(" now ", now())"
}

/// Reads which queue a concert is of.
#[auto_type(no_type_alias)]
pub(crate) fn find_concert(id: Uuid) -> _ {
    concerts::table.filter(concerts::id.eq(id)).select(concerts::queue)
}

/// Reads all seats of a schedule, by number.
#[auto_type(no_type_alias)]
pub(crate) fn list_seats(queue: i32, schedule: Uuid) -> _ {
    let row: AsSelect<SeatRow, Pg> = SeatRow::as_select();
    seats::table.filter(seats::queue.eq(queue)).filter(seats::schedule_id.eq(schedule)).order(seats::number).select(row)
}

#[async_trait]
impl ConcertRepository for PostgresStore {
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
        match self.load(Plan::Concert(command.clone())).await? {
            Ok(Made::Concert(created)) => Ok(Ok(created)),
            Ok(other) => Err(other.unexpected()),
            Err(rejection) => Ok(Err(rejection)),
        }
    }

    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
        self.read(async |connection| {
            let list = ListConcerts {
                now: self.0.environment.fixed_now(),
                before: page.after.map_or_else(Uuid::max, ConcertId::uuid),
                limit: i64::from(page.limit) + 1,
            };
            let rows = list.load::<ConcertRow>(&mut &*connection).await?;
            Ok(Listed::cut(concerts(rows)?, page, |concert| concert.id))
        })
        .await
    }

    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>> {
        self.read(async |connection| {
            if let Some(concert) = filter.concert {
                let of = find_concert(concert.uuid()).load::<i32>(&mut &*connection).await?;
                let found = if of.contains(&columns::queue(queue)) {
                    Found::Here(())
                } else if of.is_empty() {
                    Found::Nowhere
                } else {
                    Found::Elsewhere
                };
                if let Err(rejection) = found.or_reject(Missing::Concert) {
                    return Ok(Err(rejection));
                }
            }
            let after = page.after.map(|(at, id)| (at.to_utc(), id.uuid()));
            let (now, limit) = (self.0.environment.fixed_now(), i64::from(page.limit) + 1);
            let list = list_schedules(columns::queue(queue), filter, after, now, limit);
            let rows = list.load::<ScheduleRow>(&mut &*connection).await?;
            let items = rows.into_iter().map(|row| row.schedule(queue).map(|schedule| Schedule::clone(&schedule)));
            let items = items.collect::<Result<_, _>>()?;
            Ok(Ok(Listed::cut(items, page, |schedule: &Schedule| (schedule.starts_at.at(), schedule.id))))
        })
        .await
    }

    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError> {
        self.read(async |connection| {
            let now = self.0.environment.fixed_now();
            let count = CountAvailable { queue: columns::queue(queue), schedule: schedule.uuid(), now };
            let count = count.get_result::<i64>(&mut &*connection).await?;
            // A schedule has at most 100,000 seats.
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }

    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap> {
        self.read(async |connection| {
            let found = self.0.schedules.find(&connection, queue, HashSet::from([schedule])).await?;
            let found = found.get(&schedule).cloned().unwrap_or(Found::Nowhere);
            let schedule = match found.or_reject(Missing::Schedule) {
                Ok(schedule) => schedule,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let list = list_seats(columns::queue(queue), schedule.id.uuid());
            let (seats, now) = futures::try_join!(
                list.load::<SeatRow>(&mut &*connection),
                ReadNow {}.get_result::<OffsetDateTime>(&mut &*connection),
            )?;
            let now: Timestamp = self.0.environment.now(now);
            let seats = seats.into_iter().map(|row| {
                let seat = row.seat()?;
                let status = seat.status_at(now);
                Ok((seat, status))
            });
            Ok(Ok(SeatMap { seats: seats.collect::<Result<_, StoreError>>()?, schedule: Schedule::clone(&schedule) }))
        })
        .await
    }
}

/// A concert, the name of its queue, and the start of one of its schedules.
#[derive(Queryable, Selectable)]
#[diesel(table_name = concerts, check_for_backend(Pg))]
pub(crate) struct ConcertRow {
    id: Uuid,
    title: String,
    #[diesel(select_expression = queue_registry::name)]
    queue: String,
    #[diesel(select_expression = schedules::starts_at)]
    starts_at: OffsetDateTime,
    #[diesel(select_expression = schedules::offset_minutes)]
    offset_minutes: i32,
}

fn concerts(rows: Vec<ConcertRow>) -> Result<Vec<Concert>, StoreError> {
    let mut concerts: Vec<Concert> = Vec::new();
    for row in rows {
        let (id, date) = (ConcertId::new(row.id), start(row.starts_at, row.offset_minutes)?.date());
        match concerts.last_mut().filter(|last| last.id == id) {
            Some(last) => last.dates = date.min(*last.dates.start())..=date.max(*last.dates.end()),
            None => concerts.push(Concert {
                id,
                title: Arc::from(row.title),
                queue: QueueName::parse(&row.queue).ok_or_else(|| inconsistent("queue_registry", "name", row.queue))?,
                dates: date..=date,
            }),
        }
    }
    Ok(concerts)
}
