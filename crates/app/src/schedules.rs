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

#[cfg(test)]
mod tests {
    use domain::ports::Decided;
    use domain::rejection::Missing;
    use domain::{Rejection, TokenStatus};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{World, active, block_on, down, holder, run};

    fn id() -> ScheduleId {
        ScheduleId::new(Uuid::from_u128(3))
    }

    fn empty<T, K>() -> Listed<T, K> {
        Listed { items: vec![], next: None }
    }

    fn listing(answer: Decided<Listed<Schedule, ScheduleKey>>) -> Result<Listed<Schedule, ScheduleKey>, Failure> {
        let filter = ScheduleFilter { concert: Some(ConcertId::new(Uuid::from_u128(2))), from: None, to: None };
        let page = Page::new(9, None).unwrap();
        let mut world = World::of(active());
        let asked = move |queue: &QueueNumber, by: &ScheduleFilter, on: &Page<ScheduleKey>| {
            (*queue, by, on) == (QueueNumber(1), &filter, &page)
        };
        world.concerts.expect_schedules().times(1).withf(asked).return_once(|_, _, _| answer);
        let app = world.app();
        let caller = block_on(app.active_caller(holder()))?;
        block_on(app.schedules(&caller, &filter, &page))
    }

    #[test]
    fn a_caller_sees_the_schedules_of_its_own_queue_r6() {
        assert_eq!(listing(Ok(Ok(empty()))), Ok(empty()));
        assert_eq!(listing(Ok(Err(Rejection::WrongQueue))), Err(Failure::Rejected(Rejection::WrongQueue)));
        assert_eq!(listing(Err(down())), Err(Failure::Store(down())));
    }

    /// R6, Q16: who waits gets no [`ActiveCaller`], and without one there is nothing to ask with.
    #[test]
    fn who_waits_reaches_no_schedule() {
        let app = World::default().app();
        let answer = run(&app, app.active_caller(holder()));
        assert_eq!(answer, Err(Failure::Rejected(Rejection::TokenNotActive(TokenStatus::Waiting))));
    }

    #[test]
    fn concerts_are_open_to_everyone() {
        let mut world = World::default();
        world.concerts.expect_list().times(1).withf(|page| page.limit == 9).return_once(|_| Ok(empty()));
        assert_eq!(block_on(world.app().concerts(&Page::new(9, None).unwrap())), Ok(empty()));
    }

    #[test]
    fn seats_are_asked_for_within_the_queue() {
        let asked = |queue: &QueueNumber, schedule: &ScheduleId| (*queue, *schedule) == (QueueNumber(2), id());
        let refusal = Rejection::NotFound(Missing::Schedule);
        let mut world = World::default();
        world.concerts.expect_seats_available().times(1).withf(asked).return_once(|_, _| Ok(8));
        let refused = refusal.clone();
        world.concerts.expect_seat_map().times(1).withf(asked).return_once(|_, _| Ok(Err(refused)));
        let app = world.app();
        assert_eq!(block_on(app.seats_available(QueueNumber(2), id())), Ok(8));
        assert_eq!(block_on(app.seat_map(QueueNumber(2), id())), Err(Failure::Rejected(refusal)));
    }
}
