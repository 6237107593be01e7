//! An opening with a crowd that asks exactly as it is advised, by a clock that is moved: how late each of them learns of the own
//! turn.

use std::time::Duration;

use super::{jitter, poll_after};
use crate::line::{Line, Outlook, Pace};
use crate::presence::Roll;
use crate::{
    Edit, Policy, PolicyChange, Queue, QueueEpoch, QueueName, QueueNumber, Ticket, TicketNumber, Timestamp, Token,
    TokenStatus, UserId,
};

const PEOPLE: u64 = 300;
const TURN: Duration = Duration::from_secs(600);
const ABSENCE: Duration = Duration::from_secs(300);
/// Time goes on in steps of 10 ms.
const STEP: u64 = 10;
/// How long the line is held, in milliseconds from the beginning, which is at a moment at which queues may open.
const HELD: u64 = 90_000;
const BEGAN: i64 = 1_000_000_000_000_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_micros(BEGAN).plus(Duration::from_millis(millis))
}

/// 50 a second, in a hall that is large enough.
fn fast() -> Policy {
    Policy { batch: 50, interval_seconds: 1, max_active: 1_000, ..Policy::default() }
}

/// What a server knows of the line, as old as its last look.
struct Known {
    line: Line,
    outlook: Outlook,
}

struct Person {
    /// When they join.
    joins: u64,
    /// When they ask again.
    asks: u64,
    /// How long they were advised to wait before they asked last.
    advised: u64,
    /// The wait that they were told last.
    told: Option<Duration>,
    /// When their turn came.
    turn: Option<u64>,
    /// When they knew.
    knew: Option<u64>,
}

struct Opening {
    queue: Queue,
    tokens: Vec<Token>,
    people: Vec<Person>,
    pace: Pace,
    known: Known,
    /// When within a second the clockwork ticks, and when within 250 ms a server looks.
    phases: (u64, u64),
}

impl Opening {
    /// People who join in a line of this policy, one after the other in the first `within` milliseconds.
    fn new(policy: Policy, within: u64, seed: u64) -> Self {
        let queue = Queue::new(QueueNumber(1), QueueName::main(), QueueEpoch([7; 16]), policy, at(0));
        let outlook = Outlook { policy, turn: TURN, measured: None };
        let person = |n| {
            let joins = n * within / PEOPLE / STEP * STEP;
            Person { joins, asks: joins, advised: 0, told: None, turn: None, knew: None }
        };
        Self {
            known: Known { line: queue.line, outlook },
            queue,
            tokens: Vec::new(),
            people: (0..PEOPLE).map(person).collect(),
            pace: Pace::default(),
            phases: (seed * 370 % 1_000 / STEP * STEP, seed * 70 % 250 / STEP * STEP),
        }
    }

    /// Goes on until then, and calls upon the operator at each step.
    fn play(&mut self, from: u64, until: u64, mut operator: impl FnMut(&mut Queue, u64)) {
        for now in (from..until).step_by(usize::try_from(STEP).unwrap()) {
            operator(&mut self.queue, now);
            if now % 1_000 == self.phases.0 {
                self.tick(now);
            }
            if now % 250 == self.phases.1 {
                self.look(now);
            }
            for n in 0..self.people.len() {
                self.ask(n, now);
            }
        }
    }

    fn tick(&mut self, now: u64) {
        let with = |status| self.tokens.iter().filter(move |token| token.status() == status);
        let active = with(TokenStatus::Active).count();
        let mut waiting: Vec<_> = with(TokenStatus::Waiting).cloned().collect();
        self.queue.admit(u64::try_from(active).unwrap(), &mut waiting, &Roll::of_all(), TURN, at(now));
        for token in waiting.into_iter().filter(|token| token.status() == TokenStatus::Active) {
            let place = usize::try_from(token.ticket.number.get()).unwrap() - 1;
            self.people[place].turn = Some(now);
            self.tokens[place] = token;
        }
    }

    fn look(&mut self, now: u64) {
        let (policy, line) = (self.queue.policy, self.queue.line);
        self.pace.observe(at(now), line.admitted, &policy, self.queue.policy_since);
        self.known = Known { line, outlook: Outlook { policy, turn: TURN, measured: self.pace.rate(&policy) } };
    }

