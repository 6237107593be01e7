//! The storage of wallets and payments.

use async_trait::async_trait;

use super::{Answer, Decided, StoreError};
use crate::page::Listed;
use crate::payment::Receipt;
use crate::wallet::{Charge, Entry, Wallet};
use crate::{IdempotencyKey, Money, Page, PaymentId, QueueNumber, ReservationId, Ticket, UserId};

/// A request to charge a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeCommand {
    /// Whose wallet.
    pub user: UserId,
    /// How much.
    pub amount: Money,
    /// The caller's key, if the request may be repeated (R15).
    pub key: Option<IdempotencyKey>,
}

/// What a charge answered: the wallet as it was right after its entry, also when it is answered again.
pub type Charged = Charge;

/// Wallets and their entries. Keyed by user; they know nothing of queues.
#[async_trait]
pub trait WalletRepository: Send + Sync {
    /// The wallet of `user`; an empty one for a user who never charged. Creates nothing (trap S12).
    async fn balance(&self, user: &UserId) -> Result<Wallet, StoreError>;

    /// R12, R15: charges a wallet, entry and balance in one transaction. Of N at once all count.
    async fn charge(&self, command: &ChargeCommand) -> Decided<Answer<Charged>>;

    /// R15: the answer that `command`'s key recorded, if it did; for a caller whose token has expired since. Writes
    /// nothing. `IdempotencyKeyReused` when the key recorded another request.
    async fn replay(&self, command: &ChargeCommand) -> Decided<Option<Charged>>;

    /// The entries of `user`, newest first, by `seq`.
    async fn entries(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, StoreError>;
}

/// A request to pay a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayCommand {
    /// The payer's place; the user is the token's (R6).
    pub ticket: Ticket,
    /// What to pay.
    pub reservation: ReservationId,
    /// What the payer thinks it costs, if they say so.
    pub amount: Option<Money>,
    /// The caller's key, if the request may be repeated (R15).
    pub key: Option<IdempotencyKey>,
}

/// What a payment answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The payment and what it paid for.
    pub receipt: Receipt,
    /// What the wallet held right after it.
    pub balance: Money,
}

/// Payments.
#[async_trait]
pub trait PaymentRepository: Send + Sync {
    /// R13 to R15: pays a reservation from its user's wallet, in one transaction: entry, balance, reservation
    /// CONFIRMED, seats SOLD, payment record, end of selection, and the token EXPIRED unless its user holds more.
    ///
    /// In this order: a number never issued is `TokenUnknown`; a key that recorded this request answers it again, in
    /// any state of the token, and one that recorded another is `IdempotencyKeyReused`; then [`pay`] decides. Of any
    /// number at once for one reservation one succeeds.
    ///
    /// [`pay`]: crate::payment::pay
    async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>>;

    /// A payment of `user` in this queue; `None` for another user's.
    async fn find(&self, queue: QueueNumber, user: &UserId, payment: PaymentId) -> Result<Option<Receipt>, StoreError>;

    /// The payments of `user` in this queue, newest first.
    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, StoreError>;
}
