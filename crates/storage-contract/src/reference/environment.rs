//! The server's key, whether the store answers, and when the clockwork ticked.

use async_trait::async_trait;
use domain::Timestamp;
use domain::ports::{ClockworkRepository, MARK_FOR, Probe, StoreError, TokenKeyRepository};
use domain::seal::StoredKey;

use super::Reference;

#[async_trait]
impl TokenKeyRepository for Reference {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.lock().0.server_key.clone())
    }

    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        let (mut state, _) = self.lock();
        let unchanged = state.server_key.as_ref() == before;
        if unchanged {
            state.server_key = Some(key.clone());
        }
        Ok(unchanged)
    }
}

#[async_trait]
impl Probe for Reference {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        Ok(self.lock().1)
    }
}

#[async_trait]
impl ClockworkRepository for Reference {
    async fn ticked(&self) -> Result<(), StoreError> {
        let (mut state, now) = self.lock();
        if state.ticked_at.is_none_or(|last| last > now || now.since(last) >= MARK_FOR) {
            state.ticked_at = Some(now);
        }
        Ok(())
    }

    async fn last_tick(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().0.ticked_at)
    }
}
