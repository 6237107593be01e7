//! The storage of who is there.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::presence::Sighting;

/// Which servers there are, and whom they saw (design 5).
#[async_trait]
pub trait PresenceRepository: Send + Sync {
    /// Notes in one transaction whom `server` has seen since it last did so, and that it tells of itself
    /// ([`Watch::told`]), by the store's clock. What nobody can need any more is removed.
    ///
    /// [`Watch::told`]: crate::presence::Watch::told
    async fn note(&self, server: Uuid, seen: &[Sighting]) -> Result<(), StoreError>;

    /// `server` stops: nobody waits for what it has to tell. Whom it saw stays known. Of a server that is not known it
    /// does nothing.
    async fn forget(&self, server: Uuid) -> Result<(), StoreError>;
}
