//! Who is there.

use async_trait::async_trait;
use domain::ports::{PresenceRepository, StoreError};
use domain::presence::{Sighting, Watch};
use uuid::Uuid;

use super::Reference;

#[async_trait]
impl PresenceRepository for Reference {
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError> {
        let (mut state, now) = self.lock();
        let horizon = now.minus(state.rules.absence).minus(Watch::GIVEN_UP);
        let presence = &mut state.presence;
        let watch = Watch::told(presence.watches.get(&server).copied(), now);
        presence.watches.insert(server, watch);
        presence.watches.retain(|_, watch| watch.is_live(now));
        presence.sightings.extend(seen.iter().map(|sighting| (now, sighting.clone())));
        presence.sightings.retain(|(at, _)| *at >= horizon);
        Ok(())
    }

    async fn forget(&self, server: Uuid) -> Result<(), StoreError> {
        self.lock().0.presence.watches.remove(&server);
        Ok(())
    }
}
