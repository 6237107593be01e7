//! The port of what is sold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use bigdecimal::BigDecimal;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use domain::concert::{Concert, CreatedConcert, Found, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::ports::{Answer, ConcertRepository, Decided, LoadCommand, StoreError};
use domain::rejection::Missing;
use domain::stock::{Look, Looked, SeatSeen};
use domain::{ConcertId, Page, QueueName, QueueNumber, ScheduleId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batches::loading::{Made, Plan};
use crate::connections::statement::{ReadNow, statement};
use crate::schema::{concerts, queue_registry, schedules, seats};
use crate::store::PostgresStore;
use crate::tables::columns::{self, decimal, inconsistent, int};
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

statement! {
    /// Reads the seats of these numbers in their schedules.
    FindNumbered { queue: i32, schedules: Vec<Uuid>, numbers: Vec<i32> } -> AsSelect<SeatRow, Pg> =
    "SELECT s.id, s.schedule_id, s.number, s.price, s.reservation_id, s.held_until
     FROM unnest(" schedules ", " numbers ") AS a (schedule_id, number)
     CROSS JOIN LATERAL (
         SELECT * FROM seats
         WHERE queue = " queue " AND schedule_id = a.schedule_id AND number = a.number OFFSET 0) AS s"
}

statement! {
    /// Reads the seats of each of these schedules that come after a price and number, by price, then number, at most `most`. The
    /// index of that order is there for it: whatever changes of a seat, it stands in no place of that index anew.
    FindNext { queue: i32, schedules: Vec<Uuid>, prices: Vec<BigDecimal>, numbers: Vec<i32>, most: i64 }
        -> AsSelect<SeatRow, Pg> =
    "SELECT s.id, s.schedule_id, s.number, s.price, s.reservation_id, s.held_until
     FROM unnest(" schedules ", " prices ", " numbers ") AS a (schedule_id, price, number)
     CROSS JOIN LATERAL (
         SELECT * FROM seats
         WHERE queue = " queue " AND schedule_id = a.schedule_id AND (price, number) > (a.price, a.number)
         ORDER BY price, number
         LIMIT " most ") AS s
     ORDER BY s.schedule_id, s.price, s.number"
}

/// Two statements for the seats that looks name again and for those that come next.
fn statements_of(queue: QueueNumber, looks: &[Look], most: u32) -> (FindNumbered, FindNext) {
    let queue = columns::queue(queue);
    let named = looks.iter().flat_map(|look| look.again.iter().map(|number| (look.schedule.uuid(), int(*number))));
    let (schedules, numbers) = named.unzip();
    let after = |look: &Look| {
        look.after.clone().map_or((BigDecimal::from(-1), 0), |(price, number)| (decimal(&price), int(number)))
    };
    let (prices, after_numbers) = looks.iter().map(after).unzip();
    let next = FindNext {
        queue,
        schedules: looks.iter().map(|look| look.schedule.uuid()).collect(),
        prices,
        numbers: after_numbers,
        most: i64::from(most),
    };
    (FindNumbered { queue, schedules, numbers }, next)
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

    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        self.read(async |connection| {
            let (again, next) = statements_of(queue, looks, most);
            let (again, next, now) = futures::try_join!(
                again.load::<SeatRow>(&mut &*connection),
                next.load::<SeatRow>(&mut &*connection),
                ReadNow {}.get_result::<OffsetDateTime>(&mut &*connection),
            )?;
            let now = self.0.environment.now(now);
            let mut looked = vec![Looked::default(); looks.len()];
            let places: HashMap<Uuid, usize> = looks.iter().map(|look| look.schedule.uuid()).zip(0..).collect();
            for (rows, is_again) in [(again, true), (next, false)] {
                for row in rows {
                    let seat = row.seat()?;
                    let seen = SeatSeen { status: seat.status_at(now), price: seat.price, number: seat.number };
                    let looked = places.get(&row.schedule_id).and_then(|place| looked.get_mut(*place));
                    let seats = looked.map(|looked| if is_again { &mut looked.again } else { &mut looked.next });
                    if let Some(seats) = seats {
                        seats.push(seen);
                    }
                }
            }
            Ok(looked)
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
