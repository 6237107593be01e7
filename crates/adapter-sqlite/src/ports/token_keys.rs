//! The port of the server's key.

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::ports::{StoreError, TokenKeyRepository};
use domain::seal::{KeyFingerprint, ServerKey, StoredKey};

use crate::SqliteStore;
use crate::connections::statement::{Bind, Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow};

statements! {
    Find = "SELECT fingerprint, generated FROM token_keys WHERE id = 1";
    Keep = "INSERT INTO token_keys (id, fingerprint, generated) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE \
        SET fingerprint = excluded.fingerprint, generated = excluded.generated";
}

#[async_trait]
impl TokenKeyRepository for SqliteStore {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        self.reads().run(|snapshot| find(snapshot.conn)).await
    }

    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        let (before, key) = (before.cloned(), key.clone());
        self.writer()
            .run(move |transaction| {
                if find(transaction.conn)? != before {
                    return Ok(false);
                }
                let fingerprint: &[u8] = &key.fingerprint.0;
                let generated = key.generated.as_ref().map(|key| Bind::Blob(key.bytes()));
                Keep::change_one(transaction.conn, binds![fingerprint, generated])?;
                Ok(true)
            })
            .await
    }
}

fn find(conn: &mut SqliteConnection) -> Result<Option<StoredKey>, StoreError> {
    Find::row(conn, &[])
}

impl FromRow for StoredKey {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            fingerprint: KeyFingerprint(row.bytes(0, ("token_keys", "fingerprint"))?),
            generated: row.bytes_or_null(1, ("token_keys", "generated"))?.map(ServerKey::from_bytes),
        })
    }
}
