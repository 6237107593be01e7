//! What commands change in a working set, and what is to be written of it.

use super::read::known;
use super::{BareReservation, Changed, WorkingSet};
use crate::idempotency::Recorded;
use crate::ports::StoreError;
use crate::reservation::{OwnSeats, PendingHold, Reservation, ReservationStatus};
use crate::sale::Effects;
use crate::sale::effects::{Key, SeatChange};
use crate::seat::Seat;
use crate::wallet::{Entry, Wallet};
use crate::{Queue, QueueNumber, ReservationId, Timestamp, Token};

/// Taking in what commands change.
impl WorkingSet {
    /// Takes in what a command changes, all of it or, when a seat is not as it was decided on, nothing.
    pub(in crate::sale) fn take_in(&mut self, effects: Effects, now: Timestamp) -> Result<(), StoreError> {
        self.check_seats(&effects.seats)?;
        if let Some(queue) = effects.queue {
            if effects.new_policy {
                self.put_policy(queue);
            } else {
                self.put_queue(queue);
            }
            if !effects.message.keeps() {
                self.changed.message = effects.message;
            }
        }
        for token in effects.tokens {
            self.put_token(token);
        }
        if let Some(token) = effects.issued {
            let number = token.ticket.number;
            self.newest.insert(token.user.clone(), number);
            self.tokens.insert(number, Ok(token));
            self.changed.issued.insert(number);
        }
        for (id, status) in effects.ended {
            self.end(id, status);
        }
        if let Some((reservation, key)) = effects.reserved {
            self.reserve(reservation, key, now);
        }
        for SeatChange { id, taken, .. } in effects.seats {
            if let Some(Ok(seat)) = self.seats.get_mut(&id) {
                seat.taken = taken;
                self.changed.seats.insert(id);
            }
        }
        let paid_by = effects.moved.map(|(wallet, entry)| self.move_wallet(wallet, entry));
        if let (Some((payment, key)), Some(seq)) = (effects.payment, paid_by) {
            if let Some((key, fingerprint)) = key.clone() {
                let recorded = Recorded { fingerprint, at: now };
                self.recorded_payments.insert((payment.user.clone(), key), Ok((recorded, payment.id)));
            }
            self.changed.payments.push((payment, seq, key));
        }
        self.changed.forgotten_holds.extend(effects.forgotten_hold);
        self.changed.forgotten_payments.extend(effects.forgotten_payment);
        self.changed.left_damaged.extend(effects.left_damaged);
        self.changed.expired += effects.expired;
        Ok(())
    }

    /// Whether all these seats can be read and are as they were decided on.
    fn check_seats(&self, changes: &[SeatChange]) -> Result<(), StoreError> {
        for change in changes {
            let found = known(&self.seats, &change.id)?;
            if found.is_none_or(|seat| seat.taken.map(|taken| taken.by) != change.before) {
                let detail = format!("{} is not {:?}'s", change.id, change.before);
                return Err(StoreError::Inconsistent { table: "seats", column: "reservation_id", detail });
            }
        }
        Ok(())
    }

    fn end(&mut self, id: ReservationId, status: ReservationStatus) {
        if let Some((new, _)) = self.changed.reserved.get_mut(&id) {
            new.status = status;
        } else {
            self.changed.reservations.insert(id);
        }
        if let Some(Ok(reservation)) = self.reservations.get_mut(&id) {
            reservation.status = status;
            if let Some(pending) = self.pending.get_mut(&reservation.user) {
                pending.remove(&id);
            }
            if let Some(own) = self.own_seats.get_mut(&reservation.user) {
                match status {
                    ReservationStatus::Cancelled(_) => drop(own.remove(&id)),
                    // What was held is bought.
                    _ => drop(own.entry(id).and_modify(|seats| seats.until = None)),
                }
            }
        }
    }

