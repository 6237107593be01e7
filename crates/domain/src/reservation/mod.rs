//! A reservation: one or more seats of one schedule for one user, `PENDING` -> `CONFIRMED` or `CANCELLED`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::concert::{Found, NumberedSeat, Schedule};
use crate::rejection::Missing;
use crate::seat::{Seat, SeatChoice, SeatStatus, Taken};
use crate::{
    ConcertId, LocalTime, Money, QueueNumber, Rejection, ReservationId, Rules, ScheduleId, Timestamp, Token, UserId,
    Wrong, count,
};

/// Why a reservation was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// The hold ran out (R9).
    Expired,
    /// Its user cancelled it (R17).
    User,
    /// Its user left the queue (R17).
    Left,
}

/// The state of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationStatus {
    /// Held and not yet paid (결제대기).
    Pending,
    /// Paid (완료).
    Confirmed,
    /// Given up or run out (예약취소).
    Cancelled(CancelReason),
}

impl ReservationStatus {
    /// The words that are stored for it: the state, and why it was cancelled.
    pub const fn words(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Pending => ("PENDING", None),
            Self::Confirmed => ("CONFIRMED", None),
            Self::Cancelled(CancelReason::Expired) => ("CANCELLED", Some("EXPIRED")),
            Self::Cancelled(CancelReason::User) => ("CANCELLED", Some("USER")),
            Self::Cancelled(CancelReason::Left) => ("CANCELLED", Some("LEFT")),
        }
    }

    /// The state that these words are stored for; `None` when there is none.
    pub fn of_words(status: &str, reason: Option<&str>) -> Option<Self> {
        match (status, reason) {
            ("PENDING", None) => Some(Self::Pending),
            ("CONFIRMED", None) => Some(Self::Confirmed),
            ("CANCELLED", Some("EXPIRED")) => Some(Self::Cancelled(CancelReason::Expired)),
            ("CANCELLED", Some("USER")) => Some(Self::Cancelled(CancelReason::User)),
            ("CANCELLED", Some("LEFT")) => Some(Self::Cancelled(CancelReason::Left)),
            _ => None,
        }
    }
}

/// A reservation as stored, with what a receipt shows of its schedule. Its set of seats never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// The queue its sale belongs to.
    pub queue: QueueNumber,
    /// Whose it is.
    pub user: UserId,
    /// The concert.
    pub concert: ConcertId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// The concert's title.
    pub title: Arc<str>,
    /// When the schedule starts.
    pub starts_at: LocalTime,
    /// Its seats by number, at the prices of the moment it was made (R9).
    pub seats: Vec<NumberedSeat>,
    /// The sum of those prices.
    pub amount: Money,
    /// The state as stored; see [`Reservation::status_at`].
    pub status: ReservationStatus,
    /// When it was made.
    pub reserved_at: Timestamp,
    /// When the hold ends.
    pub expires_at: Timestamp,
}

impl Reservation {
    /// The state at `now`: PENDING at or past its deadline is CANCELLED though nobody has swept it yet (R7).
    pub fn status_at(&self, now: Timestamp) -> ReservationStatus {
        match self.status {
            ReservationStatus::Pending if self.expires_at.is_over(now) => {
                ReservationStatus::Cancelled(CancelReason::Expired)
            }
            status => status,
        }
    }

    /// With the state at `now`: what a reader is told, and who repeats the hold with its key (R15). What else there is of it
    /// never changes.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        self.status = self.status_at(now);
        self
    }

    /// R17, R10: ends a PENDING reservation; whether it was PENDING in the store. One past its deadline ended by that.
    pub fn cancel(&mut self, reason: CancelReason, now: Timestamp) -> bool {
        let pending = self.status == ReservationStatus::Pending;
        if pending {
            self.status = match self.status_at(now) {
                ReservationStatus::Pending => ReservationStatus::Cancelled(reason),
                over => over,
            };
        }
        pending
    }

    /// R10: what the sweeper does with one row; whether it ended. Never touches a CONFIRMED or a live one.
    pub fn expire_if_due(&mut self, now: Timestamp) -> bool {
        let due = self.status == ReservationStatus::Pending && self.expires_at.is_over(now);
        due && self.cancel(CancelReason::Expired, now)
    }

    /// Whether `seat` is still under this reservation's hold, so that ending it frees the seat. A seat that somebody
    /// has taken over since, or that is sold, is not (R10, trap S2).
    pub fn frees(&self, seat: &Seat) -> bool {
        matches!(seat.taken, Some(Taken { by, until: Some(_) }) if by == self.id)
    }
}

