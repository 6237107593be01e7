//! What is sold: concerts and their schedules, and how they are loaded.

mod loading;
mod plan;

use std::ops::RangeInclusive;
use std::sync::Arc;

use time::Date;

pub use loading::{CreatedConcert, Load, Loaded, load};
pub use plan::{Draft, NewConcert, NewSchedule, ScheduleDraft, SeatGroup, SeatRun};

use crate::rejection::Missing;
use crate::seat::{Seat, SeatStatus};
use crate::{ConcertId, LocalTime, Money, QueueName, QueueNumber, Rejection, ScheduleId, SeatId, Timestamp};

/// One dated performance of a concert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its id.
    pub id: ScheduleId,
    /// The queue its sale belongs to.
    pub queue: QueueNumber,
    /// The concert.
    pub concert: ConcertId,
    /// The concert's title.
    pub title: Arc<str>,
    /// When it starts, with the offset it was created with.
    pub starts_at: LocalTime,
    /// How many seats it has.
    pub seats_total: u32,
    /// How many of its seats one user may have, over all time (R8); `None` for as many as there are.
    pub max_per_user: Option<u32>,
    /// The same for the seats of all schedules of its concert together.
    pub concert_max_per_user: Option<u32>,
}

impl Schedule {
    /// Whether it matters how many of its seats a user has already (R8).
    pub const fn is_limited(&self) -> bool {
        self.max_per_user.is_some() || self.concert_max_per_user.is_some()
    }

    /// R11: whether it is still for sale; a schedule that has started is not.
    pub fn on_sale(&self, now: Timestamp) -> bool {
        !self.starts_at.at().is_over(now)
    }
}

/// A concert as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concert {
    /// Its id.
    pub id: ConcertId,
    /// What is played.
    pub title: Arc<str>,
    /// The queue that sells it.
    pub queue: QueueName,
    /// The first and last dates of its schedules that are still for sale (R11).
    pub dates: RangeInclusive<Date>,
}

/// All seats of a schedule at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatMap {
    /// The schedule.
    pub schedule: Schedule,
    /// Its seats by number, and what each one is at the moment of reading (R7).
    pub seats: Vec<(Seat, SeatStatus)>,
}

impl SeatMap {
    /// How many seats may be held.
    pub fn available(&self) -> usize {
        self.seats.iter().filter(|(_, status)| *status == SeatStatus::Available).count()
    }
}

/// Something that is looked for within one queue's sale (R6: a token sees its own queue only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// It is there.
    Here(T),
    /// It is sold through another queue.
    Elsewhere,
    /// There is none.
    Nowhere,
}

impl<T> Found<T> {
    /// The thing, or why it cannot be had.
    pub fn or_reject(self, what: Missing) -> Result<T, Rejection> {
        match self {
            Self::Here(thing) => Ok(thing),
            Self::Elsewhere => Err(Rejection::WrongQueue),
            Self::Nowhere => Err(Rejection::NotFound(what)),
        }
    }

    /// A reference to the thing.
    pub fn as_ref(&self) -> Found<&T> {
        match self {
            Self::Here(thing) => Found::Here(thing),
            Self::Elsewhere => Found::Elsewhere,
            Self::Nowhere => Found::Nowhere,
        }
    }
}

impl<T> Found<Arc<T>> {
    /// A reference to the thing, however it is kept.
    pub fn as_deref(&self) -> Found<&T> {
        match self {
            Self::Here(thing) => Found::Here(thing),
            Self::Elsewhere => Found::Elsewhere,
            Self::Nowhere => Found::Nowhere,
        }
    }
}

/// Which schedules a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// Of this concert only.
    pub concert: Option<ConcertId>,
    /// On this date or later, in each schedule's own offset.
    pub from: Option<Date>,
    /// On this date or earlier, in each schedule's own offset.
    pub to: Option<Date>,
}

impl ScheduleFilter {
    /// The rule behind the list: still for sale (R11) and within the dates, bounds included.
    pub fn shows(&self, schedule: &Schedule, now: Timestamp) -> bool {
        let date = schedule.starts_at.date();
        schedule.on_sale(now)
            && self.concert.is_none_or(|concert| concert == schedule.concert)
            && self.from.is_none_or(|from| date >= from)
            && self.to.is_none_or(|to| date <= to)
    }
}

/// Where a list of schedules goes on: they are ordered by start, then id.
pub type ScheduleKey = (Timestamp, ScheduleId);

/// A seat id that is known together with its number, for answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedSeat {
    /// Its id.
    pub id: SeatId,
    /// Its number.
    pub number: u32,
    /// The price copied at hold time (R9).
    pub price: Money,
}

#[cfg(test)]
mod tests;
