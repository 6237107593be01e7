//! Schedules, which never change: read once, and kept.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{Found, Schedule};
use domain::seat::SeatChoice;
use domain::{QueueNumber, ScheduleId};
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::sale::command::Command;
use crate::sale::known_schedules::Schedules;
use crate::sale::working_set::WorkingSet;
use crate::tables::rows::{self};
use crate::tables::schedules::{ScheduleRow, find_anywhere, find_schedules};

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
        let read = find_schedules(rows::queue(queue), missing.clone());
        let read = read.load::<ScheduleRow>(&mut &*conn).await?;
        let read: Vec<_> = read.into_iter().map(|row| row.schedule(queue)).collect::<Result<_, _>>()?;
        self.keep(&read);
        found.extend(read.into_iter().map(|schedule| (schedule.id, Found::Here(schedule))));
        let missing: Vec<Uuid> = missing.into_iter().filter(|id| !found.contains_key(&ScheduleId::new(*id))).collect();
        if !missing.is_empty() {
            let elsewhere = find_anywhere(missing.clone()).load::<Uuid>(&mut &*conn).await?;
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
