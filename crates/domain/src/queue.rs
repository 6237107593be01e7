//! A queue: a named waiting line with its own policy, numbers and epoch.

use std::fmt;
use std::sync::Arc;

use crate::line::Line;
use crate::policy::Window;
use crate::{Policy, PolicyChange, Rejection, Timestamp, Token, UserId};

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

/// The number of a queue, never reused: the first column of every key of its sale, and part of every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueNumber(pub u16);

/// The random 128 bits that a queue's tokens are sealed with besides the server's key. A new epoch ends them all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct QueueEpoch(pub [u8; 16]);

impl fmt::Debug for QueueEpoch {
    /// Says nothing of the bits: they are half a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueEpoch(..)")
    }
}

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

impl Queue {
    /// A new queue: nobody has joined, the first window begins now.
    pub fn new(number: QueueNumber, name: QueueName, epoch: QueueEpoch, policy: Policy, now: Timestamp) -> Self {
        Self { number, name, epoch, line: Line::default(), policy, policy_since: now, window: Window::default() }
    }

    /// R1, R2: gives `user` their live place again or the next number at the tail. `latest` is the user's newest token
    /// here. The caller holds the queue's lock and admits before it answers, so that a newcomer nobody waits ahead of
    /// is ACTIVE at once (R3).
    pub fn join(&mut self, user: &UserId, latest: Option<Token>, now: Timestamp) -> Result<Join, Rejection> {
        let ended = match latest {
            Some(token) if token.status_at(now) != crate::TokenStatus::Expired => return Ok(Join::Known(token)),
            Some(mut token) => token.expire_if_due(now).then_some(token),
            None => None,
        };
        let number = TicketNumber::new(self.line.issued + 1)
            .ok_or_else(|| Rejection::invalid("queue", "has issued all the numbers it has"))?;
        self.line.issue();
        let token = Token::issue(Ticket { queue: self.number, number }, user.clone(), now);
        Ok(Join::Issued { ended, token })
    }

