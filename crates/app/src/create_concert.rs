//! Loading a concert.

use domain::concert::CreatedConcert;
use domain::ports::{Answer, LoadCommand};

use crate::{App, Failure};

impl App {
    /// Loads a concert with its schedules and seats (R11, R15). Its queue, which another server may have made, is known here
    /// afterwards.
    pub async fn create_concert(&self, command: &LoadCommand) -> Result<Answer<CreatedConcert>, Failure> {
        let created = self.ports.concerts.create(command).await??;
        if self.queue_number(&command.concert.queue).is_err() {
            // The concert is made, whether or not this server can read it back now.
            drop(self.refreshed().await);
        }
        Ok(created)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
    use domain::ports::Decided;
    use domain::{ConcertId, IdempotencyKey, LocalTime, Money, QueueNumber, Rejection, Wrong};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{World, block_on, change, down, name_of, run};

    fn concert(queue: &str) -> LoadCommand {
        let starts_at = LocalTime::parse("2026-12-24T19:30:00+09:00").unwrap();
        let seats = vec![SeatGroup::Count(1, Money::parse("1").unwrap())];
        let draft = Draft::of("Winter", name_of(queue), vec![ScheduleDraft::of(starts_at, seats)]);
        LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: IdempotencyKey::parse("k") }
    }

    fn created(queue: u16) -> Answer<CreatedConcert> {
        let value = CreatedConcert { id: ConcertId::new(Uuid::nil()), queue: QueueNumber(queue), schedules: vec![] };
        Answer { value, replayed: true }
    }

    fn world(queue: &'static str, answer: Decided<Answer<CreatedConcert>>) -> World {
        let mut world = World::default();
        world.concerts.expect_create().times(1).withf(move |asked| *asked == concert(queue)).return_once(|_| answer);
        world
    }

    #[test]
    fn a_concert_of_a_known_queue_is_loaded_and_nothing_else() {
        let app = world("other", Ok(Ok(created(2)))).app();
        assert_eq!(block_on(app.create_concert(&concert("other"))), Ok(created(2)));
    }

    #[test]
    fn a_queue_that_another_server_made_is_known_at_once() {
        let world = world("new", Ok(Ok(created(3))));
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.add(change(3, "new"));
        assert_eq!(run(&app, app.create_concert(&concert("new"))), Ok(created(3)));
        assert_eq!((app.queue_number(&name_of("new")), lines.reads()), (Ok(QueueNumber(3)), 2));
    }

    #[test]
    fn refusals_and_failures_are_passed_on() {
        let refusal = Rejection::invalid("title", Wrong::Missing);
        let app = world("new", Ok(Err(refusal.clone()))).app();
        assert_eq!(block_on(app.create_concert(&concert("new"))), Err(Failure::Rejected(refusal)));
        let app = world("new", Err(down())).app();
        assert_eq!(block_on(app.create_concert(&concert("new"))), Err(Failure::Store(down())));
    }

    /// It cannot be loaded again without being there twice; the next refresh that succeeds makes its queue known.
    #[test]
    fn a_concert_that_was_loaded_is_a_success_whatever_comes_after() {
        let world = world("new", Ok(Ok(created(3))));
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.set_down(true);
        assert_eq!(run(&app, app.create_concert(&concert("new"))), Ok(created(3)));
    }
}
