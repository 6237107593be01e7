//! A command on its way through a batch: worked on in its turn, answered after the commit.

use std::time::Instant;

use domain::ports::StoreError;
use tokio::sync::oneshot;

use crate::batches::transaction::Transaction;

/// A command on its way.
pub(crate) struct Envelope {
    pub(crate) command: Box<dyn Command>,
    pub(crate) sent: Instant,
}

/// One command of a batch.
pub(crate) trait Command: Send {
    /// Does its work; a failure is kept for the answer.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError>;
    /// Keeps the failure that `run` ended with.
    fn fail(&mut self, error: StoreError);
    /// Answers, once it is known what became of the batch. Nobody may be waiting any more.
    fn answer(self: Box<Self>, batch: Result<(), StoreError>);
}

/// A command's work, then its answer.
pub(crate) struct Asked<W, T> {
    progress: Progress<W, T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

enum Progress<W, T> {
    Waiting(W),
    Done(T),
    Failed(StoreError),
    /// Between two of the others.
    Moving,
}

impl<W, T> Asked<W, T> {
    pub(crate) const fn new(work: W, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { progress: Progress::Waiting(work), reply }
    }
}

impl<W, T> Command for Asked<W, T>
where
    W: FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        if let Progress::Waiting(work) = std::mem::replace(&mut self.progress, Progress::Moving) {
            self.progress = Progress::Done(work(transaction)?);
        }
        Ok(())
    }

    fn fail(&mut self, error: StoreError) {
        self.progress = Progress::Failed(error);
    }

    fn answer(self: Box<Self>, batch: Result<(), StoreError>) {
        let answer = match (batch, self.progress) {
            (Err(error), _) | (Ok(()), Progress::Failed(error)) => Err(error),
            (Ok(()), Progress::Done(answer)) => Ok(answer),
            (Ok(()), _) => Err(StoreError::Unavailable("the command did not come to an end".to_owned())),
        };
        // A caller that went away does not hear it; what it asked for has happened all the same.
        drop(self.reply.send(answer));
    }
}