    /// R3: how many tokens may be admitted at `now` when `active` are ACTIVE by stored status (those past their
    /// deadline having been written EXPIRED before). Zero when nobody waits, so that a store need not look for anyone.
    pub fn room(&self, active: u64, now: Timestamp) -> u32 {
        let window = self.window.at(&self.policy, self.policy_since, now);
        let slots = u64::from(self.policy.max_active).saturating_sub(active).min(self.line.waiting());
        window.left(&self.policy).min(u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// R3: admits the first `room` of `waiting`, and returns how many those are.
    ///
    /// `waiting` are the first live waiters beyond the frontier, ascending, at least as many as there is room for (or
    /// all). Strictly by ticket number, as nobody is passed over.
    pub fn admit(&mut self, active: u64, waiting: &[TicketNumber], now: Timestamp) -> usize {
        let room = usize::try_from(self.room(active, now)).unwrap_or(usize::MAX).min(waiting.len());
        let Some(last) = room.checked_sub(1).and_then(|last| waiting.get(last)) else { return 0 };
        let admitted = u32::try_from(room).unwrap_or(u32::MAX);
        self.window = self.window.at(&self.policy, self.policy_since, now);
        self.window.granted = self.window.granted.saturating_add(admitted);
        self.line.admit(u64::from(admitted), *last);
        room
    }

    /// Changes the policy: a new window begins now, with all its grants (R3).
    pub fn change_policy(&mut self, change: &PolicyChange, now: Timestamp) -> Result<(), Rejection> {
        self.policy = change.apply(&self.policy)?;
        self.policy_since = now;
        self.window = Window::default();
        self.line.version += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(policy: Policy) -> Queue {
        Queue::new(QueueNumber(1), QueueName::main(), QueueEpoch([7; 16]), policy, at(0))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<TicketNumber> {
        range.map(|n| TicketNumber::new(n).unwrap()).collect()
    }

    fn joined(queue: &mut Queue, people: usize) {
        for person in 0..people {
            let user = UserId::parse(&format!("user-{person}")).unwrap();
            assert!(matches!(queue.join(&user, None, at(0)), Ok(Join::Issued { .. })));
        }
    }

    #[test]
    fn names_of_queues() {
        let longest = "q".repeat(32);
        for (name, good) in [
            ("main", true),
            ("a-1", true),
            (&*longest, true),
            ("", false),
            ("Main", false),
            ("a_b", false),
            ("*", false),
        ] {
            assert_eq!(QueueName::parse(name).is_some(), good, "{name}");
        }
        assert_eq!(QueueName::parse(&"q".repeat(33)), None);
    }

    #[test]
    fn joining_again_gives_the_same_place_until_it_is_over_r1() {
        let mut queue = queue(Policy::default());
        let user = UserId::parse("u").unwrap();
        let Join::Issued { ended: None, token } = queue.join(&user, None, at(0)).unwrap() else { panic!() };
        assert_eq!(queue.join(&user, Some(token.clone()), at(9)), Ok(Join::Known(token.clone())));

        let mut active = token;
        active.admit(std::time::Duration::from_secs(600), at(10));
        assert_eq!(queue.join(&user, Some(active.clone()), at(609)), Ok(Join::Known(active.clone())));
        // Past its deadline it is over though nobody has written so: it is ended first, and a new place is given.
        let Join::Issued { ended: Some(ended), token } = queue.join(&user, Some(active), at(610)).unwrap() else {
            panic!()
        };
        assert_eq!((ended.ticket.number.get(), token.ticket.number.get()), (1, 2));
        let Join::Issued { ended: None, token } = queue.join(&user, Some(ended), at(611)).unwrap() else { panic!() };
        assert_eq!(token.ticket.number.get(), 3);
    }

    #[test]
    fn room_is_the_least_of_grants_slots_and_waiters_r3() {
        for (max_active, batch, active, waiting, room) in [
            (100, 10, 0, 50, 10),
            (100, 10, 95, 50, 5),
            (100, 10, 99, 50, 1),
            (100, 10, 100, 50, 0),
            (100, 10, 101, 50, 0),
            (100, 10, 0, 3, 3),
            (0, 10, 0, 3, 0),
        ] {
            let mut queue = queue(Policy { max_active, batch, ..Policy::default() });
            joined(&mut queue, waiting);
            assert_eq!(queue.room(active, at(0)), room, "{max_active} {batch} {active} {waiting}");
        }
    }

    #[test]
    fn a_window_is_used_up_and_the_next_one_grants_again_r3() {
        let mut queue = queue(Policy { batch: 2, interval_seconds: 10, ..Policy::default() });
        joined(&mut queue, 5);
        assert_eq!(queue.admit(0, &numbers(1..=5), at(0)), 2);
        assert_eq!(queue.admit(2, &numbers(3..=5), at(9)), 0);
        assert_eq!(queue.admit(2, &numbers(3..=5), at(10)), 2);
        assert_eq!(queue.line.frontier, 4);
        assert_eq!(queue.line.waiting(), 1);
    }

    #[test]
    fn nobody_is_admitted_while_paused_and_a_change_starts_a_new_window_r3() {
        let mut queue = queue(Policy { batch: 1, ..Policy::default() });
        joined(&mut queue, 3);
        assert_eq!(queue.admit(0, &numbers(1..=1), at(0)), 1);
        queue.change_policy(&PolicyChange { paused: Some(true), ..PolicyChange::default() }, at(1)).unwrap();
        assert_eq!(queue.room(1, at(1)), 0);
        queue.change_policy(&PolicyChange { paused: Some(false), ..PolicyChange::default() }, at(2)).unwrap();
        assert_eq!(queue.room(1, at(2)), 1);
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut queue = queue(Policy::default());
        let before = queue.clone();
        assert!(queue.change_policy(&PolicyChange { batch: Some(0), ..PolicyChange::default() }, at(1)).is_err());
        assert_eq!(queue, before);
    }
}
