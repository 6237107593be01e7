//! Rows of `schedules`, each with its concert's title.

use diesel::SqliteConnection;
use domain::concert::{Found, Schedule, ScheduleFilter, ScheduleKey};
use domain::ports::StoreError;
use domain::{ConcertId, LocalTime, Page, QueueNumber, ScheduleId, Timestamp};
use uuid::Uuid;

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, Count, FromRow, wrong};

macro_rules! select_schedules {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.queue, s.concert_id, c.title, s.starts_at, s.offset_minutes, s.seats_total, ",
            "s.max_per_user, c.max_per_user ",
            "FROM schedules s JOIN concerts c ON c.queue = s.queue AND c.id = s.concert_id ",
            $rest
        )
    };
}

statements! {
    Find = select_schedules!("WHERE s.queue = ? AND s.id = ?");
    Elsewhere = "SELECT COUNT(*) FROM schedules WHERE id = ?";
    // Dates of the form YYYY-MM-DD compare as text. The bounds stand where no date is asked for.
    OfQueue = select_schedules!(
        "WHERE s.queue = ? AND (s.starts_at, s.id) > (?, ?) AND s.starts_at > ? AND s.local_date BETWEEN ? AND ? \
         ORDER BY s.starts_at, s.id LIMIT ?"
    );
    OfConcert = select_schedules!(
        "WHERE s.queue = ? AND s.concert_id = ? AND (s.starts_at, s.id) > (?, ?) AND s.starts_at > ? \
         AND s.local_date BETWEEN ? AND ? ORDER BY s.starts_at, s.id LIMIT ?"
    );
    OnSale = select_schedules!("WHERE s.queue = ? AND s.concert_id = ? AND s.starts_at > ?");
    LoadedWith = "SELECT id FROM schedules WHERE queue = ? AND concert_id = ?";
    Insert = "INSERT INTO schedules \
        (queue, id, concert_id, starts_at, offset_minutes, local_date, seats_total, max_per_user) \
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
}

/// A schedule, looked for in this queue's sale.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: ScheduleId,
) -> Result<Found<Schedule>, StoreError> {
    if let Some(schedule) = Find::row(conn, binds![queue, id])? {
        return Ok(Found::Here(schedule));
    }
    let elsewhere = Elsewhere::row::<Count>(conn, binds![id])?.is_some_and(|count| count.0 > 0);
    Ok(if elsewhere { Found::Elsewhere } else { Found::Nowhere })
}

/// One schedule more than a page holds, if there are that many, of those that the filter may show at `now`.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    filter: &ScheduleFilter,
    page: &Page<ScheduleKey>,
    now: Timestamp,
) -> Result<Vec<Schedule>, StoreError> {
    let (after, after_id) = page.after.unwrap_or((now, ScheduleId::new(Uuid::max())));
    let from = filter.from.map_or_else(|| "0000-00-00".to_owned(), |date| date.to_string());
    let to = filter.to.map_or_else(|| "9999-99-99".to_owned(), |date| date.to_string());
    let (from, to, limit) = (from.as_str(), to.as_str(), page.limit + 1);
    match filter.concert {
        None => OfQueue::rows(conn, binds![queue, after, after_id, now, from, to, limit]),
        Some(concert) => OfConcert::rows(conn, binds![queue, concert, after, after_id, now, from, to, limit]),
    }
}

/// The schedules of a concert that have not started at `now`.
pub(crate) fn on_sale(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    concert: ConcertId,
    now: Timestamp,
) -> Result<Vec<Schedule>, StoreError> {
    OnSale::rows(conn, binds![queue, concert, now])
}

/// The schedules of a concert in the order in which they were loaded.
pub(crate) fn loaded_with(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    concert: ConcertId,
) -> Result<Vec<ScheduleId>, StoreError> {
    let mut loaded = LoadedWith::rows(conn, binds![queue, concert])?;
    // Ids grow with time.
    loaded.sort_unstable();
    Ok(loaded)
}

/// Inserts a schedule.
pub(crate) fn insert(conn: &mut SqliteConnection, schedule: &Schedule) -> Result<(), StoreError> {
    let (starts_at, date) = (schedule.starts_at, schedule.starts_at.date().to_string());
    Insert::change_one(
        conn,
        binds![
            schedule.queue,
            schedule.id,
            schedule.concert,
            starts_at.at(),
            i64::from(starts_at.offset_minutes()),
            date.as_str(),
            schedule.seats_total,
            schedule.max_per_user,
        ],
    )
}

/// The start in `place`, its offset in the next one.
pub(crate) fn start<'a>(row: &impl Columns<'a>, place: usize) -> Result<LocalTime, StoreError> {
    let at = row.instant(place, ("schedules", "starts_at"))?;
    let offset = row.number::<i16>(place + 1, ("schedules", "offset_minutes"))?;
    LocalTime::new(at, offset).ok_or_else(|| wrong(("schedules", "offset_minutes"), offset))
}

impl FromRow for Schedule {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            id: ScheduleId::new(row.id(0, ("schedules", "id"))?),
            queue: QueueNumber(row.number(1, ("schedules", "queue"))?),
            concert: ConcertId::new(row.id(2, ("schedules", "concert_id"))?),
            title: row.text(3, ("concerts", "title"))?.into(),
            starts_at: start(row, 4)?,
            seats_total: row.number(6, ("schedules", "seats_total"))?,
            max_per_user: row.number_or_null(7, ("schedules", "max_per_user"))?,
            concert_max_per_user: row.number_or_null(8, ("concerts", "max_per_user"))?,
        })
    }
}

impl FromRow for ScheduleId {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self::new(row.id(0, ("schedules", "id"))?))
    }
}
