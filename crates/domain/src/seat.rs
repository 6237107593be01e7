//! A seat: one numbered, priced seat of one schedule, and whose it is at a given moment (R7).

use std::collections::BTreeSet;

use crate::rejection::Missing;
use crate::{FieldError, Fingerprint, Money, ReservationId, ScheduleId, SeatId, Timestamp, Wrong};

/// A seat as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its id.
    pub id: SeatId,
    /// The schedule it belongs to.
    pub schedule: ScheduleId,
    /// Its number, unique within the schedule, 1 to [`Seat::MAX_NUMBER`].
    pub number: u32,
    /// What it costs now; a hold copies it (R9).
    pub price: Money,
    /// Whose it is, as stored.
    pub taken: Option<Taken>,
}

/// Who has a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The reservation.
    pub by: ReservationId,
    /// When the hold ends; `None` when the seat is sold.
    pub until: Option<Timestamp>,
}

/// What people are told of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatStatus {
    /// May be held.
    Available,
    /// Under a live hold.
    Held,
    /// Paid for.
    Sold,
}

impl Seat {
    /// The largest seat number.
    pub const MAX_NUMBER: u32 = 1_000_000;

    /// R7: a dead hold is no hold, whether somebody has swept it or not.
    pub fn status_at(&self, now: Timestamp) -> SeatStatus {
        match self.taken {
            None => SeatStatus::Available,
            Some(Taken { until: None, .. }) => SeatStatus::Sold,
            Some(Taken { until: Some(until), .. }) if until.is_over(now) => SeatStatus::Available,
            Some(_) => SeatStatus::Held,
        }
    }
}

/// Which seats a hold asks for: at least one, none twice, at most [`SeatChoice::MAX_SEATS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatChoice {
    /// By their ids.
    Ids(BTreeSet<SeatId>),
    /// By their numbers in a schedule.
    Numbers(ScheduleId, BTreeSet<u32>),
}

impl SeatChoice {
    /// The most seats that one request may name; `max_seats` is the rule, this bounds the work of refusing.
    pub const MAX_SEATS: usize = 100;

    /// Seats by their ids (R8: duplicates are a 400).
    pub fn ids(ids: &[SeatId]) -> Result<Self, FieldError> {
        distinct("seat_ids", ids).map(Self::Ids)
    }

    /// Seats by their numbers in a schedule.
    pub fn numbers(schedule: ScheduleId, numbers: &[u32]) -> Result<Self, FieldError> {
        if !numbers.iter().all(|n| (1..=Seat::MAX_NUMBER).contains(n)) {
            return Err(FieldError::new("seat_numbers", Wrong::SeatNumber { most: Seat::MAX_NUMBER }));
        }
        distinct("seat_numbers", numbers).map(|numbers| Self::Numbers(schedule, numbers))
    }

    /// The member of a request that named them.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Ids(_) => "seat_ids",
            Self::Numbers(..) => "seat_numbers",
        }
    }

    /// How many seats are asked for.
    pub fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Numbers(_, numbers) => numbers.len(),
        }
    }

    /// What of it is not among `found`, the seats of the choice that exist.
    pub fn missing_from(&self, found: &[Seat]) -> Missing {
        match self {
            Self::Ids(_) => Missing::Seat,
            Self::Numbers(_, numbers) => {
                let found: BTreeSet<u32> = found.iter().map(|seat| seat.number).collect();
                Missing::Seats(numbers.difference(&found).copied().collect())
            }
        }
    }

    /// The schedule that is asked for: of a choice by ids that of the first of `found`, the seats of these ids.
    pub fn schedule_among(&self, found: &[Seat]) -> Option<ScheduleId> {
        match self {
            Self::Numbers(schedule, _) => Some(*schedule),
            Self::Ids(_) => found.first().map(|seat| seat.schedule),
        }
    }

    /// Never: a choice has at least one seat.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What makes two holds the same request (R15): the same seats, in whatever order.
    pub fn fingerprint(&self) -> Fingerprint {
        let texts: Vec<String> = match self {
            Self::Ids(ids) => std::iter::once("ids".to_owned()).chain(ids.iter().map(ToString::to_string)).collect(),
            Self::Numbers(schedule, numbers) => ["numbers".to_owned(), schedule.to_string()]
                .into_iter()
                .chain(numbers.iter().map(ToString::to_string))
                .collect(),
        };
        Fingerprint::of(texts.iter().map(String::as_str))
    }
}

