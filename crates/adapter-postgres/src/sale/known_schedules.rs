//! The schedules that a batch speaks of.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ScheduleId;
use domain::concert::{Found, Schedule};
use domain::ports::StoreError;

use crate::tables::rows;

/// Where each schedule that a batch speaks of is sold.
pub(crate) type Schedules = HashMap<ScheduleId, Found<Arc<Schedule>>>;

/// A schedule that a stored reservation names must be there.
pub(crate) fn schedule_of(schedules: &Schedules, id: ScheduleId) -> Result<&Arc<Schedule>, StoreError> {
    match schedules.get(&id) {
        Some(Found::Here(schedule)) => Ok(schedule),
        _ => Err(rows::inconsistent("reservations", "schedule_id", id)),
    }
}
