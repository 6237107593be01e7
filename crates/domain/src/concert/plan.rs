//! What an operator loads: a concert as it was written down, and as it is once it has been checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::seat::Seat;
use crate::{FieldError, Fingerprint, LocalTime, Money, QueueName, Rejection, Timestamp, Wrong, text};

/// A concert as an operator writes it down.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What is played.
    pub title: String,
    /// The queue to sell it through.
    pub queue: QueueName,
    /// How many seats of all its schedules one user may have (R8).
    pub max_per_user: Option<u32>,
    /// Its schedules, in the operator's order.
    pub schedules: Vec<ScheduleDraft>,
}

/// A schedule as an operator writes it down.
#[derive(Clone, Debug)]
pub struct ScheduleDraft {
    /// When it starts.
    pub starts_at: LocalTime,
    /// How many of its seats one user may have (R8).
    pub max_per_user: Option<u32>,
    /// Its seats.
    pub seats: Vec<SeatGroup>,
}

/// How an operator writes seats down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeatGroup {
    /// So many seats of one price; numbers go on where the group before ended.
    Count(u32, Money),
    /// One seat with its own number.
    One(u32, Money),
}

/// A concert to be loaded, checked and complete but for its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConcert {
    /// What is played, in Unicode NFC, 1 to [`NewConcert::MAX_TITLE`] characters.
    pub title: Arc<str>,
    /// The queue to sell it through.
    pub queue: QueueName,
    /// How many seats of all its schedules one user may have (R8), 1 to [`NewConcert::MAX_PER_USER`]; `None` for no limit.
    pub max_per_user: Option<u32>,
    /// Its schedules, in the operator's order, no two of one instant; 1 to [`NewConcert::MAX_SCHEDULES`].
    pub schedules: Vec<NewSchedule>,
}

/// A schedule to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSchedule {
    /// When it starts.
    pub starts_at: LocalTime,
    /// How many of its seats one user may have (R8), 1 to [`NewConcert::MAX_PER_USER`]; `None` for no limit.
    pub max_per_user: Option<u32>,
    /// Its seats; at least one, no number twice.
    pub seats: Vec<SeatRun>,
}

/// Seats of one price whose numbers follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatRun {
    /// The number of the first one.
    pub first: u32,
    /// How many there are; at least one.
    pub count: u32,
    /// What each of them costs.
    pub price: Money,
}

impl Draft {
    /// A concert of which everybody may have as many seats as there are.
    pub fn of(title: &str, queue: QueueName, schedules: Vec<ScheduleDraft>) -> Self {
        Self { title: title.to_owned(), queue, max_per_user: None, schedules }
    }
}

impl ScheduleDraft {
    /// A schedule of which everybody may have as many seats as there are.
    pub const fn of(starts_at: LocalTime, seats: Vec<SeatGroup>) -> Self {
        Self { starts_at, max_per_user: None, seats }
    }
}

impl NewSchedule {
    /// The most seats of one schedule.
    pub const MAX_SEATS: u32 = 100_000;

    /// Number and price of each seat.
    pub fn seats(&self) -> impl Iterator<Item = (u32, &Money)> {
        self.seats.iter().flat_map(|run| (run.first..=run.last()).map(|number| (number, &run.price)))
    }

    /// How many seats it has.
    pub fn seats_total(&self) -> u32 {
        self.seats.iter().fold(0, |total, run| total.saturating_add(run.count))
    }
}

impl SeatRun {
    /// The number of the last one.
    const fn last(&self) -> u32 {
        self.first.saturating_add(self.count.saturating_sub(1))
    }
}

impl NewConcert {
    /// The longest title, in characters.
    pub const MAX_TITLE: usize = 200;
    /// The most schedules of one concert.
    pub const MAX_SCHEDULES: usize = 100;
    /// The most seats of one concert, over all its schedules.
    pub const MAX_SEATS: u32 = 1_000_000;
    /// The largest number of seats that one user may be limited to.
    pub const MAX_PER_USER: u32 = 100_000;

    /// Checks what an operator wrote down. Names every value that is out of bounds.
    pub fn plan(draft: &Draft) -> Result<Self, Rejection> {
        let mut errors = Vec::new();
        let title = text::line(&draft.title, Self::MAX_TITLE);
        if title.is_none() {
            errors.push(FieldError::new("title", Wrong::Line { most: Self::MAX_TITLE }));
        }
        check_limit("max_per_user", draft.max_per_user, &mut errors);
        if !(1..=Self::MAX_SCHEDULES).contains(&draft.schedules.len()) {
            errors.push(FieldError::new("schedules", Wrong::Items { least: 1, most: Self::MAX_SCHEDULES }));
        }
        let (mut left, mut starts, mut schedules) = (Self::MAX_SEATS, BTreeMap::new(), Vec::new());
        for (at, schedule) in draft.schedules.iter().take(Self::MAX_SCHEDULES).enumerate() {
            let field = |name: &str| format!("schedules[{at}].{name}");
            check_limit(&field("max_per_user"), schedule.max_per_user, &mut errors);
            if let Err(wrong) = check_start(at, schedule.starts_at, &mut starts) {
                errors.push(FieldError::new(field("starts_at"), wrong));
            }
            match runs(&schedule.seats, left) {
                Ok(seats) => {
                    let (starts_at, max_per_user) = (schedule.starts_at, schedule.max_per_user);
                    let planned = NewSchedule { starts_at, max_per_user, seats };
                    left -= planned.seats_total();
                    schedules.push(planned);
                }
                Err(wrong) => errors.push(FieldError::new(field("seats"), wrong)),
            }
        }
        match title {
            Some(title) if errors.is_empty() => Ok(Self {
                title: Arc::from(title),
                queue: draft.queue.clone(),
                max_per_user: draft.max_per_user,
                schedules,
            }),
            _ => Err(Rejection::Invalid(errors)),
        }
    }