    fn reserve(&mut self, reservation: Reservation, key: Option<Key>, now: Timestamp) {
        let (id, user) = (reservation.id, &reservation.user);
        let seats = u32::try_from(reservation.seats.len()).unwrap_or(u32::MAX);
        let hold = PendingHold { reservation: id, expires_at: reservation.expires_at, seats };
        self.add_pending(user.clone(), hold);
        let (concert, schedule, until) = (reservation.concert, reservation.schedule, Some(reservation.expires_at));
        self.add_own_seats(user.clone(), id, OwnSeats { concert, schedule, seats, until });
        if let Some((key, fingerprint)) = key.clone() {
            self.add_recorded_hold(user.clone(), key, Ok((Recorded { fingerprint, at: now }, id)));
        }
        self.reserved_seats.insert(id, Ok(reservation.seats.clone()));
        self.add_reservation(id, Some(user.clone()), Ok(BareReservation::of(&reservation)));
        self.changed.reserved.insert(id, (reservation, key));
    }

    /// The `seq` of the movement.
    fn move_wallet(&mut self, wallet: Wallet, entry: Entry) -> u64 {
        let (user, seq) = (wallet.user.clone(), entry.seq);
        self.changed.wallets.insert(user.clone());
        if self.wallets.insert(user.clone(), Ok(wallet)).is_none() {
            self.changed.new_wallets.insert(user);
        }
        self.changed.entries.push(entry);
        seq
    }

    /// Takes in the queue's row as it is now.
    pub fn put_queue(&mut self, queue: Queue) {
        self.queue = Some(Ok(queue));
        self.changed.queue = true;
    }

    /// Takes in the queue's row as it is now, and its policy as one that came into force.
    pub fn put_policy(&mut self, queue: Queue) {
        self.changed.policies.push(queue.policy);
        self.put_queue(queue);
    }

    /// Takes in a token as it is now.
    pub fn put_token(&mut self, token: Token) {
        let number = token.ticket.number;
        if !self.changed.issued.contains(&number) {
            self.changed.tokens.insert(number);
        }
        self.tokens.insert(number, Ok(token));
    }
}

/// What is to be written.
impl WorkingSet {
    /// Which queue's sale it is.
    pub const fn number(&self) -> QueueNumber {
        self.number
    }

    /// Whether admission is due at the end of the batch (R3).
    pub const fn admits(&self) -> bool {
        self.admits
    }

    /// What is to be written.
    pub const fn changed(&self) -> &Changed {
        &self.changed
    }

    /// Counts tokens that were found past their deadline.
    pub const fn count_expired(&mut self, expired: u64) {
        self.changed.expired += expired;
    }

    /// All tokens that can be read, as they are now.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values().flatten()
    }

    /// What is wrong with the tokens that cannot be read.
    pub fn damaged_tokens(&self) -> impl Iterator<Item = &StoreError> {
        self.tokens.values().filter_map(|token| token.as_ref().err())
    }

    /// The queue's row, if it has changed.
    pub fn changed_queue(&self) -> Option<&Queue> {
        self.queue.as_ref().and_then(|queue| queue.as_ref().ok()).filter(|_| self.changed.queue)
    }

    /// Tokens that were stored before and have changed.
    pub fn changed_tokens(&self) -> impl Iterator<Item = &Token> {
        self.changed.tokens.iter().filter_map(|number| self.tokens.get(number)).flatten()
    }

    /// Tokens that were issued, in the order of their numbers.
    pub fn issued_tokens(&self) -> impl Iterator<Item = &Token> {
        self.changed.issued.iter().filter_map(|number| self.tokens.get(number)).flatten()
    }

    /// Reservations that were stored before and have another state now.
    pub fn changed_reservations(&self) -> impl Iterator<Item = (ReservationId, &BareReservation)> {
        let found = |id: &ReservationId| Some((*id, self.reservations.get(id)?.as_ref().ok()?));
        self.changed.reservations.iter().filter_map(found)
    }

    /// Seats that have changed hands.
    pub fn changed_seats(&self) -> impl Iterator<Item = &Seat> {
        self.changed.seats.iter().filter_map(|id| self.seats.get(id)).flatten()
    }

    /// Wallets that have moved: those that had a row, or those that had none.
    pub fn moved_wallets(&self, had_row: bool) -> impl Iterator<Item = &Wallet> {
        let users = self.changed.wallets.iter();
        let users = users.filter(move |user| self.changed.new_wallets.contains(*user) != had_row);
        users.filter_map(|user| self.wallets.get(user)).flatten()
    }
}
