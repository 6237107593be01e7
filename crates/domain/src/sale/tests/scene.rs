//! A sale in which everything goes well, to be spoiled by the tests: `holder` is ACTIVE, holds nothing, and can pay what
//! `held()` costs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use crate::concert::{Found, NumberedSeat, Schedule};
use crate::idempotency::Recorded;
use crate::line::Line;
use crate::payment;
use crate::ports::{HoldCommand, IdGenerator, PayCommand, StoreError};
use crate::reservation::{OwnSeats, PendingHold, ReservationStatus};
use crate::sale::{BareReservation, Command, Context, Step, Verdict, WorkingSet};
use crate::seat::{Seat, SeatChoice, Taken};
use crate::wallet::Wallet;
use crate::{
    ConcertId, IdempotencyKey, LocalTime, Money, PaymentId, Policy, Queue, QueueEpoch, QueueName, QueueNumber,
    ReservationId, Rules, ScheduleId, SeatId, Ticket, TicketNumber, Timestamp, Token, UserId,
};

/// When commands are decided, unless a test says otherwise; all that is there was made at 0.
pub(super) fn now() -> Timestamp {
    at(1_000)
}

/// When what is held at first is over.
pub(super) fn over() -> Timestamp {
    at(1_000_000)
}

pub(super) const QUEUE: QueueNumber = QueueNumber(1);

/// Ids that count.
#[derive(Default)]
pub(super) struct Ids(AtomicU64);

