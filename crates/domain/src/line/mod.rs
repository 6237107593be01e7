//! The line: the counters from which every exact position follows, and what a waiting client is advised.

use crate::TicketNumber;

mod advice;
mod forecasts;
mod outlook;
mod pace;
mod snapshot;

pub use advice::{jitter, poll_after};
pub use forecasts::Forecasts;
pub use outlook::Outlook;
pub use pace::{Pace, Rate};
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
    /// Grows by one with every join, admission, departure of a waiting token, change of policy and of what the operator tells
    /// those who wait.
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

    /// The turn of all up to `last` has come: `admitted` of them are in, `absent` were passed over. Those that had ended among
    /// them are behind the frontier now.
    pub(crate) const fn advance(&mut self, admitted: u64, absent: u64, last: TicketNumber) {
        let passed = last.get().saturating_sub(self.frontier);
        self.ended_beyond = self.ended_beyond.saturating_sub(passed.saturating_sub(admitted).saturating_sub(absent));
        self.frontier = last.get();
        self.admitted += admitted;
        self.version += 1;
        self.close_up();
    }

    /// Nobody waits any more: all numbers issued are behind the frontier.
    pub(crate) const fn clear(&mut self) {
        self.frontier = self.issued;
        self.ended_beyond = 0;
        self.version += 1;
    }

    /// A waiting token ends where it stands.
    pub(crate) const fn leave_waiting(&mut self) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(n: u64) -> TicketNumber {
        TicketNumber::new(n).unwrap()
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
        line.advance(1, 0, number(7));
        assert_eq!(line, Line { issued: 10, frontier: 7, admitted: 5, ended_beyond: 0, version: 1 });
    }

    #[test]
    fn the_absent_are_passed_over_without_a_grant() {
        // 5 left; 6 and 8 are absent, 7 is admitted.
        let mut line = Line { issued: 10, frontier: 4, admitted: 4, ended_beyond: 1, version: 0 };
        line.advance(1, 2, number(8));
        assert_eq!(line, Line { issued: 10, frontier: 8, admitted: 5, ended_beyond: 0, version: 1 });
    }

    #[test]
    fn when_the_last_waiter_leaves_the_line_is_empty() {
        let mut line = Line { issued: 3, frontier: 2, admitted: 2, ..Line::default() };
        line.leave_waiting();
        assert_eq!((line.waiting(), line.frontier, line.ended_beyond), (0, 3, 0));
        assert_eq!(line.position(number(3), 0), 1, "as it was for the one that left");
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
                        line.advance(admitted.len().try_into().unwrap(), 0, number(*admitted.last().unwrap()));
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
