//! Loading a concert.

use domain::concert::{CreatedConcert, NewConcert};

use crate::{App, Failure};

impl App {
    /// Loads a concert with its schedules and seats; its queue is made when it is unknown, and known here afterwards.
    pub async fn create_concert(&self, concert: &NewConcert) -> Result<CreatedConcert, Failure> {
        let created = self.ports.concerts.create(concert).await??;
        if self.queue_number(&concert.queue).is_err() {
            self.refresh_directory().await?;
        }
        Ok(created)
    }
}
