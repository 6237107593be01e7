//! Leaving a waiting line (R17).

use crate::{App, Failure, Holder};

impl App {
    /// Ends a token, in any state, and cancels its user's PENDING reservations in its queue.
    pub async fn leave(&self, holder: Holder) -> Result<(), Failure> {
        self.ports.queues.leave(holder.ticket).await??;
        self.following.want();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Rejection;
    use domain::ports::Decided;

    use super::*;
    use crate::mocks::{Task, World, block_on, down, holder, ticket};

    /// What leaving came to, and whether a refresh is wanted since.
    fn leaving(answer: Decided<()>) -> (Result<(), Failure>, bool) {
        let mut world = World::default();
        world.queues.expect_leave().times(1).withf(|asked| *asked == ticket()).return_once(|_| answer);
        let app = world.app();
        let left = block_on(app.leave(holder()));
        (left, Task::started(app.refresh_wanted()).answer().is_some())
    }

    #[test]
    fn the_store_ends_the_place_and_what_it_says_is_passed_on_r17() {
        assert_eq!(leaving(Ok(Ok(()))), (Ok(()), true));
        assert_eq!(leaving(Ok(Err(Rejection::TokenUnknown))), (Err(Failure::Rejected(Rejection::TokenUnknown)), false));
        assert_eq!(leaving(Err(down())), (Err(Failure::Store(down())), false));
    }
}
