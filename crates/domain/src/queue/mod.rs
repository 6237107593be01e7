//! A queue: a named waiting line with its own policy, numbers and epoch.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::line::Line;
use crate::policy::Window;
use crate::presence::Roll;
use crate::token::EndReason;
use crate::{
    Edit, Message, Policy, PolicyChange, QueueNumber, Rejection, Ticket, TicketNumber, Timestamp, Token, TokenStatus,
    UserId, Wrong,
};

/// The name of a queue: `[a-z0-9-]{1,32}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(Arc<str>);

impl QueueName {
    /// The queue that always exists.
    pub const MAIN: &'static str = "main";

    /// Reads a name; `None` when it is not `[a-z0-9-]{1,32}`.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        good.then(|| Self(Arc::from(text)))
    }

    /// The queue that always exists.
    pub fn main() -> Self {
        Self(Arc::from(Self::MAIN))
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A queue to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQueue {
    /// Its name.
    pub name: QueueName,
    /// How fast it is to admit, and from when on.
    pub policy: Policy,
    /// What those who wait are told.
    pub message: Option<Message>,
}

/// What an operator changes of a queue; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueEdit {
    /// Its policy. A change of nothing is one all the same, and starts a new window (R3).
    pub policy: Option<PolicyChange>,
    /// What those who wait are told. It is no change of the policy, and starts no window.
    pub message: Edit<Message>,
}

/// The random 128 bits that a queue's tokens are sealed with besides the server's key. A new epoch ends them all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueEpoch(pub [u8; 16]);

impl fmt::Debug for QueueEpoch {
    /// Says nothing of the bits: they are half a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueEpoch(..)")
    }
}

/// A queue as its row says, to be read and changed under the row's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its number.
    pub number: QueueNumber,
    /// Its name.
    pub name: QueueName,
    /// What its tokens are sealed with.
    pub epoch: QueueEpoch,
    /// Its counters.
    pub line: Line,
    /// How fast it admits.
    pub policy: Policy,
    /// Since when this policy holds; windows are counted from here.
    pub policy_since: Timestamp,
    /// The running window and its used grants.
    pub window: Window,
}

/// What joining came to (R1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Join {
    /// The user has a live place already: this one.
    Known(Token),
    /// A new place at the tail. `ended` is the user's former ACTIVE token, found past its deadline and ended now; it is
    /// to be written before the new one is inserted.
    Issued {
        /// The former token, EXPIRED now, when it was not so in the store already.
        ended: Option<Token>,
        /// The new token, WAITING.
        token: Token,
    },
}

/// Whose turn has come in one admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// How many were admitted.
    pub admitted: u32,
    /// How many were passed over, being absent.
    pub absent: u32,
}

impl Queue {
    /// A new queue: nobody has joined, the first window begins now.
    pub fn new(number: QueueNumber, name: QueueName, epoch: QueueEpoch, policy: Policy, now: Timestamp) -> Self {
        Self { number, name, epoch, line: Line::default(), policy, policy_since: now, window: Window::default() }
    }

    /// R1, R2: gives `user` their live place again or the next number at the tail. `latest` is the user's newest token
    /// here; one that is EXPIRED in the store may be left out. The caller holds the queue's lock, and admits before it
    /// answers when [`Queue::admits_at_join`] said so before.
    pub fn join(&mut self, user: &UserId, latest: Option<Token>, now: Timestamp) -> Result<Join, Rejection> {
        let ended = match latest {
            Some(token) if token.status_at(now) != TokenStatus::Expired => return Ok(Join::Known(token)),
            Some(mut token) => token.expire_if_due(now).then_some(token),
            None => None,
        };
        let number =
            TicketNumber::new(self.line.issued + 1).ok_or_else(|| Rejection::invalid("queue", Wrong::NoNumberLeft))?;
        self.line.issue();
        let token = Token::issue(Ticket { queue: self.number, number }, user.clone(), now);
        Ok(Join::Issued { ended, token })
    }

