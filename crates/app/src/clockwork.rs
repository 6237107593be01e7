//! The clockwork: what time brings about without anybody asking (R3, R10).

use domain::ports::{Admitted, StoreError};

use crate::App;

/// What one tick did; a part that failed does not keep the other from its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The queues in which tokens were expired or admitted.
    pub lines: Result<Vec<Admitted>, StoreError>,
    /// How many reservations ran out.
    pub released: Result<u64, StoreError>,
    /// Whether the queues could be read anew, as another server may have made one.
    pub directory: Result<(), StoreError>,
}

impl App {
    /// Frees what was not paid, then admits who is next. Any number of servers may do so at once.
    pub async fn tick(&self) -> Tick {
        let released = self.ports.reservations.release_expired().await;
        let lines = self.ports.queues.admit().await;
        let directory = self.refresh_directory().await;
        let now = self.ports.clock.now();
        for line in lines.iter().flatten() {
            self.observe_pace(line.queue, now, line.line.admitted, 0);
        }
        Tick { lines, released, directory }
    }
}
