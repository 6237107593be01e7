//! What a batch knows and has changed: the domain's working set, filled from rows.

use std::time::Duration;

use domain::reservation::PendingHold;
use domain::sale::WorkingSet;
use domain::{PaymentId, QueueNumber, ReservationId, ScheduleId, SeatId, Timestamp, UserId};

use crate::sale::facts::Facts;
use crate::tables::columns;
use crate::tables::idempotency::recorded;
use crate::tables::reservations::{HoldRow, OwnSeatsRow, ReservationRow};
use crate::tables::tokens::TokenRow;

/// A batch of one queue's sale. A row that is damaged goes into its set as what is wrong with it; one of which not even the
/// key can be read is left out, as nobody can ask for it.
pub(crate) struct Batch {
    pub(crate) set: WorkingSet,
    pub(crate) now: Timestamp,
    /// The number of the policy that was in force before.
    pub(crate) policy_seq: i32,
    /// Whether anybody waits in the store.
    pub(crate) stored_waiters: bool,
    /// How many tokens it admitted.
    pub(crate) admitted: u64,
    /// By how much the clock was set back, if the policy begins anew for that.
    pub(crate) set_back: Option<Duration>,
}

impl Batch {
    /// Of what was read.
    pub(crate) fn new(number: QueueNumber, now: Timestamp, facts: Facts) -> Self {
        let set = WorkingSet::new(number);
        let mut batch = Self { set, now, policy_seq: 0, stored_waiters: false, admitted: 0, set_back: None };
        if let Some(row) = facts.queue {
            batch.policy_seq = row.policy_seq;
            let queue = row.queue(number);
            batch.stored_waiters = queue.as_ref().is_ok_and(|queue| queue.line.waiting() > 0);
            batch.set.add_queue(queue);
        }
        for row in facts.tokens {
            batch.add_token(&row);
        }
        for row in facts.holds {
            batch.add_hold(row);
        }
        for row in facts.paid {
            let recorded = recorded("payments", row.id, (row.idempotency_key, row.fingerprint), row.paid_at);
            if let (Some(user), Some((key, recorded))) = (UserId::stored(&row.user_id), recorded) {
                batch.set.add_recorded_payment(user, key, recorded.map(|recorded| (recorded, PaymentId::new(row.id))));
            }
        }
        for (user, id, own) in facts.own_seats.iter().filter_map(OwnSeatsRow::own_seats) {
            batch.set.add_own_seats(user, id, own);
        }
        for row in facts.seats {
            if let Some((id, buyer)) = row.bought() {
                batch.set.add_user(id, buyer);
            }
            let row = row.seat;
            let place = u32::try_from(row.number).ok().map(|number| (ScheduleId::new(row.schedule_id), number));
            batch.set.add_seat(SeatId::new(row.id), place, row.seat());
        }
        batch.add_reservations(facts.reservations);
        for row in facts.reserved_seats {
            batch.set.add_reserved_seat(ReservationId::new(row.reservation_id), row.seat.seat());
        }
        for row in facts.wallets {
            if let Some(user) = row.user() {
                batch.set.add_wallet(user, row.wallet());
            }
        }
        batch
    }

    /// The number of the policy that is in force after it.
    pub(crate) fn policy_in_force(&self) -> i32 {
        self.policy_seq + i32::try_from(self.set.changed().policies.len()).unwrap_or(0)
    }

    fn add_token(&mut self, row: &TokenRow) {
        let Ok(number) = columns::ticket_number(row.number) else { return };
        let token = row.token(self.set.number());
        let user =
            token.as_ref().map_or_else(|_damaged| UserId::stored(&row.user_id), |token| Some(token.user.clone()));
        self.set.add_token(number, user, token);
    }

    fn add_hold(&mut self, row: HoldRow) {
        let (Some(user), id) = (UserId::stored(&row.user_id), ReservationId::new(row.id)) else { return };
        if row.pending {
            let seats = u32::try_from(row.seats).unwrap_or(u32::MAX);
            let hold = PendingHold { reservation: id, expires_at: columns::instant(row.expires_at), seats };
            self.set.add_pending(user.clone(), hold);
        }
        let recorded = recorded("reservations", row.id, (row.idempotency_key, row.fingerprint), row.reserved_at);
        if let Some((key, recorded)) = recorded {
            self.set.add_recorded_hold(user, key, recorded.map(|recorded| (recorded, id)));
        }
    }

    /// Adds rows of `reservations`.
    pub(crate) fn add_reservations(&mut self, found: Vec<ReservationRow>) {
        for row in found {
            let reservation = row.bare();
            let user = reservation.as_ref().map_or_else(|_damaged| row.user(), |found| Some(found.user.clone()));
            self.set.add_reservation(ReservationId::new(row.id), user, reservation);
        }
    }
}
