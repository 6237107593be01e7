//! Joining a waiting line (R1, R2).

use domain::{QueueName, UserId};

use crate::{App, Failure, Place};

impl App {
    /// Gives `user` a place in `queue`, the same one again if they have a live one; whether it is new.
    ///
    /// Who may say that they are `user` was decided before (R18).
    pub async fn join(&self, queue: &QueueName, user: &UserId) -> Result<(Place, bool), Failure> {
        let number = self.queue_number(queue)?;
        let joined = self.ports.queues.join(number, user).await??;
        Ok((self.describe(joined.standing)?, joined.created))
    }
}

#[cfg(test)]
mod tests {
    use domain::ports::{Decided, Joined};
    use domain::rejection::Kind;
    use domain::{QueueNumber, Rejection, TokenStatus};
    use futures::executor::block_on;

    use super::*;
    use crate::mocks::{World, active, down, name_of, sealed, user, waiting};

    fn joining(answer: Decided<Joined>) -> Result<(Place, bool), Failure> {
        let mut world = World::default();
        let asked = |queue: &QueueNumber, who: &UserId| *queue == QueueNumber(1) && *who == user();
        world.queues.expect_join().times(1).withf(asked).return_once(|_, _| answer);
        block_on(world.app().join(&name_of("main"), &user()))
    }

    #[test]
    fn a_place_comes_with_its_sealed_token_and_whether_it_is_new_r1() {
        for created in [true, false] {
            let (place, new) = joining(Ok(Ok(Joined { standing: waiting(), created }))).unwrap();
            assert_eq!((place.token, place.position, new), (sealed(), Some(3), created));
        }
        let (place, _) = joining(Ok(Ok(Joined { standing: active(), created: true }))).unwrap();
        assert_eq!((place.status, place.position), (TokenStatus::Active, Some(0)), "admitted at once");
    }

    #[test]
    fn a_join_never_creates_a_queue_r1() {
        let answer = block_on(World::default().app().join(&name_of("nowhere"), &user()));
        assert_eq!(answer, Err(Failure::Rejected(Rejection::NotFound(Kind::Queue))));
    }

    #[test]
    fn refusals_and_failures_are_passed_on() {
        let refusal = Rejection::NotFound(Kind::Queue);
        assert_eq!(joining(Ok(Err(refusal.clone()))), Err(Failure::Rejected(refusal)));
        assert_eq!(joining(Err(down())), Err(Failure::Store(down())));
    }
}
