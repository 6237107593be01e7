//! Time, randomness, the server's key and whether the store answers.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::Timestamp;
use crate::seal::StoredKey;

/// The time. Injected, so that tests move it instead of waiting.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Ids and randomness. Injected, so that tests repeat.
pub trait IdGenerator: Send + Sync {
    /// A new `UUIDv7`, never given before.
    fn next_id(&self) -> Uuid;

    /// 128 bits nobody can foresee.
    fn random(&self) -> [u8; 16];
}

/// Where the key that sealed last is remembered.
#[async_trait]
pub trait TokenKeyRepository: Send + Sync {
    /// What was kept last; `None` in a database no server has used.
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError>;

    /// Keeps `key` instead of what was kept before. When another server has kept one since `before` was read, nothing
    /// is written and the answer is `false`.
    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError>;
}

/// Whether the store answers, and what time it has.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Asks the store for the time its rules go by. Writes nothing.
    ///
    /// MUST fail with [`StoreError::Full`] while a write of this server has failed of that lately ([`Disk`](super::Disk)).
    async fn store_time(&self) -> Result<Timestamp, StoreError>;
}
