//! The port of holds.

use async_trait::async_trait;
use domain::page::Listed;
use domain::ports::{Answer, Cancelled, Decided, HoldCommand, ReservationRepository, StoreError};
use domain::reservation::Reservation;
use domain::sale::{self, Made};
use domain::{Page, QueueNumber, ReservationId, Ticket, UserId};

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::sale::facts::Sale;
use crate::sale::sweep;
use crate::sale::write::write;
use crate::tables::reservations;

#[async_trait]
impl ReservationRepository for SqliteStore {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        let command = command.clone();
        self.writer().run(move |transaction| hold(transaction, &command)).await
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        self.writer().run(move |transaction| cancel(transaction, ticket, reservation)).await
    }

    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        let user = user.clone();
        self.reads()
            .run(move |snapshot| {
                let found = reservations::find(snapshot.conn, queue, reservation)?;
                Ok(found.filter(|found| found.user == user).map(|found| found.as_of(snapshot.now)))
            })
            .await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        let (user, page) = (user.clone(), *page);
        self.reads()
            .run(move |snapshot| {
                let listed = reservations::list(snapshot.conn, queue, &user, page.after, page.limit + 1)?;
                let items = listed.into_iter().map(|reservation| reservation.as_of(snapshot.now)).collect();
                Ok(Listed::cut(items, &page, |reservation| reservation.id))
            })
            .await
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        self.writer().run(sweep::release_expired).await
    }
}

fn hold(transaction: &mut Transaction<'_>, command: &HoldCommand) -> Decided<Answer<Reservation>> {
    let (queue, context) = (command.ticket.queue, transaction.context());
    match sale::hold(&mut Sale { transaction, queue }, command, &context)? {
        Ok(Made::Now(value, effects)) => {
            write(transaction, queue, *effects)?;
            Ok(Ok(Answer { value, replayed: false }))
        }
        Ok(Made::Before(made)) => {
            let value = reservations::stored(transaction.conn, queue, made)?.as_of(transaction.now);
            Ok(Ok(Answer { value, replayed: true }))
        }
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// R17: DELETE of a reservation.
fn cancel(transaction: &mut Transaction<'_>, ticket: Ticket, id: ReservationId) -> Decided<Cancelled> {
    let (queue, context) = (ticket.queue, transaction.context());
    match sale::cancel(&mut Sale { transaction, queue }, ticket.number, id, &context)? {
        Ok((cancelled, effects)) => {
            write(transaction, queue, effects)?;
            Ok(Ok(cancelled))
        }
        Err(rejection) => Ok(Err(rejection)),
    }
}