    /// The person of this place joins or asks, if it is time to.
    fn ask(&mut self, n: usize, now: u64) {
        let person = &mut self.people[n];
        if now < person.asks || person.knew.is_some() {
            return;
        }
        let number = TicketNumber::new(u64::try_from(n).unwrap() + 1).unwrap();
        let mut line = self.known.line;
        if now == person.joins {
            let user = UserId::parse(&format!("user-{n}")).unwrap();
            self.queue.join(&user, None, at(now)).unwrap();
            self.tokens.push(Token::issue(Ticket { queue: QueueNumber(1), number }, user, at(now)));
            line = self.queue.line;
        }
        if number.get() <= line.frontier {
            person.knew = Some(now);
            return;
        }
        // Nobody leaves.
        let position = number.get() - line.frontier;
        let after = poll_after(&self.known.outlook, position, jitter(number, at(now)), ABSENCE, at(now));
        person.told = self.known.outlook.wait(position, at(now));
        person.advised = u64::try_from(after.as_millis()).unwrap();
        person.asks = (now + person.advised).div_ceil(STEP) * STEP;
    }

    /// How late each one knew, in milliseconds, ascending.
    fn lags(&self) -> Vec<u64> {
        let mut lags: Vec<_> = self.people.iter().map(|person| person.knew.unwrap() - person.turn.unwrap()).collect();
        lags.sort_unstable();
        lags
    }

    /// What an opening at 50 a second promises, whoever ends the wait.
    fn keeps_its_promises(&self, what: &str) {
        let lags = self.lags();
        let p95 = lags[lags.len() * 95 / 100];
        assert!(p95 <= 3_000 && lags[lags.len() - 1] <= 5_000, "{what}: p95 {p95} ms, at most {:?} ms", lags.last());
        // Nobody behind knows earlier by more than the poll that the one ahead was advised.
        for (place, behind) in self.people.iter().enumerate() {
            for ahead in &self.people[..place] {
                let early = ahead.knew.unwrap().saturating_sub(behind.knew.unwrap());
                assert!(
                    early <= ahead.advised + STEP,
                    "{what}: {early} ms before one ahead who asks every {}",
                    ahead.advised
                );
            }
        }
    }
}

/// One after the other while it is held, or all at its beginning or end.
const JOINING: [u64; 3] = [HELD - 5_000, 1_000, 20_000];

#[test]
fn who_waits_for_the_end_of_a_pause_learns_of_the_own_turn_in_time() {
    for (within, seed) in JOINING.into_iter().flat_map(|within| (0..20).map(move |seed| (within, seed))) {
        // As it is by default: ten in ten seconds.
        let mut opening = Opening::new(Policy { paused: true, ..Policy::default() }, within, seed);
        opening.play(0, HELD + 60_000, |queue, now| {
            if now == HELD {
                let Policy { batch, interval_seconds, max_active, .. } = fast();
                let change = PolicyChange {
                    batch: Some(batch),
                    interval_seconds: Some(interval_seconds),
                    max_active: Some(max_active),
                    paused: Some(false),
                    opens_at: Edit::Keep,
                };
                queue.change_policy(&change, at(now)).unwrap();
            }
        });
        opening.keeps_its_promises(&format!("joined within {within} ms, seed {seed}"));
    }
}

#[test]
fn who_waits_for_an_opening_learns_of_the_own_turn_in_time_r19() {
    for (within, seed) in JOINING.into_iter().flat_map(|within| (0..20).map(move |seed| (within, seed))) {
        let mut opening = Opening::new(Policy { opens_at: Some(at(HELD)), ..fast() }, within, seed);
        opening.play(0, HELD + 60_000, |_queue, _now| {});
        opening.keeps_its_promises(&format!("joined within {within} ms, seed {seed}"));
        assert!(opening.people.iter().all(|person| person.turn >= Some(HELD)), "nobody is in before");
    }
}

/// By their next poll, whenever that is due, everybody is told a wait at the new pace.
#[test]
fn a_pace_that_is_raised_reaches_everybody_by_their_next_poll() {
    // One a second, and long enough that this is what was measured.
    let mut opening = Opening::new(Policy { batch: 1, ..fast() }, 1_000, 3);
    opening.play(0, HELD, |_queue, _now| {});
    let next: Vec<_> = opening.people.iter().map(|person| person.asks).collect();
    let change = PolicyChange { batch: Some(50), ..PolicyChange::default() };
    opening.queue.change_policy(&change, at(HELD)).unwrap();
    // Whoever asks in the quarter of a second until the server looks again asks once more a little later.
    opening.look(HELD);
    opening.play(HELD, HELD + 40_000, |_queue, _now| {});
    for (n, person) in opening.people.iter().enumerate().filter(|(_, person)| person.turn >= Some(HELD)) {
        assert!(person.knew.unwrap() <= next[n].max(person.turn.unwrap()) + 1_100 + 2 * STEP, "{n} knew late");
    }
    let told = opening.people.iter().filter(|person| person.turn >= Some(HELD)).filter_map(|person| person.told);
    assert!(told.clone().count() > 100, "some waited still");
}
