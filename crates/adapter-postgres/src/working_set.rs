//! The working set of a batch: what was read, as domain values, changed by one command after the other.
//!
//! Each command is decided by the domain on what the commands before it left; what changed is noted, to be written with
//! one statement a table.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::concert::NumberedSeat;
use domain::idempotency::Recorded;
use domain::payment::Payment;
use domain::ports::StoreError;
use domain::reservation::{PendingHold, Reservation, ReservationStatus};
use domain::seat::Seat;
use domain::wallet::{Entry, Wallet};
use domain::{
    Fingerprint, Policy, Queue, QueueNumber, ReservationId, ScheduleId, SeatId, TicketNumber, Timestamp, Token, UserId,
};
use uuid::Uuid;

use crate::decide::{Schedules, schedule_of};
use crate::facts::Facts;
use crate::rows;

/// An idempotency key's place: user, operation, key.
pub(crate) type KeyPlace = (UserId, &'static str, String);

/// A reservation's row without what never changes and is kept elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) user: UserId,
    pub(crate) schedule: ScheduleId,
    pub(crate) amount: domain::Money,
    pub(crate) status: ReservationStatus,
    pub(crate) reserved_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Held {
    /// Of a reservation that was just granted.
    pub(crate) fn of(reservation: &Reservation) -> Self {
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

/// Everything a batch knows and has changed.
pub(crate) struct WorkingSet {
    pub(crate) number: QueueNumber,
    pub(crate) now: Timestamp,
    pub(crate) queue: Option<Queue>,
    pub(crate) policy_seq: i32,
    pub(crate) tokens: HashMap<TicketNumber, Token>,
    /// Of each user who joins, their newest ticket.
    pub(crate) newest: HashMap<UserId, TicketNumber>,
    pub(crate) keys: HashMap<KeyPlace, (Recorded, Uuid)>,
    pub(crate) seats: HashMap<SeatId, Seat>,
    pub(crate) seat_of: HashMap<(ScheduleId, u32), SeatId>,
    pub(crate) reservations: HashMap<ReservationId, Held>,
    pub(crate) reserved_seats: HashMap<ReservationId, Vec<NumberedSeat>>,
    pub(crate) pending: HashMap<UserId, BTreeMap<ReservationId, PendingHold>>,
    pub(crate) wallets: HashMap<UserId, Wallet>,
    pub(crate) changed: Changed,
}

/// What is to be written.
#[derive(Default)]
pub(crate) struct Changed {
    pub(crate) queue: bool,
    /// Policies that came into force, the last one last.
    pub(crate) policies: Vec<Policy>,
    pub(crate) new_tokens: BTreeSet<TicketNumber>,
    pub(crate) tokens: BTreeSet<TicketNumber>,
    pub(crate) new_reservations: Vec<Reservation>,
    pub(crate) reservations: BTreeSet<ReservationId>,
    pub(crate) seats: BTreeSet<SeatId>,
    /// Wallets that had a row.
    pub(crate) wallets: BTreeSet<UserId>,
    /// Wallets that had none.
    pub(crate) new_wallets: BTreeSet<UserId>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) payments: Vec<(Payment, u64)>,
    pub(crate) keys: Vec<(KeyPlace, Fingerprint, Uuid)>,
    /// How many tokens were admitted, and how many found past their deadline.
    pub(crate) admitted: u64,
    pub(crate) expired: u64,
}

impl WorkingSet {
    /// Domain values of what was read.
    pub(crate) fn new(number: QueueNumber, now: Timestamp, facts: Facts) -> Result<Self, StoreError> {
        let mut set = Self {
            number,
            now,
            queue: None,
            policy_seq: 0,
            tokens: HashMap::new(),
            newest: HashMap::new(),
            keys: HashMap::new(),
            seats: HashMap::new(),
            seat_of: HashMap::new(),
            reservations: HashMap::new(),
            reserved_seats: HashMap::new(),
            pending: HashMap::new(),
            wallets: HashMap::new(),
            changed: Changed::default(),
        };
        if let Some(row) = facts.queue {
            set.policy_seq = row.7;
            set.queue = Some(rows::queue_row(number, row)?);
        }
        for row in facts.tokens {
            let token = row.token(number)?;
            let newest = set.newest.entry(token.user.clone()).or_insert(token.ticket.number);
            *newest = token.ticket.number.max(*newest);
            set.tokens.insert(token.ticket.number, token);
        }
        for (ticket, operation, key, fingerprint, result, at) in facts.keys {
            let operation = if operation == crate::command::HOLD { crate::command::HOLD } else { crate::command::PAY };
            let fingerprint = Fingerprint(
                fingerprint.try_into().map_err(|_length| rows::inconsistent("sale_keys", "fingerprint", &key))?,
            );
            if let Some(token) = set.tokens.get(&rows::ticket_number(ticket)?) {
                let place = (token.user.clone(), operation, key);
                set.keys.insert(place, (Recorded { fingerprint, at: rows::instant(at) }, result));
            }
        }
        for row in facts.seats {
            let found = row.seat()?;
            set.seat_of.insert((found.schedule, found.number), found.id);
            set.seats.insert(found.id, found);
        }
        for row in facts.reservations {
            let (id, held) = rows::held(row)?;
            set.reservations.insert(id, held);
        }
        for (reservation, seat, number, price) in facts.reserved_seats {
            let reserved = NumberedSeat {
                id: SeatId::new(seat),
                number: rows::small("reservation_seats", "number", number)?,
                price: rows::money("reservation_seats", "price", &price)?,
            };
            set.reserved_seats.entry(ReservationId::new(reservation)).or_default().push(reserved);
        }
        for (user, reservation, expires_at, seats) in facts.pending {
            let seats = rows::count("reservation_seats", "number", seats)?;
            let seats = u32::try_from(seats).unwrap_or(u32::MAX);
            let hold = PendingHold { expires_at: rows::instant(expires_at), seats };
            set.pending
                .entry(rows::user("reservations", &user)?)
                .or_default()
                .insert(ReservationId::new(reservation), hold);
        }
        for (user, balance, last_seq) in facts.wallets {
            let user = rows::user("wallets", &user)?;
            let balance = rows::money("wallets", "balance", &balance)?;
            let last_seq = rows::count("wallets", "last_seq", last_seq)?;
            set.wallets.insert(user.clone(), Wallet { user, balance, last_seq });
        }
        Ok(set)
    }

    /// A reservation put together from its row, its seats and its schedule.
    pub(crate) fn reservation(
        &self,
        id: ReservationId,
        schedules: &Schedules,
    ) -> Result<Option<Reservation>, StoreError> {
        let Some(held) = self.reservations.get(&id) else { return Ok(None) };
        let schedule = schedule_of(schedules, held.schedule)?;
        Ok(Some(Reservation {
            id,
            queue: self.number,
            user: held.user.clone(),
            concert: schedule.concert,
            schedule: schedule.id,
            title: Arc::clone(&schedule.title),
            starts_at: schedule.starts_at,
            seats: self.reserved_seats.get(&id).cloned().unwrap_or_default(),
            amount: held.amount.clone(),
            status: held.status,
            reserved_at: held.reserved_at,
            expires_at: held.expires_at,
        }))
    }

    /// Writes a reservation's new state down.
    pub(crate) fn settle_status(&mut self, reservation: &Reservation) {
        if let Some(held) = self.reservations.get_mut(&reservation.id) {
            held.status = reservation.status;
            self.changed.reservations.insert(reservation.id);
        }
        if let Some(pending) = self.pending.get_mut(&reservation.user) {
            pending.remove(&reservation.id);
        }
    }

    /// Writes a reservation's new state down, and frees the seats that are still under it when it ended.
    pub(crate) fn settle(&mut self, reservation: &Reservation) {
        self.settle_status(reservation);
        if matches!(reservation.status, ReservationStatus::Cancelled(_)) {
            for reserved in &reservation.seats {
                if let Some(seat) = self.seats.get_mut(&reserved.id).filter(|seat| reservation.frees(seat)) {
                    seat.taken = None;
                    self.changed.seats.insert(seat.id);
                }
            }
        }
    }

    /// Writes a token's new state down.
    pub(crate) fn put_token(&mut self, token: Token) {
        let number = token.ticket.number;
        if self.tokens.get(&number) != Some(&token) {
            if !self.changed.new_tokens.contains(&number) {
                self.changed.tokens.insert(number);
            }
            self.tokens.insert(number, token);
        }
    }

    /// How many tokens that are ACTIVE in the store have ended in this batch.
    pub(crate) fn ended_active(&self, live_at: Option<Timestamp>) -> u64 {
        let ended = self.changed_tokens().filter(|token| token.end.is_some()).filter_map(|token| token.active);
        let counted = ended.filter(|active| live_at.is_none_or(|now| !active.deadline.is_over(now)));
        u64::try_from(counted.count()).unwrap_or(u64::MAX)
    }

    /// How many tokens between the frontier and `number` have ended in this batch while they waited.
    pub(crate) fn left_between(&self, frontier: u64, number: u64) -> u64 {
        let left = self.changed_tokens().filter(|token| token.end.is_some() && token.active.is_none());
        let between = left.filter(|token| (frontier + 1..number).contains(&token.ticket.number.get()));
        u64::try_from(between.count()).unwrap_or(u64::MAX)
    }

    fn changed_tokens(&self) -> impl Iterator<Item = &Token> {
        self.changed.tokens.iter().filter_map(|number| self.tokens.get(number))
    }
}
