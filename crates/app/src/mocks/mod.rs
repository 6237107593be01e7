//! A small world to call the use cases in, of mocks of the ports. What a test does not expect must not be called.

mod delayed_store;
mod executor;
mod ports;
mod shown;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::line::Line;
use domain::ports::{Clock, QueueChange, StoreError};
use domain::reservation::{Reservation, ReservationStatus};
use domain::seal::{SealedToken, ServerKey, ServerKeys};
use domain::token::EndReason;
use domain::{
    ConcertId, LocalTime, Money, Policy, QueueEpoch, QueueName, QueueNumber, ReservationId, Rules, ScheduleId, Ticket,
    TicketNumber, Timestamp, Token, UserId,
};
use futures::future::{Either, select};
use uuid::Uuid;

pub(crate) use self::delayed_store::DelayedStore;
pub(crate) use self::executor::{Task, block_on};
pub(crate) use self::ports::{
    MockClockwork, MockConcerts, MockIds, MockKeys, MockPayments, MockPresence, MockQueues, MockReservations,
    MockStoreClock, MockWallets,
};
pub(crate) use self::shown::Shown;
use crate::{App, Holder, Ports, WalletGate};

/// A clock that a test moves; a mock could only foretell how often it is read.
#[derive(Default)]
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The second at which a world stands still, unless its clock is moved.
pub(crate) const NOW: i64 = 100;

/// The ports before they are given away. Two queues are known: `main` is 1, `other` is 2.
pub(crate) struct World {
    pub(crate) queues: MockQueues,
    pub(crate) concerts: MockConcerts,
    pub(crate) reservations: MockReservations,
    pub(crate) wallets: MockWallets,
    pub(crate) payments: MockPayments,
    pub(crate) presence: MockPresence,
    pub(crate) probe: MockStoreClock,
    pub(crate) clockwork: MockClockwork,
    pub(crate) clock: Arc<Hands>,
    /// What the store shows of its queues.
    pub(crate) lines: Arc<Shown>,
    pub(crate) rules: Rules,
    pub(crate) gate: WalletGate,
}

impl Default for World {
    fn default() -> Self {
        Self {
            queues: MockQueues::default(),
            concerts: MockConcerts::default(),
            reservations: MockReservations::default(),
            wallets: MockWallets::default(),
            payments: MockPayments::default(),
            presence: MockPresence::default(),
            probe: MockStoreClock::default(),
            clockwork: MockClockwork::default(),
            clock: Arc::default(),
            lines: Arc::new(Shown::new(vec![change(1, "main"), change(2, "other")])),
            rules: Rules::default(),
            gate: WalletGate::Active,
        }
    }
}

impl World {
    /// A world in which the visitor's token is this one, and may be looked up.
    pub(crate) fn of(token: Token) -> Self {
        let mut world = Self::default();
        if token.out_version.is_some() {
            world.lines.admit(ticket().number.get());
        }
        let asked =
            |queue: &QueueNumber, numbers: &[TicketNumber]| *queue == ticket().queue && numbers == [ticket().number];
        world.queues.expect_tokens().withf(asked).returning(move |_, _| Ok(vec![token.clone()]));
        world
    }

    /// The use cases a day after the visitor's token has ended, which may be looked up and nothing else.
    pub(crate) fn a_day_after(ended: Token) -> App {
        let over = ended.end.unwrap().at;
        let world = Self::of(ended);
        let clock = Arc::clone(&world.clock);
        let app = world.app();
        clock.set(over.plus(Token::READABLE));
        app
    }

    /// The use cases over these ports, with the lines read once.
    pub(crate) fn app(mut self) -> App {
        let lines = Arc::clone(&self.lines);
        self.queues.expect_changes().returning(move |known| lines.since(known));
        let app = self.app_without_lines();
        block_on(app.refresh()).unwrap();
        app
    }

    /// The use cases over these ports, before any line was read.
    pub(crate) fn app_without_lines(self) -> App {
        self.clock.set(at(NOW));
        let mut ids = MockIds::new();
        ids.expect_random().return_const([127; 16]);
        ids.expect_next_id().return_const(SERVER);
        let ports = Ports {
            queues: Arc::new(self.queues),
            concerts: Arc::new(self.concerts),
            reservations: Arc::new(self.reservations),
            wallets: Arc::new(self.wallets),
            payments: Arc::new(self.payments),
            presence: Arc::new(self.presence),
            probe: Arc::new(self.probe),
            clockwork: Arc::new(self.clockwork),
            clock: self.clock,
            ids: Arc::new(ids),
        };
        App::new(ports, self.rules, self.gate, keys())
    }
}

