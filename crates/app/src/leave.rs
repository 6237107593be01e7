//! Leaving a waiting line (R17).

use crate::{App, Failure, Holder};

impl App {
    /// Ends a token, in any state, and cancels its user's PENDING reservations in its queue. Polls of this server know of it
    /// when this is answered.
    pub async fn leave(&self, holder: Holder) -> Result<(), Failure> {
        self.ports.queues.leave(holder.ticket).await??;
        // Done is done, whether or not it can be read back now.
        drop(self.refreshed().await);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::Rejection;
    use domain::ports::Decided;
    use futures::executor::block_on;

    use super::*;
    use crate::mocks::{World, down, sealed, ticket};

    fn leaving(answer: Decided<()>) -> Result<(), Failure> {
        let mut world = World::default();
        world.queues.expect_leave().times(1).withf(|asked| *asked == ticket()).return_once(|_| answer);
        block_on(world.app().leave(sealed()))
    }

    #[test]
    fn the_store_ends_the_place_and_what_it_says_is_passed_on_r17() {
        assert_eq!(leaving(Ok(Ok(()))), Ok(()));
        assert_eq!(leaving(Ok(Err(Rejection::TokenUnknown))), Err(Failure::Rejected(Rejection::TokenUnknown)));
        assert_eq!(leaving(Err(down())), Err(Failure::Store(down())));
    }
}
