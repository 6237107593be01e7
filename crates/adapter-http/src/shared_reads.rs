//! Shared reads: when many callers ask for the same at once, one of them reads the store, and all take what it read for a
//! while.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::Failure;
use domain::Timestamp;

/// What was read, and until when it holds.
pub(crate) struct Read<V> {
    /// The value.
    pub(crate) value: V,
    /// The moment from which on it is no longer so, when that is known.
    pub(crate) until: Option<Timestamp>,
}

/// Reads of one kind, by key. Keeps what is fresh, and of everything else nothing.
pub(crate) struct SharedReads<K, V> {
    max_age: Duration,
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

/// What is read for one key.
struct Slot<V> {
    /// Grows with every change. What was read before the last change is not fresh.
    changes: AtomicU64,
    past: Mutex<Past<V>>,
    /// Held by the one caller who reads.
    reading: tokio::sync::Mutex<()>,
}

/// What came of the reads so far.
struct Past<V> {
    /// How many reads have begun.
    begun: u64,
    /// How many of them have ended; those whose callers went away never do.
    ended: u64,
    /// What the last read brought, if it did not fail.
    brought: Option<Brought<V>>,
    /// Why the last read failed, if it did.
    failure: Option<Failure>,
}

/// When a caller came: how many reads had begun and ended then.
struct Arrival {
    begun: u64,
    ended: u64,
}

/// What a read brought, and what it takes to know whether it is still fresh.
struct Brought<V> {
    value: V,
    /// Which read brought it, counted from 1.
    number: u64,
    changes: u64,
    from: Timestamp,
    until: Timestamp,
}

/// A panic while one was held leaves nothing half-written: each is changed by single assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Copy + Eq + Hash, V: Clone> SharedReads<K, V> {
    /// Reads that are good for `max_age`.
    pub(crate) fn new(max_age: Duration) -> Self {
        Self { max_age, slots: Mutex::default() }
    }

    /// What is fresh for `key`, or what `read` brings, which is good for its whole age.
    ///
    /// At most one caller reads at a time. A caller who waited takes what a read brought that is fresh or that began after
    /// they came, so that nobody waits for more than two reads, however fast things change. A read that fails, or whose
    /// caller goes away, leaves nothing behind for those who come later.
    pub(crate) async fn get(
        &self,
        key: K,
        now: impl Fn() -> Timestamp,
        read: impl Future<Output = Result<V, Failure>>,
    ) -> Result<V, Failure> {
        self.get_until(key, now, async { Ok(Read { value: read.await?, until: None }) }).await
    }

    /// As [`SharedReads::get`], for a read that also tells until when its value holds.
    pub(crate) async fn get_until(
        &self,
        key: K,
        now: impl Fn() -> Timestamp,
        read: impl Future<Output = Result<Read<V>, Failure>>,
    ) -> Result<V, Failure> {
        let slot = self.slot(key);
        let arrived = {
            let past = lock(&slot.past);
            if let Some(value) = slot.fresh(&past, now()) {
                return Ok(value);
            }
            Arrival { begun: past.begun, ended: past.ended }
        };
        let reading = slot.reading.lock().await;
        if let Some(shared) = slot.shared_since(&arrived, now()) {
            return shared;
        }
        // Before the read: a change during it must show.
        let (changes, from) = (slot.changes.load(Ordering::Acquire), now());
        lock(&slot.past).begun += 1;
        let outcome = read.await;
        slot.remember(&outcome, changes, from, self.max_age);
        drop(reading);
        self.forget_stale(now());
        outcome.map(|read| read.value)
    }

    /// Outdates what was read for this key, and what is being read for it.
    pub(crate) fn changed(&self, key: &K) {
        if let Some(slot) = lock(&self.slots).get(key) {
            slot.changed();
        }
    }

