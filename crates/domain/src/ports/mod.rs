//! The ports: what the use cases need from the outside, as traits that adapters implement.
//!
//! To add a storage, implement the `*Repository` traits and [`Probe`], and run the contract
//! suite of `storage-contract` on it: each sentence of the documentation below is a test there. Every method is one
//! atomic operation: it happens whole, once, or not at all, also when its caller goes away meanwhile.
//!
//! What holds for all of them:
//! - A store takes `now` from its own clock after it has its locks; no method takes it as an argument.
//! - The rules decide every change of state, under lock, and stores only write what they decided. A [`Rejection`] has
//!   changed nothing that the rules can see. Ends that time has brought may be written on the way.
//! - "The rules said no" (`Ok(Err(..))`) and "the store failed" (`Err(..)`) are different results: see [`Decided`].
//! - A success is given only after it is committed for good: it survives the end of the process and of the machine.
//! - Answers of one store are linearizable: what one caller was answered, every later call sees.

mod clockwork;
mod concerts;
mod disk;
mod environment;
mod money;
mod presence;
mod queues;
mod reservations;

pub use clockwork::{ClockworkRepository, MARK_FOR};
pub use concerts::{ConcertRepository, LoadCommand};
pub use disk::Disk;
pub use environment::{Clock, IdGenerator, Probe, TokenKeyRepository};
pub use money::{ChargeCommand, Charged, Paid, PayCommand, PaymentRepository, WalletRepository};
pub use presence::PresenceRepository;
pub use queues::{
    Admissions, Admitted, Counted, Endings, Joined, Left, MOST_TURNS, QueueChange, QueueReport, QueueRepository,
};
pub use reservations::{Cancelled, HoldCommand, MOST_RELEASED, ReservationRepository};

use std::time::Duration;

use crate::Rejection;

/// The most commands of one batch, which is one transaction.
pub const MOST_IN_BATCH: usize = 512;

/// How many commands may wait for a batch. One more is refused as [`StoreError::Overloaded`].
pub const MOST_WAITING: usize = 8_192;

/// How long a command may wait unstarted before it is refused as [`StoreError::Overloaded`], unless an operator wants otherwise.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What became of a command: decided by the rules, one way or the other, unless the store failed.
pub type Decided<T> = Result<Result<T, Rejection>, StoreError>;

/// An answer, and whether it is the one recorded under the same idempotency key before (R15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer; when replayed, the first one with today's state of its reservation.
    pub value: T,
    /// Whether it was replayed.
    pub replayed: bool,
}

/// A store that failed. Nothing of this is the caller's doing, and nothing of it is told to the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// More commands than the store keeps up with: this one was not executed.
    #[error("the store is overloaded; the command was not executed")]
    Overloaded,
    /// The store cannot be reached or answered with a fault: perhaps executed; repeat with the same key.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The disk has no room for what was to be written; the command was not executed.
    #[error("the disk of the store is full")]
    Full,
    /// A stored row is not what the schema promises. Never reported as "not found".
    #[error("inconsistent data in {table}.{column}: {detail}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Which row and what was wrong.
        detail: String,
    },
}
