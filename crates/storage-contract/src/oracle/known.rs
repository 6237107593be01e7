//! What the oracle keeps of queues, tokens and keys.

use crate::history::log::{Answer, Place, TurnSeen};
use crate::history::stage;

/// A policy, since when it holds, and when it let somebody in.
pub(super) struct Policy {
    pub(super) max_active: u32,
    pub(super) batch: u32,
    pub(super) interval: u32,
    pub(super) paused: bool,
    pub(super) opens_at: Option<i64>,
    pub(super) since: i64,
    pub(super) grants: Vec<i64>,
}

impl Policy {
    pub(super) const fn first(since: i64) -> Self {
        let (max_active, batch, interval) = (stage::MAX_ACTIVE, stage::BATCH, stage::INTERVAL);
        Self { max_active, batch, interval, paused: false, opens_at: None, since, grants: Vec::new() }
    }

    /// How many may still be let in by the window of `now`.
    pub(super) fn left(&self, now: i64) -> usize {
        // Nobody is let in before the opening, and the first window begins with it.
        let began = self.opens_at.map_or(self.since, |opens_at| opens_at.max(self.since));
        let window = |at: i64| (at - began) / (i64::from(self.interval) * stage::SECOND);
        let used = self.grants.iter().filter(|at| window(**at) == window(now)).count();
        if self.paused || now < began { 0 } else { usize::try_from(self.batch).unwrap().saturating_sub(used) }
    }
}

/// A token.
pub(super) struct Tok {
    pub(super) place: Place,
    pub(super) user: usize,
    pub(super) issued_at: i64,
    pub(super) turn: Option<TurnSeen>,
    /// The reservations that it paid, the last one last.
    pub(super) paid: Vec<usize>,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Over,
    Left(i64),
    Paid(i64, usize),
}

impl Tok {
    pub(super) fn pass(&mut self, now: i64) {
        if let Some(turn) = self.turn
            && self.end.is_none()
            && turn.expires_at <= now
        {
            self.end = Some(self.paid.last().map_or(End::Over, |booking| End::Paid(turn.expires_at, *booking)));
        }
    }

    pub(super) fn waits(&self) -> bool {
        self.end.is_none() && self.turn.is_none()
    }

    pub(super) fn is_active(&self) -> bool {
        self.end.is_none() && self.turn.is_some()
    }
}

/// What a key is for: the operation, the user, and the queue unless it is a charge.
pub(super) type Scope = (&'static str, usize, Option<usize>);

pub(super) struct Remembered {
    pub(super) scope: Scope,
    pub(super) key: u8,
    pub(super) request: String,
    pub(super) at: i64,
    pub(super) answer: Answer,
}
