//! Holds.

use async_trait::async_trait;
use domain::concert::{Found, Schedule};
use domain::idempotency::Recorded;
use domain::page::Listed;
use domain::ports::{
    Answer, Cancelled, Decided, HoldCommand, IdGenerator, MOST_RELEASED, ReservationRepository, StoreError,
};
use domain::reservation::{self, HoldFacts, OwnSeats, Reservation, ReservationStatus};
use domain::seat::{Seat, SeatChoice, Taken};
use domain::{Page, QueueNumber, Rejection, ReservationId, Ticket, Timestamp, UserId};

use super::{Reference, Sale, State, down, replayed};

#[async_trait]
impl ReservationRepository for Reference {
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>> {
        let (mut state, now) = self.lock();
        let Some((sale, token)) = state.token(command.ticket) else { return Ok(Err(Rejection::TokenUnknown)) };
        let (user, request) = (token.user.clone(), command.choice.fingerprint());
        match replayed(&sale.hold_keys, &user, command.key.as_ref(), &request, now) {
            Ok(None) => {}
            Ok(Some(made)) => return Ok(Ok(Answer { value: seen(&sale.reservations[&made], now), replayed: true })),
            Err(rejection) => return Ok(Err(rejection)),
        }
        let held = match state.decide_hold(command, now) {
            Ok(held) => held,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let sale = state.sales.get_mut(&command.ticket.queue).unwrap();
        for old in &held.taken_over {
            sale.reservations.get_mut(old).unwrap().expire_if_due(now);
        }
        for seat in &held.reservation.seats {
            let mark = Taken { by: held.reservation.id, until: Some(held.reservation.expires_at) };
            sale.seats.get_mut(&seat.id).unwrap().taken = Some(mark);
        }
        sale.tokens.insert(held.token.ticket.number, held.token);
        sale.reservations.insert(held.reservation.id, held.reservation.clone());
        if let Some(key) = &command.key {
            let recorded = Recorded { fingerprint: request, at: now };
            sale.hold_keys.insert((user, key.clone()), (recorded, held.reservation.id));
        }
        Ok(Ok(Answer { value: held.reservation, replayed: false }))
    }

    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled> {
        let (mut state, now) = self.lock();
        let Some((_, token)) = state.token(ticket) else { return Ok(Err(Rejection::TokenUnknown)) };
        let mut token = token.clone();
        let sale = state.sales.get_mut(&ticket.queue).unwrap();
        let mut found = sale.reservations.get(&reservation).cloned();
        let decided = reservation::cancel(found.as_mut(), &token, now);
        Ok(decided.map(|changed| {
            let reservation = found.unwrap();
            if changed {
                sale.free(&reservation);
                token.settle(sale.pending(&token.user).iter().map(|hold| hold.expires_at), now);
                sale.tokens.insert(ticket.number, token);
            }
            Cancelled { reservation, changed }
        }))
    }

    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError> {
        let (state, now) = self.lock();
        let found = state.sales.get(&queue).and_then(|sale| sale.reservations.get(&reservation));
        Ok(found.filter(|found| found.user == *user).map(|found| seen(found, now)))
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError> {
        let (state, now) = self.lock();
        let all: Vec<_> = state.sales.get(&queue).into_iter().flat_map(|sale| sale.reservations.values()).collect();
        let own = all.into_iter().filter(|found| found.user == *user).map(|found| (found.id, seen(found, now)));
        Ok(Listed::cut(down(own, page), page, |found| found.id))
    }

    async fn release_expired(&self) -> Result<u64, StoreError> {
        let (mut state, now) = self.lock();
        let all = state.sales.values().flat_map(|sale| sale.reservations.values());
        let mut due: Vec<Reservation> =
            all.cloned().filter_map(|mut row| row.expire_if_due(now).then_some(row)).collect();
        due.sort_by_key(|row| (row.expires_at, row.id));
        due.truncate(MOST_RELEASED.try_into().unwrap());
        for row in &due {
            state.sales.get_mut(&row.queue).unwrap().free(row);
        }
        Ok(due.len().try_into().unwrap())
    }
}

/// A reservation as it is at the moment of reading.
fn seen(found: &Reservation, now: Timestamp) -> Reservation {
    Reservation { status: found.status_at(now), ..found.clone() }
}

/// What counts for the limits of a concert and its schedules.
fn own_seats(held: &Reservation) -> Option<OwnSeats> {
    let until = match held.status {
        ReservationStatus::Pending => Some(held.expires_at),
        ReservationStatus::Confirmed => None,
        ReservationStatus::Cancelled(_) => return None,
    };
    let seats = held.seats.len().try_into().unwrap();
    Some(OwnSeats { concert: held.concert, schedule: held.schedule, seats, until })
}

impl State {
    fn decide_hold(&self, command: &HoldCommand, now: Timestamp) -> Result<reservation::Hold, Rejection> {
        let (sale, token) = self.token(command.ticket).unwrap();
        let seats = sale.chosen(&command.choice);
        let schedule = self.schedule_of(command, &seats);
        let pending = sale.pending(&token.user);
        let own = || sale.reservations.values().filter(|held| held.user == token.user);
        let own_seats: Vec<OwnSeats> = own().filter_map(own_seats).collect();
        let facts = HoldFacts {
            token,
            choice: &command.choice,
            schedule,
            seats: &seats,
            pending: &pending,
            own_seats: &own_seats,
            own: &own().map(|held| held.id).collect(),
        };
        reservation::hold(&facts, &self.rules, ReservationId::new(self.ids.next_id()), now)
    }

    fn schedule_of(&self, command: &HoldCommand, seats: &[Seat]) -> Found<&Schedule> {
        let id = match &command.choice {
            SeatChoice::Numbers(schedule, _) => Some(*schedule),
            SeatChoice::Ids(_) => seats.first().map(|seat| seat.schedule),
        };
        id.map_or(Found::Nowhere, |id| self.locate(command.ticket.queue, |sale| sale.schedules.get(&id)))
    }
}

impl Sale {
    /// The seats of a choice that this sale has.
    fn chosen(&self, choice: &SeatChoice) -> Vec<Seat> {
        let ids: Vec<_> = match choice {
            SeatChoice::Ids(ids) => ids.iter().copied().collect(),
            SeatChoice::Numbers(schedule, numbers) => {
                numbers.iter().filter_map(|number| self.numbers.get(&(*schedule, *number)).copied()).collect()
            }
        };
        ids.iter().filter_map(|id| self.seats.get(id).cloned()).collect()
    }
}