/// R17: DELETE of a reservation by the user of `token`; whether there is something to write.
///
/// The token lives; somebody else's is not found; CONFIRMED is `already_paid`; PENDING or already CANCELLED is a success.
pub fn cancel(reservation: Option<&mut Reservation>, token: &Token, now: Timestamp) -> Result<bool, Rejection> {
    token.require_live(now)?;
    let reservation = reservation.filter(|r| r.user == token.user).ok_or(Rejection::NotFound(Missing::Reservation))?;
    match reservation.status {
        ReservationStatus::Confirmed => Err(Rejection::AlreadyPaid),
        ReservationStatus::Pending | ReservationStatus::Cancelled(_) => Ok(reservation.cancel(CancelReason::User, now)),
    }
}

/// A PENDING reservation of a user, as much of it as the limit of seats (R8) and the end of a turn (R5) need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingHold {
    /// Which one.
    pub reservation: ReservationId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many seats it has.
    pub seats: u32,
}

/// A reservation that is PENDING or CONFIRMED in the store, as much of it as a limit of a person's seats needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnSeats {
    /// The concert.
    pub concert: ConcertId,
    /// The schedule.
    pub schedule: ScheduleId,
    /// How many seats it has.
    pub seats: u32,
    /// When the hold ends; `None` when they are bought.
    pub until: Option<Timestamp>,
}

/// What a hold is decided from, all read under the locks of the token and the seats.
#[derive(Debug)]
pub struct HoldFacts<'a> {
    /// The holder's token.
    pub token: &'a Token,
    /// What is asked for.
    pub choice: &'a SeatChoice,
    /// The schedule of the seats; for a choice by ids, of the first seat that was found.
    pub schedule: Found<&'a Schedule>,
    /// The seats of the choice that exist in the token's queue.
    pub seats: &'a [Seat],
    /// The holder's reservations in this queue that are PENDING in the store.
    pub pending: &'a [PendingHold],
    /// The holder's reservations of the schedule's concert that are PENDING or CONFIRMED in the store; where nothing limits how
    /// many seats they may have, none need be here.
    pub own_seats: &'a [OwnSeats],
    /// Those of the reservations that have the seats which are the holder's.
    pub own: &'a BTreeSet<ReservationId>,
}

/// A hold that is granted: what is to be written, all or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The new reservation; its seats become its own until `expires_at`.
    pub reservation: Reservation,
    /// Dead reservations that seats are taken over from: CANCELLED (`EXPIRED`) now (R7).
    pub taken_over: BTreeSet<ReservationId>,
    /// The token, whose turn lasts at least as long as the hold (R5).
    pub token: Token,
}

