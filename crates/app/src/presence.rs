//! Who is still there: what this server tells the store of whom it saw (design 5).

use domain::ports::StoreError;
use domain::presence::Sighting;

use crate::App;

impl App {
    /// Tells the store whom this server has seen since it last did so, and that it is there. To be called every
    /// [`note_every`], unless the rules never pass anybody over.
    ///
    /// [`note_every`]: domain::presence::note_every
    pub async fn note_presence(&self) -> Result<(), StoreError> {
        let seen = self.take_sightings();
        let noted = self.ports.presence.note(self.server, &seen).await;
        if noted.is_err() {
            let lines = self.lines.load();
            for sighting in &seen {
                if let Some(queue) = lines.queue(sighting.queue) {
                    queue.sightings.put_back(sighting);
                }
            }
        }
        noted
    }

    /// As [`App::note_presence`], if this server has seen anybody.
    pub(crate) async fn note_sightings(&self) -> Result<(), StoreError> {
        let lines = self.lines.load_full();
        if lines.queues().any(|(_, queue)| queue.sightings.any()) { self.note_presence().await } else { Ok(()) }
    }

    /// Says that this server stops, so that nobody waits for what it has to tell.
    pub async fn say_goodbye(&self) -> Result<(), StoreError> {
        self.ports.presence.forget(self.server).await
    }

    fn take_sightings(&self) -> Vec<Sighting> {
        let mut seen = Vec::new();
        for (number, queue) in self.lines.load().queues() {
            queue.sightings.take(number, queue.known().snapshot.line().frontier + 1, &mut seen);
        }
        seen
    }
}
