//! What a batch is to write.

use std::collections::{BTreeMap, BTreeSet};

use crate::payment::Payment;
use crate::ports::StoreError;
use crate::reservation::Reservation;
use crate::sale::effects::Key;
use crate::wallet::Entry;
use crate::{Edit, Message, PaymentId, Policy, ReservationId, SeatId, TicketNumber, UserId};

/// What a batch is to write, all of it in one transaction; the rows themselves are the set's.
#[derive(Debug, Default)]
pub struct Changed {
    /// Whether the queue's row has changed.
    pub queue: bool,
    /// Policies that came into force, the last one last.
    pub policies: Vec<Policy>,
    /// What those who wait are told after it.
    pub message: Edit<Message>,
    /// New reservations with their keys.
    pub reserved: BTreeMap<ReservationId, (Reservation, Option<Key>)>,
    /// Movements of wallets.
    pub entries: Vec<Entry>,
    /// New payments, the `seq` of the entry that paid each, and their keys.
    pub payments: Vec<(Payment, u64, Option<Key>)>,
    /// Reservations whose key is forgotten and used again.
    pub forgotten_holds: Vec<ReservationId>,
    /// Payments whose key is forgotten and used again.
    pub forgotten_payments: Vec<PaymentId>,
    /// Damaged rows that stood in nobody's way and are left as they are, to be logged.
    pub left_damaged: Vec<StoreError>,
    /// How many tokens' time was up.
    pub expired: u64,
    pub(super) tokens: BTreeSet<TicketNumber>,
    pub(super) issued: BTreeSet<TicketNumber>,
    pub(super) reservations: BTreeSet<ReservationId>,
    pub(super) seats: BTreeSet<SeatId>,
    pub(super) wallets: BTreeSet<UserId>,
    /// Those of `wallets` that had no row.
    pub(super) new_wallets: BTreeSet<UserId>,
}
