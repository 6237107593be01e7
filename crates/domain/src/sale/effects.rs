//! What a command changes.

use crate::payment::Payment;
use crate::ports::StoreError;
use crate::reservation::{Reservation, ReservationStatus};
use crate::seat::{Seat, Taken};
use crate::wallet::{Entry, Wallet};
use crate::{Edit, Fingerprint, IdempotencyKey, Message, PaymentId, Queue, ReservationId, ScheduleId, SeatId, Token};

/// With which key something was asked for, and what was asked (R15).
pub type Key = (IdempotencyKey, Fingerprint);

/// All that one command changes, to be written whole or not at all.
///
/// Ends and forgotten keys make room for what is new: `tokens` are written before `issued`, `forgotten_*` and `ended` before
/// `reserved` and `payment`, and `reserved` before `seats`, which name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The queue's row as it is now.
    pub queue: Option<Queue>,
    /// Whether the queue's policy is a new one, to be kept beside those before it.
    pub new_policy: bool,
    /// What those who wait are told from now on, unless that stays.
    pub message: Edit<Message>,
    /// Stored tokens as they are now.
    pub tokens: Vec<Token>,
    /// A token that was issued.
    pub issued: Option<Token>,
    /// How many tokens' time was up: they were found past their deadline, or held nothing more after selection (R5).
    pub expired: u64,
    /// A reservation whose key is forgotten and used again.
    pub forgotten_hold: Option<ReservationId>,
    /// A payment whose key is forgotten and used again.
    pub forgotten_payment: Option<PaymentId>,
    /// Reservations that are PENDING in the store no longer, and what they are now.
    pub ended: Vec<(ReservationId, ReservationStatus)>,
    /// A new reservation, with its key.
    pub reserved: Option<(Reservation, Option<Key>)>,
    /// Seats that have changed hands.
    pub seats: Vec<SeatChange>,
    /// A wallet after its next movement, and that movement.
    pub moved: Option<(Wallet, Entry)>,
    /// A new payment, with its key; what moved paid it.
    pub payment: Option<(Payment, Option<Key>)>,
    /// Damaged rows that stood in nobody's way and are left as they are, to be logged.
    pub left_damaged: Vec<StoreError>,
}

/// A seat that changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatChange {
    /// Its id.
    pub id: SeatId,
    /// Its schedule.
    pub schedule: ScheduleId,
    /// Its number there.
    pub number: u32,
    /// Which reservation stands in its row until now.
    pub before: Option<ReservationId>,
    /// Whose it is now.
    pub taken: Option<Taken>,
}

impl SeatChange {
    /// A seat as it was read, and whose it is now.
    pub(super) fn of(seat: &Seat, taken: Option<Taken>) -> Self {
        let before = seat.taken.map(|taken| taken.by);
        Self { id: seat.id, schedule: seat.schedule, number: seat.number, before, taken }
    }

    /// The seats of a reservation that has them, sold to it.
    pub(super) fn sold(reservation: &Reservation) -> impl Iterator<Item = Self> {
        let (by, schedule) = (reservation.id, reservation.schedule);
        reservation.seats.iter().map(move |seat| Self {
            id: seat.id,
            schedule,
            number: seat.number,
            before: Some(by),
            taken: Some(Taken { by, until: None }),
        })
    }
}

impl Effects {
    /// A reservation's end, and the freedom of those of its seats that are still under it (R10, trap S2).
    pub(super) fn end(&mut self, reservation: &Reservation, seats: &[Seat]) {
        self.ended.push((reservation.id, reservation.status));
        self.seats.extend(seats.iter().filter(|seat| reservation.frees(seat)).map(|seat| SeatChange::of(seat, None)));
    }
}
