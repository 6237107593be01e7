//! Who is there.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::ports::{PresenceRepository, StoreError};
use domain::presence::{Roll, Sighting, Watch};
use domain::{QueueNumber, Rules, Timestamp};
use uuid::Uuid;

use super::Reference;

/// The servers, and what they noted when.
#[derive(Default)]
pub(super) struct Presence {
    watches: BTreeMap<Uuid, Watch>,
    sightings: Vec<(Timestamp, Sighting)>,
}

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

impl Presence {
    /// Who of a queue is there.
    pub(super) fn roll(&self, queue: QueueNumber, rules: &Rules, now: Timestamp) -> Roll {
        let watches: Vec<Watch> = self.watches.values().copied().collect();
        let mut roll = Roll::since(Watch::judges_since(&watches, rules.absence, now));
        if let Some(since) = roll.judges_since() {
            for (_, sighting) in self.sightings.iter().filter(|(at, of)| of.queue == queue && *at >= since) {
                roll.add(sighting.chunk, &sighting.seen);
            }
        }
        roll
    }

    /// Whether a server tells of itself.
    pub(super) fn is_watched(&self, now: Timestamp) -> bool {
        self.watches.values().any(|watch| now.since(watch.last) <= Watch::GAP)
    }
}
