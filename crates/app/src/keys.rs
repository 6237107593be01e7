//! Which keys a server seals its tokens with: agreed with the store at start (design 5).

use domain::ports::{IdGenerator, StoreError, TokenKeyRepository};
use domain::seal::{KeyMismatch, ServerKeys};

/// Why a server has no keys to start with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFailure {
    /// The operator's keys are not the store's.
    #[error(transparent)]
    Mismatch(#[from] KeyMismatch),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Agrees with the store on this server's keys: the operator's, or the one that was generated for this database.
///
/// Of servers that start at once on a new database one generates the key, and the others take it.
pub async fn agree_on_keys(
    repository: &dyn TokenKeyRepository,
    ids: &dyn IdGenerator,
    configured: Option<ServerKeys>,
) -> Result<ServerKeys, KeyFailure> {
    loop {
        let stored = repository.stored_key().await?;
        let mut fresh = [0; 32];
        for (to, from) in fresh.iter_mut().zip(ids.random().into_iter().chain(ids.random())) {
            *to = from;
        }
        let (keys, keep) = ServerKeys::agree(configured.clone(), stored.as_ref(), fresh)?;
        let agreed = match &keep {
            Some(key) => repository.keep_key(stored.as_ref(), key).await?,
            None => true,
        };
        if agreed {
            return Ok(keys);
        }
    }
}
