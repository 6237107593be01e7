//! Shared reads: of many callers who ask for the same at once one reads the store, and what it read is good for a while.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::Failure;
use domain::Timestamp;

/// What was read and how long it holds, at most.
pub(crate) struct Read<V> {
    /// The value.
    pub(crate) value: V,
    /// The moment from which on it is no longer so, when that is known.
    pub(crate) until: Option<Timestamp>,
}

/// Reads of one kind, by key. Keeps what is fresh, and of everything else nothing.
pub(crate) struct Flights<K, V> {
    max_age: Duration,
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

struct Slot<V> {
    /// Grows with every change; what was read before the last one is not fresh.
    changes: AtomicU64,
    landed: Mutex<Landed<V>>,
    /// Held by the one flight there is.
    flight: tokio::sync::Mutex<()>,
}

struct Landed<V> {
    /// How many flights have ended.
    flights: u64,
    fresh: Option<Fresh<V>>,
    /// Why the last flight brought nothing, if it did.
    failure: Option<Failure>,
}

struct Fresh<V> {
    value: V,
    changes: u64,
    from: Timestamp,
    until: Timestamp,
}

/// A panic while one was held leaves nothing half-written: each is changed by single assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, V: Clone> Flights<K, V> {
    /// Reads that are good for `max_age`.
    pub(crate) fn new(max_age: Duration) -> Self {
        Self { max_age, slots: Mutex::default() }
    }

    /// What is fresh for `key`, or what `read` brings: at most one reads at a time, and who waited for a flight takes
    /// what it brought. A flight that fails or whose caller goes away leaves nothing behind for those who come later.
    pub(crate) async fn get(
        &self,
        key: K,
        now: impl Fn() -> Timestamp,
        read: impl Future<Output = Result<Read<V>, Failure>>,
    ) -> Result<V, Failure> {
        let slot = self.slot(key);
        let arrived = {
            let landed = lock(&slot.landed);
            if let Some(value) = slot.fresh(&landed, now()) {
                return Ok(value);
            }
            landed.flights
        };
        let flying = slot.flight.lock().await;
        if let Some(shared) = slot.shared_since(arrived, now()) {
            return shared;
        }
        // Before the read: a change during it must show.
        let (changes, from) = (slot.changes.load(Ordering::Acquire), now());
        let outcome = read.await;
        slot.land(&outcome, changes, from, self.max_age);
        drop(flying);
        self.forget_stale(now());
        outcome.map(|read| read.value)
    }

    /// Whatever was read for these keys, or is being read, is no longer so.
    pub(crate) fn changed(&self, concerns: impl Fn(&K) -> bool) {
        for (_, slot) in lock(&self.slots).iter().filter(|(key, _)| concerns(key)) {
            slot.changes.fetch_add(1, Ordering::Release);
        }
    }

    fn slot(&self, key: K) -> Arc<Slot<V>> {
        Arc::clone(lock(&self.slots).entry(key).or_default())
    }

    /// Nobody can get at a slot without this lock, so that one only the map has is nobody's.
    fn forget_stale(&self, now: Timestamp) {
        lock(&self.slots)
            .retain(|_, slot| Arc::strong_count(slot) > 1 || slot.fresh(&lock(&slot.landed), now).is_some());
    }
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        let landed = Landed { flights: 0, fresh: None, failure: None };
        Self { changes: AtomicU64::new(0), landed: Mutex::new(landed), flight: tokio::sync::Mutex::default() }
    }
}

impl<V: Clone> Slot<V> {
    fn fresh(&self, landed: &Landed<V>, now: Timestamp) -> Option<V> {
        let changes = self.changes.load(Ordering::Acquire);
        // A clock that stepped back makes nothing fresher than it is.
        let fresh = landed.fresh.as_ref().filter(|f| f.changes == changes && f.from <= now && !f.until.is_over(now));
        fresh.map(|fresh| fresh.value.clone())
    }

    /// What a flight that ended after `arrived` brought, if that is of use. A failure of the store is: all who waited
    /// would meet the same one after the other.
    fn shared_since(&self, arrived: u64, now: Timestamp) -> Option<Result<V, Failure>> {
        let landed = lock(&self.landed);
        match &landed.failure {
            Some(failure @ Failure::Store(_)) if landed.flights > arrived => Some(Err(failure.clone())),
            _ => self.fresh(&landed, now).map(Ok),
        }
    }

    fn land(&self, outcome: &Result<Read<V>, Failure>, changes: u64, from: Timestamp, max_age: Duration) {
        let mut landed = lock(&self.landed);
        landed.flights += 1;
        (landed.fresh, landed.failure) = match outcome {
            Ok(Read { value, until }) => {
                let aged = from.plus(max_age);
                let until = until.map_or(aged, |until| until.min(aged));
                (Some(Fresh { value: value.clone(), changes, from, until }), None)
            }
            Err(failure) => (None, Some(failure.clone())),
        };
    }
}
