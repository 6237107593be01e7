//! What the store of a test shows of its queues, as a test changes it.

use std::sync::Mutex;

use domain::ports::{QueueChange, StoreError};
use domain::{QueueNumber, TicketNumber};

use super::down;

/// What the store shows of its queues, `main` first.
pub(crate) struct Shown(Mutex<Store>);

struct Store {
    queues: Vec<QueueChange>,
    reads: usize,
    down: bool,
}

impl Shown {
    pub(crate) const fn new(queues: Vec<QueueChange>) -> Self {
        Self(Mutex::new(Store { queues, reads: 0, down: false }))
    }

    /// A read of what changed. Who left is named whole, as a store may.
    pub(crate) fn since(&self, known: &[(QueueNumber, u64)]) -> Result<Vec<QueueChange>, StoreError> {
        let mut store = self.0.lock().unwrap();
        store.reads += 1;
        if store.down {
            return Err(down());
        }
        let version = |number| known.iter().find(|(queue, _)| *queue == number).map(|(_, version)| *version);
        let is_newer = |queue: &&QueueChange| version(queue.number).is_none_or(|known| known < queue.line.version);
        Ok(store.queues.iter().filter(is_newer).cloned().collect())
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        self.0.lock().unwrap().reads
    }

    /// Whether it fails from now on.
    pub(crate) fn set_down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// There is one queue more.
    pub(crate) fn add(&self, queue: QueueChange) {
        self.0.lock().unwrap().queues.push(queue);
    }

    /// Something changes in `main`, at its next version.
    pub(crate) fn change(&self, change: impl FnOnce(&mut QueueChange)) {
        let mut store = self.0.lock().unwrap();
        let main = &mut store.queues[0];
        main.line.version += 1;
        change(main);
    }

    /// All of `main` up to this number are admitted who have not left.
    pub(crate) fn admit(&self, last: u64) {
        self.change(|main| {
            let passed = (main.line.frontier + 1)..=last;
            let left = main.left.iter().filter(|number| passed.contains(&number.get())).map(|_| 1).sum::<u64>();
            main.line.admitted += last - main.line.frontier - left;
            main.line.ended_beyond -= left;
            main.line.frontier = last;
        });
    }

    /// Number `number` of `main` leaves where it waits.
    pub(crate) fn leave(&self, number: u64) {
        self.change(|main| {
            main.line.ended_beyond += 1;
            main.left.push(TicketNumber::new(number).unwrap());
        });
    }
}
