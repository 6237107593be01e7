//! Lanes: a bounded channel and a task that takes whatever is waiting in it into one transaction (ADR 1).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel_async::AsyncPgConnection;
use domain::ports::{IdGenerator, MOST_IN_BATCH, MOST_WAITING, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::connections::error::{BatchError, Fate};
use crate::connections::pool::{Connections, SILENT};

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

    /// Begins the transaction, reads and decides. What nobody has asked for one by one, such as the turns of those who wait, it
    /// does for at most `most`.
    async fn decide(
        &self,
        conn: &AsyncPgConnection,
        commands: &[Self::Command],
        most: usize,
    ) -> Result<Decision<Self>, BatchError>;

    /// How long the deciding of these commands may take, where nothing that a crowd asks for takes longer than `silence`.
    fn longest(&self, _commands: &[Self::Command], silence: Duration) -> Duration {
        silence
    }

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
pub(crate) struct Lane<E: Executor> {
    sender: mpsc::Sender<Envelope<E>>,
    patience: Duration,
}

impl<E: Executor> Clone for Lane<E> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), patience: self.patience }
    }
}

impl<E: Executor> Lane<E> {
    /// Starts the lane's task; it ends when the last handle is gone and all that waited is done.
    pub(crate) fn start(
        executor: E,
        connections: Arc<Connections>,
        ids: Arc<dyn IdGenerator>,
    ) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let (runtime, patience) = (connections.runtime().clone(), connections.limits().patience());
        let task = runtime.spawn(Worker { executor, connections, ids }.run(receiver));
        (Self { sender, patience }, task)
    }

    /// Whether its task still runs.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Hands a command in and waits for its batch. A caller that goes away does not stop it; one that has waited too long
    /// while others were served does.
    pub(crate) async fn submit(&self, command: E::Command) -> Result<E::Answer, StoreError> {
        let (reply, mut answer) = oneshot::channel();
        let settled = Arc::new(AtomicBool::new(false));
        let envelope = Envelope { command, since: Instant::now(), settled: Arc::clone(&settled), reply };
        self.sender.try_send(envelope).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable("the lane has ended".to_owned()),
        })?;
        let answer = match timeout(self.patience, &mut answer).await {
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
        let limits = self.connections.limits();
        let (mut batch, mut most) = (Vec::with_capacity(MOST_IN_BATCH), MOST_IN_BATCH);
        while waiting.recv_many(&mut batch, most).await > 0 {
            let (mut commands, mut replies) = (Vec::new(), Vec::new());
            for envelope in batch.drain(..) {
                if envelope.settled.swap(true, Ordering::AcqRel) || envelope.since.elapsed() >= limits.patience() {
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
            let begun = Instant::now();
            let answers = self.settle(&commands, most).await;
            most = size_after(most, answers.iter().all(Result::is_err), begun.elapsed(), limits.patience());
            for ((since, to), answer) in replies.into_iter().zip(answers) {
                waited.record(since.elapsed());
                reply(to, answer);
            }
        }
    }

    /// Runs a batch until it is committed or given up; one by one when one command of it may stop the others.
    async fn settle(&self, commands: &[E::Command], most: usize) -> Vec<Result<E::Answer, StoreError>> {
        let begun = Instant::now();
        let error = match self.attempt(commands, most, begun).await {
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
            if begun.elapsed() >= self.connections.limits().patience() {
                answers.push(Err(StoreError::Overloaded));
                continue;
            }
            let answer = self.attempt(command, most, begun).await.map_err(BatchError::into_store_error);
            answers.push(answer.and_then(|answers| {
                answers.into_iter().next().ok_or_else(|| StoreError::Unavailable("no answer".to_owned()))
            }));
        }
        answers
    }

    /// Runs commands of a batch that was begun then as one transaction, and again while that may help.
    async fn attempt(
        &self,
        commands: &[E::Command],
        most: usize,
        begun: Instant,
    ) -> Result<Vec<E::Answer>, BatchError> {
        let mut tries = 0;
        loop {
            let error = match self.once(commands, most).await {
                Ok(answers) => return Ok(answers),
                Err(error) => error,
            };
            tries += 1;
            if matches!(error, BatchError::Store(StoreError::Full)) {
                self.connections.disk().was_full(Instant::now());
            }
            if !error.is_worth_another_try(commands.len())
                || tries > RETRIES
                || begun.elapsed() >= self.connections.limits().patience()
            {
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

    async fn once(&self, commands: &[E::Command], most: usize) -> Result<Vec<E::Answer>, BatchError> {
        let (session, silence) = (self.connections.session().await?, self.connections.limits().silence());
        let longest = self.executor.longest(commands, silence);
        let decided = timeout(longest, self.executor.decide(session.connection()?, commands, most)).await;
        let decision = decided.unwrap_or_else(|_elapsed| Err(BatchError::Lost(SILENT.to_owned())))?;
        let error = match timeout(silence, self.executor.commit(session.connection()?, &decision.changes)).await {
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

/// How much the next transaction takes on after one that took on `most`: less when nothing came of it in all that time, so that a
/// database that is too slow for a large one does small ones, and does not give the same up again and again; more when it was
/// done so soon that twice as much will be as well.
fn size_after(most: usize, failed: bool, took: Duration, patience: Duration) -> usize {
    if failed && took >= patience {
        (most / 4).max(1)
    } else if !failed && took < patience / 4 {
        (most * 2).min(MOST_IN_BATCH)
    } else {
        most
    }
}

fn reply<T>(to: oneshot::Sender<T>, answer: T) {
    if to.send(answer).is_err() {
        tracing::debug!("a caller went away before its answer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_ran_out_of_time_is_followed_by_smaller_ones_until_there_is_time_again() {
        let (patience, second) = (Duration::from_secs(5), Duration::from_secs(1));
        for (most, failed, took, next) in [
            (512, true, 5 * second, 128),
            (2, true, 9 * second, 1),
            (1, true, 9 * second, 1),
            // It failed for another reason than time.
            (512, true, second, 512),
            // Twice as much might take too long.
            (128, false, 2 * second, 128),
            (128, false, 9 * second, 128),
            (128, false, second, 256),
            (512, false, second, 512),
        ] {
            assert_eq!(size_after(most, failed, took, patience), next, "{most} {failed} {took:?}");
        }
    }
}
