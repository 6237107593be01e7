//! Admission (R3), page by page, as very many may wait.

use std::time::Duration;

use crate::presence::Roll;
use crate::queue::Turns;
use crate::{Queue, Timestamp, Token};

/// R3: of these tokens those that are ACTIVE past their deadline, as they are now: EXPIRED.
pub fn expire(tokens: impl IntoIterator<Item = Token>, now: Timestamp) -> Vec<Token> {
    tokens.into_iter().filter_map(|mut token| token.expire_if_due(now).then_some(token)).collect()
}

/// R3: an admission under way. The ends of those past their deadline are written before it, and whoever waits is looked at in
/// the order of the numbers, until there is no room, nobody is left, or as many as it may take on have had their turn.
#[derive(Clone, Debug)]
pub struct Admission {
    queue: Queue,
    /// How many are ACTIVE by stored status.
    active: u64,
    turns: Turns,
    page: u32,
    /// How many may have their turn, or end, in one transaction.
    most: u32,
}

impl Admission {
    /// Of a queue in which `active` tokens are ACTIVE by stored status. At most `most` have their turn, which is
    /// [`MOST_TURNS`](crate::ports::MOST_TURNS) or fewer.
    pub const fn new(queue: Queue, active: u64, most: u32) -> Self {
        Self { queue, active, turns: Turns { admitted: 0, absent: 0 }, page: 0, most }
    }

    /// How many of those who wait beyond the frontier are to be looked at next; `None` when it is over.
    pub fn next_page(&mut self, now: Timestamp) -> Option<u32> {
        let room = self.queue.room(self.active, now);
        // Where some were absent, more of those behind them are likely to be.
        let page = room.max(self.page.saturating_mul(4));
        self.page = page.min(self.most.saturating_sub(self.turns.admitted + self.turns.absent));
        (room > 0 && self.page > 0).then_some(self.page)
    }

    /// Gives the first of `waiting`, live waiters beyond the frontier with nobody left out between them, their turn: those who
    /// had it, as they are now.
    pub fn take_turns(
        &mut self,
        mut waiting: Vec<Token>,
        roll: &Roll,
        lasting: Duration,
        now: Timestamp,
    ) -> Vec<Token> {
        let of_page = self.queue.admit(self.active, &mut waiting, roll, lasting, now);
        self.active += u64::from(of_page.admitted);
        self.turns.admitted += of_page.admitted;
        self.turns.absent += of_page.absent;
        waiting.truncate(usize::try_from(of_page.admitted + of_page.absent).unwrap_or(usize::MAX));
        waiting
    }

    /// How many have had their turn so far.
    pub const fn turns(&self) -> Turns {
        self.turns
    }

    /// How many are ACTIVE by stored status now.
    pub const fn active(&self) -> u64 {
        self.active
    }

    /// The queue as it is now.
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether it stopped where it had to, `expired` tokens having ended before it, so that there may be more to do.
    pub fn is_cut_off(&self, expired: u64) -> bool {
        self.turns.admitted + self.turns.absent >= self.most || expired >= u64::from(self.most)
    }
}
