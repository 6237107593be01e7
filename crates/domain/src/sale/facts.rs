//! What the decisions of a sale ask for.

use std::sync::Arc;

use crate::concert::{Found, Schedule};
use crate::idempotency::Recorded;
use crate::ports::StoreError;
use crate::reservation::{OwnSeats, PendingHold, Reservation};
use crate::seat::{Seat, SeatChoice};
use crate::wallet::Wallet;
use crate::{ConcertId, IdempotencyKey, PaymentId, Queue, ReservationId, ScheduleId, TicketNumber, Token, UserId};

/// What a storage knows of one queue's sale, read under the locks that keep it true until it is written.
///
/// Each is asked for only when the decision hangs on it, so that a storage may read just then. All are as the commands
/// before left them. A row that is damaged is [`StoreError::Inconsistent`], and fails the command that asked.
pub trait Facts {
    /// The queue's row.
    fn queue(&mut self) -> Result<Option<Queue>, StoreError>;

    /// The token of a number.
    fn token(&mut self, number: TicketNumber) -> Result<Option<Token>, StoreError>;

    /// The user's newest token; one that is EXPIRED in the store may be left out.
    fn newest_token(&mut self, user: &UserId) -> Result<Option<Token>, StoreError>;

    /// What the user's hold under this key asked for, and what it made.
    fn recorded_hold(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, ReservationId)>, StoreError>;

    /// What the user's payment under this key asked for, and what it made.
    fn recorded_payment(
        &mut self,
        user: &UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<(Recorded, PaymentId)>, StoreError>;

    /// The seats of a choice that exist.
    fn seats(&mut self, choice: &SeatChoice) -> Result<Vec<Seat>, StoreError>;

    /// Where a schedule is sold.
    fn schedule(&mut self, id: ScheduleId) -> Result<Found<Arc<Schedule>>, StoreError>;

    /// The user's reservations that are PENDING in the store, as the limit of seats (R8) and the end of a turn (R5) need them.
    fn pending(&mut self, user: &UserId) -> Result<Vec<PendingHold>, StoreError>;

    /// The user's reservations of a concert that are PENDING or CONFIRMED in the store, all from one view of it, as its limits
    /// need them (R8).
    fn own_seats(&mut self, user: &UserId, concert: ConcertId) -> Result<Vec<OwnSeats>, StoreError>;

    /// Whether a reservation that has a seat is this user's.
    fn is_own(&mut self, user: &UserId, reservation: ReservationId) -> Result<bool, StoreError>;

    /// A reservation as stored. Of one that is over by its deadline the seats may be left out.
    fn reservation(&mut self, id: ReservationId) -> Result<Option<Reservation>, StoreError>;

    /// The user's reservations that are PENDING in the store, with their seats.
    fn pending_reservations(&mut self, user: &UserId) -> Result<Vec<Reservation>, StoreError>;

    /// The seats that a reservation was made for, whoever has them now.
    fn seats_of(&mut self, reservation: &Reservation) -> Result<Vec<Seat>, StoreError>;

    /// The user's wallet; an empty one for a user who never charged.
    fn wallet(&mut self, user: &UserId) -> Result<Wallet, StoreError>;
}
