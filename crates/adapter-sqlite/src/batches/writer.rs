//! Group commit: one thread that writes, in batches, and answers only after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::sql_types::Integer;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use domain::ports::{Disk, MOST_IN_BATCH, MOST_WAITING, PATIENCE, StoreError};
use metrics::{counter, histogram};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use crate::batches::command::{Asked, Envelope};
use crate::batches::transaction::Transaction;
use crate::connections::statement::{Begin, Commit, Rollback, Statement};
use crate::environment::Environment;
use crate::file::ServedFile;

/// How much a store takes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many commands may wait; one more is refused.
    pub(crate) waiting: usize,
    /// How many commands one batch takes at most.
    pub(crate) batch: usize,
    /// How long a command may wait for its batch, and a read for its turn; later it is refused.
    pub(crate) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { waiting: MOST_WAITING, batch: MOST_IN_BATCH, patience: PATIENCE }
    }
}

/// Opens the connection that writes; again after one was lost.
pub(crate) type Connect = Box<dyn FnMut() -> Result<SqliteConnection, StoreError> + Send>;

/// Where commands are handed in. Ends its thread, what waits being done first, when it is dropped.
pub(crate) struct Writer {
    /// `None` once it is shut down.
    commands: Mutex<Option<mpsc::Sender<Envelope>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    disk: Arc<Disk>,
}

impl Writer {
    /// Starts the thread, which gives the file back in the end.
    pub(crate) fn start(
        connect: Connect,
        environment: Environment,
        limits: Limits,
        file: Arc<ServedFile>,
    ) -> std::io::Result<Self> {
        let (sender, commands) = mpsc::channel(limits.waiting);
        let disk = Arc::new(Disk::default());
        let (full, served) = (Arc::clone(&disk), Arc::clone(&file));
        let mut thread = Thread { connect, connection: None, environment, limits, file: served, disk: full };
        let thread = std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            thread.serve(commands);
            thread.finish();
            drop(thread);
            file.release();
        })?;
        Ok(Self { commands: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), disk })
    }

    /// Runs `work` in the next batch.
    pub(crate) async fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Asked::new(work, reply));
        self.send(Envelope { command, sent: Instant::now() })?;
        answer.await.map_err(|_gone| StoreError::Unavailable("the writer stopped".to_owned()))?
    }

    /// Whether commands are taken.
    pub(crate) fn is_open(&self) -> bool {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.as_ref().is_some_and(|commands| !commands.is_closed())
    }

    /// Whether something could not be written lately, as there was no room for it.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.disk.is_full(now)
    }

    /// Takes no more commands, and returns when those that wait are done.
    pub(crate) fn shutdown(&self) {
        drop(self.commands.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            error!("the writer's thread panicked");
        }
    }

    fn send(&self, envelope: Envelope) -> Result<(), StoreError> {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = commands.as_ref().ok_or_else(|| StoreError::Unavailable("the store is shut down".to_owned()))?;
        commands.try_send(envelope).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable("the writer stopped".to_owned()),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What copying the log came to.
#[derive(QueryableByName)]
struct Copied {
    /// Not 0 when it was not copied whole.
    #[diesel(sql_type = Integer)]
    busy: i32,
}

/// The thread's side.
struct Thread {
    connect: Connect,
    /// `None` until the first batch and after one could not be ended.
    connection: Option<SqliteConnection>,
    environment: Environment,
    limits: Limits,
    file: Arc<ServedFile>,
    disk: Arc<Disk>,
}

impl Thread {
    fn serve(&mut self, mut commands: mpsc::Receiver<Envelope>) {
        let mut waiting = Vec::new();
        while commands.blocking_recv_many(&mut waiting, self.limits.batch) > 0 {
            self.work_off(waiting.drain(..));
        }
    }

    /// Brings what was committed into the file itself, all of it: a part alone is no database. Closing the connections does
    /// that too, if every one is closed, and from the log that has the name now. Waits for those who read an older state.
    fn finish(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        match sql_query("PRAGMA wal_checkpoint(FULL)").get_result(connection) {
            Ok(Copied { busy: 0 }) => {}
            Ok(_) => {
                warn!("somebody reads the database, so that its log is not copied into the file; keep both together");
            }
            Err(error) => error!(%error, "the log could not be copied into the database file; keep both together"),
        }
    }

    /// One batch, from taking it to answering it.
    fn work_off(&mut self, taken: impl Iterator<Item = Envelope>) {
        let taken_at = Instant::now();
        let (mut batch, late): (Vec<_>, Vec<_>) =
            taken.partition(|envelope| taken_at.duration_since(envelope.sent) < self.limits.patience);
        for envelope in late {
            envelope.command.answer(Err(StoreError::Overloaded));
        }
        if batch.is_empty() {
            return;
        }
        // Neither a panic in a command nor one around it ends the thread: the batch is rolled back and answered.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.transact(&mut batch))).unwrap_or_else(|_panic| {
            // What state the connection is in is anybody's guess.
            self.connection = None;
            Err(StoreError::Unavailable("the batch panicked".to_owned()))
        });
        if let Err(failure) = &outcome {
            error!(%failure, commands = batch.len(), "a batch was rolled back");
        }
        note(&batch);
        for envelope in batch {
            envelope.command.answer(outcome.clone());
        }
    }

    fn transact(&mut self, batch: &mut [Envelope]) -> Result<(), StoreError> {
        // Into a file that is not the one that was opened nothing is written. And what was written while it went away is not
        // answered with success.
        self.file.check()?;
        self.commit(batch)?;
        self.file.check()
    }

    fn commit(&mut self, batch: &mut [Envelope]) -> Result<(), StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.connect)()?,
        };
        Begin::execute(&mut connection, &[])?;
        let (now, environment) = (self.environment.clock.now(), &self.environment);
        let mut transaction = Transaction::new(&mut connection, now, &environment.rules, &*environment.ids);
        let worked = work(&mut transaction, batch, &self.disk);
        let counts = (transaction.admitted, transaction.expired);
        let ended = worked.and_then(|()| Commit::execute(&mut connection, &[]));
        match ended {
            Ok(_) => {
                counter!("usher_admitted_total").increment(counts.0);
                counter!("usher_tokens_expired_total").increment(counts.1);
            }
            // A fault may have ended the transaction already; a connection that cannot go back is not used again.
            Err(failure) => {
                if Rollback::execute(&mut connection, &[]).is_ok() {
                    self.connection = Some(connection);
                }
                if failure == StoreError::Full {
                    self.disk.was_full(Instant::now());
                }
                return Err(as_unavailable(failure));
            }
        }
        self.connection = Some(connection);
        Ok(())
    }
}

