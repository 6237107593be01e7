//! A ticket: the number of a queue and the number of a place in it.

/// The number of a queue, never reused: the first column of every key of its sale, and part of every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueNumber(pub u16);

/// The dense sequence number of a token within its queue: 1, 2, 3, ... in commit order (R2). At most 2^40 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketNumber(u64);

impl TicketNumber {
    /// The largest number that a sealed token has room for: a trillion.
    pub const MAX: u64 = (1 << 40) - 1;

    /// `None` when the number is out of 1 to [`TicketNumber::MAX`].
    pub fn new(number: u64) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One place in one queue: what a sealed token carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The queue.
    pub queue: QueueNumber,
    /// The place in it.
    pub number: TicketNumber,
}
