//! The servers, what they noted, and who is there by that (R22).

use std::collections::BTreeMap;

use domain::presence::{Roll, Sighting, Watch};
use domain::{QueueNumber, Rules, Timestamp};
use uuid::Uuid;

/// The servers, and what they noted when.
#[derive(Default)]
pub(super) struct RollCall {
    pub(super) watches: BTreeMap<Uuid, Watch>,
    pub(super) sightings: Vec<(Timestamp, Sighting)>,
}

impl RollCall {
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
        self.watches.values().any(|watch| watch.told_lately(now))
    }
}
