//! Rows of `schedules`, each with its concert's title.

use std::sync::Arc;

use diesel::sql_types::{Integer, Text, Timestamptz};
use domain::concert::Schedule;
use domain::ports::StoreError;
use domain::{ConcertId, LocalTime, QueueNumber, ScheduleId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::rows::{self, inconsistent, small};

type SqlUuid = diesel::sql_types::Uuid;

/// What is selected of a schedule: id, concert, start, offset, seats, title.
pub(crate) type SqlSchedule = (SqlUuid, SqlUuid, Timestamptz, Integer, Integer, Text);
pub(crate) type ScheduleRow = (Uuid, Uuid, OffsetDateTime, i32, i32, String);

statement! {
    /// Schedules of a queue.
    FindSchedules { queue: i32, ids: Vec<Uuid> } -> SqlSchedule =
    "SELECT s.id, s.concert_id, s.starts_at, s.offset_minutes, s.seats_total, c.title
     FROM schedules s
     JOIN concerts c ON c.queue = " queue " AND c.id = s.concert_id
     WHERE s.queue = " queue " AND s.id = ANY (" ids ")"
}

statement! {
    /// Which of these are schedules of any queue.
    FindAnywhere { ids: Vec<Uuid> } -> SqlUuid =
    "SELECT DISTINCT id FROM schedules WHERE id = ANY (" ids ")"
}

/// A schedule of this queue from its row.
pub(crate) fn schedule(queue: QueueNumber, row: ScheduleRow) -> Result<Arc<Schedule>, StoreError> {
    let (id, concert, starts_at, offset, seats, title) = row;
    Ok(Arc::new(Schedule {
        id: ScheduleId::new(id),
        queue,
        concert: ConcertId::new(concert),
        title: title.into(),
        starts_at: start(starts_at, offset)?,
        seats_total: small("schedules", "seats_total", seats)?,
    }))
}

/// A start with the offset it was written with.
pub(crate) fn start(at: OffsetDateTime, offset_minutes: i32) -> Result<LocalTime, StoreError> {
    let offset = i16::try_from(offset_minutes).ok();
    let start = offset.and_then(|offset| LocalTime::new(rows::instant(at), offset));
    start.ok_or_else(|| inconsistent("schedules", "offset_minutes", offset_minutes))
}
