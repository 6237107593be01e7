//! The port of what is sold.

use std::sync::Arc;

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::concert::{Concert, CreatedConcert, Found, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::ports::{Answer, ConcertRepository, Decided, LoadCommand, StoreError};
use domain::rejection::Missing;
use domain::seat::Seat;
use domain::stock::{Look, Looked, SeatSeen};
use domain::{ConcertId, Page, QueueName, QueueNumber, ScheduleId};

use crate::SqliteStore;
use crate::batches::loading;
use crate::connections::pool::Snapshot;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow};
use crate::tables::{queues, schedules, seats};

statements! {
    // Newest first is by id: ids grow with time.
    List = "SELECT c.id, c.title, c.queue, r.name FROM concerts c JOIN queue_registry r ON r.number = c.queue \
        WHERE c.id < ? AND EXISTS (SELECT 1 FROM schedules s \
        WHERE s.queue = c.queue AND s.concert_id = c.id AND s.starts_at > ?) ORDER BY c.id DESC LIMIT ?";
    First: Walks = "SELECT c.id, c.title, c.queue, r.name FROM concerts c JOIN queue_registry r ON r.number = c.queue \
        WHERE EXISTS (SELECT 1 FROM schedules s \
        WHERE s.queue = c.queue AND s.concert_id = c.id AND s.starts_at > ?) ORDER BY c.id DESC LIMIT ?";
    Here = "SELECT COUNT(*) FROM concerts WHERE queue = ? AND id = ?";
    Anywhere = "SELECT COUNT(*) FROM concerts WHERE id = ?";
}

#[async_trait]
impl ConcertRepository for SqliteStore {
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
        let command = command.clone();
        self.writer().run(move |transaction| loading::create(transaction, &command)).await
    }

    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
        let page = *page;
        self.reads().run(move |snapshot| list(snapshot, &page)).await
    }

    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>> {
        let (filter, page) = (*filter, *page);
        self.reads()
            .run(move |snapshot| {
                if let Some(concert) = filter.concert
                    && let Err(rejection) = find(snapshot.conn, queue, concert)?.or_reject(Missing::Concert)
                {
                    return Ok(Err(rejection));
                }
                let mut items = schedules::list(snapshot.conn, queue, &filter, &page, snapshot.now)?;
                items.retain(|schedule| filter.shows(schedule, snapshot.now));
                Ok(Ok(Listed::cut(items, &page, |schedule| (schedule.starts_at.at(), schedule.id))))
            })
            .await
    }

    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError> {
        self.reads().run(move |snapshot| seats::available(snapshot.conn, queue, schedule, snapshot.now)).await
    }

    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        let looks = looks.to_vec();
        self.reads().run(move |snapshot| looks.iter().map(|at| look(snapshot, queue, at, most)).collect()).await
    }

    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap> {
        self.reads()
            .run(move |snapshot| {
                let schedule = match schedules::find(snapshot.conn, queue, schedule)?.or_reject(Missing::Schedule) {
                    Ok(schedule) => schedule,
                    Err(rejection) => return Ok(Err(rejection)),
                };
                let seats = seats::of_schedule(snapshot.conn, queue, schedule.id)?;
                let seats = seats.into_iter().map(|seat| {
                    let status = seat.status_at(snapshot.now);
                    (seat, status)
                });
                Ok(Ok(SeatMap { seats: seats.collect(), schedule }))
            })
            .await
    }
}

/// What a look shows.
fn look(snapshot: &mut Snapshot<'_>, queue: QueueNumber, at: &Look, most: u32) -> Result<Looked, StoreError> {
    let now = snapshot.now;
    let seen = |seat: Seat| SeatSeen { status: seat.status_at(now), price: seat.price, number: seat.number };
    let mut again = Vec::with_capacity(at.again.len());
    for number in &at.again {
        again.extend(seats::numbered(snapshot.conn, queue, at.schedule, *number)?.map(seen));
    }
    let next = seats::next_by_price(snapshot.conn, queue, at.schedule, at.after.as_ref(), most)?;
    Ok(Looked { again, next: next.into_iter().map(seen).collect() })
}

/// A concert, looked for in this queue's sale.
fn find(conn: &mut SqliteConnection, queue: QueueNumber, id: ConcertId) -> Result<Found<()>, StoreError> {
    if Here::row::<Count>(conn, binds![queue, id])?.is_some_and(|count| count.0 > 0) {
        return Ok(Found::Here(()));
    }
    let elsewhere = Anywhere::row::<Count>(conn, binds![id])?.is_some_and(|count| count.0 > 0);
    Ok(if elsewhere { Found::Elsewhere } else { Found::Nowhere })
}

struct Listing {
    id: ConcertId,
    title: Arc<str>,
    queue: QueueNumber,
    name: QueueName,
}

impl FromRow for Listing {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConcertId::new(row.id(0, ("concerts", "id"))?),
            title: row.text(1, ("concerts", "title"))?.into(),
            queue: QueueNumber(row.number(2, ("concerts", "queue"))?),
            name: queues::queue_name(row, 3)?,
        })
    }
}

fn list(snapshot: &mut Snapshot<'_>, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
    let (now, limit) = (snapshot.now, page.limit + 1);
    let listings: Vec<Listing> = match page.after {
        Some(after) => List::rows(snapshot.conn, binds![after, now, limit])?,
        None => First::rows(snapshot.conn, binds![now, limit])?,
    };
    let mut items = Vec::new();
    for Listing { id, title, queue, name } in listings {
        let mut dates: Vec<_> = schedules::on_sale(snapshot.conn, queue, id, now)?
            .into_iter()
            .filter(|schedule| schedule.on_sale(now))
            .map(|schedule| schedule.starts_at.date())
            .collect();
        dates.sort_unstable();
        if let (Some(first), Some(last)) = (dates.first(), dates.last()) {
            items.push(Concert { id, title, queue: name, dates: *first..=*last });
        }
    }
    Ok(Listed::cut(items, page, |concert| concert.id))
}
