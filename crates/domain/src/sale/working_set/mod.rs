//! What a batch has read and changed, for storages that read for many commands at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

mod changed;
mod read;
mod take_in;

pub use changed::Changed;

use crate::concert::{Found, NumberedSeat, Schedule};
use crate::idempotency::Recorded;
use crate::ports::StoreError;
use crate::reservation::{OwnSeats, PendingHold, Reservation, ReservationStatus};
use crate::seat::Seat;
use crate::wallet::Wallet;
use crate::{
    IdempotencyKey, Money, PaymentId, Queue, QueueNumber, ReservationId, ScheduleId, SeatId, TicketNumber, Timestamp,
    Token, UserId,
};

/// Rows that were read, each by its key; a damaged one is kept as what is wrong with it.
type Rows<K, V> = HashMap<K, Result<V, StoreError>>;

/// An idempotency key's place: whose, and the key.
type KeyPlace = (UserId, IdempotencyKey);

/// A reservation as its own row says: without its seats and what its schedule tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BareReservation {
    /// Whose it is.
    pub user: UserId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The sum of its seats' prices.
    pub amount: Money,
    /// The state as stored.
    pub status: ReservationStatus,
    /// When it was made.
    pub reserved_at: Timestamp,
    /// When the hold ends.
    pub expires_at: Timestamp,
}

impl BareReservation {
    pub(in crate::sale) fn of(reservation: &Reservation) -> Self {
        Self {
            user: reservation.user.clone(),
            schedule: reservation.schedule,
            amount: reservation.amount.clone(),
            status: reservation.status,
            reserved_at: reservation.reserved_at,
            expires_at: reservation.expires_at,
        }
    }
}

/// What a batch of one queue's sale knows, and what it has changed.
///
/// The storage adds what its commands ask for, all of it, before the first one is decided: what is not there then does not
/// exist. A damaged row is added as what is wrong with it.
#[derive(Debug)]
pub struct WorkingSet {
    number: QueueNumber,
    queue: Option<Result<Queue, StoreError>>,
    tokens: Rows<TicketNumber, Token>,
    newest: HashMap<UserId, TicketNumber>,
    recorded_holds: Rows<KeyPlace, (Recorded, ReservationId)>,
    recorded_payments: Rows<KeyPlace, (Recorded, PaymentId)>,
    seats: Rows<SeatId, Seat>,
    seat_of: HashMap<(ScheduleId, u32), SeatId>,
    reservations: Rows<ReservationId, BareReservation>,
    /// Of each user the reservations above that may be PENDING.
    pending_of: HashMap<UserId, BTreeSet<ReservationId>>,
    reserved_seats: Rows<ReservationId, Vec<NumberedSeat>>,
    pending: HashMap<UserId, BTreeMap<ReservationId, PendingHold>>,
    own_seats: HashMap<UserId, BTreeMap<ReservationId, OwnSeats>>,
    /// Whose reservations are, as far as somebody may ask.
    users: HashMap<ReservationId, UserId>,
    wallets: Rows<UserId, Wallet>,
    schedules: HashMap<ScheduleId, Found<Arc<Schedule>>>,
    pub(super) admits: bool,
    changed: Changed,
}

/// Adding what was read.
impl WorkingSet {
    /// Of the sale of this queue; nothing is known yet.
    pub fn new(number: QueueNumber) -> Self {
        Self {
            number,
            queue: None,
            tokens: HashMap::new(),
            newest: HashMap::new(),
            recorded_holds: HashMap::new(),
            recorded_payments: HashMap::new(),
            seats: HashMap::new(),
            seat_of: HashMap::new(),
            reservations: HashMap::new(),
            pending_of: HashMap::new(),
            reserved_seats: HashMap::new(),
            pending: HashMap::new(),
            own_seats: HashMap::new(),
            users: HashMap::new(),
            wallets: HashMap::new(),
            schedules: HashMap::new(),
            admits: false,
            changed: Changed::default(),
        }
    }

    /// Adds the queue's row.
    pub fn add_queue(&mut self, queue: Result<Queue, StoreError>) {
        self.queue = Some(queue);
    }

