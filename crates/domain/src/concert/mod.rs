//! What is sold: concerts, their schedules and the plan an operator loads them with.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use time::Date;

use crate::rejection::Missing;
use crate::seat::Seat;
use crate::seat::SeatStatus;
use crate::text;
use crate::{
    ConcertId, FieldError, LocalTime, Money, QueueName, QueueNumber, Rejection, ScheduleId, SeatId, Timestamp, Wrong,
};

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
}

impl Schedule {
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

/// A concert to be loaded, checked and complete but for its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConcert {
    /// What is played, 1 to [`NewConcert::MAX_TITLE`] characters.
    pub title: Arc<str>,
    /// The queue to sell it through; made when it is unknown.
    pub queue: QueueName,
    /// Its schedules, in the operator's order; 1 to [`NewConcert::MAX_SCHEDULES`].
    pub schedules: Vec<NewSchedule>,
}

/// A schedule to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSchedule {
    /// When it starts.
    pub starts_at: LocalTime,
    /// Number and price of each seat; at least one, no number twice.
    pub seats: Vec<(u32, Money)>,
}

/// How an operator writes seats down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatGroup {
    /// So many seats of one price; numbers go on where the group before ended.
    Count(u32, Money),
    /// One seat with its own number.
    One(u32, Money),
}

/// What loading a concert made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedConcert {
    /// The concert's id.
    pub id: ConcertId,
    /// The queue that sells it.
    pub queue: QueueNumber,
    /// The schedules' ids, in the order they were given.
    pub schedules: Vec<ScheduleId>,
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

impl NewConcert {
    /// The longest title, in characters.
    pub const MAX_TITLE: usize = 200;
    /// The most schedules of one concert.
    pub const MAX_SCHEDULES: usize = 100;
    /// The most seats of one concert, over all its schedules.
    pub const MAX_SEATS: usize = 100_000;

    /// Checks an operator's plan and spells its seats out. Names every value that is out of bounds.
    pub fn plan(title: &str, queue: QueueName, schedules: &[(LocalTime, Vec<SeatGroup>)]) -> Result<Self, Rejection> {
        let mut errors = Vec::new();
        let title = text::line(title, Self::MAX_TITLE);
        if title.is_none() {
            errors.push(FieldError::new("title", Wrong::Line { most: Self::MAX_TITLE }));
        }
        if !(1..=Self::MAX_SCHEDULES).contains(&schedules.len()) {
            errors.push(FieldError::new("schedules", Wrong::Items { least: 1, most: Self::MAX_SCHEDULES }));
        }
        let mut left = Self::MAX_SEATS;
        let mut planned = Vec::new();
        for (at, (starts_at, groups)) in schedules.iter().take(Self::MAX_SCHEDULES).enumerate() {
            match spell_out(groups, left) {
                Ok(seats) => {
                    left -= seats.len();
                    planned.push(NewSchedule { starts_at: *starts_at, seats });
                }
                Err(wrong) => errors.push(FieldError::new(format!("schedules[{at}].seats"), wrong)),
            }
        }
        match title {
            Some(title) if errors.is_empty() => Ok(Self { title: Arc::from(title), queue, schedules: planned }),
            _ => Err(Rejection::Invalid(errors)),
        }
    }
}

/// The seats of one schedule, at most `left` of them.
fn spell_out(groups: &[SeatGroup], left: usize) -> Result<Vec<(u32, Money)>, Wrong> {
    let mut seats = Vec::new();
    let mut next = 1_u32;
    for group in groups {
        let (first, count, price) = match group {
            SeatGroup::Count(count, price) => (next, *count, price),
            SeatGroup::One(number, price) => (*number, 1, price),
        };
        let room = left - seats.len();
        if count == 0 || usize::try_from(count).map_or(true, |count| count > room) {
            return Err(Wrong::SeatCount { most: NewConcert::MAX_SEATS });
        }
        let last = first.saturating_add(count - 1);
        if first == 0 || last > Seat::MAX_NUMBER {
            return Err(Wrong::SeatNumber { most: Seat::MAX_NUMBER });
        }
        seats.extend((first..=last).map(|number| (number, price.clone())));
        next = last + 1;
    }
    let distinct: BTreeSet<u32> = seats.iter().map(|(number, _)| *number).collect();
    match seats.len() {
        0 => Err(Wrong::Items { least: 1, most: NewConcert::MAX_SEATS }),
        all if all != distinct.len() => Err(Wrong::SeatTwice),
        _ => Ok(seats),
    }
}

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
