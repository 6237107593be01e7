//! What those who follow the store share with those who wait for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::QueueNumber;
use domain::line::{Forecasts, Pace};
use domain::ports::StoreError;
use futures::channel::oneshot;
use futures::task::AtomicWaker;

/// What those who follow share with those who wait for them.
#[derive(Default)]
pub(crate) struct Following {
    /// Those who wait for a refresh that begins after they came.
    pub(super) waiting: Mutex<Vec<oneshot::Sender<Result<u64, StoreError>>>>,
    /// Whether a refresh is wanted before its time.
    pub(super) wanted: AtomicBool,
    pub(super) follower: AtomicWaker,
    /// How many refreshes have begun.
    pub(super) begun: AtomicU64,
    /// Held by the one refresh there is.
    pub(super) refreshing: futures::lock::Mutex<()>,
    pub(super) tempos: Mutex<HashMap<QueueNumber, Tempo>>,
}

/// How fast a queue moves, and how well that was foretold.
#[derive(Default)]
pub(super) struct Tempo {
    pub(super) pace: Pace,
    pub(super) forecasts: Forecasts,
}

/// A panic while one was held leaves nothing half-written: each is changed by single calls.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Following {
    /// Asks for a refresh before its time.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
        self.follower.wake();
    }
}
