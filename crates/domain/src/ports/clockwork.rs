//! The storage of when the clockwork ticked.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;

/// How long a mark of a tick stands before the next one is kept: however many processes tick, they cost no more writes than that.
pub const MARK_FOR: Duration = Duration::from_secs(2);

/// When the clockwork ticked last, whichever process it runs in, so that all know whether one does.
#[async_trait]
pub trait ClockworkRepository: Send + Sync {
    /// Keeps that a tick has been done now, by the store's clock. Writes nothing while a mark that is younger than [`MARK_FOR`]
    /// stands; one of a time to come is replaced, as the clock was set back since.
    async fn ticked(&self) -> Result<(), StoreError>;

    /// The mark that stands; `None` where nobody has ticked yet.
    async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError>;
}
