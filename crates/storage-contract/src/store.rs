//! A store under test: the ports over one storage, the clock it goes by, and how to make one.

use std::any::Any;
use std::sync::Arc;

use domain::Rules;
use domain::ports::{
    ClockworkRepository, ConcertRepository, PaymentRepository, PresenceRepository, Probe, QueueRepository,
    ReservationRepository, TokenKeyRepository, WalletRepository,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::TestClock;

/// A fresh storage through its ports. The queue `main` exists in it, with the rules' policy for a new queue.
pub struct Store {
    /// The waiting line.
    pub queues: Arc<dyn QueueRepository>,
    /// Who is there.
    pub presence: Arc<dyn PresenceRepository>,
    /// What is sold.
    pub concerts: Arc<dyn ConcertRepository>,
    /// Holds.
    pub reservations: Arc<dyn ReservationRepository>,
    /// Wallets.
    pub wallets: Arc<dyn WalletRepository>,
    /// Payments.
    pub payments: Arc<dyn PaymentRepository>,
    /// Where the server's key is remembered.
    pub keys: Arc<dyn TokenKeyRepository>,
    /// Whether the store answers.
    pub probe: Arc<dyn Probe>,
    /// When the clockwork ticked.
    pub clockwork: Arc<dyn ClockworkRepository>,
    /// The clock that the storage takes its time from, at first before December 2026. Nothing but tests moves it.
    pub clock: Arc<TestClock>,
    /// What must live as long as the store, for example the directory of its files.
    pub keep: Option<Box<dyn Any + Send + Sync>>,
}

impl Store {
    /// A store whose ports are all `storage`'s.
    pub fn of<S>(storage: Arc<S>, clock: Arc<TestClock>) -> Self
    where
        S: QueueRepository
            + PresenceRepository
            + ConcertRepository
            + ReservationRepository
            + WalletRepository
            + PaymentRepository
            + TokenKeyRepository
            + Probe
            + ClockworkRepository
            + 'static,
    {
        Self {
            queues: storage.clone(),
            presence: storage.clone(),
            concerts: storage.clone(),
            reservations: storage.clone(),
            wallets: storage.clone(),
            payments: storage.clone(),
            keys: storage.clone(),
            probe: storage.clone(),
            clockwork: storage,
            clock,
            keep: None,
        }
    }
}

/// Makes fresh stores, each with storage of its own.
pub struct Make(Box<dyn Fn(Rules) -> BoxFuture<'static, Store>>);

impl Make {
    /// Makes stores with `make`.
    pub fn new<F: Future<Output = Store> + Send + 'static>(make: impl Fn(Rules) -> F + 'static) -> Self {
        Self(Box::new(move |rules| make(rules).boxed()))
    }

    /// A fresh store that goes by `rules`.
    pub async fn store(&self, rules: Rules) -> Store {
        (self.0)(rules).await
    }
}
