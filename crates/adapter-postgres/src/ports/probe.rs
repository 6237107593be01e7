//! The port of whether the store answers.

use std::time::Instant;

use async_trait::async_trait;
use diesel::sql_types::{Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use domain::Timestamp;
use domain::ports::{Probe, StoreError};
use time::OffsetDateTime;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::store::PostgresStore;

/// What is wrong with a server that only answers reads.
const READ_ONLY: &str = "the database takes no writes: default_transaction_read_only is on";

statement! {
    /// Reads the time, and fails when the tables are not there; NULL where nothing can be written.
    Ping {} -> Nullable<Timestamptz> =
    "SELECT CASE current_setting('transaction_read_only') WHEN 'off' THEN clock_timestamp() END
     FROM (SELECT count(*) FROM token_keys) AS there"
}

#[async_trait]
impl Probe for PostgresStore {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        if self.0.connections.disk().is_full(Instant::now()) {
            return Err(StoreError::Full);
        }
        self.read(async |connection| {
            let Some(now) = Ping {}.get_result::<Option<OffsetDateTime>>(&mut &*connection).await? else {
                // The next session may be one that takes writes, of another host perhaps.
                drop(connection);
                self.0.connections.drop_idle();
                return Err(BatchError::Lost(READ_ONLY.to_owned()));
            };
            Ok(self.0.environment.now(now))
        })
        .await
    }
}
