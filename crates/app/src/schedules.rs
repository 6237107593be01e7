//! Looking at what is sold: concerts, schedules and seats.

use domain::concert::{Concert, Schedule, ScheduleFilter, ScheduleKey, SeatMap};
use domain::page::Listed;
use domain::{ConcertId, Page, QueueNumber, ScheduleId};

use crate::{ActiveCaller, App, Failure};

impl App {
    /// All concerts with something still for sale. Open to everyone.
    pub async fn concerts(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, Failure> {
        Ok(self.ports.concerts.list(page).await?)
    }

    /// The schedules of the caller's queue that `filter` shows.
    pub async fn schedules(
        &self,
        caller: &ActiveCaller,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Result<Listed<Schedule, ScheduleKey>, Failure> {
        Ok(self.ports.concerts.schedules(caller.queue(), filter, page).await??)
    }

    /// How many seats of a schedule of `queue` may be held. The same for every caller, so that an adapter may share
    /// one answer among many; it has made sure of each caller with [`App::active_caller`].
    pub async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, Failure> {
        Ok(self.ports.concerts.seats_available(queue, schedule).await?)
    }

    /// All seats of a schedule of `queue`. Shared among callers as [`App::seats_available`] is.
    pub async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<SeatMap, Failure> {
        Ok(self.ports.concerts.seat_map(queue, schedule).await??)
    }
}