    /// Outdates what was read for this key if it `is_outdated`, and what is being read for it, of which nobody knows; whether it
    /// did. What was outdated so is not outdated again by the same news.
    pub(crate) fn changed_if(&self, key: &K, is_outdated: impl Fn(&V) -> bool) -> bool {
        let slots = lock(&self.slots);
        let Some(slot) = slots.get(key) else { return false };
        // First: a read that begins after this has the news.
        let is_read = slot.reading.try_lock().is_err();
        let changes = slot.changes.load(Ordering::Acquire);
        let current = |brought: &Brought<V>| brought.changes == changes && is_outdated(&brought.value);
        let outdated = is_read || lock(&slot.past).brought.as_ref().is_some_and(current);
        if outdated {
            slot.changed();
        }
        outdated
    }

    fn slot(&self, key: K) -> Arc<Slot<V>> {
        Arc::clone(lock(&self.slots).entry(key).or_default())
    }

    /// Forgets the slots that hold nothing fresh and that nobody uses: a slot can only be got under this lock, so that nobody
    /// has one of which the map holds the only reference.
    fn forget_stale(&self, now: Timestamp) {
        lock(&self.slots).retain(|_, slot| Arc::strong_count(slot) > 1 || slot.fresh(&lock(&slot.past), now).is_some());
    }
}

impl<V> Default for Slot<V> {
    fn default() -> Self {
        let past = Past { begun: 0, ended: 0, brought: None, failure: None };
        Self { changes: AtomicU64::new(0), past: Mutex::new(past), reading: tokio::sync::Mutex::default() }
    }
}

impl<V: Clone> Slot<V> {
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    fn fresh(&self, past: &Past<V>, now: Timestamp) -> Option<V> {
        let changes = self.changes.load(Ordering::Acquire);
        // A clock that stepped back makes nothing fresher than it is.
        let is_fresh = |b: &&Brought<V>| b.changes == changes && b.from <= now && !b.until.is_over(now);
        past.brought.as_ref().filter(is_fresh).map(|brought| brought.value.clone())
    }

    /// What a read brought that is of use to a caller who came at `arrived`. A value that was read after the caller came is
    /// of use, whatever has changed since: the caller could not have read a better one. So is a failure of the store: all
    /// who waited would meet the same failure, one after the other.
    fn shared_since(&self, arrived: &Arrival, now: Timestamp) -> Option<Result<V, Failure>> {
        let past = lock(&self.past);
        match (&past.failure, &past.brought) {
            (Some(failure @ Failure::Store(_)), _) if past.ended > arrived.ended => Some(Err(failure.clone())),
            (_, Some(brought)) if brought.number > arrived.begun => Some(Ok(brought.value.clone())),
            _ => self.fresh(&past, now).map(Ok),
        }
    }

