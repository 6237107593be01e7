//! Lanes: a bounded channel and a task that takes whatever is waiting in it into one transaction (ADR 1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel_async::AsyncPgConnection;
use domain::ports::{IdGenerator, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::connections::error::{BatchError, Fate};
use crate::connections::pool::{Connections, SILENCE, SILENT};

/// The most commands of one batch.
const BATCH: usize = 512;
/// How many commands may wait before the next one is turned away.
const WAITING: usize = 8_192;
/// How long a command may wait unstarted, and how long after the start of a batch anything of it is still begun again:
/// what waits for a lock that somebody keeps is not to wait for it over and over.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a batch is tried again.
const RETRIES: u32 = 5;

/// A batch that was decided and is not written yet.
pub(crate) struct Decision<E: Executor + ?Sized> {
    /// One answer a command, in their order.
    pub(crate) answers: Vec<E::Answer>,
    /// What is to be written.
    pub(crate) changes: E::Changes,
    /// The transaction's id, to ask about should the answer to COMMIT be lost.
    pub(crate) transaction: String,
}

/// What runs the batches of a lane.
#[async_trait]
pub(crate) trait Executor: Send + Sync + 'static {
    type Command: Send + Sync + 'static;
    type Answer: Send + 'static;
    type Changes: Send + Sync + 'static;

    /// Begins the transaction, reads and decides.
    async fn decide(&self, conn: &AsyncPgConnection, commands: &[Self::Command]) -> Result<Decision<Self>, BatchError>;

    /// Writes and commits.
    async fn commit(&self, conn: &AsyncPgConnection, changes: &Self::Changes) -> diesel::QueryResult<()>;
}

struct Envelope<E: Executor> {
    command: E::Command,
    since: Instant,
    /// Set by the batch that takes the command, or by its caller when that gives up: whoever comes first.
    settled: Arc<AtomicBool>,
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
    /// Starts the lane's task; it ends when the last handle is gone and all that waited is done.
    pub(crate) fn start(
        executor: E,
        connections: Arc<Connections>,
        ids: Arc<dyn IdGenerator>,
    ) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let runtime = connections.runtime().clone();
        let task = runtime.spawn(Worker { executor, connections, ids }.run(receiver));
        (Self(sender), task)
    }

    /// Whether its task still runs.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Hands a command in and waits for its batch. A caller that goes away does not stop it; one that has waited too long
    /// while others were served does.
    pub(crate) async fn submit(&self, command: E::Command) -> Result<E::Answer, StoreError> {
        let (reply, mut answer) = oneshot::channel();
        let settled = Arc::new(AtomicBool::new(false));
        let envelope = Envelope { command, since: Instant::now(), settled: Arc::clone(&settled), reply };
        self.0.try_send(envelope).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable("the lane has ended".to_owned()),
        })?;
        let answer = match timeout(PATIENCE, &mut answer).await {
            Ok(answer) => answer,
            Err(_elapsed) if settled.swap(true, Ordering::AcqRel) => answer.await,
            Err(_elapsed) => return Err(StoreError::Overloaded),
        };
        answer.map_err(|gone| StoreError::Unavailable(format!("the lane has ended: {gone}")))?
    }
}

struct Worker<E> {
    executor: E,
    connections: Arc<Connections>,
    ids: Arc<dyn IdGenerator>,
}

impl<E: Executor> Worker<E> {
    async fn run(self, mut waiting: mpsc::Receiver<Envelope<E>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let (mut commands, mut replies) = (Vec::new(), Vec::new());
            for envelope in batch.drain(..) {
                if envelope.settled.swap(true, Ordering::AcqRel) || envelope.since.elapsed() >= PATIENCE {
                    reply(envelope.reply, Err(StoreError::Overloaded));
                } else {
                    commands.push(envelope.command);
                    replies.push((envelope.since, envelope.reply));
                }
            }
            if commands.is_empty() {
                continue;
            }
            metrics::histogram!("usher_batch_size").record(domain::count(commands.len()));
            let waited = metrics::histogram!("usher_queue_to_commit_seconds");
            for ((since, to), answer) in replies.into_iter().zip(self.settle(&commands).await) {
                waited.record(since.elapsed());
                reply(to, answer);
            }
        }
    }

    /// Runs a batch until it is committed or given up; one by one when one command of it may stop the others.
    async fn settle(&self, commands: &[E::Command]) -> Vec<Result<E::Answer, StoreError>> {
        let begun = Instant::now();
        let error = match self.attempt(commands, begun).await {
            Ok(answers) => return answers.into_iter().map(Ok).collect(),
            Err(error) => error,
        };
        if commands.len() == 1 || !error.may_be_of_one() {
            let error = error.into_store_error();
            return commands.iter().map(|_| Err(error.clone())).collect();
        }
        tracing::warn!(?error, commands = commands.len(), "a batch failed and is run one by one");
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands.chunks(1) {
            if begun.elapsed() >= PATIENCE {
                answers.push(Err(StoreError::Overloaded));
                continue;
            }
            let answer = self.attempt(command, begun).await.map_err(BatchError::into_store_error);
            answers.push(answer.and_then(|answers| {
                answers.into_iter().next().ok_or_else(|| StoreError::Unavailable("no answer".to_owned()))
            }));
        }
        answers
    }

    /// Runs commands of a batch that was begun then as one transaction, and again while that may help.
    async fn attempt(&self, commands: &[E::Command], begun: Instant) -> Result<Vec<E::Answer>, BatchError> {
        let mut tries = 0;
        loop {
            let error = match self.once(commands).await {
                Ok(answers) => return Ok(answers),
                Err(error) => error,
            };
            tries += 1;
            if !error.is_worth_another_try(commands.len()) || tries > RETRIES || begun.elapsed() >= PATIENCE {
                return Err(error);
            }
            if matches!(error, BatchError::Lost(_)) {
                self.connections.drop_idle();
            }
            metrics::counter!("usher_batch_retries_total").increment(1);
            tracing::info!(?error, tries, "a batch is tried again");
            let [jitter, ..] = self.ids.random();
            tokio::time::sleep(Duration::from_millis(u64::from(tries) * (5 + u64::from(jitter) / 16))).await;
        }
    }

    async fn once(&self, commands: &[E::Command]) -> Result<Vec<E::Answer>, BatchError> {
        let session = self.connections.session().await?;
        let decided = timeout(SILENCE, self.executor.decide(session.connection()?, commands)).await;
        let decision = decided.unwrap_or_else(|_elapsed| Err(BatchError::Lost(SILENT.to_owned())))?;
        let error = match timeout(SILENCE, self.executor.commit(session.connection()?, &decision.changes)).await {
            Ok(Ok(())) => {
                session.give_back();
                return Ok(decision.answers);
            }
            Ok(Err(error)) => BatchError::from(error),
            Err(_elapsed) => BatchError::Lost(SILENT.to_owned()),
        };
        drop(session);
        if matches!(error, BatchError::Raced(_) | BatchError::Refused(_)) {
            return Err(error);
        }
        self.connections.drop_idle();
        match self.connections.fate(&decision.transaction).await {
            Fate::Committed => Ok(decision.answers),
            Fate::Aborted => Err(error),
            Fate::Unknown => Err(BatchError::Unsure(error.into_store_error().to_string())),
        }
    }
}

fn reply<T>(to: oneshot::Sender<T>, answer: T) {
    if to.send(answer).is_err() {
        tracing::debug!("a caller went away before its answer");
    }
}
