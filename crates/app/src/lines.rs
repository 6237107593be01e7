//! The lines in this server's memory: each queue's name, seal and snapshot. A refresh swaps them whole, and a poll needs
//! nothing else.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};
use domain::line::{Rate, Snapshot};
use domain::ports::QueueChange;
use domain::seal::{Seal, ServerKeys};
use domain::{Policy, QueueEpoch, QueueName, QueueNumber, Timestamp};

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
}

/// A queue as one read of the store showed it.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) name: QueueName,
    pub(crate) epoch: QueueEpoch,
    pub(crate) seal: Seal,
    pub(crate) policy: Policy,
    pub(crate) snapshot: Arc<Snapshot>,
    /// How fast it moves; `None` while that is unknown.
    pub(crate) rate: Option<Rate>,
}

impl Known {
    /// The knowledge that `change` brings, with the snapshot made of it; `before` is the knowledge until now.
    pub(crate) fn of(change: &QueueChange, snapshot: Snapshot, before: Option<&Self>, keys: &ServerKeys) -> Self {
        let same_epoch = before.filter(|before| before.epoch == change.epoch);
        Self {
            name: change.name.clone(),
            epoch: change.epoch,
            seal: same_epoch.map_or_else(|| keys.for_queue(change.number, change.epoch), |before| before.seal.clone()),
            policy: change.policy,
            snapshot: Arc::new(snapshot),
            rate: before.and_then(|before| before.rate),
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
