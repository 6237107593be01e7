//! What is wrong with a value, as a value: whoever shows it has the words for it, in each language.

use std::fmt;

use time::Date;

use crate::Money;

/// A value that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where the value stands, for example `schedules[0].seats[1].price`.
    pub field: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

impl FieldError {
    /// What is wrong with the value at `field`.
    pub fn new(field: impl Into<String>, wrong: Wrong) -> Self {
        Self { field: field.into(), wrong }
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It must be there, and is not.
    Missing,
    /// There is no member or parameter of this name here, or it came before.
    UnknownOrTwice,
    /// It came before, and may come once.
    Twice,
    /// It came together with another member that excludes it.
    NotWith(&'static str),
    /// None of these members is there, and at least one must be.
    NoneOf(&'static [&'static str]),
    /// It is no object.
    Object,
    /// It is no list.
    List,
    /// It is no text.
    Text,
    /// It is neither true nor false.
    TrueOrFalse,
    /// It is no whole number, or out of these bounds, both included.
    Number {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// It has fewer or more items than these bounds, both included.
    Items {
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// It is no text of 1 to so many characters, or has invisible ones in it.
    Line {
        /// The most characters.
        most: usize,
    },
    /// It is no id of a user.
    User,
    /// It is no name of a queue.
    Queue,
    /// It is no whole number that is written in digits alone.
    WholeNumber,
    /// It is no date and time of RFC 3339, or one that would not be kept as it is.
    DateAndTime,
    /// It is on no date from the first to the last of these.
    DateOutside {
        /// The first.
        first: Date,
        /// The last.
        last: Date,
    },
    /// It is now, or has been.
    Past,
    /// The schedule at this place starts at the same instant.
    StartTwice {
        /// Its place.
        other: usize,
    },
    /// It is no date.
    Date,
    /// It is no UUID.
    Uuid,
    /// It is no amount.
    Amount,
    /// It is an amount that is 0, or more than this.
    AmountAbove {
        /// The largest.
        most: Money,
    },
    /// With it the balance were more than any balance may be.
    Balance,
    /// It is no idempotency key.
    IdempotencyKey,
    /// It is no cursor of this list.
    Cursor,
    /// It is no query string.
    Query,
    /// One of its numbers of seats is 0, or all of them are more than these.
    SeatCount {
        /// The most of one schedule.
        of_schedule: u32,
        /// The most of a concert.
        of_concert: u32,
    },
    /// One of its seats' numbers is not 1 to this.
    SeatNumber {
        /// The largest.
        most: u32,
    },
    /// A seat is named twice.
    SeatTwice,
    /// The seats are of more than one schedule.
    SeatsOfManySchedules,
    /// All its seats together cost more than one payment can be.
    Price,
    /// All numbers that there are have been given out.
    NoNumberLeft,
}

impl fmt::Display for Wrong {
    /// In English.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is required"),
            Self::UnknownOrTwice => f.write_str("is unknown or came twice"),
            Self::Twice => f.write_str("must not come twice"),
            Self::NotWith(other) => write!(f, "must not come together with {other}"),
            Self::NoneOf(members) => write!(f, "must have at least one of {}", members.join(", ")),
            Self::Object => f.write_str("must be an object"),
            Self::List => f.write_str("must be a list"),
            Self::Text => f.write_str("must be a text"),
            Self::TrueOrFalse => f.write_str("must be true or false"),
            Self::Number { least, most } => write!(f, "must be a whole number, {least} to {most}"),
            Self::Items { least, most } => write!(f, "must have {least} to {most} items"),
            Self::Line { most } => write!(f, "must be a text of 1 to {most} characters, none of them invisible"),
            Self::User => f.write_str(
                "must be a text of 1 to 64 characters, Unicode NFC, none of them invisible, without white space at its ends",
            ),
            Self::Queue => f.write_str("must be a text of 1 to 32 of a-z, 0-9 and -"),
            Self::WholeNumber => f.write_str("must be a whole number, written in digits alone"),
            Self::DateAndTime => f.write_str("must be a date and time as RFC 3339 writes it, not finer than a microsecond"),
            Self::DateOutside { first, last } => write!(f, "must be on a date from {first} to {last}"),
            Self::Past => f.write_str("must be in the future"),
            Self::StartTwice { other } => write!(f, "must not be the instant at which schedules[{other}] starts"),
            Self::Date => f.write_str("must be a date, YYYY-MM-DD"),
            Self::Uuid => f.write_str("must be a UUID"),
            Self::Amount => {
                f.write_str("must be an amount, 0 to 10000000000000 with at most two decimals and no exponent")
            }
            Self::AmountAbove { most } => write!(f, "must be more than 0 and at most {most}"),
            Self::Balance => f.write_str("would take the balance above 10000000000000"),
            Self::IdempotencyKey => f.write_str("must be 1 to 128 visible ASCII characters"),
            Self::Cursor => f.write_str("must be the next_cursor of a page of this list"),
            Self::Query => f.write_str("cannot be read as a query string"),
            Self::SeatCount { of_schedule, of_concert } => write!(
                f,
                "a count must be at least 1, and all seats of a schedule at most {of_schedule}, of a concert at most \
                 {of_concert}"
            ),
            Self::SeatNumber { most } => write!(f, "seat numbers must be 1 to {most}"),
            Self::SeatTwice => f.write_str("must not name a seat twice"),
            Self::SeatsOfManySchedules => f.write_str("must be seats of one schedule"),
            Self::Price => f.write_str("cost more than one payment can be"),
            Self::NoNumberLeft => f.write_str("has no number left to give out"),
        }
    }
}
