//! Random histories: whatever joins, leaves, is absent and is admitted, and in whatever portions the changes are read,
//! a snapshot says what counting the live waiters one by one says.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many join.
    Join(u64),
    /// One waiter leaves.
    Leave(prop::sample::Index),
    /// From one waiter on, every so-manieth leaves, at most so many.
    LeaveMany(prop::sample::Index, usize, usize),
    /// So many are admitted; so many at the head turn out absent before.
    Admit { absent: usize, admitted: usize },
    /// The changes are read, and so many of those that were read before are read again.
    Refresh { again: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    // Steps as long as a block and more, so that histories cross the borders of blocks.
    let few_or_many = || prop_oneof![0..4_usize, 0..200_usize, 0..6_000_usize];
    let step = prop_oneof![
        2 => prop_oneof![1..5_u64, 1..200_u64, 1..6_000_u64].prop_map(Step::Join),
        2 => index().prop_map(Step::Leave),
        2 => (index(), 1..100_usize, few_or_many()).prop_map(|(from, every, most)| Step::LeaveMany(from, every, most)),
        1 => (0..3_usize, few_or_many()).prop_map(|(absent, admitted)| Step::Admit { absent, admitted }),
        1 => few_or_many().prop_map(|absent| Step::Admit { absent, admitted: 1 }),
        3 => few_or_many().prop_map(|again| Step::Refresh { again }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A line as a store would keep it, and what one server knows of it.
struct History {
    line: Line,
    /// The live waiters, in order.
    live: Vec<u64>,
    /// The numbers that ended while waiting, in the order in which they did.
    ended: Vec<TicketNumber>,
    /// How many of those the server has read.
    read: usize,
    snapshot: Snapshot,
    /// The last position seen of each number.
    positions: HashMap<u64, u64>,
}

impl History {
    /// A queue of which `passed` were admitted already.
    fn new(passed: u64) -> Self {
        let line = Line { issued: passed, admitted: passed, frontier: passed, ended_beyond: 0, version: passed };
        let snapshot = Snapshot::build(line, []).unwrap();
        Self { line, live: vec![], ended: vec![], read: 0, snapshot, positions: HashMap::new() }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(count) => {
                for _ in 0..count {
                    self.line.issue();
                    self.live.push(self.line.issued);
                }
            }
            Step::Leave(which) if !self.live.is_empty() => self.leave(&[*which.get(&self.live)]),
            Step::LeaveMany(from, every, most) if !self.live.is_empty() => {
                let from = from.index(self.live.len());
                let gone: Vec<u64> = self.live.iter().copied().skip(from).step_by(every).take(most).collect();
                self.leave(&gone);
            }
            Step::Admit { absent, admitted } => {
                let absent: Vec<u64> = self.live.iter().copied().take(absent).collect();
                self.leave(&absent);
                let admitted: Vec<u64> = self.live.drain(..admitted.min(self.live.len())).collect();
                if let Some(last) = admitted.last() {
                    self.line.advance(admitted.len().try_into().unwrap(), 0, number(*last));
                }
            }
            Step::Refresh { again } => self.refresh(again),
            Step::Leave(_) | Step::LeaveMany(..) => {}
        }
    }

    fn leave(&mut self, gone: &[u64]) {
        for n in gone {
            self.ended.push(number(*n));
            self.line.leave_waiting();
        }
        self.live.retain(|n| gone.binary_search(n).is_err());
    }

    fn refresh(&mut self, again: usize) {
        let changes = &self.ended[self.read.saturating_sub(again)..];
        self.snapshot = self.snapshot.refresh(self.line, changes.iter().copied()).unwrap();
        self.read = self.ended.len();
        self.check(&self.snapshot.clone());
        self.check(&Snapshot::build(self.line, self.ended.iter().copied()).unwrap());
    }

    fn check(&mut self, snapshot: &Snapshot) {
        assert_eq!(snapshot.line(), &self.line);
        let mut live = self.live.iter().zip(1..).peekable();
        for n in 1..=self.line.issued {
            let waiting = live.next_if(|(waiting, _)| **waiting == n);
            let place = match waiting {
                Some((_, position)) => Place::Waiting(position),
                None if n <= self.line.frontier => Place::Passed,
                None => Place::Ended,
            };
            assert_eq!(snapshot.place(number(n)), place, "{n} of {:?}", self.line);
            if let Some((_, position)) = waiting {
                let seen = self.positions.insert(n, position).unwrap_or(u64::MAX);
                assert!(position <= seen, "{n} rose from {seen} to {position}");
            }
        }
        // A look-up is a search: a few dozen show what all would.
        for (n, nth) in self.live.iter().zip(1..).step_by(1 + self.live.len() / 50) {
            assert_eq!(snapshot.nth_waiting(nth), Some(number(*n)));
        }
        assert_eq!(snapshot.nth_waiting(snapshot.line().waiting() + 1), None);
        assert!(snapshot.bytes() <= 2_000 + usize::try_from(self.line.issued - self.line.frontier).unwrap() / 5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Q1, Q4, Q11, R4.
    #[test]
    fn a_snapshot_equals_a_count_of_the_live_and_no_position_rises(
        passed in prop_oneof![Just(0), 4_000..4_200_u64],
        steps in steps(),
    ) {
        let mut history = History::new(passed);
        for step in steps {
            history.step(step);
        }
        history.refresh(0);
    }
}
