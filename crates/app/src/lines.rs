//! The lines in this server's memory: each queue's name, seal and snapshot. A refresh swaps them whole, and a poll needs
//! nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use domain::line::{Outlook, Snapshot};
use domain::ports::QueueChange;
use domain::seal::{Seal, ServerKeys};
use domain::stock::Stock;
use domain::{QueueEpoch, QueueName, QueueNumber, Rules, Timestamp};

use crate::bulletin::Bulletin;
use crate::sightings::Sightings;

/// All queues known at one moment. A queue is never removed.
#[derive(Default)]
pub(crate) struct Lines {
    by_number: HashMap<QueueNumber, Arc<FollowedQueue>>,
    by_name: HashMap<QueueName, QueueNumber>,
}

/// A queue that this server follows: what it last read of the queue, and when.
pub(crate) struct FollowedQueue {
    known: ArcSwap<Known>,
    /// The numbers that this server has seen and not yet noted in the store.
    pub(crate) sightings: Sightings,
    /// Which refresh was the last that `known` is up to date with.
    refresh: AtomicU64,
    /// When that began.
    as_of: AtomicI64,
    /// When somebody asked about the queue, to within a few seconds.
    asked: AtomicI64,
    /// What was left to buy when somebody last looked.
    stock: ArcSwap<Stock>,
}

/// How long a queue is looked at after somebody asked: whoever asks as advised comes again sooner.
const WANTED: Duration = Duration::from_secs(60);
/// How often it is noted that somebody asks about a queue, in microseconds.
const ASKED_EVERY: i64 = 5_000_000;

/// The bulletin after a change; the one before where nothing of it has changed.
fn bulletin(change: &QueueChange, before: Option<&Known>) -> Arc<Bulletin> {
    let stock = before.map(|before| Arc::clone(&before.bulletin.stock)).unwrap_or_default();
    let new = Bulletin::new(change.name.clone(), change.policy.opens_at, change.message.clone(), stock);
    let same = before.map(|before| &before.bulletin).filter(|before| ***before == new);
    same.map_or_else(|| Arc::new(new), Arc::clone)
}

/// A queue as one read of the store showed it.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) name: QueueName,
    pub(crate) epoch: QueueEpoch,
    pub(crate) seal: Seal,
    /// How fast it admits, as far as that is known.
    pub(crate) outlook: Outlook,
    /// Since when its policy holds.
    pub(crate) policy_since: Timestamp,
    pub(crate) snapshot: Arc<Snapshot>,
    /// What all who ask are told alike.
    pub(crate) bulletin: Arc<Bulletin>,
}

impl Known {
    /// The knowledge that `change` brings, with the snapshot made of it; `before` is the knowledge until now.
    pub(crate) fn of(
        change: &QueueChange,
        snapshot: Snapshot,
        before: Option<&Self>,
        keys: &ServerKeys,
        rules: &Rules,
    ) -> Self {
        let same_epoch = before.filter(|before| before.epoch == change.epoch);
        // What was measured under another policy tells nothing of this one.
        let same_policy = before.filter(|before| before.policy_since == change.policy_since);
        let measured = same_policy.and_then(|before| before.outlook.measured);
        Self {
            name: change.name.clone(),
            epoch: change.epoch,
            seal: same_epoch.map_or_else(|| keys.for_queue(change.number, change.epoch), |before| before.seal.clone()),
            outlook: Outlook { policy: change.policy, turn: rules.active, measured },
            policy_since: change.policy_since,
            snapshot: Arc::new(snapshot),
            bulletin: bulletin(change, before),
        }
    }
}

impl FollowedQueue {
    fn new(known: Known) -> Self {
        Self {
            known: ArcSwap::from_pointee(known),
            sightings: Sightings::default(),
            refresh: AtomicU64::new(0),
            as_of: AtomicI64::new(0),
            // Long before any look at the store.
            asked: AtomicI64::new(i64::MIN / 2),
            stock: ArcSwap::default(),
        }
    }

    /// What is known of it now. Readers and the one who swaps it never wait for each other.
    pub(crate) fn known(&self) -> Guard<Arc<Known>> {
        self.known.load()
    }

    /// Replaces the knowledge of this queue by `known`.
    pub(crate) fn learn(&self, known: Known) {
        self.known.store(Arc::new(known));
    }

    /// Notes that the knowledge is up to date with refresh `number`, which began at `begun`.
    pub(crate) fn confirm(&self, number: u64, begun: Timestamp) {
        self.as_of.store(begun.micros(), Ordering::Relaxed);
        self.refresh.store(number, Ordering::Release);
    }

    /// Whether the knowledge is up to date with refresh `number`.
    pub(crate) fn is_as_of(&self, number: u64) -> bool {
        self.refresh.load(Ordering::Acquire) >= number
    }

    /// Notes that somebody asks about the queue.
    pub(crate) fn ask(&self) {
        let now = self.as_of.load(Ordering::Relaxed);
        // A value that is only read does not travel from one processor to the other.
        if now - self.asked.load(Ordering::Relaxed) > ASKED_EVERY {
            self.asked.store(now, Ordering::Relaxed);
        }
    }

    /// Whether somebody asked about the queue not long before it was last read.
    pub(crate) fn is_asked_about(&self) -> bool {
        let since = self.as_of.load(Ordering::Relaxed) - self.asked.load(Ordering::Relaxed);
        u128::try_from(since).is_ok_and(|micros| micros < WANTED.as_micros())
    }

    /// Takes up what is left to buy; the next refresh tells it.
    pub(crate) fn tell_stock(&self, stock: Arc<Stock>) {
        self.stock.store(stock);
    }

    /// Tells what is left to buy, if that is news.
    pub(crate) fn announce_stock(&self) {
        let (known, stock) = (self.known(), self.stock.load_full());
        let before = &known.bulletin;
        if !Arc::ptr_eq(&before.stock, &stock) && before.stock != stock {
            let (queue, message) = (before.queue.clone(), before.message.clone());
            let bulletin = Arc::new(Bulletin::new(queue, before.opens_at, message, stock));
            self.learn(Known { bulletin, ..Known::clone(&known) });
        }
    }

    /// What is known was true at this moment, if not later.
    pub(crate) fn as_of(&self) -> Timestamp {
        Timestamp::from_micros(self.as_of.load(Ordering::Relaxed))
    }
}

impl Lines {
    /// Every queue.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (QueueNumber, &Arc<FollowedQueue>)> {
        self.by_number.iter().map(|(number, queue)| (*number, queue))
    }

    /// The queue of this number, if it is known.
    pub(crate) fn queue(&self, number: QueueNumber) -> Option<&Arc<FollowedQueue>> {
        self.by_number.get(&number)
    }

    /// The number of the queue of this name, if it is known.
    pub(crate) fn number(&self, name: &QueueName) -> Option<QueueNumber> {
        self.by_name.get(name).copied()
    }

    /// These lines and `more`.
    pub(crate) fn with(&self, more: Vec<(QueueNumber, Known)>) -> Self {
        let (mut by_number, mut by_name) = (self.by_number.clone(), self.by_name.clone());
        for (number, known) in more {
            by_name.insert(known.name.clone(), number);
            by_number.insert(number, Arc::new(FollowedQueue::new(known)));
        }
        Self { by_number, by_name }
    }
}
