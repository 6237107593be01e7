//! Random histories of joining, leaving, admitting and changing the policy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::TokenStatus;

/// When histories begin: at a moment at which queues may open.
const BEGAN: i64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Tick,
    /// A change, and in how many seconds the queue opens after it, if there is an opening.
    Change(PolicyChange, Option<i64>),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let numbers = (0..5_u32, 1..4_u32, 1..4_u32, proptest::bool::weighted(0.2));
    let change = numbers.prop_map(|(max_active, batch, interval, paused)| PolicyChange {
        max_active: Some(max_active),
        batch: Some(batch),
        interval_seconds: Some(interval),
        paused: Some(paused),
        opens_at: Edit::Clear,
    });
    let opens_in = proptest::option::weighted(0.3, -4..8_i64);
    let step = prop_oneof![
        6 => (0..12_usize).prop_map(Step::Join),
        2 => any::<usize>().prop_map(Step::Leave),
        2 => Just(Step::Tick),
        1 => (change, opens_in).prop_map(|(change, opens_in)| Step::Change(change, opens_in)),
        2 => (0..5_i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..120)
}

/// A queue and its tokens, written as a store would write what the rules decide.
struct History {
    queue: Queue,
    tokens: Vec<Token>,
    second: i64,
    /// The numbers that were admitted, in the order of their admission.
    admitted: Vec<u64>,
    /// How many were admitted in each window of each policy.
    granted: BTreeMap<(i64, i64), u32>,
}

impl History {
    fn new() -> Self {
        let policy = Policy { max_active: 2, batch: 2, interval_seconds: 2, ..Policy::default() };
        Self { queue: queue(policy), tokens: vec![], second: BEGAN, admitted: vec![], granted: BTreeMap::new() }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join(user) => self.join(user),
            Step::Leave(pick) => self.leave(pick),
            Step::Tick => self.admit(),
            Step::Change(change, opens_in) => {
                let opens_at = opens_in.map_or(Edit::Clear, |seconds| Edit::Set(at(self.second + seconds)));
                let change = PolicyChange { opens_at, ..change };
                self.queue.change_policy(&change, at(self.second)).unwrap();
                self.granted.clear();
            }
            Step::Wait(seconds) => self.second += seconds,
        }
    }

    fn join(&mut self, user: usize) {
        let user = UserId::parse(&format!("user-{user}")).unwrap();
        let alone = self.queue.admits_at_join();
        let latest = self.tokens.iter().rposition(|token| token.user == user);
        match self.queue.join(&user, latest.map(|at| self.tokens[at].clone()), at(self.second)).unwrap() {
            Join::Known(token) => assert_eq!(Some(token), latest.map(|at| self.tokens[at].clone())),
            Join::Issued { ended, token } => {
                if let (Some(ended), Some(at)) = (ended, latest) {
                    self.tokens[at] = ended;
                }
                self.tokens.push(token);
            }
        }
        if alone {
            self.admit();
        }
    }

    fn leave(&mut self, pick: usize) {
        let among = self.tokens.len().max(1);
        let Some(token) = self.tokens.get_mut(pick % among) else { return };
        self.queue.leave(token, at(self.second));
    }

    fn admit(&mut self) {
        let now = at(self.second);
        for token in &mut self.tokens {
            token.expire_if_due(now);
        }
        let active = self.count(TokenStatus::Active);
        let mut waiting: Vec<_> = self.with(TokenStatus::Waiting).cloned().collect();
        let roll = self.roll();
        let turns = self.queue.admit(active, &mut waiting, &roll, Duration::from_secs(7), now);
        for token in waiting {
            let index = usize::try_from(token.ticket.number.get()).unwrap() - 1;
            if token.status() == TokenStatus::Active {
                self.admitted.push(token.ticket.number.get());
            }
            self.tokens[index] = token;
        }
        if turns.admitted > 0 {
            let policy_since = self.queue.policy_since;
            let opens_at = self.queue.policy.opens_at.unwrap_or(policy_since);
            let since = opens_at.max(policy_since).micros() / 1_000_000;
            let window = (self.second - since) / i64::from(self.queue.policy.interval_seconds);
            *self.granted.entry((since, window)).or_default() += turns.admitted;
            assert!(!self.queue.policy.paused && opens_at <= now, "somebody was admitted while the queue was held");
            assert!(self.count(TokenStatus::Active) <= u64::from(self.queue.policy.max_active));
        }
        assert!(self.queue.room(self.count(TokenStatus::Active), now) == 0, "nobody waits beside a free place");
    }

    /// A roll by which every fifth who came more than three seconds ago is absent.
    fn roll(&self) -> Roll {
        let seen: Vec<_> = (1..=self.tokens.len()).filter(|number| number % 5 != 0).collect();
        let mut roll = Roll::since(Some(at(self.second - 3)));
        roll.add(0, &bits(&seen));
        roll
    }

    fn with(&self, status: TokenStatus) -> impl Iterator<Item = &Token> {
        self.tokens.iter().filter(move |token| token.status() == status)
    }

    fn count(&self, status: TokenStatus) -> u64 {
        u64::try_from(self.with(status).count()).unwrap()
    }
}

proptest! {
    /// R1 to R3, R19, Q3 to Q7: nobody overtakes, no window and no policy grants more than it says, numbers have no holes.
    #[test]
    fn admission_order_is_ticket_order(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            history.step(step);
            prop_assert!(history.admitted.is_sorted_by(|one, next| one < next), "{:?}", history.admitted);
            let numbers: Vec<_> = history.tokens.iter().map(|token| token.ticket.number.get()).collect();
            prop_assert_eq!(numbers, (1..=history.queue.line.issued).collect::<Vec<_>>());

            let last_admitted = history.admitted.last().copied().unwrap_or(0);
            let first_waiting = history.with(TokenStatus::Waiting).map(|token| token.ticket.number.get()).next();
            prop_assert!(first_waiting.is_none_or(|first| first > last_admitted), "overtaken: {:?}", first_waiting);
            prop_assert_eq!(history.queue.line.waiting(), history.count(TokenStatus::Waiting));
            let waits = |token: &&Token| token.status() == TokenStatus::Waiting;
            prop_assert!(history.tokens.iter().all(|token| waits(&token) == token.out_version.is_none()));
            prop_assert_eq!(history.queue.line.admitted, u64::try_from(history.admitted.len()).unwrap());

            let batch = history.queue.policy.batch;
            prop_assert!(history.granted.values().all(|granted| *granted <= batch), "{:?}", history.granted);
            let live = history.tokens.iter().filter(|token| token.status() != TokenStatus::Expired);
            let mut users = BTreeSet::new();
            prop_assert!(live.map(|token| &token.user).all(|user| users.insert(user.clone())), "two places");
        }
    }
}
