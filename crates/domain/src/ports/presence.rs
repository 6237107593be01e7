//! The storage of who is there.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::presence::Sighting;

/// Which servers there are, and whom they saw (R22).
#[async_trait]
pub trait PresenceRepository: Send + Sync {
    /// Keeps in one transaction the numbers that `server` has seen since its last note, and the moment of this note
    /// ([`Watch::told`]) by the store's clock. Removes notes that nobody can need any more.
    ///
    /// [`Watch::told`]: crate::presence::Watch::told
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError>;

    /// `server` stops, so that nobody waits for its next note. The notes that it has sent stay. Does nothing where `server` is
    /// not known.
    async fn forget(&self, server: Uuid) -> Result<(), StoreError>;
}
