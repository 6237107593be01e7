//! The storage of what is sold.

use async_trait::async_trait;

use super::{Answer, Decided, StoreError};
use crate::concert::{Concert, CreatedConcert, NewConcert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use crate::page::Listed;
use crate::stock::{Look, Looked};
use crate::{ConcertId, IdempotencyKey, Page, QueueNumber, ScheduleId};

/// A request to load a concert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadCommand {
    /// What to load.
    pub concert: NewConcert,
    /// The caller's key, if the request may be repeated (R15). It is one for all queues, and never forgotten.
    pub key: Option<IdempotencyKey>,
}

/// Concerts, schedules and seats.
#[async_trait]
pub trait ConcertRepository: Send + Sync {
    /// R1, R11, R15: loads a concert with all its schedules and seats, in one transaction, in however many statements.
    ///
    /// In this order: a key that recorded this request answers it again, however long ago that was, and one that recorded
    /// another is `IdempotencyKeyReused`; then [`load`] decides. Of any number of requests at once under one key one loads.
    /// MUST make no queue.
    ///
    /// [`load`]: crate::concert::load
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>>;

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

    /// What each of these looks at schedules of this queue shows, in their order: the seats of the numbers it names that are
    /// there, and the next `most` ones, each as it is now (R7).
    ///
    /// MUST cost in proportion to the seats that it shows, however many others there are.
    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError>;

    /// All seats of a schedule by number, started or not. MUST be `WrongQueue` for a schedule of another queue.
    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap>;
}