    /// R3: how many tokens may be admitted at `now` when `active` are ACTIVE by stored status (those past their
    /// deadline having been written EXPIRED before). Zero when nobody waits, so that a store need not look for anyone.
    pub fn room(&self, active: u64, now: Timestamp) -> u32 {
        let window = self.window.at(&self.policy, self.policy_since, now);
        let slots = u64::from(self.policy.max_active).saturating_sub(active).min(self.line.waiting());
        window.left(&self.policy, now).min(u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// R3: does not wait for a clock that was set back by more than a window to catch up: the same policy begins anew now, as a new
    /// one does, but for what the window that was reached has granted, which stays used. So a clock that is set back again and again
    /// grants nothing, and nobody waits for longer than two windows because of it. By how much the clock is behind, if it is so; the
    /// policy is to be kept as a new one then. To be asked before an admission.
    pub fn follow_clock_back(&mut self, now: Timestamp) -> Option<Duration> {
        let behind = self.window.is_ahead(&self.policy, self.policy_since, now)?;
        self.policy_since = now;
        self.window.index = 0;
        Some(behind)
    }

    /// R3: whether admission runs in the transaction of a join that comes now, so that a newcomer is ACTIVE at once when
    /// nobody waits ahead and there is room. Behind others a newcomer waits for the clockwork, which comes every second.
    pub const fn admits_at_join(&self) -> bool {
        self.line.waiting() == 0
    }

    /// R3: admits the first of `waiting` that there is room for, and passes over those before them that `roll` says are
    /// absent: they use no grant. Changes those tokens, the first ones, and says how many they are.
    ///
    /// `waiting` are live waiters beyond the frontier, ascending, nobody left out between them; if there is room after the
    /// last of them, the caller comes again with those that follow. Strictly by ticket number, and nobody is judged before
    /// their turn.
    pub fn admit(
        &mut self,
        active: u64,
        waiting: &mut [Token],
        roll: &Roll,
        lasting: Duration,
        now: Timestamp,
    ) -> Turns {
        let (room, version) = (self.room(active, now), self.line.version + 1);
        let (mut turns, mut last) = (Turns::default(), None);
        for token in waiting {
            if turns.admitted == room {
                break;
            }
            if roll.is_absent(token) {
                token.pass_over(now, version);
                turns.absent += 1;
            } else {
                token.admit(lasting, now, version);
                turns.admitted += 1;
            }
            last = Some(token.ticket.number);
        }
        if let Some(last) = last {
            self.window = self.window.at(&self.policy, self.policy_since, now);
            self.window.granted = self.window.granted.saturating_add(turns.admitted);
            self.line.advance(u64::from(turns.admitted), u64::from(turns.absent), last);
        }
        turns
    }

    /// R17: the user of `token` leaves. What the token was until then; `None` when it was over already.
    pub fn leave(&mut self, token: &mut Token, now: Timestamp) -> Option<TokenStatus> {
        let left = token.leave(now);
        if left == Some(TokenStatus::Waiting) {
            self.line.leave_waiting();
            token.out_version = Some(self.line.version);
        }
        left
    }

    /// Ends everything that was sealed before: after a restore numbers may be issued again that people hold already, and
    /// only the new epoch tells theirs apart (ADR 2). All live tokens are to be ended by [`Queue::expel`].
    pub fn renew(&mut self, epoch: QueueEpoch) {
        self.epoch = epoch;
        self.line.clear();
    }

    /// Ends a live token of before the epoch; whether it lived.
    pub fn expel(&self, token: &mut Token, now: Timestamp) -> bool {
        let waited = token.status() == TokenStatus::Waiting;
        let lived = token.end(EndReason::NewEpoch, now);
        if waited {
            token.out_version = Some(self.line.version);
        }
        lived
    }

    /// Those who wait are told something else: servers that follow the line are to notice.
    pub const fn announce(&mut self) {
        self.line.version += 1;
    }

    /// Changes the policy: a new window begins now, or with the opening, with all its grants (R3, R19).
    pub fn change_policy(&mut self, change: &PolicyChange, now: Timestamp) -> Result<(), Rejection> {
        self.policy = change.apply(&self.policy)?;
        self.policy_since = now;
        self.window = Window::default();
        self.line.version += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
