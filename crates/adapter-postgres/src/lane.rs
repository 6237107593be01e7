//! Lanes: a bounded channel and a task that takes whatever is waiting in it into one transaction (design 2.2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error};
use domain::ports::StoreError;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::pool::{Connections, Fate};

/// The most commands of one batch.
const BATCH: usize = 512;
/// How many commands may wait before the next one is turned away.
const WAITING: usize = 8_192;
/// How long a command may wait unstarted.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a batch is tried again.
const RETRIES: u32 = 5;

/// Why a batch was not committed.
#[derive(Debug)]
pub(crate) enum BatchError {
    /// The database refused; nothing was committed.
    Refused(Error),
    /// The connection was lost before COMMIT; nothing was committed.
    Lost(Error),
    /// The connection was lost with COMMIT on its way: the transaction of this id tells.
    Unsure(Error, String),
    /// What was read is not what the schema promises, or the like: trying again will not help.
    Store(StoreError),
}

impl From<Error> for BatchError {
    fn from(error: Error) -> Self {
        match &error {
            Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _) => {
                Self::Lost(error)
            }
            Error::DatabaseError(..) => Self::Refused(error),
            other => Self::Store(StoreError::Unavailable(other.to_string())),
        }
    }
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What runs the batches of a lane.
#[async_trait::async_trait]
pub(crate) trait Executor: Send + Sync + 'static {
    type Command: Send + Sync + 'static;
    type Answer: Send + 'static;

    /// Runs a batch in one transaction and commits it: one answer a command, in their order.
    async fn execute(
        &self,
        conn: &diesel_async::AsyncPgConnection,
        commands: &[Self::Command],
    ) -> Result<Vec<Self::Answer>, BatchError>;
}

struct Envelope<E: Executor> {
    command: E::Command,
    since: Instant,
    reply: oneshot::Sender<Result<E::Answer, StoreError>>,
}

/// Where commands of one kind are handed in.
pub(crate) struct Lane<E: Executor>(mpsc::Sender<Envelope<E>>);

impl<E: Executor> Clone for Lane<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E: Executor> Lane<E> {
    /// Starts the lane's task; it ends when the last handle is gone.
    pub(crate) fn start(executor: E, connections: Arc<Connections>, ids: Arc<dyn domain::ports::IdGenerator>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(Worker { executor, connections, ids }.run(receiver));
        Self(sender)
    }

    /// Hands a command in and waits for its batch. A caller that goes away does not stop it.
    pub(crate) async fn submit(&self, command: E::Command) -> Result<E::Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        let envelope = Envelope { command, since: Instant::now(), reply };
        self.0.try_send(envelope).map_err(|_full| StoreError::Overloaded)?;
        answer.await.map_err(|_gone| StoreError::Unavailable("the lane ended".to_owned()))?
    }
}

struct Worker<E> {
    executor: E,
    connections: Arc<Connections>,
    ids: Arc<dyn domain::ports::IdGenerator>,
}

impl<E: Executor> Worker<E> {
    async fn run(self, mut waiting: mpsc::Receiver<Envelope<E>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (mut commands, mut replies) = (Vec::new(), Vec::new());
            for envelope in batch.drain(..) {
                if envelope.since.elapsed() >= PATIENCE {
                    reply(envelope.reply, Err(StoreError::Overloaded));
                } else {
                    metrics::histogram!("usher_queue_to_start_seconds").record(envelope.since.elapsed());
                    commands.push(envelope.command);
                    replies.push((envelope.since, envelope.reply));
                }
            }
            if commands.is_empty() {
                continue;
            }
            metrics::histogram!("usher_batch_size").record(u32::try_from(commands.len()).unwrap_or(u32::MAX));
            for ((since, to), answer) in replies.into_iter().zip(self.settle(&commands).await) {
                metrics::histogram!("usher_queue_to_commit_seconds").record(since.elapsed());
                reply(to, answer);
            }
        }
    }

    /// Runs a batch until it is committed or given up; one by one when a command of it poisons the others.
    async fn settle(&self, commands: &[E::Command]) -> Vec<Result<E::Answer, StoreError>> {
        match self.attempt(commands).await {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(BatchError::Refused(_)) if commands.len() > 1 => {
                let mut answers = Vec::with_capacity(commands.len());
                for command in commands.chunks(1) {
                    let answer = self.attempt(command).await.and_then(|answers| {
                        answers.into_iter().next().ok_or(BatchError::Store(StoreError::Unavailable("no answer".to_owned())))
                    });
                    answers.push(answer.map_err(store_error));
                }
                answers
            }
            Err(error) => {
                let error = store_error(error);
                commands.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn attempt(&self, commands: &[E::Command]) -> Result<Vec<E::Answer>, BatchError> {
        let mut tries = 0;
        loop {
            let error = match self.once(commands).await {
                Ok(answers) => return Ok(answers),
                Err(error) => error,
            };
            let again = match &error {
                BatchError::Lost(_) => true,
                BatchError::Refused(error) => is_transient(error),
                BatchError::Unsure(_, transaction) => {
                    matches!(self.connections.fate(transaction).await, Ok(Fate::Aborted))
                }
                BatchError::Store(_) => false,
            };
            tries += 1;
            if !again || tries > RETRIES {
                return Err(error);
            }
            metrics::counter!("usher_batch_retries_total").increment(1);
            let [jitter, ..] = self.ids.random();
            tokio::time::sleep(Duration::from_millis(u64::from(tries) * 5 + u64::from(jitter) / 16)).await;
        }
    }

    async fn once(&self, commands: &[E::Command]) -> Result<Vec<E::Answer>, BatchError> {
        let connection = self.connections.get().await?;
        let outcome = self.executor.execute(&connection, commands).await;
        if outcome.is_err() {
            // Statements may still be in flight on it, inside a transaction that nobody will end.
            connection.discard();
        }
        outcome
    }
}

fn reply<T>(to: oneshot::Sender<T>, answer: T) {
    if to.send(answer).is_err() {
        tracing::debug!("a caller went away before its answer");
    }
}

/// Deadlocks and the like: the database chose this batch to give way, and says so with kinds that diesel does not tell
/// apart. Trying again is safe, as nothing was committed; what is wrong with the data itself will be refused again.
fn is_transient(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::Unknown, _))
}

fn store_error(error: BatchError) -> StoreError {
    match error {
        BatchError::Refused(error) | BatchError::Lost(error) | BatchError::Unsure(error, _) => {
            StoreError::Unavailable(error.to_string())
        }
        BatchError::Store(error) => error,
    }
}

/// A name for this process's sessions that operators recognize.
pub(crate) fn session_name(id: Uuid) -> String {
    format!("usher {}", id.simple())
}
