//! The numbers of the rules that an operator may set; each default is the contract's.

use std::time::Duration;

use crate::{Money, Policy};

/// The numbers that the rules use. Stores are made with them and hand them to the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a hold lasts (R9): 300 s.
    pub hold: Duration,
    /// How long after the admission holds may begin (R5): 600 s.
    pub active: Duration,
    /// After how long without a sign of life a token is passed over when its turn comes (R22): 300 s; zero for never.
    pub absence: Duration,
    /// How many live PENDING seats one user may have in one queue (R8): 4.
    pub max_seats: u32,
    /// The largest charge (R12): 1,000,000.
    pub max_charge: Money,
    /// The policy of a queue that is made with a concert: 100 at once, 10 each 10 s.
    pub new_queue: Policy,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(300),
            active: Duration::from_secs(600),
            absence: Duration::from_secs(300),
            max_seats: 4,
            max_charge: Money::from_minor(100_000_000).unwrap_or_else(Money::zero),
            new_queue: Policy::default(),
        }
    }
}