    /// Adds the token of this number; the user is told apart from it, so that a damaged one is theirs too.
    pub fn add_token(&mut self, number: TicketNumber, user: Option<UserId>, token: Result<Token, StoreError>) {
        if let Some(user) = user {
            let newest = self.newest.entry(user).or_insert(number);
            *newest = number.max(*newest);
        }
        self.tokens.entry(number).or_insert(token);
    }

    /// Adds what the user's hold under this key recorded.
    pub fn add_recorded_hold(
        &mut self,
        user: UserId,
        key: IdempotencyKey,
        recorded: Result<(Recorded, ReservationId), StoreError>,
    ) {
        self.recorded_holds.insert((user, key), recorded);
    }

    /// Adds what the user's payment under this key recorded.
    pub fn add_recorded_payment(
        &mut self,
        user: UserId,
        key: IdempotencyKey,
        recorded: Result<(Recorded, PaymentId), StoreError>,
    ) {
        self.recorded_payments.insert((user, key), recorded);
    }

    /// Adds a PENDING reservation of a user who holds, pays or cancels.
    pub fn add_pending(&mut self, user: UserId, hold: PendingHold) {
        self.add_user(hold.reservation, user.clone());
        self.pending.entry(user).or_default().insert(hold.reservation, hold);
    }

    /// Adds a PENDING or CONFIRMED reservation of a user who holds, as the limits of its concert and schedule need it.
    pub fn add_own_seats(&mut self, user: UserId, id: ReservationId, seats: OwnSeats) {
        self.own_seats.entry(user).or_default().insert(id, seats);
    }

    /// Adds whose a reservation is that has a seat which somebody wants. Of one that is only held, and by somebody who holds
    /// nothing in this batch, it need not be known.
    pub fn add_user(&mut self, id: ReservationId, user: UserId) {
        self.users.insert(id, user);
    }

    /// Adds a seat, and where it is.
    pub fn add_seat(&mut self, id: SeatId, place: Option<(ScheduleId, u32)>, seat: Result<Seat, StoreError>) {
        if let Some(place) = place {
            self.seat_of.insert(place, id);
        }
        self.seats.insert(id, seat);
    }

    /// Adds a reservation's row; the user is told apart from it, so that a damaged one is theirs too.
    pub fn add_reservation(
        &mut self,
        id: ReservationId,
        user: Option<UserId>,
        reservation: Result<BareReservation, StoreError>,
    ) {
        let may_be_pending = reservation.as_ref().map_or(true, |found| found.status == ReservationStatus::Pending);
        if let Some(user) = user
            && may_be_pending
        {
            self.pending_of.entry(user).or_default().insert(id);
        }
        self.reservations.insert(id, reservation);
    }

    /// Adds a seat of a reservation, those of smaller numbers first.
    pub fn add_reserved_seat(&mut self, reservation: ReservationId, seat: Result<NumberedSeat, StoreError>) {
        let seats = self.reserved_seats.entry(reservation).or_insert_with(|| Ok(Vec::new()));
        match (&mut *seats, seat) {
            (Ok(known), Ok(seat)) => known.push(seat),
            (Ok(_), Err(damaged)) => *seats = Err(damaged),
            (Err(_), _) => {}
        }
    }

    /// Adds a wallet.
    pub fn add_wallet(&mut self, user: UserId, wallet: Result<Wallet, StoreError>) {
        self.wallets.insert(user, wallet);
    }

    /// Adds where schedules are sold.
    pub fn add_schedules(&mut self, schedules: HashMap<ScheduleId, Found<Arc<Schedule>>>) {
        self.schedules.extend(schedules);
    }

    /// The reservations of dead holds, which the next hold takes over (R7), that are not added yet.
    pub fn missing_reservations(&self, now: Timestamp) -> BTreeSet<ReservationId> {
        let taken = self.seats.values().flatten().filter_map(|seat| seat.taken);
        let dead = taken.filter(|taken| taken.until.is_some_and(|until| until.is_over(now)));
        dead.map(|taken| taken.by).filter(|by| !self.reservations.contains_key(by)).collect()
    }

    /// The schedules of the seats and reservations that were added.
    pub fn named_schedules(&self) -> impl Iterator<Item = ScheduleId> {
        let of_seats = self.seats.values().flatten().map(|seat| seat.schedule);
        of_seats.chain(self.reservations.values().flatten().map(|reservation| reservation.schedule))
    }
}
