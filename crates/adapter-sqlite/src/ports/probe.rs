//! The port of whether the store answers.

use std::time::Instant;

use async_trait::async_trait;
use domain::Timestamp;
use domain::ports::{Probe, StoreError};

use crate::SqliteStore;
use crate::connections::statement::{Statement, statements};
use crate::tables::columns::Count;

statements! {
    Ping: Walks = "SELECT COUNT(*) FROM token_keys";
}

#[async_trait]
impl Probe for SqliteStore {
    async fn store_time(&self) -> Result<Timestamp, StoreError> {
        if !self.writer().is_open() {
            return Err(StoreError::Unavailable("the writer stopped".to_owned()));
        }
        self.file().check()?;
        let now =
            self.reads().run(|snapshot| Ping::row::<Count>(snapshot.conn, &[]).map(|_count| snapshot.now)).await?;
        if self.writer().is_full(Instant::now()) { Err(StoreError::Full) } else { Ok(now) }
    }
}
