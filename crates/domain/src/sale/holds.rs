//! Holding, cancelling, and ending what ran out.

use std::collections::BTreeSet;

use super::effects::SeatChange;
use super::{Context, Effects, Facts, Made};
use crate::concert::Found;
use crate::idempotency::Use;
use crate::ports::{Cancelled, Decided, HoldCommand, StoreError};
use crate::rejection::Missing;
use crate::reservation::{self, HoldFacts, Reservation};
use crate::seat::{Seat, SeatStatus, Taken};
use crate::{Rejection, ReservationId, TicketNumber, UserId};

/// R5 to R9, R11, R15: a hold.
///
/// In this order: the number was issued; the key recorded this request, or another; the rule,
/// [`reservation::hold`]. Dead reservations whose seats are taken over end with it (R7); a damaged one is left as it is, as
/// whoever wants its seats has no part in it.
pub fn hold(
    facts: &mut impl Facts,
    command: &HoldCommand,
    context: &Context<'_>,
) -> Decided<Made<Reservation, ReservationId>> {
    let Some(token) = facts.token(command.ticket.number)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let request = command.choice.fingerprint();
    let recorded = match &command.key {
        Some(key) => facts.recorded_hold(&token.user, key)?,
        None => None,
    };
    let forgotten = match Use::of(command.key.as_ref(), recorded, &request, context.now) {
        Ok(Use::Unkeyed) => None,
        Ok(Use::New { forgotten }) => forgotten,
        Ok(Use::Replay(made)) => return Ok(Ok(Made::Before(made))),
        Err(rejection) => return Ok(Err(rejection)),
    };
    let seats = facts.seats(&command.choice)?;
    let schedule = match command.choice.schedule_among(&seats) {
        Some(schedule) => facts.schedule(schedule)?,
        None => Found::Nowhere,
    };
    let pending = facts.pending(&token.user)?;
    let own_seats = match &schedule {
        Found::Here(schedule) if schedule.is_limited() => facts.own_seats(&token.user, schedule.concert)?,
        _ => Vec::new(),
    };
    let own = own_among(facts, &token.user, &seats, context)?;
    let asked = HoldFacts {
        token: &token,
        choice: &command.choice,
        schedule: schedule.as_deref(),
        seats: &seats,
        pending: &pending,
        own_seats: &own_seats,
        own: &own,
    };
    let id = ReservationId::new(context.ids.next_id());
    let hold = match reservation::hold(&asked, context.rules, id, context.now) {
        Ok(hold) => hold,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let mut effects = Effects { forgotten_hold: forgotten, ..Effects::default() };
    for dead in hold.taken_over {
        take_over(facts, dead, &mut effects, context)?;
    }
    if hold.token != token {
        effects.tokens.push(hold.token);
    }
    let mark = Taken { by: hold.reservation.id, until: Some(hold.reservation.expires_at) };
    effects.seats.extend(seats.iter().map(|seat| SeatChange::of(seat, Some(mark))));
    let key = command.key.clone().map(|key| (key, request));
    effects.reserved = Some((hold.reservation.clone(), key));
    Ok(Ok(Made::Now(hold.reservation, Box::new(effects))))
}

/// Those of the reservations that have seats now which are the user's.
fn own_among(
    facts: &mut impl Facts,
    user: &UserId,
    seats: &[Seat],
    context: &Context<'_>,
) -> Result<BTreeSet<ReservationId>, StoreError> {
    let taken = seats.iter().filter(|seat| seat.status_at(context.now) != SeatStatus::Available);
    let having: BTreeSet<ReservationId> = taken.filter_map(|seat| seat.taken).map(|taken| taken.by).collect();
    let mut own = BTreeSet::new();
    for reservation in having {
        if facts.is_own(user, reservation)? {
            own.insert(reservation);
        }
    }
    Ok(own)
}

/// Ends a dead reservation. Only its state is written: its other seats are free by the same clock.
fn take_over(
    facts: &mut impl Facts,
    dead: ReservationId,
    effects: &mut Effects,
    context: &Context<'_>,
) -> Result<(), StoreError> {
    let found = match facts.reservation(dead) {
        Ok(found) => found,
        // What is wrong with a row need not say which row it is.
        Err(StoreError::Inconsistent { table, column, detail }) => {
            let detail = format!("{detail}, in reservation {dead}");
            effects.left_damaged.push(StoreError::Inconsistent { table, column, detail });
            return Ok(());
        }
        Err(failure) => return Err(failure),
    };
    let Some(mut dead) = found else {
        let detail = format!("there is no {dead}");
        effects.left_damaged.push(StoreError::Inconsistent { table: "seats", column: "reservation_id", detail });
        return Ok(());
    };
    if dead.expire_if_due(context.now) {
        effects.ended.push((dead.id, dead.status));
    }
    Ok(())
}

/// R17: a reservation's user gives it up, and their turn ends with what they hold still (R5).
pub fn cancel(
    facts: &mut impl Facts,
    number: TicketNumber,
    id: ReservationId,
    context: &Context<'_>,
) -> Decided<(Cancelled, Effects)> {
    let Some(token) = facts.token(number)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let mut found = facts.reservation(id)?;
    let ended = match reservation::cancel(found.as_mut(), &token, context.now) {
        Ok(ended) => ended,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let Some(reservation) = found else { return Ok(Err(Rejection::NotFound(Missing::Reservation))) };
    let mut effects = Effects::default();
    if ended {
        effects.end(&reservation, &facts.seats_of(&reservation)?);
        let others = facts.pending(&token.user)?.into_iter().filter(|hold| hold.reservation != id);
        let mut settled = token.clone();
        settled.settle(others.map(|hold| hold.expires_at), context.now);
        if settled != token {
            effects.expired = u64::from(settled.end.is_some());
            effects.tokens.push(settled);
        }
    }
    Ok(Ok((Cancelled { reservation, changed: ended }, effects)))
}

/// R10: ends a reservation that ran out; nothing when it has not, or is there no longer. Its user's token is left alone: where
/// the hold was the last one, its end is the token's deadline, which is over by the same clock (R5).
pub fn release(
    facts: &mut impl Facts,
    id: ReservationId,
    context: &Context<'_>,
) -> Result<Option<Effects>, StoreError> {
    let Some(mut reservation) = facts.reservation(id)? else { return Ok(None) };
    if !reservation.expire_if_due(context.now) {
        return Ok(None);
    }
    let mut effects = Effects::default();
    effects.end(&reservation, &facts.seats_of(&reservation)?);
    Ok(Some(effects))
}
