//! Usher's rules, and nothing else.
//!
//! Every rule of the contract (R1 to R23) that decides something is written here once, as a pure function: facts and
//! `now` in, a decision or a [`Rejection`] out. Nothing here does I/O, reads a clock or draws a random number; those
//! arrive as arguments or through the [`ports`].
//!
//! Where to look: one topic a module, named with the words of the contract. [`token`] and [`mod@line`] are the waiting
//! line, [`seat`] and [`reservation`] the holds, [`wallet`] and [`payment`] the money.

pub mod concert;
mod count;
pub mod edit;
mod field_error;
pub mod id;
pub mod idempotency;
pub mod line;
pub mod message;
pub mod money;
pub mod page;
pub mod payment;
pub mod phase;
pub mod policy;
pub mod ports;
pub mod presence;
pub mod queue;
pub mod rejection;
pub mod reservation;
pub mod rules;
pub mod sale;
pub mod seal;
pub mod seat;
pub mod stock;
mod text;
mod ticket;
pub mod token;
mod token_status;
pub mod user;
pub mod wallet;
pub mod when;

pub use count::count;
pub use edit::Edit;
pub use field_error::{FieldError, Wrong};
pub use id::{ConcertId, EntryId, PaymentId, ReservationId, ScheduleId, SeatId};
pub use idempotency::{Fingerprint, IdempotencyKey};
pub use message::Message;
pub use money::Money;
pub use page::Page;
pub use phase::Phase;
pub use policy::{Policy, PolicyChange};
pub use queue::{NewQueue, Queue, QueueEdit, QueueEpoch, QueueName};
pub use rejection::Rejection;
pub use rules::Rules;
pub use ticket::{QueueNumber, Ticket, TicketNumber};
pub use token::Token;
pub use token_status::TokenStatus;
pub use user::UserId;
pub use when::{LocalTime, Timestamp};
