//! What the rules say when they say no. One list, so that every adapter must answer every case.

use crate::{FieldError, Money, ScheduleId, Timestamp, TokenStatus, Wrong};

/// A refusal: the request was understood and the rules do not allow it. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The token was never issued: malformed, forged, of another server's key, or of an older epoch.
    #[error("the token was never issued here")]
    TokenUnknown,
    /// The operation is not for a token in this state (R6, R16, R17).
    #[error("the token is {0:?}")]
    TokenNotActive(TokenStatus),
    /// No hold begins any more in this turn (R5, R14): since then.
    #[error("selection ended at {0}")]
    SelectionClosed(Timestamp),
    /// The reservation belongs to somebody else (R13).
    #[error("the reservation belongs to another user")]
    UserMismatch,
    /// The concert or schedule is sold through another queue (R6).
    #[error("sold through another queue")]
    WrongQueue,
    /// There is no such thing, or not for this user.
    #[error("there is no such {0} for this token")]
    NotFound(Missing),
    /// Seats that somebody has (R8).
    #[error("seats {numbers:?} are taken")]
    SeatTaken {
        /// Of which schedule they are.
        schedule: ScheduleId,
        /// Their numbers, ascending.
        numbers: Vec<u32>,
        /// The numbers of those that the caller has, held or bought, ascending.
        own: Vec<u32>,
    },
    /// More live PENDING seats than one user may have in one queue (R8).
    #[error("more than {0} seats at once")]
    SeatLimit(u32),
    /// More live PENDING and CONFIRMED seats of a schedule, or of a concert, than one user may have (R8).
    #[error("more than {max_per_user} seats, of which the user has {owned}")]
    PurchaseLimit {
        /// How many one user may have of it.
        max_per_user: u32,
        /// How many the user has of it now.
        owned: u32,
    },
    /// The schedule has started (R11).
    #[error("the schedule has started")]
    SaleClosed,
    /// The reservation is CONFIRMED (R13, R17).
    #[error("the reservation is paid already")]
    AlreadyPaid,
    /// There is a queue of this name already.
    #[error("there is a queue of this name already")]
    QueueExists,
    /// The reservation was cancelled by its user (R13).
    #[error("the reservation is cancelled")]
    ReservationCancelled,
    /// The hold ran out before it was paid (R13).
    #[error("the hold ran out")]
    ReservationExpired,
    /// The wallet holds less than the price (R13).
    #[error("balance {balance} is less than {amount}")]
    InsufficientBalance {
        /// What the wallet holds.
        balance: Money,
        /// What is to be paid.
        amount: Money,
    },
    /// The caller named an amount that is not the reservation's (R13).
    #[error("the amount is not the reservation's")]
    AmountMismatch,
    /// The idempotency key came with another request before (R15).
    #[error("the idempotency key came with another request before")]
    IdempotencyKeyReused,
    /// Values that cannot be used; at least one.
    #[error("{} value(s) cannot be used", .0.len())]
    Invalid(Vec<FieldError>),
}

impl Rejection {
    /// One value that cannot be used.
    pub fn invalid(field: impl Into<String>, wrong: Wrong) -> Self {
        Self::Invalid(vec![FieldError::new(field, wrong)])
    }
}

/// What was looked for and not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A queue.
    Queue,
    /// A concert.
    Concert,
    /// A schedule.
    Schedule,
    /// A seat, by its id.
    Seat,
    /// Seats of a schedule, by their numbers, ascending.
    Seats(Vec<u32>),
    /// A reservation.
    Reservation,
    /// A payment.
    Payment,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queue => "queue",
            Self::Concert => "concert",
            Self::Schedule => "schedule",
            Self::Seat | Self::Seats(_) => "seat",
            Self::Reservation => "reservation",
            Self::Payment => "payment",
        })
    }
}
