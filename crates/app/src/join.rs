//! Joining a waiting line (R1, R2).

use domain::{QueueName, Timestamp, TokenStatus, UserId};

use crate::{App, Failure, Place};

/// What joining came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Where the user's token stands.
    pub place: Place,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Whether it is new.
    pub created: bool,
}

impl App {
    /// Gives `user` a place in `queue`, the same one again if they have a live one.
    ///
    /// Who may say that they are `user` was decided before (R18).
    pub async fn join(&self, queue: &QueueName, user: &UserId) -> Result<Joined, Failure> {
        let number = self.queue_number(queue)?;
        loop {
            let joined = self.ports.queues.join(number, user).await??;
            self.following.want();
            let (token, queue) = (&joined.token, self.queue(number)?);
            let holder = self.holder(token.ticket)?;
            self.see(&queue, token.ticket.number);
            let place = match (token.status(), joined.created) {
                (TokenStatus::Waiting, true) => {
                    let position = joined.line.position_at_tail(token.ticket.number);
                    self.waiting_at(holder, &queue.known(), position, joined.line.version, self.ports.clock.now())
                }
                // How many left ahead of it since it was issued, only a snapshot knows.
                (TokenStatus::Waiting, false) => match self.place_after_refresh(holder, &queue).await? {
                    // The user has left meanwhile, and so joins anew (R1).
                    Place { status: TokenStatus::Expired, .. } => continue,
                    place => place,
                },
                (TokenStatus::Active | TokenStatus::Expired, _) => {
                    Place { version: joined.line.version, ..self.passed(holder, &queue.known(), token) }
                }
            };
            return Ok(Joined { place, issued_at: token.issued_at, created: joined.created });
        }
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
