//! The storage of holds.

use async_trait::async_trait;

use super::{Answer, Decided, StoreError};
use crate::page::Listed;
use crate::reservation::Reservation;
use crate::seat::SeatChoice;
use crate::{IdempotencyKey, Page, QueueNumber, ReservationId, Ticket, UserId};

/// R10: how many reservations one sweep cancels at most, so that no transaction lasts long. When it cancelled so many,
/// there may be more.
pub const MOST_RELEASED: u32 = 500;

/// A request to hold seats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldCommand {
    /// The holder's place; the user is the token's (R6).
    pub ticket: Ticket,
    /// Which seats.
    pub choice: SeatChoice,
    /// The caller's key, if the request may be repeated (R15).
    pub key: Option<IdempotencyKey>,
}

/// What cancelling came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// The reservation, which is CANCELLED.
    pub reservation: Reservation,
    /// Whether it was this that cancelled it.
    pub changed: bool,
}

/// Reservations.
#[async_trait]
pub trait ReservationRepository: Send + Sync {
    /// R5 to R9, R11, R15: holds seats, all or none.
    ///
    /// In this order: a number never issued is `TokenUnknown`; a key that recorded this request answers it again, in
    /// any state of the token and with today's state of the reservation, and one that recorded another is
    /// `IdempotencyKeyReused`; then [`hold`] decides. MUST take dead holds over. MUST be race-safe: of any number of
    /// holds on one seat at once one succeeds, and a user never has more than `max_seats` live PENDING seats in a queue,
    /// nor more live PENDING and CONFIRMED seats of a schedule or a concert than its `max_per_user`, however often they pay
    /// and come back.
    ///
    /// [`hold`]: crate::reservation::hold
    async fn hold(&self, command: &HoldCommand) -> Decided<Answer<Reservation>>;

    /// R17, R5: cancels a reservation of the ticket's user, whose token lives. Frees those of its seats that are still its own,
    /// and settles how long the token's turn lasts, in the same transaction. Cancelling again changes nothing and succeeds.
    async fn cancel(&self, ticket: Ticket, reservation: ReservationId) -> Decided<Cancelled>;

    /// A reservation of `user` in this queue; `None` for another user's. Its status is the one at the moment of reading
    /// ([`Reservation::status_at`]).
    async fn find(
        &self,
        queue: QueueNumber,
        user: &UserId,
        reservation: ReservationId,
    ) -> Result<Option<Reservation>, StoreError>;

    /// The reservations of `user` in this queue, newest first, with their status at the moment of reading.
    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, StoreError>;

    /// R10: cancels PENDING reservations past their deadline, of all queues, oldest deadline first, at most
    /// [`MOST_RELEASED`], frees those of their seats that are still their own, and returns how many it cancelled.
    ///
    /// MUST NOT touch a CONFIRMED one nor a seat since taken by someone else. One bad row MUST NOT stop the others: it
    /// is left as it is and logged.
    async fn release_expired(&self) -> Result<u64, StoreError>;
}
