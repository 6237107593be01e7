//! A command on its way through a batch: worked on in its turn, finished after all of them, answered after the commit.

use std::time::Instant;

use domain::ports::StoreError;
use tokio::sync::oneshot;

use crate::transaction::Transaction;

/// A command on its way.
pub(crate) struct Envelope {
    pub(crate) command: Box<dyn Command>,
    pub(crate) sent: Instant,
}

/// One command of a batch.
pub(crate) trait Command: Send {
    /// Does its work; a failure is kept for the answer.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError>;
    /// Composes the answer after the whole batch has been worked on. Reads only.
    fn finish(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError>;
    /// Keeps the failure that `run` ended with.
    fn fail(&mut self, error: StoreError);
    /// Answers, once it is known what became of the batch. Nobody may be waiting any more.
    fn answer(self: Box<Self>, batch: Result<(), StoreError>);
}

/// A command's work, then its answer.
pub(crate) struct Asked<W, D, F, T> {
    progress: Progress<W, D, T>,
    finish: Option<F>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

enum Progress<W, D, T> {
    Waiting(W),
    Done(D),
    Finished(T),
    Failed(StoreError),
    /// Between two of the others.
    Moving,
}

impl<W, D, F, T> Asked<W, D, F, T> {
    pub(crate) fn new(work: W, finish: F, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { progress: Progress::Waiting(work), finish: Some(finish), reply }
    }
}

impl<W, D, F, T> Command for Asked<W, D, F, T>
where
    W: FnOnce(&mut Transaction<'_>) -> Result<D, StoreError> + Send,
    F: FnOnce(D, &mut Transaction<'_>) -> Result<T, StoreError> + Send,
    D: Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        if let Progress::Waiting(work) = std::mem::replace(&mut self.progress, Progress::Moving) {
            self.progress = Progress::Done(work(transaction)?);
        }
        Ok(())
    }

    fn finish(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        self.progress = match (std::mem::replace(&mut self.progress, Progress::Moving), self.finish.take()) {
            (Progress::Done(done), Some(finish)) => Progress::Finished(finish(done, transaction)?),
            (progress, _) => progress,
        };
        Ok(())
    }

    fn fail(&mut self, error: StoreError) {
        self.progress = Progress::Failed(error);
    }

    fn answer(self: Box<Self>, batch: Result<(), StoreError>) {
        let answer = match (batch, self.progress) {
            (Err(error), _) | (Ok(()), Progress::Failed(error)) => Err(error),
            (Ok(()), Progress::Finished(answer)) => Ok(answer),
            (Ok(()), _) => Err(StoreError::Unavailable("the command did not come to an end".to_owned())),
        };
        // A caller that went away does not hear it; what it asked for has happened all the same.
        drop(self.reply.send(answer));
    }
}