    /// What makes two loadings the same request (R15): the same concert, in whichever way its seats were written down.
    pub fn fingerprint(&self) -> Fingerprint {
        let limit = |max: Option<u32>| max.map_or_else(|| "none".to_owned(), |max| max.to_string());
        let mut parts = vec![self.title.to_string(), self.queue.to_string(), limit(self.max_per_user)];
        for schedule in &self.schedules {
            let seats = in_order(&schedule.seats);
            parts.extend([schedule.starts_at.to_string(), limit(schedule.max_per_user), seats.len().to_string()]);
            parts.extend(seats.iter().map(|run| format!("{} {} {}", run.first, run.count, run.price)));
        }
        Fingerprint::of(parts.iter().map(String::as_str))
    }
}

/// The most groups of seats: each has at least one.
const MAX_GROUPS: usize = 100_000;

fn check_limit(field: &str, max: Option<u32>, errors: &mut Vec<FieldError>) {
    if max.is_some_and(|max| !(1..=NewConcert::MAX_PER_USER).contains(&max)) {
        errors.push(FieldError::new(field, Wrong::Number { least: 1, most: NewConcert::MAX_PER_USER.into() }));
    }
}

/// Whether the schedule at this place may start then, where the others at their places start at `starts`.
fn check_start(at: usize, start: LocalTime, starts: &mut BTreeMap<Timestamp, usize>) -> Result<(), Wrong> {
    let (first, last) = (LocalTime::FIRST_DATE, LocalTime::LAST_DATE);
    if !(first..=last).contains(&start.date()) {
        return Err(Wrong::DateOutside { first, last });
    }
    if let Some(other) = starts.get(&start.at()) {
        return Err(Wrong::StartTwice { other: *other });
    }
    starts.insert(start.at(), at);
    Ok(())
}

/// The seats of one schedule, where the concert may have so many more.
fn runs(groups: &[SeatGroup], left: u32) -> Result<Vec<SeatRun>, Wrong> {
    let (mut runs, mut next, mut left) = (Vec::with_capacity(groups.len()), 1_u32, left.min(NewSchedule::MAX_SEATS));
    for group in groups {
        let (first, count, price) = match group {
            SeatGroup::Count(count, price) => (next, *count, price),
            SeatGroup::One(number, price) => (*number, 1, price),
        };
        if count == 0 || count > left {
            return Err(Wrong::SeatCount { of_schedule: NewSchedule::MAX_SEATS, of_concert: NewConcert::MAX_SEATS });
        }
        left -= count;
        let run = SeatRun { first, count, price: price.clone() };
        if first == 0 || run.last() > Seat::MAX_NUMBER {
            return Err(Wrong::SeatNumber { most: Seat::MAX_NUMBER });
        }
        next = run.last() + 1;
        runs.push(run);
    }
    let ordered = in_order(&runs);
    if ordered.iter().zip(ordered.iter().skip(1)).any(|(one, next)| one.last() >= next.first) {
        return Err(Wrong::SeatTwice);
    }
    if runs.is_empty() { Err(Wrong::Items { least: 1, most: MAX_GROUPS }) } else { Ok(runs) }
}

/// The same seats in the order of their numbers, in as few runs as there can be.
fn in_order(runs: &[SeatRun]) -> Vec<SeatRun> {
    let mut sorted: Vec<&SeatRun> = runs.iter().collect();
    sorted.sort_by_key(|run| (run.first, run.count));
    let mut merged: Vec<SeatRun> = Vec::new();
    for run in sorted {
        match merged.last_mut() {
            Some(last) if last.last() + 1 == run.first && last.price == run.price => last.count += run.count,
            _ => merged.push(run.clone()),
        }
    }
    merged
}

/// The places of the schedules that have started at `now`, in the words of an operator's errors.
pub(super) fn started(concert: &NewConcert, now: Timestamp) -> Vec<FieldError> {
    let starts = concert.schedules.iter().map(|schedule| schedule.starts_at.at());
    let started = starts.enumerate().filter(|(_, start)| start.is_over(now));
    started.map(|(at, _)| FieldError::new(format!("schedules[{at}].starts_at"), Wrong::Past)).collect()
}
