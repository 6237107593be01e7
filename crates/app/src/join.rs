//! Joining a waiting line (R1, R2).

use domain::{QueueName, Timestamp, TokenStatus, UserId};

use crate::{App, Failure, Standing};

/// What joining came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Where the user's token stands.
    pub standing: Standing,
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
        let number = self.named(queue).await?;
        loop {
            let joined = self.ports.queues.join(number, user).await??;
            self.following.want();
            let (token, queue) = (&joined.token, self.queue(number)?);
            let holder = self.holder(token.ticket)?;
            self.see(&queue, token.ticket.number);
            queue.ask();
            let standing = match (token.status(), joined.created) {
                (TokenStatus::Waiting, true) => {
                    let position = joined.line.position_at_tail(token.ticket.number);
                    self.waiting_at(holder, &queue.known(), position, joined.line.version, self.ports.clock.now())
                }
                // How many left ahead of it since it was issued, only a snapshot knows.
                (TokenStatus::Waiting, false) => match self.standing_after_refresh(holder, &queue).await? {
                    // The user has left meanwhile, and so joins anew (R1).
                    Standing { status: TokenStatus::Expired, .. } => continue,
                    standing => standing,
                },
                (TokenStatus::Active | TokenStatus::Expired, _) => {
                    Standing { version: joined.line.version, ..self.passed(holder, &queue.known(), token) }
                }
            };
            return Ok(Joined { standing, issued_at: token.issued_at, created: joined.created });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use domain::line::Line;
    use domain::ports::{Decided, Joined};
    use domain::rejection::Missing;
    use domain::{QueueNumber, Rejection, Token, TokenStatus};

    use super::*;
    use crate::mocks::{
        NOW, Task, World, active, at, block_on, change, down, holder, name_of, numbered, run, sealed, user, waiting,
    };

    /// What the store answers, with the counters as they were when the token was looked at.
    fn joined(token: Token, created: bool) -> Joined {
        Joined { token, created, line: Line { issued: 9, admitted: 4, frontier: 4, ended_beyond: 1, version: 44 } }
    }

    fn expecting(answers: Vec<Decided<Joined>>) -> World {
        let (mut world, mut order) = (World::default(), mockall::Sequence::new());
        for answer in answers {
            let asked = |queue: &QueueNumber, who: &UserId| *queue == QueueNumber(1) && *who == user();
            world.queues.expect_join().times(1).in_sequence(&mut order).withf(asked).return_once(|_, _| answer);
        }
        world
    }

    fn joining(answer: Decided<Joined>) -> Result<super::Joined, Failure> {
        block_on(expecting(vec![answer]).app().join(&name_of("main"), &user()))
    }

    /// Nothing is refreshed: what the store said of the new number's place is newer than any snapshot.
    #[test]
    fn a_new_place_is_at_the_tail_at_the_version_it_was_issued_at_r2() {
        let expected = super::Joined {
            standing: Standing {
                position: Some(2),
                version: 44,
                estimated_wait: Some(Duration::from_secs(2)),
                wait_range: Some((Duration::from_millis(1_500), Duration::from_millis(2_500))),
                ..block_on(World::default().app().standing(holder())).unwrap()
            },
            issued_at: at(1),
            created: true,
        };
        assert_eq!((expected.standing.token, expected.standing.as_of), (sealed(), at(NOW)));
        assert_eq!(joining(Ok(Ok(joined(waiting(), true)))), Ok(expected));
    }

    #[test]
    fn who_is_admitted_at_once_is_told_so_r3() {
        for created in [true, false] {
            let told = joining(Ok(Ok(joined(active(), created)))).unwrap();
            assert_eq!((told.created, told.issued_at, told.standing.token), (created, at(1), sealed()));
            assert_eq!((told.standing.status, told.standing.position), (TokenStatus::Active, Some(0)));
            assert_eq!((told.standing.version, told.standing.expires_at), (44, Some(at(NOW + 1))));
        }
    }

    /// How many left ahead of it since it was issued, only a snapshot knows: one that is read after the join.
    #[test]
    fn who_waits_already_is_told_the_place_by_one_refresh_r1() {
        let world = expecting(vec![Ok(Ok(joined(waiting(), false)))]);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.leave(5);
        let told = run(&app, app.join(&name_of("main"), &user())).unwrap();
        assert_eq!((told.created, told.issued_at, told.standing.token), (false, at(1), sealed()));
        assert_eq!((told.standing.position, told.standing.version, lines.reads()), (Some(2), 32, 2));
    }

    #[test]
    fn who_left_meanwhile_joins_anew_r1() {
        let tail = Line { issued: 11, admitted: 4, frontier: 4, ended_beyond: 1, version: 33 };
        let anew = Joined { token: numbered(11), created: true, line: tail };
        let world = expecting(vec![Ok(Ok(joined(waiting(), false))), Ok(Ok(anew))]);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.leave(7);
        let told = run(&app, app.join(&name_of("main"), &user())).unwrap();
        assert_eq!(told.standing.token, app.holder(numbered(11).ticket).unwrap().token);
        assert_eq!((told.created, told.standing.position, told.standing.version), (true, Some(6), 33));
    }

    #[test]
    fn a_refresh_that_failed_is_a_failure() {
        let world = expecting(vec![Ok(Ok(joined(waiting(), false)))]);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.set_down(true);
        assert_eq!(run(&app, app.join(&name_of("main"), &user())), Err(Failure::Store(down())));
    }

    #[test]
    fn a_join_asks_for_a_refresh() {
        let app = expecting(vec![Ok(Ok(joined(waiting(), true)))]).app();
        block_on(app.join(&name_of("main"), &user())).unwrap();
        assert_eq!(Task::started(app.refresh_wanted()).answer(), Some(&()));
    }

    #[test]
    fn a_join_never_creates_a_queue_r1() {
        let app = World::default().app();
        let answer = run(&app, app.join(&name_of("nowhere"), &user()));
        assert_eq!(answer, Err(Failure::Rejected(Rejection::NotFound(Missing::Queue))));
    }

    /// Another server made it a moment ago: no refusal is based on what was known before.
    #[test]
    fn a_queue_that_was_just_made_can_be_joined() {
        let mut world = World::default();
        let answer = Joined { token: waiting(), created: true, line: change(3, "new").line };
        world.queues.expect_join().times(1).return_once(|_, _| Ok(Ok(answer)));
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.add(change(3, "new"));
        assert!(run(&app, app.join(&name_of("new"), &user())).is_ok());
    }

    #[test]
    fn refusals_and_failures_are_passed_on() {
        let refusal = Rejection::NotFound(Missing::Queue);
        assert_eq!(joining(Ok(Err(refusal.clone()))), Err(Failure::Rejected(refusal)));
        assert_eq!(joining(Err(down())), Err(Failure::Store(down())));
    }
}
