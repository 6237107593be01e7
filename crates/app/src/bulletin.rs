//! What all who ask about a queue are told alike.

use std::sync::{Arc, OnceLock};

use domain::stock::Stock;
use domain::{Message, QueueName, Timestamp};

/// What all who ask about a queue are told alike. It is made when something of it changes, and shared by all polls until then.
#[derive(Debug)]
pub struct Bulletin {
    /// The queue.
    pub queue: QueueName,
    /// When it opens, if it does so at a time (R19).
    pub opens_at: Option<Timestamp>,
    /// What its operator tells those who wait.
    pub message: Option<Message>,
    /// What is left to buy, as of a second ago or so while somebody asks.
    pub stock: Arc<Stock>,
    /// It as an adapter writes it.
    written: OnceLock<String>,
}

impl Bulletin {
    /// A bulletin that nobody has written yet.
    pub fn new(queue: QueueName, opens_at: Option<Timestamp>, message: Option<Message>, stock: Arc<Stock>) -> Self {
        Self { queue, opens_at, message, stock, written: OnceLock::new() }
    }

    /// It as the one adapter that there is writes it: done once for all who are told.
    pub fn written(&self, write: impl FnOnce(&Self) -> String) -> &str {
        self.written.get_or_init(|| write(self))
    }
}

/// Whether the same is told.
impl PartialEq for Bulletin {
    fn eq(&self, other: &Self) -> bool {
        self.queue == other.queue
            && self.opens_at == other.opens_at
            && self.message == other.message
            && self.stock == other.stock
    }
}

impl Eq for Bulletin {}