    fn remember(&self, outcome: &Result<Read<V>, Failure>, changes: u64, from: Timestamp, max_age: Duration) {
        let mut past = lock(&self.past);
        past.ended += 1;
        // One caller reads at a time: this is the read that began last.
        let number = past.begun;
        (past.brought, past.failure) = match outcome {
            Ok(Read { value, until }) => {
                let aged = from.plus(max_age);
                let until = until.map_or(aged, |until| until.min(aged));
                (Some(Brought { value: value.clone(), number, changes, from, until }), None)
            }
            Err(failure) => (None, Some(failure.clone())),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::sync::atomic::AtomicU32;

    use domain::Rejection;
    use domain::ports::StoreError;
    use futures::future::{join_all, pending};
    use futures::{FutureExt, poll};
    use tokio::sync::oneshot;

    use super::*;

    const AGE: Duration = Duration::from_millis(250);

    fn at(micros: i64) -> impl Fn() -> Timestamp {
        move || Timestamp::from_micros(micros)
    }

    fn read(value: u32) -> Ready<Result<u32, Failure>> {
        ready(Ok(value))
    }

    type Tell = oneshot::Sender<Result<u32, Failure>>;

    /// A read that ends when it is told what it brought.
    fn slow() -> (Tell, impl Future<Output = Result<u32, Failure>>) {
        let (tell, told) = oneshot::channel();
        (tell, async move { told.await.unwrap() })
    }

    fn broken() -> Failure {
        StoreError::Unavailable(String::new()).into()
    }

    #[tokio::test]
    async fn of_many_at_once_one_reads() {
        let (shared, reads) = (SharedReads::new(AGE), AtomicU32::new(0));
        let ask = || {
            shared.get(1, at(0), async {
                reads.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(7)
            })
        };
        let answers = join_all((0..100).map(|_| ask())).await;
        assert!(answers.iter().all(|answer| *answer == Ok(7)));
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_read_is_good_for_its_age_and_until_its_end_only() {
        let shared = SharedReads::new(AGE);
        assert_eq!(shared.get(1, at(1_000), read(1)).await, Ok(1));
        assert_eq!(shared.get(1, at(250_999), read(2)).await, Ok(1));
        assert_eq!(shared.get(1, at(251_000), read(3)).await, Ok(3));
        // A clock that steps back does not make it younger.
        assert_eq!(shared.get(1, at(250_999), read(4)).await, Ok(4));
        let until = Some(Timestamp::from_micros(300_000));
        let ending = async { Ok(Read { value: 5, until }) };
        assert_eq!(shared.get_until(2, at(260_000), ending).await, Ok(5));
        assert_eq!(shared.get(2, at(299_999), read(6)).await, Ok(5));
        assert_eq!(shared.get(2, at(300_000), read(7)).await, Ok(7));
    }

    /// A read that began before a change is nobody's who comes after it, although it ends later.
    #[tokio::test]
    async fn a_change_overtakes_the_read_in_flight() {
        let shared = SharedReads::new(AGE);
        let (tell, told) = slow();
        let mut old = Box::pin(shared.get(1, at(0), told));
        assert!(poll!(&mut old).is_pending());
        shared.changed(&1);
        let mut new = Box::pin(shared.get(1, at(0), read(2)));
        assert!(poll!(&mut new).is_pending());
        tell.send(Ok(1)).unwrap();
        assert_eq!(old.await, Ok(1));
        assert_eq!(new.await, Ok(2));
        assert_eq!(shared.get(1, at(0), read(3)).await, Ok(2));
        shared.changed(&2);
        assert_eq!(shared.get(1, at(0), read(4)).await, Ok(2));
        shared.changed(&1);
        assert_eq!(shared.get(1, at(0), read(5)).await, Ok(5));
    }

    /// While seats change hands all the time nothing is fresh when it ends. Those who wait share it all the same.
    #[tokio::test]
    async fn a_read_that_began_after_they_came_is_shared_whatever_changed_since() {
        let shared = SharedReads::new(AGE);
        let ((tell_first, told_first), (tell_second, told_second)) = (slow(), slow());
        let mut first = Box::pin(shared.get(1, at(0), told_first));
        assert!(poll!(&mut first).is_pending());
        let mut second = Box::pin(shared.get(1, at(0), told_second));
        assert!(poll!(&mut second).is_pending());
        let mut third = Box::pin(shared.get(1, at(0), read(3)));
        assert!(poll!(&mut third).is_pending());
        shared.changed(&1);
        tell_first.send(Ok(1)).unwrap();
        assert_eq!(first.await, Ok(1));
        assert!(poll!(&mut second).is_pending(), "what was read before the change is not for it");
        shared.changed(&1);
        tell_second.send(Ok(2)).unwrap();
        assert_eq!((second.await, third.await), (Ok(2), Ok(2)));
        assert_eq!(shared.get(1, at(0), read(4)).await, Ok(4), "who comes after the change reads anew");
    }

    #[tokio::test]
    async fn who_waited_shares_a_failure_and_who_comes_later_does_not() {
        let shared = SharedReads::new(AGE);
        let (tell, told) = slow();
        let mut first = Box::pin(shared.get(1, at(0), told));
        assert!(poll!(&mut first).is_pending());
        let mut waiting = Box::pin(shared.get(1, at(0), pending()));
        assert!(poll!(&mut waiting).is_pending());
        tell.send(Err(broken())).unwrap();
        assert_eq!((first.await, waiting.await), (Err(broken()), Err(broken())));
        assert_eq!(shared.get(1, at(0), read(2)).await, Ok(2));
    }

    /// What the rules refuse is decided for each caller anew.
    #[tokio::test]
    async fn a_refusal_is_not_shared() {
        let shared = SharedReads::new(AGE);
        let (tell, told) = slow();
        let mut first = Box::pin(shared.get(1, at(0), told));
        assert!(poll!(&mut first).is_pending());
        let mut waiting = Box::pin(shared.get(1, at(0), read(2)));
        assert!(poll!(&mut waiting).is_pending());
        tell.send(Err(Rejection::WrongQueue.into())).unwrap();
        assert_eq!((first.await, waiting.await), (Err(Rejection::WrongQueue.into()), Ok(2)));
    }

    #[tokio::test]
    async fn a_caller_who_goes_away_leaves_the_read_to_the_next() {
        let shared = SharedReads::new(AGE);
        let mut gone = Box::pin(shared.get(1, at(0), pending()));
        assert!(poll!(&mut gone).is_pending());
        let mut waiting = Box::pin(shared.get(1, at(0), read(2)));
        assert!(poll!(&mut waiting).is_pending());
        drop(gone);
        assert_eq!(waiting.await, Ok(2));
    }

    #[test]
    fn a_change_concerns_its_keys_only() {
        let shared = SharedReads::new(AGE);
        let read_all = |value| {
            [(1, 1), (1, 2), (2, 1)].map(|key| shared.get(key, at(0), read(value)).now_or_never().unwrap().unwrap())
        };
        assert_eq!(read_all(1), [1, 1, 1]);
        shared.changed(&(1, 2));
        assert_eq!(read_all(2), [1, 2, 1]);
        shared.changed(&(3, 3));
        assert_eq!(read_all(3), [1, 2, 1]);
    }

    #[tokio::test]
    async fn news_outdate_what_they_contradict_and_nothing_else() {
        let shared = SharedReads::new(AGE);
        let is = |known: u32| move |value: &u32| *value == known;
        assert!(!shared.changed_if(&1, is(1)), "nothing was read");
        assert_eq!(shared.get(1, at(0), read(1)).await, Ok(1));
        assert!(!shared.changed_if(&1, is(7)));
        assert!(!shared.changed_if(&2, is(1)));
        assert_eq!(shared.get(1, at(0), read(2)).await, Ok(1));
        assert!(shared.changed_if(&1, is(1)));
        assert!(!shared.changed_if(&1, is(1)), "it is outdated already");
        assert_eq!(shared.get(1, at(0), read(2)).await, Ok(2));
    }

    /// What a read brings that began before the news is nobody's who comes after them.
    #[tokio::test]
    async fn news_overtake_the_read_in_flight() {
        let shared = SharedReads::new(AGE);
        let (tell, told) = slow();
        let mut old = Box::pin(shared.get(1, at(0), told));
        assert!(poll!(&mut old).is_pending());
        assert!(shared.changed_if(&1, |_| false), "nobody knows what it brings");
        tell.send(Ok(1)).unwrap();
        assert_eq!(old.await, Ok(1));
        assert_eq!(shared.get(1, at(0), read(2)).await, Ok(2));
        assert!(!shared.changed_if(&1, |_| false));
    }

    #[tokio::test]
    async fn what_is_stale_is_forgotten() {
        let shared = SharedReads::new(AGE);
        for key in 0..1000 {
            let failed = shared.get(key, at(0), async { Err(Rejection::WrongQueue.into()) }).await;
            assert_eq!(failed, Err::<u32, _>(Rejection::WrongQueue.into()));
            assert!(shared.get(5000 + key, at(i64::from(key) * 1_000_000), read(1)).now_or_never().is_some());
        }
        assert!(lock(&shared.slots).len() <= 2, "{}", lock(&shared.slots).len());
    }
}
