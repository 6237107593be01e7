//! The line: the counters from which every exact position follows, and what a waiting client is advised.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{TicketNumber, Timestamp, Token, TokenStatus};

mod snapshot;

pub use snapshot::{Place, Snapshot, SnapshotError};

/// The counters of a queue, kept in its row and changed under its lock.
///
/// A position is never stored (trap Q1). It follows from the frontier: all numbers up to it have been admitted or have
/// ended, nobody beyond it has been admitted; so the live waiters ahead of a number are those between the frontier and
/// it, less those that ended there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How many numbers were issued; the last number issued.
    pub issued: u64,
    /// How many tokens were ever admitted.
    pub admitted: u64,
    /// All numbers up to this one have been admitted or have ended.
    pub frontier: u64,
    /// How many numbers beyond the frontier have ended.
    pub ended_beyond: u64,
    /// Grows by one with every join, admission, departure of a waiting token and change of policy.
    pub version: u64,
}

impl Line {
    /// How many live waiters there are.
    pub const fn waiting(&self) -> u64 {
        self.issued.saturating_sub(self.frontier).saturating_sub(self.ended_beyond)
    }

    /// R4: the place of waiting number `number`, when `ended_between` numbers beyond the frontier and before it ended.
    /// 1 when the frontier has passed it, as nobody is ahead of it then.
    pub const fn position(&self, number: TicketNumber, ended_between: u64) -> u64 {
        let ahead = number.get().saturating_sub(1).saturating_sub(self.frontier).saturating_sub(ended_between);
        ahead + 1
    }

    /// R4 for a number that no ended one stands behind, as one just issued: all that ended beyond the frontier are
    /// ahead of it, so that nothing need be counted.
    pub const fn position_at_tail(&self, number: TicketNumber) -> u64 {
        self.position(number, self.ended_beyond)
    }

    /// R2: one more number is issued.
    pub(crate) const fn issue(&mut self) {
        self.issued += 1;
        self.version += 1;
    }

    /// `count` waiters are admitted, the last of them `last`; whoever ended on the way there is behind the frontier now.
    pub(crate) const fn admit(&mut self, count: u64, last: TicketNumber) {
        let passed = last.get().saturating_sub(self.frontier);
        self.ended_beyond = self.ended_beyond.saturating_sub(passed.saturating_sub(count));
        self.frontier = last.get();
        self.admitted += count;
        self.version += 1;
        self.close_up();
    }

    /// A waiting token ends where it stands.
    pub const fn leave_waiting(&mut self) {
        self.ended_beyond += 1;
        self.version += 1;
        self.close_up();
    }

    /// With nobody waiting the frontier is the last number issued.
    const fn close_up(&mut self) {
        if self.waiting() == 0 {
            self.frontier = self.issued;
            self.ended_beyond = 0;
        }
    }
}

/// A token and where it stands, read in one snapshot of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The token as stored.
    pub token: Token,
    /// Live waiters ahead + 1 while it is WAITING in the store; 0 otherwise.
    pub position: u64,
    /// The counters of its queue; the position is exact at their version (R4).
    pub line: Line,
    /// Whether its queue is paused, so that no wait can be foretold.
    pub paused: bool,
}

impl Standing {
    /// R4 as told to the user at `now`: 0 when ACTIVE, nothing when EXPIRED.
    pub fn position_at(&self, now: Timestamp) -> Option<u64> {
        match self.token.status_at(now) {
            TokenStatus::Waiting => Some(self.position),
            TokenStatus::Active => Some(0),
            TokenStatus::Expired => None,
        }
    }
}

/// How fast a line moved in the last minutes, measured, never assumed.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// When how many had been admitted in all, oldest first.
    samples: VecDeque<(Timestamp, u64)>,
}

impl Pace {
    /// How far back admissions count.
    pub const MEMORY: Duration = Duration::from_secs(300);
    /// Samples closer together than this tell nothing new.
    const APART: Duration = Duration::from_millis(900);

    /// Notes that `admitted` tokens had been admitted in all at `now`.
    pub fn observe(&mut self, now: Timestamp, admitted: u64) {
        // The last sample stays until a later one is far enough from it, so that memory is bounded however often the
        // line is looked at; the first one stays until the second is old enough to measure from.
        if self.samples.back().is_none_or(|(last, _)| now.since(*last) >= Self::APART) {
            self.samples.push_back((now, admitted));
        }
        let horizon = now.minus(Self::MEMORY);
        while self.samples.get(1).is_some_and(|(second, _)| *second <= horizon) {
            self.samples.pop_front();
        }
    }

    /// How long `position` will take at that pace; `None` while nobody has been seen admitted.
    pub fn wait(&self, position: u64) -> Option<Duration> {
        let ((first, before), (last, after)) = (self.samples.front()?, self.samples.back()?);
        let admitted = u128::from(after.saturating_sub(*before));
        let micros = last.since(*first).as_micros().checked_mul(u128::from(position))?.checked_div(admitted)?;
        Some(Duration::from_micros(u64::try_from(micros).ok()?))
    }
}