/// Everything between BEGIN and COMMIT.
fn work(transaction: &mut Transaction<'_>, batch: &mut [Envelope], disk: &Disk) -> Result<(), StoreError> {
    for Envelope { command, .. } in batch {
        transaction.save()?;
        let done = catch_unwind(AssertUnwindSafe(|| command.run(transaction)))
            .unwrap_or_else(|_panic| Err(StoreError::Unavailable("the command panicked".to_owned())));
        match done {
            Ok(()) => transaction.release()?,
            Err(failure) => {
                error!(%failure, "a command was rolled back");
                if failure == StoreError::Full {
                    disk.was_full(Instant::now());
                }
                transaction.roll_back()?;
                command.fail(failure);
            }
        }
    }
    transaction.write_queues()
}

fn note(batch: &[Envelope]) {
    histogram!("usher_batch_size").record(domain::count(batch.len()));
    let waited = histogram!("usher_queue_to_commit_seconds");
    for envelope in batch {
        waited.record(envelope.sent.elapsed());
    }
}

/// A batch is rolled back whole: for all but the command at fault it is no news of a row.
fn as_unavailable(failure: StoreError) -> StoreError {
    match failure {
        inconsistent @ StoreError::Inconsistent { .. } => StoreError::Unavailable(inconsistent.to_string()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as std_mpsc;

    use diesel::connection::SimpleConnection;
    use domain::Rules;
    use storage_contract::{SeededIds, TestClock};

    use super::*;
    use crate::connections::statement::failure;

    fn writer(limits: Limits) -> (tempfile::TempDir, Writer) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let file = Arc::new(ServedFile::lock(&path).unwrap());
        let connect = Box::new(move || Ok(crate::open::connect(&path).unwrap()));
        let environment = Environment {
            clock: Arc::new(TestClock::new(domain::Timestamp::from_micros(0))),
            ids: Arc::new(SeededIds::new(1)),
            rules: Arc::new(Rules::default()),
        };
        (directory, Writer::start(connect, environment, limits, file).unwrap())
    }

    #[tokio::test]
    async fn a_full_channel_refuses_and_what_waits_is_done() {
        let (_directory, writer) = writer(Limits { waiting: 1, ..Limits::default() });
        let writer = Arc::new(writer);
        let (started, has_started) = std_mpsc::channel();
        let (go_on, wait) = std_mpsc::channel::<()>();
        let busy = writer.run(move |_| {
            started.send(()).unwrap();
            wait.recv().unwrap();
            Ok(1)
        });
        let mut busy = Box::pin(busy);
        assert!(poll_once(busy.as_mut()).is_none(), "sent");
        has_started.recv().unwrap();
        let mut waits = Box::pin(writer.run(|_| Ok(2)));
        assert!(poll_once(waits.as_mut()).is_none(), "has the only place");
        assert_eq!(writer.run(|_| Ok(3)).await, Err(StoreError::Overloaded));
        go_on.send(()).unwrap();
        assert_eq!((busy.await, waits.await), (Ok(1), Ok(2)));
    }

    #[tokio::test]
    async fn a_command_that_waited_too_long_is_not_executed() {
        let (_directory, writer) = writer(Limits { patience: Duration::ZERO, ..Limits::default() });
        let (ran, has_run) = std_mpsc::channel();
        let late = writer.run(move |_| {
            ran.send(()).unwrap();
            Ok(())
        });
        assert_eq!(late.await, Err(StoreError::Overloaded));
        assert!(has_run.recv().is_err(), "it was dropped without having run");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_its_command_and_the_thread_goes_on_p2() {
        let (_directory, writer) = writer(Limits::default());
        let broken = writer.run(|_| -> Result<(), StoreError> { panic!("injected") }).await;
        assert!(matches!(broken, Err(StoreError::Unavailable(_))), "{broken:?}");
        assert_eq!(writer.run(|_| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_command_goes_on_when_its_caller_goes_away_and_before_a_shutdown() {
        let (_directory, writer) = writer(Limits::default());
        let (ran, has_run) = std_mpsc::channel();
        let mut gone = Box::pin(writer.run(move |_| {
            ran.send(()).unwrap();
            Ok(())
        }));
        assert!(poll_once(gone.as_mut()).is_none());
        drop(gone);
        writer.shutdown();
        assert_eq!(has_run.recv(), Ok(()));
        assert!(!writer.is_open());
        assert!(matches!(writer.run(|_| Ok(())).await, Err(StoreError::Unavailable(_))));
    }

    /// As on a disk without room: the file may not grow, and goes on as soon as it may again.
    #[tokio::test]
    async fn what_has_no_room_fails_and_the_next_succeeds_when_there_is_room() {
        let (_directory, writer) = writer(Limits::default());
        let limit = async |pages: u64| {
            let limit = format!("PRAGMA max_page_count = {pages}");
            let set = writer.run(move |transaction| transaction.conn.batch_execute(&limit).map_err(failure));
            set.await.unwrap();
        };
        let write = || writer.run(|transaction| transaction.conn.batch_execute(BIG).map_err(failure));
        let begun = Instant::now();
        limit(1).await;
        assert!(!writer.is_full(begun));
        assert_eq!(write().await, Err(StoreError::Full));
        assert!(writer.is_full(begun) && !writer.is_full(Instant::now() + Disk::FULL_FOR));
        limit(1_000_000).await;
        assert_eq!(write().await, Ok(()));
    }

    /// More than the pages that the file has to spare.
    const BIG: &str = "CREATE TABLE big (b BLOB); INSERT INTO big VALUES (zeroblob(1000000))";

    #[tokio::test]
    async fn into_a_file_that_is_gone_nothing_is_written_and_nothing_answered_with_success() {
        let (directory, writer) = writer(Limits::default());
        let (file, elsewhere) = (directory.path().join("usher.db"), directory.path().join("elsewhere.db"));
        assert_eq!(writer.run(|_| Ok(1)).await, Ok(1));
        // In the midst of a batch.
        let moved = writer.run(move |_| std::fs::rename(&file, &elsewhere).map_err(|error| unavailable(&error))).await;
        assert!(matches!(&moved, Err(StoreError::Unavailable(why)) if why.contains("was moved")), "{moved:?}");
        let (ran, has_run) = std_mpsc::channel();
        let after = writer.run(move |_| ran.send(()).map_err(|error| unavailable(&error))).await;
        assert_eq!(after.map_err(|error| error.to_string()), moved.map_err(|error| error.to_string()));
        assert!(has_run.recv().is_err(), "it was not begun");
    }

    fn unavailable(error: &dyn std::error::Error) -> StoreError {
        StoreError::Unavailable(error.to_string())
    }

    /// Polls once, so that the command is sent.
    fn poll_once<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
