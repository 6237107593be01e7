//! The reference store: a mutex around maps that only calls the domain's rules. What it answers is what the contract
//! says; adapters are compared with it.

mod concerts;
mod environment;
mod money;
mod presence;
mod queues;
mod reservations;
mod roll_call;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::concert::{CreatedConcert, Found, Schedule};
use domain::idempotency::{Recorded, is_replay};
use domain::payment::Receipt;
use domain::ports::{Clock, IdGenerator, Paid};
use domain::reservation::{PendingHold, Reservation, ReservationStatus};
use domain::seal::StoredKey;
use domain::seat::Seat;
use domain::wallet::{Charge, Entry, Wallet};
use domain::{
    ConcertId, Fingerprint, IdempotencyKey, Message, NewQueue, Page, PaymentId, Queue, QueueEpoch, QueueName,
    QueueNumber, Rejection, ReservationId, Rules, ScheduleId, SeatId, Ticket, TicketNumber, Timestamp, Token, UserId,
};

use self::roll_call::RollCall;
use crate::{SeededIds, Store, TestClock};

/// The reference store, empty but for the queue `main`, at noon of the first of January 2026, UTC.
pub fn reference(rules: Rules) -> Store {
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(1_767_268_800_000_000)));
    let ids = SeededIds::new(1);
    let mut state = State {
        clock: Arc::clone(&clock),
        ids,
        rules,
        sales: BTreeMap::new(),
        presence: RollCall::default(),
        wallets: BTreeMap::new(),
        wallet_keys: BTreeMap::new(),
        load_keys: BTreeMap::new(),
        server_key: None,
        ticked_at: None,
    };
    let main = NewQueue { name: QueueName::main(), policy: state.rules.new_queue, message: None };
    state.make_queue(&main, clock.now());
    Store::of(Arc::new(Reference(Mutex::new(state))), clock)
}

struct Reference(Mutex<State>);

impl Reference {
    /// The whole state, locked, and the present, read after the lock was had.
    fn lock(&self) -> (MutexGuard<'_, State>, Timestamp) {
        let state = self.0.lock().unwrap();
        let now = state.clock.now();
        (state, now)
    }
}

struct State {
    clock: Arc<TestClock>,
    ids: SeededIds,
    rules: Rules,
    sales: BTreeMap<QueueNumber, Sale>,
    presence: RollCall,
    wallets: BTreeMap<UserId, (Wallet, Vec<Entry>)>,
    wallet_keys: Answers<IdempotencyKey, Charge>,
    load_keys: BTreeMap<IdempotencyKey, (Fingerprint, CreatedConcert)>,
    server_key: Option<StoredKey>,
    /// When the clockwork ticked last.
    ticked_at: Option<Timestamp>,
}

/// Answers recorded under a user's keys (R15).
type Answers<K, T> = BTreeMap<(UserId, K), (Recorded, T)>;

/// Everything of one queue.
struct Sale {
    queue: Queue,
    message: Option<Message>,
    tokens: BTreeMap<TicketNumber, Token>,
    titles: BTreeMap<ConcertId, Arc<str>>,
    schedules: BTreeMap<ScheduleId, Schedule>,
    seats: BTreeMap<SeatId, Seat>,
    numbers: BTreeMap<(ScheduleId, u32), SeatId>,
    reservations: BTreeMap<ReservationId, Reservation>,
    receipts: BTreeMap<PaymentId, Receipt>,
    hold_keys: Answers<IdempotencyKey, ReservationId>,
    pay_keys: Answers<IdempotencyKey, Paid>,
}

impl State {
    fn find_queue(&self, name: &QueueName) -> Option<QueueNumber> {
        self.sales.values().map(|sale| &sale.queue).find(|queue| queue.name == *name).map(|queue| queue.number)
    }

    /// Makes a queue, whose name no other has.
    fn make_queue(&mut self, new: &NewQueue, now: Timestamp) -> QueueNumber {
        let number = QueueNumber(self.sales.keys().next_back().map_or(1, |last| last.0 + 1));
        let epoch = QueueEpoch(self.ids.random());
        let queue = Queue::new(number, new.name.clone(), epoch, new.policy, now);
        self.sales.insert(number, Sale::new(queue, new.message.clone()));
        number
    }

    /// The sale and the token of a ticket, when the number was issued.
    fn token(&self, ticket: Ticket) -> Option<(&Sale, &Token)> {
        let sale = self.sales.get(&ticket.queue)?;
        Some((sale, sale.tokens.get(&ticket.number)?))
    }

    /// Where a thing is that `has` finds in a sale.
    fn locate<'a, T>(&'a self, queue: QueueNumber, has: impl Fn(&'a Sale) -> Option<T>) -> Found<T> {
        match self.sales.get(&queue).and_then(&has) {
            Some(thing) => Found::Here(thing),
            None if self.sales.values().any(|sale| has(sale).is_some()) => Found::Elsewhere,
            None => Found::Nowhere,
        }
    }
}

impl Sale {
    const fn new(queue: Queue, message: Option<Message>) -> Self {
        Self {
            queue,
            message,
            tokens: BTreeMap::new(),
            titles: BTreeMap::new(),
            schedules: BTreeMap::new(),
            seats: BTreeMap::new(),
            numbers: BTreeMap::new(),
            reservations: BTreeMap::new(),
            receipts: BTreeMap::new(),
            hold_keys: BTreeMap::new(),
            pay_keys: BTreeMap::new(),
        }
    }

    /// Writes the end of a reservation and frees those seats that are still its own; whether there were any.
    fn free(&mut self, reservation: &Reservation) -> bool {
        let mut freed = false;
        for seat in &reservation.seats {
            let seat = self.seats.get_mut(&seat.id).unwrap();
            if reservation.frees(seat) {
                seat.taken = None;
                freed = true;
            }
        }
        self.reservations.insert(reservation.id, reservation.clone());
        freed
    }

    /// What a user holds, as stored.
    fn pending(&self, user: &UserId) -> Vec<PendingHold> {
        let own = self.reservations.values().filter(|held| held.user == *user);
        let pending = own.filter(|held| held.status == ReservationStatus::Pending);
        let hold = |held: &Reservation| PendingHold {
            reservation: held.id,
            expires_at: held.expires_at,
            seats: held.seats.len().try_into().unwrap(),
        };
        pending.map(hold).collect()
    }
}

/// The answer recorded under `key`, if this very request recorded one.
fn replayed<T: Clone>(
    answers: &Answers<IdempotencyKey, T>,
    user: &UserId,
    key: Option<&IdempotencyKey>,
    request: &Fingerprint,
    now: Timestamp,
) -> Result<Option<T>, Rejection> {
    let recorded = key.and_then(|key| answers.get(&(user.clone(), key.clone())));
    let again = is_replay(recorded.map(|(recorded, _)| recorded), request, now)?;
    Ok(recorded.filter(|_| again).map(|(_, answer)| answer.clone()))
}

/// What a store would read for a page that goes down by key: one item more than fits, if there are that many.
fn down<K: Ord + Copy, T>(items: impl DoubleEndedIterator<Item = (K, T)>, page: &Page<K>) -> Vec<T> {
    let behind = items.rev().filter(|(key, _)| page.after.is_none_or(|after| *key < after));
    behind.map(|(_, item)| item).take(usize::try_from(page.limit).unwrap() + 1).collect()
}
