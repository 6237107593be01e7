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

use crate::sale::facts::Facts;
use crate::sale::known_schedules::{Schedules, schedule_of};
use crate::tables::rows;
use crate::tables::rows::{Held, Keyed, ReservationRow};

/// What an idempotency key is scoped to besides its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Hold,
    Pay,
}

/// An idempotency key's place: user, operation, key.
pub(crate) type KeyPlace = (UserId, Operation, String);

/// Everything a batch knows and has changed.
pub(crate) struct WorkingSet {
    pub(crate) number: QueueNumber,
    pub(crate) now: Timestamp,
    pub(crate) queue: Option<Queue>,
    pub(crate) policy_seq: i32,
    /// Whether anybody waits in the store.
    pub(crate) stored_waiters: bool,
    /// Whether admission is due at the end of the batch.
    pub(crate) admits: bool,
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
    /// With which key new reservations and payments were asked for, and what was asked (R15).
    pub(crate) keys: HashMap<Uuid, (String, Fingerprint)>,
    /// Reservations and payments whose key is forgotten, and used again.
    pub(crate) forgotten: Vec<(Operation, Uuid)>,
    /// How many tokens were admitted, and how many found past their deadline.
    pub(crate) admitted: u64,
    pub(crate) expired: u64,
}

impl Changed {
    /// What has a key that is forgotten and used again.
    pub(crate) fn forgotten_of(&self, operation: Operation) -> Vec<Uuid> {
        self.forgotten.iter().filter(|(of, _)| *of == operation).map(|(_, made)| *made).collect()
    }

    /// The key that this was asked for with.
    pub(crate) fn key(&self, made: Uuid) -> Option<String> {
        self.keys.get(&made).map(|(key, _)| key.clone())
    }

    /// What was asked with that key.
    pub(crate) fn fingerprint(&self, made: Uuid) -> Option<Vec<u8>> {
        self.keys.get(&made).map(|(_, fingerprint)| fingerprint.0.to_vec())
    }
}

impl WorkingSet {
    /// Domain values of what was read.
    pub(crate) fn new(number: QueueNumber, now: Timestamp, facts: Facts) -> Result<Self, StoreError> {
        let mut set = Self {
            number,
            now,
            queue: None,
            policy_seq: 0,
            stored_waiters: false,
            admits: false,
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
            let queue = rows::queue_row(number, row)?;
            set.stored_waiters = queue.line.waiting() > 0;
            set.queue = Some(queue);
        }
        for row in facts.tokens {
            let token = row.token(number)?;
            let newest = set.newest.entry(token.user.clone()).or_insert(token.ticket.number);
            *newest = token.ticket.number.max(*newest);
            set.tokens.insert(token.ticket.number, token);
        }
        for ((user, id), (pending, expires_at, seats), keyed) in facts.holds {
            let user = rows::user("reservations", &user)?;
            if pending {
                let seats = rows::count("reservation_seats", "number", seats)?;
                let seats = u32::try_from(seats).unwrap_or(u32::MAX);
                let hold = PendingHold { expires_at: rows::instant(expires_at), seats };
                set.pending.entry(user.clone()).or_default().insert(ReservationId::new(id), hold);
            }
            set.remember("reservations", (user, Operation::Hold), id, keyed)?;
        }
        for ((user, id), keyed) in facts.paid {
            set.remember("payments", (rows::user("payments", &user)?, Operation::Pay), id, keyed)?;
        }
        for row in facts.seats {
            let found = row.seat()?;
            set.seat_of.insert((found.schedule, found.number), found.id);
            set.seats.insert(found.id, found);
        }
        set.add_reservations(facts.reservations)?;
        for (reservation, seat, number, price) in facts.reserved_seats {
            let seats = set.reserved_seats.entry(ReservationId::new(reservation)).or_default();
            seats.push(rows::reserved_seat(seat, number, &price)?);
        }
        for row in facts.wallets {
            let wallet = row.wallet()?;
            set.wallets.insert(wallet.user.clone(), wallet);
        }
        Ok(set)
    }

    /// Notes what a key recorded, if there was one.
    fn remember(
        &mut self,
        table: &'static str,
        (user, operation): (UserId, Operation),
        made: Uuid,
        (key, fingerprint, at): Keyed,
    ) -> Result<(), StoreError> {
        if let (Some(key), Some(fingerprint)) = (key, fingerprint) {
            let fingerprint = fingerprint.try_into().map_err(|_len| rows::inconsistent(table, "fingerprint", made))?;
            let recorded = Recorded { fingerprint: Fingerprint(fingerprint), at: rows::instant(at) };
            self.keys.insert((user, operation, key), (recorded, made));
        }
        Ok(())
    }

    /// Adds rows of `reservations`.
    pub(crate) fn add_reservations(&mut self, found: Vec<ReservationRow>) -> Result<(), StoreError> {
        for row in found {
            let (id, held) = rows::held(row)?;
            self.reservations.insert(id, held);
        }
        Ok(())
    }

    /// Of dead holds, which the next one takes over (R7), the reservations that are not read yet.
    pub(crate) fn dead_holds(&self) -> Vec<Uuid> {
        let taken = self.seats.values().filter_map(|seat| seat.taken);
        let dead = taken.filter(|taken| taken.until.is_some_and(|until| until.is_over(self.now)));
        let unread: BTreeSet<_> = dead.map(|t| t.by).filter(|by| !self.reservations.contains_key(by)).collect();
        unread.into_iter().map(ReservationId::uuid).collect()
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
    pub(crate) fn ended_active(&self) -> u64 {
        let changed = self.changed.tokens.iter().filter_map(|number| self.tokens.get(number));
        let ended = changed.filter(|token| token.end.is_some() && token.active.is_some());
        u64::try_from(ended.count()).unwrap_or(u64::MAX)
    }
}
