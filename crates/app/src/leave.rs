//! Leaving a waiting line (R17).

use domain::seal::SealedToken;

use crate::{App, Failure};

impl App {
    /// Ends a token, in any state, and cancels its user's PENDING reservations in its queue.
    pub async fn leave(&self, token: SealedToken) -> Result<(), Failure> {
        let ticket = self.open(token)?;
        Ok(self.ports.queues.leave(ticket).await??)
    }
}
