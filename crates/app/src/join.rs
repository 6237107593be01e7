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
