//! Reads: a pool of connections that cannot write, each read one snapshot, none of them blocked by the writer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use domain::Timestamp;
use domain::ports::{Clock, StoreError};
use tokio::sync::Semaphore;

use crate::connection::{self, Readers};
use crate::statement::{Statement, statements};

statements! {
    Begin = "BEGIN";
    End = "COMMIT";
}

/// How many reads run at once; more wait, which costs no thread.
const AT_ONCE: u32 = 8;
/// How long a connection may take to open: it is a local file.
const OPENING: Duration = Duration::from_secs(5);

/// The pool.
pub(crate) struct Reads {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    turns: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
}

/// One moment of the database, and that moment's time.
pub(crate) struct Snapshot<'c> {
    pub(crate) conn: &'c mut SqliteConnection,
    pub(crate) now: Timestamp,
}

impl Reads {
    /// A pool of connections to the file; opened as they are needed.
    pub(crate) fn new(path: &Path, clock: Arc<dyn Clock>) -> Self {
        let pool = Pool::builder()
            .max_size(AT_ONCE)
            .min_idle(Some(0))
            .connection_timeout(OPENING)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Readers))
            .build_unchecked(ConnectionManager::new(connection::url(path)));
        Self { pool, turns: Arc::new(Semaphore::new(usize::try_from(AT_ONCE).unwrap_or(1))), clock }
    }

    /// Runs `read` on one snapshot, off the async threads.
    pub(crate) async fn run<T, R>(&self, read: R) -> Result<T, StoreError>
    where
        R: FnOnce(&mut Snapshot<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| unavailable(&error))?;
        let (pool, clock) = (self.pool.clone(), Arc::clone(&self.clock));
        let reading = tokio::task::spawn_blocking(move || {
            let answer = pool.get().map_err(|error| unavailable(&error)).and_then(|mut connection| {
                Begin::execute(&mut connection, &[])?;
                let mut snapshot = Snapshot { now: clock.now(), conn: &mut connection };
                let answer = read(&mut snapshot);
                End::execute(&mut connection, &[])?;
                answer
            });
            drop(turn);
            answer
        });
        reading.await.map_err(|error| unavailable(&error))?
    }
}

fn unavailable(error: &dyn std::error::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