/// When a waiting client should ask again: about a tenth of its wait, 1 to 30 s, spread by `jitter` over 90 to 110 %
/// so that a crowd that came together does not come back together. While the wait is unknown the place stands for it.
pub fn poll_after(wait: Option<Duration>, position: u64, jitter: u8) -> Duration {
    const LEAST_MS: u64 = 1_000;
    const MOST_MS: u64 = 30_000;
    let tenth = match wait {
        Some(wait) => u64::try_from(wait.as_millis() / 10).unwrap_or(MOST_MS),
        None => position.saturating_mul(10),
    };
    let spread = tenth.clamp(LEAST_MS, MOST_MS) * (900 + u64::from(jitter) * 200 / 255) / 1_000;
    Duration::from_millis(spread.clamp(LEAST_MS, MOST_MS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(n: u64) -> TicketNumber {
        TicketNumber::new(n).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn leavers_do_not_count_q1() {
        let mut line = Line { issued: 10, frontier: 4, admitted: 4, ..Line::default() };
        line.leave_waiting();
        assert_eq!((line.waiting(), line.position(number(10), 1), line.position(number(5), 0)), (5, 5, 1));
        assert_eq!(line.position_at_tail(number(10)), 5);
    }

    #[test]
    fn admission_passes_over_who_ended() {
        // 5 and 6 left; 7 is the first live waiter.
        let mut line = Line { issued: 10, frontier: 4, admitted: 4, ended_beyond: 2, version: 0 };
        line.admit(1, number(7));
        assert_eq!(line, Line { issued: 10, frontier: 7, admitted: 5, ended_beyond: 0, version: 1 });
    }

    #[test]
    fn when_the_last_waiter_leaves_the_line_is_empty() {
        let mut line = Line { issued: 3, frontier: 2, admitted: 2, ..Line::default() };
        line.leave_waiting();
        assert_eq!((line.waiting(), line.frontier, line.ended_beyond), (0, 3, 0));
        assert_eq!(line.position(number(3), 0), 1, "as it was for the one that left");
    }

    #[test]
    fn a_wait_is_known_once_someone_was_admitted() {
        let mut pace = Pace::default();
        assert_eq!(pace.wait(5), None);
        pace.observe(at(0), 100);
        pace.observe(at(10), 100);
        assert_eq!(pace.wait(5), None);
        pace.observe(at(20), 110);
        assert_eq!(pace.wait(5), Some(Duration::from_secs(10)), "10 in 20 s, so 5 in 10 s");
    }

    #[test]
    fn what_is_older_than_the_memory_does_not_count() {
        let mut pace = Pace::default();
        for (second, admitted) in [(0, 0), (1, 1_000), (200, 1_000), (302, 1_010)] {
            pace.observe(at(second), admitted);
        }
        assert_eq!(pace.wait(10), Some(Duration::from_secs(301)), "from second 1 on");
    }

    #[test]
    fn memory_of_the_pace_is_bounded() {
        let mut pace = Pace::default();
        for tenth in 0..100_000_i64 {
            pace.observe(Timestamp::from_micros(tenth * 100_000), 0);
        }
        assert!(pace.samples.len() <= 340, "{}", pace.samples.len());
    }

    #[test]
    fn polls_grow_with_the_wait_from_1_to_30_seconds() {
        for (wait, position, ms) in [
            (Some(0), 1, 1_000),
            (Some(100), 1, 10_000),
            (Some(10_000), 1, 30_000),
            (None, 1, 1_000),
            (None, 1_500, 15_000),
            (None, u64::MAX, 30_000),
        ] {
            let middle = poll_after(wait.map(Duration::from_secs), position, 127).as_millis();
            assert!(middle.abs_diff(ms) <= ms / 100, "{wait:?} {position}: {middle}");
            for jitter in [0, 255] {
                let spread = poll_after(wait.map(Duration::from_secs), position, jitter).as_millis();
                assert!((1_000..=30_000).contains(&spread) && spread.abs_diff(ms) <= ms / 10, "{spread}");
            }
        }
    }

    proptest! {
        /// Q1, Q4, R4: whatever leaves and is admitted, positions equal a brute-force count, and none ever rises.
        #[test]
        fn positions_equal_the_live_waiters_ahead_and_never_rise(steps in proptest::collection::vec((0..3_u8, any::<u16>()), 1..200)) {
            let (mut line, mut live, mut ended) = (Line::default(), Vec::<u64>::new(), Vec::<u64>::new());
            let mut before = std::collections::HashMap::<u64, u64>::new();
            for (step, pick) in steps {
                let pick = usize::from(pick);
                match step {
                    0 => { line.issue(); live.push(line.issued); }
                    1 if !live.is_empty() => { ended.push(live.remove(pick % live.len())); line.leave_waiting(); }
                    2 if !live.is_empty() => {
                        let admitted: Vec<u64> = live.drain(..=pick % live.len()).collect();
                        line.admit(admitted.len().try_into().unwrap(), number(*admitted.last().unwrap()));
                    }
                    _ => {}
                }
                prop_assert_eq!(line.waiting(), u64::try_from(live.len()).unwrap());
                for (ahead, n) in live.iter().enumerate() {
                    let between = ended.iter().filter(|e| **e > line.frontier && *e < n).count();
                    let position = line.position(number(*n), between.try_into().unwrap());
                    prop_assert_eq!(position, u64::try_from(ahead + 1).unwrap());
                    let was = before.insert(*n, position).unwrap_or(u64::MAX);
                    prop_assert!(position <= was, "{} rose from {} to {}", n, was, position);
                }
                if let Some(last) = live.last() && *last == line.issued {
                    prop_assert_eq!(line.position_at_tail(number(*last)), line.waiting());
                }
            }
        }
    }
}
