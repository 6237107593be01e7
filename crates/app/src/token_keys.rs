//! Which keys a server seals its tokens with: agreed with the store at start (ADR 2).

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

#[cfg(test)]
mod tests {
    use domain::seal::{ServerKey, StoredKey};
    use mockall::Sequence;

    use super::*;
    use crate::mocks::{MockIds, MockKeys, block_on, down};

    fn key(byte: u8) -> ServerKey {
        ServerKey::from_bytes([byte; 32])
    }

    fn generated(byte: u8) -> StoredKey {
        StoredKey { fingerprint: key(byte).fingerprint(), generated: Some(key(byte)) }
    }

    fn only(byte: u8) -> ServerKeys {
        ServerKeys::new(vec![key(byte)]).unwrap()
    }

    fn agree(repository: &MockKeys, configured: Option<ServerKeys>) -> Result<ServerKeys, KeyFailure> {
        let mut ids = MockIds::new();
        ids.expect_random().return_const([3; 16]);
        block_on(agree_on_keys(repository, &ids, configured))
    }

    #[test]
    fn a_new_database_keeps_a_generated_key() {
        let mut repository = MockKeys::new();
        repository.expect_stored().times(1).returning(|| Ok(None));
        let asked = |before: &Option<StoredKey>, kept: &StoredKey| before.is_none() && *kept == generated(3);
        repository.expect_keep().times(1).withf(asked).returning(|_, _| Ok(true));
        assert_eq!(agree(&repository, None), Ok(only(3)));
    }

    /// Of two servers that start at once the later one takes the key that the earlier one kept.
    #[test]
    fn who_comes_second_takes_the_first_ones_key() {
        let (mut repository, mut order) = (MockKeys::new(), Sequence::new());
        repository.expect_stored().times(1).in_sequence(&mut order).returning(|| Ok(None));
        repository.expect_keep().times(1).in_sequence(&mut order).returning(|_, _| Ok(false));
        repository.expect_stored().times(1).in_sequence(&mut order).returning(|| Ok(Some(generated(4))));
        assert_eq!(agree(&repository, None), Ok(only(4)));
    }

    #[test]
    fn a_key_that_is_kept_already_is_not_kept_again() {
        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Ok(Some(StoredKey { generated: None, ..generated(7) })));
        assert_eq!(agree(&repository, Some(only(7))), Ok(only(7)));
    }

    #[test]
    fn a_change_of_keys_replaces_what_was_read() {
        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Ok(Some(StoredKey { generated: None, ..generated(7) })));
        let asked = |before: &Option<StoredKey>, kept: &StoredKey| {
            before.as_ref().is_some_and(|before| before.fingerprint == key(7).fingerprint())
                && kept.fingerprint == key(8).fingerprint()
        };
        repository.expect_keep().times(1).withf(asked).returning(|_, _| Ok(true));
        let both = ServerKeys::new(vec![key(8), key(7)]).unwrap();
        assert_eq!(agree(&repository, Some(both.clone())), Ok(both));
    }

    #[test]
    fn the_next_start_takes_up_the_generated_key() {
        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Ok(Some(generated(7))));
        assert_eq!(agree(&repository, None), Ok(only(7)));
    }

    #[test]
    fn wrong_keys_and_failures_end_it() {
        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Ok(Some(StoredKey { generated: None, ..generated(7) })));
        assert_eq!(agree(&repository, Some(only(8))), Err(KeyFailure::Mismatch(KeyMismatch)));

        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Err(down()));
        assert_eq!(agree(&repository, None), Err(KeyFailure::Store(down())));
        let mut repository = MockKeys::new();
        repository.expect_stored().returning(|| Ok(None));
        repository.expect_keep().returning(|_, _| Err(down()));
        assert_eq!(agree(&repository, None), Err(KeyFailure::Store(down())));
    }
}
