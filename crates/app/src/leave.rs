//! Leaving a waiting line (R17).

use crate::{App, Failure, Holder};

impl App {
    /// Ends a token, in any state, and cancels its user's PENDING reservations in its queue. Polls of this server know of it
    /// when this is answered.
    pub async fn leave(&self, holder: Holder) -> Result<(), Failure> {
        self.ports.queues.leave(holder.ticket).await??;
        // The token has ended, whether or not this server can read it back now.
        drop(self.refreshed().await);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::Rejection;
    use domain::ports::Decided;

    use super::*;
    use crate::mocks::{World, down, holder, run, ticket};

    /// What leaving came to, and how often the lines were read.
    fn leaving(answer: Decided<()>, down: bool) -> (Result<(), Failure>, usize) {
        let mut world = World::default();
        world.queues.expect_leave().times(1).withf(|asked| *asked == ticket()).return_once(|_| answer);
        let lines = Arc::clone(&world.lines);
        let app = world.app();
        lines.set_down(down);
        (run(&app, app.leave(holder())), lines.reads())
    }

    #[test]
    fn the_store_ends_the_place_and_what_it_says_is_passed_on_r17() {
        assert_eq!(leaving(Ok(Ok(())), false), (Ok(()), 2), "polls know of it");
        assert_eq!(leaving(Ok(Ok(())), true), (Ok(()), 2), "what is done is done");
        let refusal = Rejection::TokenUnknown;
        assert_eq!(leaving(Ok(Err(refusal.clone())), false), (Err(Failure::Rejected(refusal)), 1));
        assert_eq!(leaving(Err(down()), false), (Err(Failure::Store(down())), 1));
    }
}