/// R5 to R9, R11: decides a hold.
///
/// In this order: the token is ACTIVE, and may still begin a hold; the schedule and all seats exist in its queue; all seats are
/// of that schedule; it has not started; the user's live PENDING seats stay within `max_seats`; what the user has of the
/// schedule stays within its limit, and what they have of the concert within that; every seat is free.
pub fn hold(facts: &HoldFacts<'_>, rules: &Rules, id: ReservationId, now: Timestamp) -> Result<Hold, Rejection> {
    facts.token.require_selection(now)?;
    let schedule = match facts.choice {
        SeatChoice::Numbers(..) => facts.schedule.clone().or_reject(Missing::Schedule)?,
        SeatChoice::Ids(_) => facts.schedule.clone().or_reject(Missing::Seat)?,
    };
    if facts.seats.len() != facts.choice.len() {
        return Err(Rejection::NotFound(facts.choice.missing_from(facts.seats)));
    }
    if facts.seats.iter().any(|seat| seat.schedule != schedule.id) {
        return Err(Rejection::invalid("seat_ids", Wrong::SeatsOfManySchedules));
    }
    if !schedule.on_sale(now) {
        return Err(Rejection::SaleClosed);
    }
    let wanted = count(facts.seats.len());
    let live = facts.pending.iter().filter(|hold| !hold.expires_at.is_over(now)).map(|hold| hold.seats);
    if live.fold(wanted, u32::saturating_add) > rules.max_seats {
        return Err(Rejection::SeatLimit(rules.max_seats));
    }
    let of_schedule = facts.own_seats.iter().filter(|own| own.schedule == schedule.id);
    check_purchase(schedule.max_per_user, of_schedule, wanted, now)?;
    let of_concert = facts.own_seats.iter().filter(|own| own.concert == schedule.concert);
    check_purchase(schedule.concert_max_per_user, of_concert, wanted, now)?;
    check_free(facts, schedule.id, now)?;
    let amount = Money::sum(facts.seats.iter().map(|s| &s.price))
        .ok_or_else(|| Rejection::invalid(facts.choice.field(), Wrong::Price))?;
    let reservation = held(facts, schedule, amount, id, now.plus(rules.hold), now);
    let taken_over = facts.seats.iter().filter_map(|s| s.taken.map(|taken| taken.by)).collect();
    let mut token = facts.token.clone();
    let others = facts.pending.iter().map(|hold| hold.expires_at);
    token.settle(others.chain([reservation.expires_at]), now);
    Ok(Hold { reservation, taken_over, token })
}

/// R8: whether a user who has these already may have so many more.
fn check_purchase<'a>(
    max: Option<u32>,
    own: impl Iterator<Item = &'a OwnSeats>,
    wanted: u32,
    now: Timestamp,
) -> Result<(), Rejection> {
    let Some(max_per_user) = max else { return Ok(()) };
    let live = own.filter(|own| own.until.is_none_or(|until| !until.is_over(now)));
    let owned = live.fold(0, |owned: u32, own| owned.saturating_add(own.seats));
    if owned.saturating_add(wanted) > max_per_user {
        return Err(Rejection::PurchaseLimit { max_per_user, owned });
    }
    Ok(())
}

/// R7, R8: whether all the seats are free.
fn check_free(facts: &HoldFacts<'_>, schedule: ScheduleId, now: Timestamp) -> Result<(), Rejection> {
    let taken = || facts.seats.iter().filter(|seat| seat.status_at(now) != SeatStatus::Available);
    let is_own = |seat: &&Seat| seat.taken.is_some_and(|taken| facts.own.contains(&taken.by));
    let numbers: BTreeSet<u32> = taken().map(|seat| seat.number).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let own: BTreeSet<u32> = taken().filter(is_own).map(|seat| seat.number).collect();
    let (numbers, own) = (numbers.into_iter().collect(), own.into_iter().collect());
    Err(Rejection::SeatTaken { schedule, numbers, own })
}

fn held(
    facts: &HoldFacts<'_>,
    schedule: &Schedule,
    amount: Money,
    id: ReservationId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Reservation {
    let mut seats: Vec<_> = facts
        .seats
        .iter()
        .map(|seat| NumberedSeat { id: seat.id, number: seat.number, price: seat.price.clone() })
        .collect();
    seats.sort_by_key(|seat| seat.number);
    Reservation {
        id,
        queue: facts.token.ticket.queue,
        user: facts.token.user.clone(),
        concert: schedule.concert,
        schedule: schedule.id,
        title: Arc::clone(&schedule.title),
        starts_at: schedule.starts_at,
        seats,
        amount,
        status: ReservationStatus::Pending,
        reserved_at: now,
        expires_at,
    }
}

#[cfg(test)]
mod tests;
