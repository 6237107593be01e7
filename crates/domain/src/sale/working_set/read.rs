//! What commands hear of a working set.

use std::hash::Hash;
use std::sync::Arc;

use super::{Rows, WorkingSet};
use crate::concert::{Found, Schedule};
use crate::idempotency::Recorded;
use crate::payment::Receipt;
use crate::ports::{Paid, StoreError};
use crate::reservation::{OwnSeats, PendingHold, Reservation, ReservationStatus};
use crate::sale::Facts;
use crate::seat::{Seat, SeatChoice};
use crate::wallet::Wallet;
use crate::{
    ConcertId, IdempotencyKey, PaymentId, Queue, ReservationId, ScheduleId, SeatId, TicketNumber, Token, UserId,
};

/// What is known of a row; a damaged one fails whoever asks.
pub(super) fn known<K: Eq + Hash, V: Clone>(rows: &Rows<K, V>, key: &K) -> Result<Option<V>, StoreError> {
    rows.get(key).cloned().transpose()
}

impl Facts for WorkingSet {
    fn queue(&mut self) -> Result<Option<Queue>, StoreError> {
        self.queue.clone().transpose()
    }

    fn token(&mut self, number: TicketNumber) -> Result<Option<Token>, StoreError> {
        known(&self.tokens, &number)
    }

    fn newest_token(&mut self, user: &UserId) -> Result<Option<Token>, StoreError> {
        self.newest.get(user).map_or(Ok(None), |number| known(&self.tokens, number))
    }

    fn recorded_hold(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, ReservationId)>, StoreError> {
        known(&self.recorded_holds, &(user.clone(), key.clone()))
    }

    fn recorded_payment(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, PaymentId)>, StoreError> {
        known(&self.recorded_payments, &(user.clone(), key.clone()))
    }

    fn seats(&mut self, choice: &SeatChoice) -> Result<Vec<Seat>, StoreError> {
        let seats = |ids: &mut dyn Iterator<Item = &SeatId>| {
            ids.filter_map(|id| self.seats.get(id).cloned()).collect::<Result<Vec<_>, _>>()
        };
        match choice {
            SeatChoice::Ids(ids) => seats(&mut ids.iter()),
            SeatChoice::Numbers(schedule, numbers) => {
                seats(&mut numbers.iter().filter_map(|number| self.seat_of.get(&(*schedule, *number))))
            }
        }
    }

    fn schedule(&mut self, id: ScheduleId) -> Result<Found<Arc<Schedule>>, StoreError> {
        Ok(self.schedules.get(&id).cloned().unwrap_or(Found::Nowhere))
    }

    fn pending(&mut self, user: &UserId) -> Result<Vec<PendingHold>, StoreError> {
        Ok(self.pending.get(user).into_iter().flat_map(|own| own.values().copied()).collect())
    }

    fn own_seats(&mut self, user: &UserId, concert: ConcertId) -> Result<Vec<OwnSeats>, StoreError> {
        let own = self.own_seats.get(user).into_iter().flat_map(|own| own.values());
        Ok(own.filter(|own| own.concert == concert).copied().collect())
    }

    fn is_own(&mut self, user: &UserId, reservation: ReservationId) -> Result<bool, StoreError> {
        Ok(self.users.get(&reservation) == Some(user))
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        self.find_reservation(id)
    }

    fn pending_reservations(&mut self, user: &UserId) -> Result<Vec<Reservation>, StoreError> {
        let own = self.pending_of.get(user).into_iter().flatten();
        let mut found = own.filter_map(|id| self.find_reservation(*id).transpose()).collect::<Result<Vec<_>, _>>()?;
        found.retain(|reservation| reservation.status == ReservationStatus::Pending);
        Ok(found)
    }

    fn seats_of(&mut self, reservation: &Reservation) -> Result<Vec<Seat>, StoreError> {
        reservation.seats.iter().filter_map(|seat| known(&self.seats, &seat.id).transpose()).collect()
    }

    fn wallet(&mut self, user: &UserId) -> Result<Wallet, StoreError> {
        Ok(known(&self.wallets, user)?.unwrap_or_else(|| Wallet::empty(user.clone())))
    }
}

/// What is put together.
impl WorkingSet {
    /// A reservation put together from its row, its seats and its schedule.
    pub(super) fn find_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        let Some(found) = known(&self.reservations, &id)? else { return Ok(None) };
        let Some(Found::Here(schedule)) = self.schedules.get(&found.schedule) else {
            let detail = format!("{id} is of no schedule");
            return Err(StoreError::Inconsistent { table: "reservations", column: "schedule_id", detail });
        };
        Ok(Some(Reservation {
            id,
            queue: self.number,
            user: found.user,
            concert: schedule.concert,
            schedule: schedule.id,
            title: Arc::clone(&schedule.title),
            starts_at: schedule.starts_at,
            seats: known(&self.reserved_seats, &id)?.unwrap_or_default(),
            amount: found.amount,
            status: found.status,
            reserved_at: found.reserved_at,
            expires_at: found.expires_at,
        }))
    }
}

/// Answers that are given again though they were given in this very batch (R15).
impl WorkingSet {
    /// A hold of this batch as it is now.
    pub fn made_reservation(&self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        if self.changed.reserved.contains_key(&id) { self.find_reservation(id) } else { Ok(None) }
    }

    /// What a payment of this batch answered.
    pub fn made_payment(&self, id: PaymentId) -> Result<Option<Paid>, StoreError> {
        let Some((payment, seq, _)) = self.changed.payments.iter().find(|(payment, ..)| payment.id == id) else {
            return Ok(None);
        };
        let entry = self.changed.entries.iter().find(|entry| entry.user == payment.user && entry.seq == *seq);
        let (Some(entry), Some(reservation)) = (entry, self.find_reservation(payment.reservation)?) else {
            let detail = format!("{id} is of no entry");
            return Err(StoreError::Inconsistent { table: "payments", column: "entry_seq", detail });
        };
        let receipt = Receipt { payment: payment.clone(), reservation };
        Ok(Some(Paid { receipt, balance: entry.balance_after.clone() }))
    }
}
