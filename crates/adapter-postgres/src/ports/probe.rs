//! The port of whether the store answers.

use std::time::Instant;

use async_trait::async_trait;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use domain::Timestamp;
use domain::ports::{Probe, StoreError};
use time::OffsetDateTime;

use crate::connections::statement::statement;
use crate::store::PostgresStore;

statement! {
    /// Reads the time, and fails when the tables are not there.
    Ping {} -> Timestamptz = "SELECT clock_timestamp() FROM (SELECT count(*) FROM token_keys) AS there"
}

#[async_trait]
impl Probe for PostgresStore {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        if self.0.connections.disk().is_full(Instant::now()) {
            return Err(StoreError::Full);
        }
        self.read(async |connection| {
            let now = Ping {}.get_result::<OffsetDateTime>(&mut &*connection).await?;
            Ok(self.0.environment.now(now))
        })
        .await
    }
}