fn distinct<T: Copy + Ord>(field: &str, items: &[T]) -> Result<BTreeSet<T>, FieldError> {
    let set: BTreeSet<T> = items.iter().copied().collect();
    if items.is_empty() || items.len() > SeatChoice::MAX_SEATS {
        return Err(FieldError::new(field, Wrong::Items { least: 1, most: SeatChoice::MAX_SEATS }));
    }
    if set.len() != items.len() {
        return Err(FieldError::new(field, Wrong::SeatTwice));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hold_is_dead_exactly_at_its_end_and_a_sale_never_r7_s4() {
        let by = ReservationId::new(Uuid::from_u128(1));
        let end = Timestamp::from_micros(100);
        for (taken, now, status) in [
            (None, 0, SeatStatus::Available),
            (Some(Taken { by, until: Some(end) }), 99, SeatStatus::Held),
            (Some(Taken { by, until: Some(end) }), 100, SeatStatus::Available),
            (Some(Taken { by, until: Some(end) }), 101, SeatStatus::Available),
            (Some(Taken { by, until: None }), i64::MAX, SeatStatus::Sold),
        ] {
            let (id, schedule) = (SeatId::new(Uuid::from_u128(2)), ScheduleId::new(Uuid::from_u128(3)));
            let seat = Seat { id, schedule, number: 1, price: Money::zero(), taken };
            assert_eq!(seat.status_at(Timestamp::from_micros(now)), status);
        }
    }

    #[test]
    fn a_choice_names_each_seat_once_r8() {
        let id = |n| SeatId::new(Uuid::from_u128(n));
        let schedule = ScheduleId::new(Uuid::from_u128(3));
        assert!(SeatChoice::ids(&[id(1), id(2)]).is_ok());
        let many: Vec<u32> = (1..=101).collect();
        for refused in [
            SeatChoice::ids(&[]),
            SeatChoice::ids(&[id(1), id(1)]),
            SeatChoice::numbers(schedule, &[]),
            SeatChoice::numbers(schedule, &[7, 7]),
            SeatChoice::numbers(schedule, &[0]),
            SeatChoice::numbers(schedule, &[1_000_001]),
            SeatChoice::numbers(schedule, &many),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_choice_by_ids_asks_for_the_schedule_of_its_first_seat() {
        let schedule = |n| ScheduleId::new(Uuid::from_u128(n));
        let seat = |n| Seat {
            id: SeatId::new(Uuid::from_u128(n)),
            schedule: schedule(n),
            number: 1,
            price: Money::zero(),
            taken: None,
        };
        let by_ids = SeatChoice::ids(&[seat(1).id, seat(2).id]).unwrap();
        assert_eq!(by_ids.schedule_among(&[seat(1), seat(2)]), Some(schedule(1)));
        assert_eq!(by_ids.schedule_among(&[]), None);
        let by_numbers = SeatChoice::numbers(schedule(3), &[1]).unwrap();
        for found in [vec![], vec![seat(1)]] {
            assert_eq!(by_numbers.schedule_among(&found), Some(schedule(3)), "whatever is found there");
        }
    }

    #[test]
    fn the_order_of_seats_does_not_make_another_request() {
        let schedule = ScheduleId::new(Uuid::from_u128(3));
        let print = |numbers: &[u32]| SeatChoice::numbers(schedule, numbers).unwrap().fingerprint();
        assert_eq!(print(&[1, 2]), print(&[2, 1]));
        assert_ne!(print(&[1, 2]), print(&[1, 3]));
        assert_ne!(print(&[12]), print(&[1, 2]));
    }
}
