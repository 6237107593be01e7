//! Schedules, which never change: read once, and kept.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use diesel::sql_types::{Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{Found, Schedule};
use domain::ports::StoreError;
use domain::seat::SeatChoice;
use domain::{ConcertId, LocalTime, QueueNumber, ScheduleId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::batches::lane::BatchError;
use crate::connections::statement::statement;
use crate::sale::command::Command;
use crate::sale::decide::Schedules;
use crate::sale::working_set::WorkingSet;
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

/// How many schedules are kept; more than one sale has. When it is full it starts anew.
const MOST: usize = 10_000;

/// The schedules that were read.
#[derive(Default)]
pub(crate) struct ScheduleCache(Mutex<HashMap<(QueueNumber, ScheduleId), Arc<Schedule>>>);

impl ScheduleCache {
    /// The schedules that the commands of a batch speak of.
    pub(crate) async fn of_batch(
        &self,
        conn: &AsyncPgConnection,
        set: &WorkingSet,
        commands: &[Command],
    ) -> Result<Schedules, BatchError> {
        let named = commands.iter().filter_map(|command| match command {
            Command::Hold(hold) => match &hold.choice {
                SeatChoice::Numbers(schedule, _) => Some(*schedule),
                SeatChoice::Ids(_) => None,
            },
            _ => None,
        });
        let of_seats = set.seats.values().map(|seat| seat.schedule);
        let of_reservations = set.reservations.values().map(|held| held.schedule);
        let ids: HashSet<ScheduleId> = named.chain(of_seats).chain(of_reservations).collect();
        self.find(conn, set.number, ids).await
    }

    /// These schedules, looked for in this queue's sale.
    pub(crate) async fn find(
        &self,
        conn: &AsyncPgConnection,
        queue: QueueNumber,
        ids: HashSet<ScheduleId>,
    ) -> Result<Schedules, BatchError> {
        let (mut found, missing) = self.kept(queue, ids);
        if missing.is_empty() {
            return Ok(found);
        }
        let read = FindSchedules { queue: rows::queue(queue), ids: missing.clone() };
        let read = read.load::<ScheduleRow>(&mut &*conn).await?;
        let read: Vec<_> = read.into_iter().map(|row| schedule(queue, row)).collect::<Result<_, _>>()?;
        self.keep(&read);
        found.extend(read.into_iter().map(|schedule| (schedule.id, Found::Here(schedule))));
        let missing: Vec<Uuid> = missing.into_iter().filter(|id| !found.contains_key(&ScheduleId::new(*id))).collect();
        if !missing.is_empty() {
            let elsewhere = FindAnywhere { ids: missing.clone() }.load::<Uuid>(&mut &*conn).await?;
            found.extend(missing.into_iter().map(|id| {
                let known = if elsewhere.contains(&id) { Found::Elsewhere } else { Found::Nowhere };
                (ScheduleId::new(id), known)
            }));
        }
        Ok(found)
    }

    fn kept(&self, queue: QueueNumber, ids: HashSet<ScheduleId>) -> (Schedules, Vec<Uuid>) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut missing) = (Schedules::new(), Vec::new());
        for id in ids {
            match kept.get(&(queue, id)) {
                Some(schedule) => {
                    found.insert(id, Found::Here(Arc::clone(schedule)));
                }
                None => missing.push(id.uuid()),
            }
        }
        (found, missing)
    }

    fn keep(&self, schedules: &[Arc<Schedule>]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + schedules.len() > MOST {
            kept.clear();
        }
        kept.extend(schedules.iter().map(|schedule| ((schedule.queue, schedule.id), Arc::clone(schedule))));
    }
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
