//! The port of holds.

use async_trait::async_trait;
use domain::concert::Found;
use domain::idempotency::is_replay;
use domain::page::Listed;
use domain::ports::{Answer, Decided, HoldCommand, ReservationRepository, StoreError};
use domain::reservation::{self, CancelReason, Hold, HoldFacts, Reservation, ReservationStatus};
use domain::seat::SeatChoice;
use domain::{Page, QueueNumber, Rejection, ReservationId, Ticket, Timestamp, Token, UserId};
use tracing::error;

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::sale::sweep;
use crate::tables::idempotency::Key;
use crate::tables::{reservations, seats};

#[async_trait]
impl ReservationRepository for SqliteStore {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        let command = command.clone();
        self.writer().run(move |transaction| hold(transaction, &command)).await
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Reservation> {
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
                Ok(found.filter(|found| found.user == user).map(|found| as_of(found, snapshot.now)))
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
                let items = listed.into_iter().map(|reservation| as_of(reservation, snapshot.now)).collect();
                Ok(Listed::cut(items, &page, |reservation| reservation.id))
            })
            .await
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        self.writer().run(sweep::release_expired).await
    }
}

/// With the status of the moment of reading.
fn as_of(mut reservation: Reservation, now: Timestamp) -> Reservation {
    reservation.status = reservation.status_at(now);
    reservation
}

fn hold(transaction: &mut Transaction<'_>, command: &HoldCommand) -> Decided<Answer<Reservation>> {
    let Some(token) = transaction.token(command.ticket)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let (queue, request) = (command.ticket.queue, command.choice.fingerprint());
    if let Some(key) = &command.key
        && let Some((recorded, made)) = reservations::of_key(transaction.conn, queue, &token.user, key)?
    {
        match is_replay(Some(&recorded), &request, transaction.now) {
            Ok(true) => return replay(transaction, queue, made).map(Ok),
            Ok(false) => reservations::forget_key(transaction.conn, queue, made)?,
            Err(rejection) => return Ok(Err(rejection)),
        }
    }
    let (hold, seats) = match decide(transaction, &token, &command.choice)? {
        Ok(decided) => decided,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let key = command.key.as_ref().map(|key| (key, &request));
    write(transaction, &token, hold, &seats, key).map(|value| Ok(Answer { value, replayed: false }))
}

/// The reservation as it was first answered: what else there is of it never changes.
fn replay(
    transaction: &mut Transaction<'_>,
    queue: QueueNumber,
    id: ReservationId,
) -> Result<Answer<Reservation>, StoreError> {
    let made = reservations::stored(transaction.conn, queue, id)?;
    Ok(Answer { value: Reservation { status: ReservationStatus::Pending, ..made }, replayed: true })
}

/// Reads the facts of a hold and asks the rule.
fn decide(
    transaction: &mut Transaction<'_>,
    token: &Token,
    choice: &SeatChoice,
) -> Decided<(Hold, Vec<domain::seat::Seat>)> {
    let queue = token.ticket.queue;
    let seats = seats::chosen(transaction.conn, queue, choice)?;
    let schedule = match (choice, seats.first()) {
        (SeatChoice::Numbers(schedule, _), _) => transaction.schedule(queue, *schedule)?,
        (SeatChoice::Ids(_), Some(seat)) => transaction.schedule(queue, seat.schedule)?,
        (SeatChoice::Ids(_), None) => Found::Nowhere,
    };
    let pending = reservations::pending(transaction.conn, queue, &token.user)?;
    let facts = HoldFacts { token, choice, schedule: schedule.as_ref(), seats: &seats, pending: &pending };
    let id = ReservationId::new(transaction.ids.next_id());
    Ok(reservation::hold(&facts, transaction.rules, id, transaction.now).map(|hold| (hold, seats)))
}

/// Writes a hold that was granted. Of a reservation whose seats it takes over only the end is written: its other seats
/// are free by the same clock.
fn write(
    transaction: &mut Transaction<'_>,
    token: &Token,
    hold: Hold,
    seats: &[domain::seat::Seat],
    key: Key<'_>,
) -> Result<Reservation, StoreError> {
    let Hold { reservation, taken_over, token: covered } = hold;
    for dead in taken_over {
        let mut dead = match reservations::stored(transaction.conn, reservation.queue, dead) {
            Ok(dead) => dead,
            // The sweep leaves such a row as it is, too. Its seats are free, and the buyer is not to suffer for it.
            Err(failure @ StoreError::Inconsistent { .. }) => {
                error!(%failure, reservation = %dead, "a reservation whose seats were taken over could not be cancelled");
                continue;
            }
            Err(failure) => return Err(failure),
        };
        if dead.cancel(CancelReason::Expired, transaction.now) {
            reservations::end(transaction.conn, dead.queue, dead.id, dead.status)?;
        }
    }
    reservations::insert(transaction.conn, &reservation, key)?;
    for seat in seats {
        let before = seat.taken.map(|taken| taken.by);
        let until = Some(reservation.expires_at);
        seats::take(transaction.conn, reservation.queue, (seat.schedule, seat.number), before, reservation.id, until)?;
    }
    if covered != *token {
        transaction.update_token(covered)?;
    }
    Ok(reservation)
}

/// R17: DELETE of a reservation.
fn cancel(transaction: &mut Transaction<'_>, ticket: Ticket, id: ReservationId) -> Decided<Reservation> {
    let Some(token) = transaction.token(ticket)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let mut found = reservations::find(transaction.conn, ticket.queue, id)?;
    let ended = match reservation::cancel(found.as_mut(), &token.user, transaction.now) {
        Ok(ended) => ended,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let Some(reservation) = found else {
        return Ok(Err(Rejection::NotFound(domain::rejection::Missing::Reservation)));
    };
    if ended {
        reservations::end_and_free(transaction.conn, &reservation)?;
    }
    Ok(Ok(reservation))
}
