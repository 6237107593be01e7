//! What a batch knows and has changed: the domain's working set, filled from rows.

use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::reservation::PendingHold;
use domain::sale::WorkingSet;
use domain::{
    Fingerprint, IdempotencyKey, PaymentId, QueueNumber, ReservationId, ScheduleId, SeatId, Timestamp, UserId,
};

use crate::sale::facts::Facts;
use crate::tables::rows::{self, HoldRow, Keyed, ReservationRow, TokenRow};

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
}

impl Batch {
    /// Of what was read.
    pub(crate) fn new(number: QueueNumber, now: Timestamp, facts: Facts) -> Self {
        let set = WorkingSet::new(number);
        let mut batch = Self { set, now, policy_seq: 0, stored_waiters: false, admitted: 0 };
        if let Some(row) = facts.queue {
            batch.policy_seq = row.7;
            let queue = rows::queue_row(number, row);
            batch.stored_waiters = queue.as_ref().is_ok_and(|queue| queue.line.waiting() > 0);
            batch.set.add_queue(queue);
        }
        for row in facts.tokens {
            batch.add_token(&row);
        }
        for row in facts.holds {
            batch.add_hold(row);
        }
        for ((user, id), keyed) in facts.paid {
            if let (Some(user), Some((key, recorded))) = (UserId::parse(&user), recorded("payments", id, keyed)) {
                let recorded = recorded.map(|recorded| (recorded, PaymentId::new(id)));
                batch.set.add_recorded_payment(user, key, recorded);
            }
        }
        for row in facts.seats {
            let place = u32::try_from(row.number).ok().map(|number| (ScheduleId::new(row.schedule_id), number));
            batch.set.add_seat(SeatId::new(row.id), place, row.seat());
        }
        batch.add_reservations(facts.reservations);
        for (reservation, seat, number, price) in facts.reserved_seats {
            let reserved = rows::reserved_seat(seat, number, &price);
            batch.set.add_reserved_seat(ReservationId::new(reservation), reserved);
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
        let Ok(number) = rows::ticket_number(row.number) else { return };
        let token = row.token(self.set.number());
        let user = token.as_ref().map_or_else(|_damaged| UserId::parse(&row.user_id), |token| Some(token.user.clone()));
        self.set.add_token(number, user, token);
    }

    fn add_hold(&mut self, ((user, id), (pending, expires_at, seats), keyed): HoldRow) {
        let (Some(user), id) = (UserId::parse(&user), ReservationId::new(id)) else { return };
        if pending {
            let seats = u32::try_from(seats).unwrap_or(u32::MAX);
            let hold = PendingHold { expires_at: rows::instant(expires_at), seats };
            self.set.add_pending(user.clone(), id, hold);
        }
        if let Some((key, recorded)) = recorded("reservations", id.uuid(), keyed) {
            self.set.add_recorded_hold(user, key, recorded.map(|recorded| (recorded, id)));
        }
    }

    /// Adds rows of `reservations`.
    pub(crate) fn add_reservations(&mut self, found: Vec<ReservationRow>) {
        for row in found {
            let reservation = rows::bare_reservation(&row);
            let user =
                reservation.as_ref().map_or_else(|_damaged| UserId::parse(&row.1), |found| Some(found.user.clone()));
            self.set.add_reservation(ReservationId::new(row.0), user, reservation);
        }
    }
}

/// What a key recorded, if there was one.
fn recorded(
    table: &'static str,
    made: uuid::Uuid,
    (key, fingerprint, at): Keyed,
) -> Option<(IdempotencyKey, Result<Recorded, StoreError>)> {
    let key = IdempotencyKey::parse(&key?)?;
    let fingerprint = fingerprint.and_then(|bytes| bytes.try_into().ok()).map(Fingerprint);
    let recorded = fingerprint.map(|fingerprint| Recorded { fingerprint, at: rows::instant(at) });
    Some((key, recorded.ok_or_else(|| rows::inconsistent(table, "fingerprint", made))))
}
