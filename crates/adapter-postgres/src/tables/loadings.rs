//! Rows of `loadings`: what was loaded under which key (R15).

use diesel::dsl::{AsSelect, auto_type, insert_into};
use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use domain::concert::Loaded;
use domain::ports::StoreError;
use domain::{ConcertId, Fingerprint, IdempotencyKey, Timestamp};
use uuid::Uuid;

use crate::schema::{loadings, schedules};
use crate::tables::columns::{self, inconsistent, queue_number};

/// A row of `loadings`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = loadings, check_for_backend(Pg))]
pub(crate) struct LoadingRow {
    fingerprint: Vec<u8>,
    queue: i32,
    concert_id: Uuid,
}

impl LoadingRow {
    pub(crate) fn loaded(self) -> Result<Loaded, StoreError> {
        let fingerprint = <[u8; 32]>::try_from(self.fingerprint);
        Ok(Loaded {
            fingerprint: fingerprint
                .map(Fingerprint)
                .map_err(|bytes| inconsistent("loadings", "fingerprint", format!("{} bytes", bytes.len())))?,
            queue: queue_number("loadings", self.queue)?,
            concert: ConcertId::new(self.concert_id),
        })
    }
}

/// Reads what was loaded under a key.
#[auto_type(no_type_alias)]
pub(crate) fn find_loading(key: String) -> _ {
    let row: AsSelect<LoadingRow, Pg> = LoadingRow::as_select();
    loadings::table.filter(loadings::idempotency_key.eq(key)).select(row)
}

/// Keeps what is being loaded under a key; does nothing when another server has. It waits for a server that is about to.
pub(crate) fn insert_loading(
    key: &IdempotencyKey,
    loaded: &Loaded,
    now: Timestamp,
) -> impl QueryFragment<Pg> + QueryId + Send + use<> {
    let row = (
        loadings::idempotency_key.eq(key.as_str().to_owned()),
        loadings::fingerprint.eq(loaded.fingerprint.0.to_vec()),
        loadings::queue.eq(columns::queue(loaded.queue)),
        loadings::concert_id.eq(loaded.concert.uuid()),
        loadings::loaded_at.eq(now.to_utc()),
    );
    insert_into(loadings::table).values(row).on_conflict(loadings::idempotency_key).do_nothing()
}

/// Reads the schedules of a concert in the order in which they were loaded: ids grow with time.
#[auto_type(no_type_alias)]
pub(crate) fn find_loaded_schedules(queue: i32, concert: Uuid) -> _ {
    schedules::table
        .filter(schedules::queue.eq(queue))
        .filter(schedules::concert_id.eq(concert))
        .order(schedules::id)
        .select(schedules::id)
}