impl IdGenerator for Ids {
    fn next_id(&self) -> Uuid {
        Uuid::from_u128(1_000_000 + u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }

    fn random(&self) -> [u8; 16] {
        [0; 16]
    }
}

pub(super) struct Scene {
    pub(super) queue: Option<Queue>,
    pub(super) tokens: Vec<Token>,
    pub(super) schedule: Schedule,
    pub(super) sold_elsewhere: bool,
    pub(super) seats: Vec<Seat>,
    pub(super) reservations: Vec<(ReservationId, BareReservation, Vec<u32>)>,
    pub(super) wallets: Vec<Wallet>,
    pub(super) hold_keys: Vec<(UserId, IdempotencyKey, Recorded, ReservationId)>,
    pub(super) pay_keys: Vec<(UserId, IdempotencyKey, Recorded, PaymentId)>,
    pub(super) rules: Rules,
    pub(super) now: Timestamp,
    pub(super) ids: Ids,
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(super) fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

pub(super) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(super) fn key() -> IdempotencyKey {
    IdempotencyKey::parse("key").unwrap()
}

pub(super) fn ticket(number: u64) -> Ticket {
    Ticket { queue: QUEUE, number: TicketNumber::new(number).unwrap() }
}

pub(super) fn reservation_id(n: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(n))
}

pub(super) fn seat_id(number: u32) -> SeatId {
    SeatId::new(Uuid::from_u128(u128::from(number)))
}

pub(super) fn schedule_id() -> ScheduleId {
    ScheduleId::new(Uuid::from_u128(1))
}

/// What the scene's `holder` holds: seat 9.
pub(super) fn held() -> ReservationId {
    reservation_id(9)
}

/// Holds seat 1 of the scene, with the key.
pub(super) fn hold(number: u64) -> HoldCommand {
    HoldCommand { ticket: ticket(number), choice: choice(&[1]), key: Some(key()) }
}

pub(super) fn choice(numbers: &[u32]) -> SeatChoice {
    SeatChoice::numbers(schedule_id(), numbers).unwrap()
}

/// Pays what is held, with the key.
pub(super) fn pay(number: u64) -> PayCommand {
    PayCommand { ticket: ticket(number), reservation: held(), amount: None, key: Some(key()) }
}

pub(super) fn token(number: u64, name: &str) -> Token {
    let mut token = Token::issue(ticket(number), user(name), at(0));
    token.admit(Duration::from_secs(600), at(0), number);
    token
}

impl Scene {
    /// Tickets 1 (`holder`) and 2 (`other`) are ACTIVE; seats 1 to 8 are free, `holder` holds 9.
    pub(super) fn new() -> Self {
        let name = QueueName::parse("main").unwrap();
        let mut queue = Queue::new(QUEUE, name, QueueEpoch([7; 16]), Policy::default(), at(0));
        queue.line = Line { issued: 2, admitted: 2, frontier: 2, ended_beyond: 0, version: 4 };
        let schedule = Schedule {
            id: schedule_id(),
            queue: QUEUE,
            concert: ConcertId::new(Uuid::from_u128(2)),
            title: "Winter".into(),
            starts_at: LocalTime::new(at(9_000_000_000), 0).unwrap(),
            seats_total: 9,
            max_per_user: None,
            concert_max_per_user: None,
        };
        let seat = |number| Seat {
            id: seat_id(number),
            schedule: schedule_id(),
            number,
            price: money("10"),
            taken: (number == 9).then(|| Taken { by: held(), until: Some(over()) }),
        };
        let reservation = BareReservation {
            user: user("holder"),
            schedule: schedule_id(),
            amount: money("10"),
            status: ReservationStatus::Pending,
            reserved_at: at(0),
            expires_at: over(),
        };
        Self {
            queue: Some(queue),
            tokens: vec![token(1, "holder"), token(2, "other")],
            schedule,
            sold_elsewhere: false,
            seats: (1..=9).map(seat).collect(),
            reservations: vec![(held(), reservation, vec![9])],
            wallets: vec![Wallet { user: user("holder"), balance: money("10"), last_seq: 3 }],
            hold_keys: vec![],
            pay_keys: vec![],
            rules: Rules::default(),
            now: now(),
            ids: Ids::default(),
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context { rules: &self.rules, ids: &self.ids, now: self.now }
    }

    /// `holder` holds seat 8 too, until this moment.
    pub(super) fn hold_another(&mut self, until: Timestamp) {
        let (id, held, _) = self.reservations[0].clone();
        self.seats[7].taken = Some(Taken { by: reservation_id(8), until: Some(until) });
        self.reservations.push((reservation_id(8), BareReservation { expires_at: until, ..held }, vec![8]));
        assert_ne!(id, reservation_id(8));
    }

    /// The key was used for this hold before.
    pub(super) fn record_hold(&mut self, command: &HoldCommand, made_at: Timestamp, made: ReservationId) {
        let recorded = Recorded { fingerprint: command.choice.fingerprint(), at: made_at };
        self.hold_keys.push((user("holder"), key(), recorded, made));
    }

    /// The key was used for this payment before.
    pub(super) fn record_payment(&mut self, command: &PayCommand, made_at: Timestamp, made: PaymentId) {
        let fingerprint = payment::fingerprint(command.reservation, command.amount.as_ref());
        self.pay_keys.push((user("holder"), key(), Recorded { fingerprint, at: made_at }, made));
    }

    /// All of it, as a storage reads it for a batch.
    pub(super) fn set(&self) -> WorkingSet {
        let mut set = WorkingSet::new(QUEUE);
        self.fill(&mut set);
        set
    }

    pub(super) fn fill(&self, set: &mut WorkingSet) {
        if let Some(queue) = &self.queue {
            set.add_queue(Ok(queue.clone()));
        }
        for token in &self.tokens {
            set.add_token(token.ticket.number, Some(token.user.clone()), Ok(token.clone()));
        }
        for seat in &self.seats {
            set.add_seat(seat.id, Some((seat.schedule, seat.number)), Ok(seat.clone()));
        }
        for (id, reservation, numbers) in &self.reservations {
            let (seats, user) = (u32::try_from(numbers.len()).unwrap(), &reservation.user);
            let is_pending = reservation.status == ReservationStatus::Pending;
            if is_pending {
                let hold = PendingHold { reservation: *id, expires_at: reservation.expires_at, seats };
                set.add_pending(user.clone(), hold);
            }
            if is_pending || reservation.status == ReservationStatus::Confirmed {
                let (concert, schedule) = (self.schedule.concert, reservation.schedule);
                let until = is_pending.then_some(reservation.expires_at);
                set.add_own_seats(user.clone(), *id, OwnSeats { concert, schedule, seats, until });
                set.add_user(*id, user.clone());
            }
            set.add_reservation(*id, Some(reservation.user.clone()), Ok(reservation.clone()));
            for number in numbers {
                let reserved = NumberedSeat { id: seat_id(*number), number: *number, price: money("10") };
                set.add_reserved_seat(*id, Ok(reserved));
            }
        }
        for wallet in &self.wallets {
            set.add_wallet(wallet.user.clone(), Ok(wallet.clone()));
        }
        for (user, key, recorded, made) in &self.hold_keys {
            set.add_recorded_hold(user.clone(), key.clone(), Ok((*recorded, *made)));
        }
        for (user, key, recorded, made) in &self.pay_keys {
            set.add_recorded_payment(user.clone(), key.clone(), Ok((*recorded, *made)));
        }
        let here = if self.sold_elsewhere { Found::Elsewhere } else { Found::Here(Arc::new(self.schedule.clone())) };
        set.add_schedules(HashMap::from([(schedule_id(), here)]));
    }

    /// What a command comes to here, when that is all.
    pub(super) fn verdict(&self, command: &Command) -> Verdict {
        verdict(self.set().decide(command, &self.context()))
    }
}

pub(super) fn verdict(step: Result<Step, StoreError>) -> Verdict {
    match step {
        Ok(Step::Done(verdict)) => *verdict,
        other => panic!("{other:?}"),
    }
}
