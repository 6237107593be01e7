//! The storage of what is sold.

use async_trait::async_trait;

use super::{Decided, StoreError};
use crate::concert::{Concert, CreatedConcert, NewConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use crate::page::Listed;
use crate::{ConcertId, Page, QueueNumber, ScheduleId};

/// Concerts, schedules and seats.
#[async_trait]
pub trait ConcertRepository: Send + Sync {
    /// Loads a concert with all its schedules and seats. MUST create its queue with the default policy when it is
    /// unknown, under the next number that was never used.
    async fn create(&self, concert: &NewConcert) -> Decided<CreatedConcert>;

    /// Concerts of all queues that have a schedule which has not started (R11), newest first.
    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError>;

    /// Schedules of one queue that [`ScheduleFilter::shows`], by start, then id.
    ///
    /// MUST be `WrongQueue` when the filter names a concert of another queue, `NotFound` when there is none.
    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>>;

    /// How many seats of a schedule of this queue may be held now (R7); 0 for one that is not there.
    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError>;

    /// All seats of a schedule by number, started or not. MUST be `WrongQueue` for a schedule of another queue.
    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap>;
}
