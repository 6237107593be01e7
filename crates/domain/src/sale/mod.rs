//! A sale's commands: in which order each one's questions are asked, and what it changes.
//!
//! Every storage decides its commands here, so that the order is written once: a number never issued, what the key
//! recorded (R15), what the rule looks at, the rule, and then all that follows from its decision. A storage has two things
//! to do: it reads ([`Facts`]) under its locks, and it writes ([`Effects`]) in one transaction.
//!
//! - A storage that writes each command before it reads for the next one reads as it is asked.
//! - A storage that reads for many commands at once keeps what it read in a [`WorkingSet`], which answers as [`Facts`] and
//!   takes in the effects of one command before the next is decided.
//!
//! A row that is damaged fails the commands that ask for it, and no other.

mod admission;
mod charge;
mod command;
mod effects;
mod facts;
mod holds;
mod line;
mod payments;
mod working_set;

pub use admission::{Admission, expire};
pub use charge::{Charging, charge, replay_charge};
pub use command::{Command, Outcome, Step, Verdict};
pub use effects::{Effects, Key, SeatChange};
pub use facts::Facts;
pub use holds::{cancel, hold, release};
pub use line::{Placed, edit, join, leave};
pub use payments::pay;
pub use working_set::{BareReservation, Changed, WorkingSet};

use crate::ports::IdGenerator;
use crate::{Rules, Timestamp};

/// What every decision needs besides its facts.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The operator's numbers.
    pub rules: &'a Rules,
    /// Where new ids come from.
    pub ids: &'a dyn IdGenerator,
    /// The batch's time, read after its locks.
    pub now: Timestamp,
}

/// A success: the answer and its effects, or what was made when the request came for the first time (R15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made<T, Id> {
    /// It was made now.
    Now(T, Box<Effects>),
    /// It was made before, and its answer is given again.
    Before(Id),
}

#[cfg(test)]
mod tests;
