//! Identifiers: one newtype per thing that has an id, all over `UUIDv7`, all from one macro.

use std::fmt;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that came from an [`IdGenerator`](crate::ports::IdGenerator), a store or a caller.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for adapters.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    )*};
}

ids! {
    /// A concert: what is played.
    ConcertId;
    /// A schedule: one dated performance of a concert.
    ScheduleId;
    /// A seat: one numbered, priced seat of one schedule.
    SeatId;
    /// A reservation: seats of one schedule, held or bought by one user.
    ReservationId;
    /// A payment: the receipt of a confirmed reservation.
    PaymentId;
    /// An entry: one movement of a wallet.
    EntryId;
}
