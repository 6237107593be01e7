//! Schedules, which never change: read once, and kept.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::concert::{Found, Schedule};
use domain::{QueueNumber, ScheduleId};
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::tables::columns;
use crate::tables::schedules::{ScheduleRow, find_anywhere, find_schedules};

/// Where schedules are sold.
pub(crate) type Schedules = HashMap<ScheduleId, Found<Arc<Schedule>>>;

/// How many schedules are kept; more than one sale has. When it is full it starts anew.
const MOST: usize = 10_000;

/// The schedules that were read.
#[derive(Default)]
pub(crate) struct ScheduleCache(Mutex<HashMap<(QueueNumber, ScheduleId), Arc<Schedule>>>);

impl ScheduleCache {
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
        let read = find_schedules(columns::queue(queue), missing.clone());
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

    /// Whether a schedule of this queue may have a limit of a person's seats; also when nothing is known of it.
    pub(crate) fn may_limit(&self, queue: QueueNumber, id: ScheduleId) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(queue, id)).is_none_or(|schedule| schedule.is_limited())
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
