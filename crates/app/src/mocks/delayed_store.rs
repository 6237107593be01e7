//! A store whose answers arrive when a test lets them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::ports::{Admissions, Decided, Joined, Left, QueueChange, QueueReport, QueueRepository, StoreError};
use domain::{NewQueue, QueueEdit, QueueNumber, Ticket, TicketNumber, Token, UserId};
use futures::channel::oneshot;

/// A store that reads when it is asked, and whose answers then travel until a test lets them arrive.
pub(crate) struct DelayedStore {
    store: Arc<dyn QueueRepository>,
    travelling: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl DelayedStore {
    pub(crate) fn new(store: Arc<dyn QueueRepository>) -> Arc<Self> {
        Arc::new(Self { store, travelling: Mutex::default() })
    }

    /// How many answers travel that somebody waits for.
    pub(crate) fn travelling(&self) -> usize {
        self.travelling.lock().unwrap().iter().filter(|answer| !answer.is_canceled()).count()
    }

    /// Lets the oldest answer arrive that somebody waits for; whether there was one.
    pub(crate) fn arrive(&self) -> bool {
        let mut travelling = self.travelling.lock().unwrap();
        while let Some(answer) = travelling.pop_front() {
            if answer.send(()).is_ok() {
                return true;
            }
        }
        false
    }

    async fn travel<T>(&self, answer: T) -> T {
        let (arrived, arrival) = oneshot::channel();
        self.travelling.lock().unwrap().push_back(arrived);
        arrival.await.unwrap();
        answer
    }
}

#[async_trait]
impl QueueRepository for DelayedStore {
    async fn changes(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        self.travel(self.store.changes(known).await).await
    }

    async fn tokens(&self, queue: QueueNumber, numbers: &[TicketNumber]) -> Result<Vec<Token>, StoreError> {
        self.travel(self.store.tokens(queue, numbers).await).await
    }

    async fn make(&self, queue: &NewQueue) -> Decided<QueueReport> {
        self.store.make(queue).await
    }

    async fn join(&self, queue: QueueNumber, user: &UserId) -> Decided<Joined> {
        self.store.join(queue, user).await
    }

    async fn leave(&self, ticket: Ticket) -> Decided<Left> {
        self.store.leave(ticket).await
    }

    async fn admit(&self) -> Result<Admissions, StoreError> {
        self.store.admit().await
    }

    async fn report(&self, queue: QueueNumber) -> Decided<QueueReport> {
        self.store.report(queue).await
    }

    async fn edit(&self, queue: QueueNumber, edit: &QueueEdit) -> Decided<QueueReport> {
        self.store.edit(queue, edit).await
    }

    async fn active(&self) -> Result<Vec<(QueueNumber, u64)>, StoreError> {
        self.store.active().await
    }

    async fn renew_epochs(&self) -> Result<Option<u64>, StoreError> {
        self.store.renew_epochs().await
    }
}