/// Runs a use case while somebody follows the store, as a server does.
pub(crate) fn run<T>(app: &App, case: impl Future<Output = T>) -> T {
    let follow = async {
        loop {
            app.refresh_wanted().await;
            drop(app.refresh().await);
        }
    };
    match block_on(select(pin!(case), pin!(follow))) {
        Either::Left((answer, _)) => answer,
        Either::Right((never, _)) => never,
    }
}

/// What the server of a world calls itself.
pub(crate) const SERVER: Uuid = Uuid::from_u128(77);

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

/// A queue as the store shows it: ten came, four are in, six wait.
pub(crate) fn change(number: u16, name: &str) -> QueueChange {
    QueueChange {
        number: QueueNumber(number),
        name: name_of(name),
        epoch: EPOCH,
        policy: Policy::default(),
        policy_since: at(0),
        message: None,
        line: Line { issued: 10, admitted: 4, frontier: 4, ended_beyond: 0, version: 31 },
        left: vec![],
    }
}

pub(crate) fn name_of(queue: &str) -> QueueName {
    QueueName::parse(queue).unwrap()
}

pub(crate) fn user() -> UserId {
    UserId::parse("visitor").unwrap()
}

/// The place of the one visitor of these tests: number 7 of `main`.
pub(crate) fn ticket() -> Ticket {
    Ticket { queue: QueueNumber(1), number: TicketNumber::new(7).unwrap() }
}

pub(crate) const EPOCH: QueueEpoch = QueueEpoch([9; 16]);

pub(crate) fn keys() -> ServerKeys {
    ServerKeys::new(vec![ServerKey::from_bytes([5; 32])]).unwrap()
}

/// The sealed token of [`ticket`].
pub(crate) fn sealed() -> SealedToken {
    keys().for_queue(QueueNumber(1), EPOCH).seal(ticket().number)
}

/// Tokens that nobody was given: of a flipped bit, of another key, of another epoch, of a queue that is not there.
pub(crate) fn forged() -> [SealedToken; 4] {
    let flipped = Uuid::parse_str(&sealed().to_text()).unwrap().as_u128() ^ 1;
    let other_key = ServerKeys::new(vec![ServerKey::from_bytes([6; 32])]).unwrap();
    [
        SealedToken::parse(&Uuid::from_u128(flipped).to_string()).unwrap(),
        other_key.for_queue(QueueNumber(1), EPOCH).seal(ticket().number),
        keys().for_queue(QueueNumber(1), QueueEpoch([8; 16])).seal(ticket().number),
        keys().for_queue(QueueNumber(3), EPOCH).seal(ticket().number),
    ]
}

/// The token of number `number` of `main`, WAITING.
pub(crate) fn numbered(number: u64) -> Token {
    Token { ticket: Ticket { number: TicketNumber::new(number).unwrap(), ..ticket() }, ..waiting() }
}

/// The holder of [`sealed`].
pub(crate) fn holder() -> Holder {
    Holder { token: sealed(), ticket: ticket() }
}

/// Third in line.
pub(crate) fn waiting() -> Token {
    Token::issue(ticket(), user(), at(1))
}

/// ACTIVE until the second `deadline`, as stored.
pub(crate) fn active_until(deadline: i64) -> Token {
    let mut token = waiting();
    token.admit(Duration::from_secs(deadline.unsigned_abs() - 2), at(2), 30);
    token
}

/// ACTIVE now, for a second yet.
pub(crate) fn active() -> Token {
    active_until(NOW + 1)
}

/// EXPIRED, as stored.
pub(crate) fn ended() -> Token {
    let mut token = active();
    token.end(EndReason::Left, at(3));
    token
}

/// What the visitor holds.
pub(crate) fn reservation() -> Reservation {
    Reservation {
        id: ReservationId::new(Uuid::from_u128(1)),
        queue: QueueNumber(1),
        user: user(),
        concert: ConcertId::new(Uuid::from_u128(2)),
        schedule: ScheduleId::new(Uuid::from_u128(3)),
        title: "Winter".into(),
        starts_at: LocalTime::new(at(1_000), 0).unwrap(),
        seats: vec![],
        amount: Money::parse("30").unwrap(),
        status: ReservationStatus::Pending,
        reserved_at: at(NOW),
        expires_at: at(NOW + 300),
    }
}

/// A store that failed.
pub(crate) fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}
