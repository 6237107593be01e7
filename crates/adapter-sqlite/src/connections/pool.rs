//! Reads: a pool of connections that cannot write, each read one snapshot, none of them blocked by the writer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use domain::Timestamp;
use domain::ports::{Clock, StoreError};
use tokio::sync::Semaphore;

use crate::connections::session::{self, Readers};
use crate::connections::statement::{BeginRead, Commit, Statement};

/// How many reads run at once; more wait, which costs no thread.
const AT_ONCE: u32 = 8;
/// How long a connection may take to open: it is a local file.
const OPENING: Duration = Duration::from_secs(5);

/// The pool.
pub(crate) struct Reads {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    turns: Arc<Semaphore>,
    patience: Duration,
    clock: Arc<dyn Clock>,
}

/// One moment of the database, and that moment's time.
pub(crate) struct Snapshot<'c> {
    pub(crate) conn: &'c mut SqliteConnection,
    pub(crate) now: Timestamp,
}

impl Reads {
    /// A pool of connections to the file, opened now and kept: a crowd should not wait for their opening. A read that waits
    /// for its turn longer than `patience` is refused.
    pub(crate) fn new(path: &Path, clock: Arc<dyn Clock>, patience: Duration) -> Self {
        let pool = Pool::builder()
            .max_size(AT_ONCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connection_timeout(OPENING)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Readers))
            .build_unchecked(ConnectionManager::new(session::url(path)));
        let turns = Arc::new(Semaphore::new(usize::try_from(AT_ONCE).unwrap_or(1)));
        Self { pool, turns, patience, clock }
    }

    /// Runs `read` on one snapshot, off the async threads. [`StoreError::Overloaded`] when its turn does not come in time.
    pub(crate) async fn run<T, R>(&self, read: R) -> Result<T, StoreError>
    where
        R: FnOnce(&mut Snapshot<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned());
        let turn = turn.await.map_err(|_late| StoreError::Overloaded)?.map_err(|error| unavailable(&error))?;
        let (pool, clock) = (self.pool.clone(), Arc::clone(&self.clock));
        let reading = tokio::task::spawn_blocking(move || {
            let answer = pool.get().map_err(|error| unavailable(&error)).and_then(|mut connection| {
                BeginRead::execute(&mut connection, &[])?;
                let mut snapshot = Snapshot { now: clock.now(), conn: &mut connection };
                let answer = read(&mut snapshot);
                Commit::execute(&mut connection, &[])?;
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use storage_contract::TestClock;

    use super::*;

    #[tokio::test]
    async fn a_read_whose_turn_does_not_come_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let clock = Arc::new(TestClock::new(Timestamp::from_micros(0)));
        let reads = Arc::new(Reads::new(&path, clock, Duration::ZERO));
        let (started, mut have_started) = tokio::sync::mpsc::unbounded_channel();
        let mut busy = Vec::new();
        for n in 0..AT_ONCE {
            let (go_on, wait) = mpsc::channel::<()>();
            let (reads, started) = (Arc::clone(&reads), started.clone());
            let read = tokio::spawn(async move {
                let read = move |_: &mut Snapshot<'_>| {
                    started.send(()).unwrap();
                    wait.recv().unwrap();
                    Ok(n)
                };
                reads.run(read).await
            });
            busy.push((n, go_on, read));
        }
        for _ in 0..AT_ONCE {
            have_started.recv().await.unwrap();
        }
        assert_eq!(reads.run(|_| Ok(())).await, Err(StoreError::Overloaded), "all turns are taken");
        for (n, go_on, read) in busy {
            go_on.send(()).unwrap();
            assert_eq!(read.await.unwrap(), Ok(n));
        }
        assert_eq!(reads.run(|_| Ok(())).await, Ok(()), "a turn that is free is not waited for");
    }
}
