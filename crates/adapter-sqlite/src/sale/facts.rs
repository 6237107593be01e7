//! What the decisions of a sale ask for, read as they ask.

use std::sync::Arc;

use domain::concert::{Found, Schedule};
use domain::idempotency::Recorded;
use domain::ports::StoreError;
use domain::reservation::{OwnSeats, PendingHold, Reservation};
use domain::sale::Facts;
use domain::seat::{Seat, SeatChoice};
use domain::wallet::Wallet;
use domain::{
    ConcertId, IdempotencyKey, PaymentId, Queue, QueueNumber, ReservationId, ScheduleId, Ticket, TicketNumber, Token,
    UserId,
};

use crate::batches::transaction::Transaction;
use crate::tables::{payments, reservations, seats, tokens, wallets};

/// One queue's sale. What the commands before have changed is in the database already, or in the transaction's memory.
pub(crate) struct Sale<'t, 'c> {
    pub(crate) transaction: &'t mut Transaction<'c>,
    pub(crate) queue: QueueNumber,
}

impl Facts for Sale<'_, '_> {
    fn queue(&mut self) -> Result<Option<Queue>, StoreError> {
        Ok(self.transaction.queue(self.queue)?.map(|row| row.queue.clone()))
    }

    fn token(&mut self, number: TicketNumber) -> Result<Option<Token>, StoreError> {
        self.transaction.token(Ticket { queue: self.queue, number })
    }

    fn newest_token(&mut self, user: &UserId) -> Result<Option<Token>, StoreError> {
        tokens::live(self.transaction.conn, self.queue, user)
    }

    fn recorded_hold(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, ReservationId)>, StoreError> {
        reservations::of_key(self.transaction.conn, self.queue, user, key)
    }

    fn recorded_payment(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, PaymentId)>, StoreError> {
        payments::of_key(self.transaction.conn, self.queue, user, key)
    }

    fn seats(&mut self, choice: &SeatChoice) -> Result<Vec<Seat>, StoreError> {
        seats::chosen(self.transaction.conn, self.queue, choice)
    }

    fn schedule(&mut self, id: ScheduleId) -> Result<Found<Arc<Schedule>>, StoreError> {
        self.transaction.schedule(self.queue, id)
    }

    fn pending(&mut self, user: &UserId) -> Result<Vec<PendingHold>, StoreError> {
        reservations::pending(self.transaction.conn, self.queue, user)
    }

    fn own_seats(&mut self, user: &UserId, concert: ConcertId) -> Result<Vec<OwnSeats>, StoreError> {
        reservations::own_seats(self.transaction.conn, self.queue, user, concert)
    }

    fn is_own(&mut self, user: &UserId, reservation: ReservationId) -> Result<bool, StoreError> {
        reservations::is_own(self.transaction.conn, self.queue, reservation, user)
    }

    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StoreError> {
        reservations::find(self.transaction.conn, self.queue, id)
    }

    fn pending_reservations(&mut self, user: &UserId) -> Result<Vec<Reservation>, StoreError> {
        let pending = reservations::pending_ids(self.transaction.conn, self.queue, user)?;
        pending.into_iter().map(|id| reservations::stored(self.transaction.conn, self.queue, id)).collect()
    }

    fn seats_of(&mut self, reservation: &Reservation) -> Result<Vec<Seat>, StoreError> {
        seats::of_reservation(self.transaction.conn, self.queue, reservation.id)
    }

    fn wallet(&mut self, user: &UserId) -> Result<Wallet, StoreError> {
        wallets::find(self.transaction.conn, user)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::Connection;
    use diesel::connection::InstrumentationEvent;
    use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
    use domain::ports::{HoldCommand, LoadCommand};
    use domain::sale::{self, Made};
    use domain::{LocalTime, Money, QueueName, Rejection, Rules, Timestamp};
    use storage_contract::SeededIds;

    use super::*;
    use crate::batches::loading;

    #[test]
    fn nothing_is_read_that_the_decision_does_not_hang_on_r15() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let mut connection = crate::open::connect(&path).unwrap();
        let (statements, rules, ids) = (Arc::new(AtomicUsize::new(0)), Rules::default(), SeededIds::new(1));
        let seen = Arc::clone(&statements);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            seen.fetch_add(usize::from(matches!(event, InstrumentationEvent::StartQuery { .. })), Ordering::Relaxed);
        });
        let mut transaction = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
        let starts_at = LocalTime::parse("2027-12-24T19:30:00+09:00").unwrap();
        let seats = vec![SeatGroup::Count(3, Money::parse("10").unwrap())];
        let draft = Draft::of("Winter", QueueName::main(), vec![ScheduleDraft::of(starts_at, seats)]);
        let command = LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None };
        loading::create_queue(&mut transaction, QueueName::main()).unwrap().unwrap();
        let made = loading::create(&mut transaction, &command).unwrap().unwrap().value;
        let (queue, context) = (made.queue, transaction.context());
        let ticket = |number| Ticket { queue, number: TicketNumber::new(number).unwrap() };
        let mut token = Token::issue(ticket(1), UserId::parse("u").unwrap(), transaction.now);
        token.admit(rules.active, transaction.now, 1);
        tokens::insert(transaction.conn, &token).unwrap();
        let key = IdempotencyKey::parse("k");
        let mut hold = |number, seats: &[u32]| {
            let choice = SeatChoice::numbers(made.schedules[0], seats).unwrap();
            let command = HoldCommand { ticket: ticket(number), choice, key: key.clone() };
            statements.store(0, Ordering::Relaxed);
            let decided = sale::hold(&mut Sale { transaction: &mut transaction, queue }, &command, &context).unwrap();
            let read = statements.load(Ordering::Relaxed);
            if let Ok(Made::Now(_, effects)) = &decided {
                crate::sale::write::write(&mut transaction, queue, (**effects).clone()).unwrap();
            }
            (read, decided.map(|made| matches!(made, Made::Now(..))))
        };
        assert_eq!(hold(2, &[1]), (1, Err(Rejection::TokenUnknown)), "its token");
        assert_eq!(hold(1, &[1, 2]), (6, Ok(true)), "token, key, two seats, schedule, pending holds");
        assert_eq!(hold(1, &[1, 2]), (1 + 1, Ok(false)), "token and key");
        assert_eq!(hold(1, &[3]), (1 + 1, Err(Rejection::IdempotencyKeyReused)), "token and key");
    }
}
