//! The port of the server's key.

use async_trait::async_trait;
use diesel::dsl::{AsSelect, auto_type, insert_into};
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::RunQueryDsl;
use domain::ports::{StoreError, TokenKeyRepository};
use domain::seal::{KeyFingerprint, ServerKey, StoredKey};

use crate::connections::statement::statement;
use crate::schema::token_keys;
use crate::store::PostgresStore;
use crate::tables::columns::inconsistent;

#[derive(Queryable, Selectable)]
#[diesel(table_name = token_keys, check_for_backend(Pg))]
pub(crate) struct TokenKeyRow {
    fingerprint: Vec<u8>,
    generated: Option<Vec<u8>>,
}

/// Reads the key that sealed last.
#[auto_type(no_type_alias)]
pub(crate) fn find_key() -> _ {
    let row: AsSelect<TokenKeyRow, Pg> = TokenKeyRow::as_select();
    token_keys::table.filter(token_keys::id.eq(1_i32)).select(row)
}

/// Keeps the first key; does nothing when there is one.
pub(crate) fn keep_first(key: &StoredKey) -> impl QueryFragment<Pg> + QueryId + Send {
    let (fingerprint, generated) = columns(key);
    let row = (token_keys::id.eq(1_i32), token_keys::fingerprint.eq(fingerprint), token_keys::generated.eq(generated));
    insert_into(token_keys::table).values(row).on_conflict(token_keys::id).do_nothing()
}

statement! {
    /// Keeps a key instead of the one before; does nothing when that is no longer there. By hand, because diesel prepares
    /// an `UPDATE` of its own anew each time.
    KeepNext {
        fingerprint: Vec<u8>, generated: Option<Vec<u8>>, old_fingerprint: Vec<u8>, old_generated: Option<Vec<u8>>,
    } -> () =
    "UPDATE token_keys SET fingerprint = " fingerprint ", generated = " generated "
     WHERE id = 1 AND fingerprint = " old_fingerprint " AND generated IS NOT DISTINCT FROM " old_generated
}

#[async_trait]
impl TokenKeyRepository for PostgresStore {
    async fn stored_key(&self) -> Result<Option<StoredKey>, StoreError> {
        self.read(async |connection| {
            let found = find_key().load::<TokenKeyRow>(&mut &*connection).await?;
            Ok(found.into_iter().next().map(stored_key).transpose()?)
        })
        .await
    }

    async fn keep_key(&self, before: Option<&StoredKey>, key: &StoredKey) -> Result<bool, StoreError> {
        self.read(async |connection| {
            let kept = match before.map(columns) {
                None => keep_first(key).execute(&mut &*connection).await,
                Some((old_fingerprint, old_generated)) => {
                    let (fingerprint, generated) = columns(key);
                    let next = KeepNext { fingerprint, generated, old_fingerprint, old_generated };
                    next.execute(&mut &*connection).await
                }
            };
            Ok(kept? == 1)
        })
        .await
    }
}

fn columns(key: &StoredKey) -> (Vec<u8>, Option<Vec<u8>>) {
    (key.fingerprint.0.to_vec(), key.generated.as_ref().map(|key| key.bytes().to_vec()))
}

fn stored_key(row: TokenKeyRow) -> Result<StoredKey, StoreError> {
    let bytes = |column, bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes)
            .map_err(|bytes| inconsistent("token_keys", column, format!("{} bytes", bytes.len())))
    };
    Ok(StoredKey {
        fingerprint: KeyFingerprint(bytes("fingerprint", row.fingerprint)?),
        generated: row.generated.map(|key| bytes("generated", key)).transpose()?.map(ServerKey::from_bytes),
    })
}
