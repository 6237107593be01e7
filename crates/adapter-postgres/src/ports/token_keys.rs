//! The ports of the server's key and of whether the store answers.

use async_trait::async_trait;
use diesel::sql_types::{Binary, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Timestamp;
use domain::ports::{Probe, StoreError, TokenKeyRepository};
use domain::seal::{KeyFingerprint, ServerKey, StoredKey};
use time::OffsetDateTime;

use crate::connections::statement::statement;
use crate::store::{PostgresStore, unavailable};
use crate::tables::rows::inconsistent;

statement! {
    /// The key that sealed last.
    FindKey {} -> (Binary, Nullable<Binary>) = "SELECT fingerprint, generated FROM token_keys WHERE id = 1"
}

statement! {
    /// Keeps the first key; nothing when there is one.
    KeepFirst { fingerprint: Vec<u8>, generated: Option<Vec<u8>> } -> () =
    "INSERT INTO token_keys (id, fingerprint, generated) VALUES (1, " fingerprint ", " generated ")
     ON CONFLICT (id) DO NOTHING"
}

statement! {
    /// Keeps a key instead of the one before; nothing when that is no longer there.
    KeepNext {
        fingerprint: Vec<u8>, generated: Option<Vec<u8>>, old_fingerprint: Vec<u8>, old_generated: Option<Vec<u8>>,
    } -> () =
    "UPDATE token_keys SET fingerprint = " fingerprint ", generated = " generated "
     WHERE id = 1 AND fingerprint = " old_fingerprint " AND generated IS NOT DISTINCT FROM " old_generated
}

statement! {
    /// Whether the tables are there, and what time it is.
    Ping {} -> Timestamptz = "SELECT clock_timestamp() FROM (SELECT count(*) FROM token_keys) AS there"
}

#[async_trait]
impl TokenKeyRepository for PostgresStore {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let found = FindKey {}.load::<(Vec<u8>, Option<Vec<u8>>)>(&mut &*connection).await.map_err(unavailable)?;
            found.into_iter().next().map(stored_key).transpose()
        })
        .await
    }

    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let (fingerprint, generated) = columns(key);
            let kept = match before.map(columns) {
                None => KeepFirst { fingerprint, generated }.execute(&mut &*connection).await,
                Some((old_fingerprint, old_generated)) => {
                    let next = KeepNext { fingerprint, generated, old_fingerprint, old_generated };
                    next.execute(&mut &*connection).await
                }
            };
            Ok(kept.map_err(unavailable)? == 1)
        })
        .await
    }
}

#[async_trait]
impl Probe for PostgresStore {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        self.in_time(async {
            let connection = self.connection().await?;
            let now = Ping {}.get_result::<OffsetDateTime>(&mut &*connection).await.map_err(unavailable)?;
            Ok(self.0.environment.now(now))
        })
        .await
    }
}

fn columns(key: &StoredKey) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.fingerprint.0.to_vec(), key.generated.as_ref().map(|key| key.bytes().to_vec()))
}

fn stored_key((fingerprint, generated): (Vec<u8>, Option<Vec<u8>>)) -> Result<StoredKey, StoreError> {
    let bytes = |column, bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes)
            .map_err(|bytes| inconsistent("token_keys", column, format!("{} bytes", bytes.len())))
    };
    Ok(StoredKey {
        fingerprint: KeyFingerprint(bytes("fingerprint", fingerprint)?),
        generated: generated.map(|key| bytes("generated", key)).transpose()?.map(ServerKey::from_bytes),
    })
}
