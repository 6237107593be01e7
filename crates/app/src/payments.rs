//! Paying, and one's own receipts (R13 to R16).

use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{Answer, Paid, PayCommand};
use domain::rejection::Kind;
use domain::seal::SealedToken;
use domain::{IdempotencyKey, Money, Page, PaymentId, Rejection, ReservationId};

use crate::{App, Failure};

impl App {
    /// Pays a reservation from the token's user's wallet. The store checks the token itself, under its lock.
    pub async fn pay(
        &self,
        token: SealedToken,
        reservation: ReservationId,
        amount: Option<Money>,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Paid>, Failure> {
        let ticket = self.open(token)?;
        Ok(self.ports.payments.pay(&PayCommand { ticket, reservation, amount, key }).await??)
    }

    /// One's own payment, with a token in any state (R16).
    pub async fn payment(&self, token: SealedToken, payment: PaymentId) -> Result<Receipt, Failure> {
        let caller = self.caller(token).await?;
        let found = self.ports.payments.find(caller.ticket.queue, &caller.user, payment).await?;
        Ok(found.ok_or(Rejection::NotFound(Kind::Payment))?)
    }

    /// One's own payments in the token's queue, newest first, with a token in any state (R16).
    pub async fn payments(
        &self,
        token: SealedToken,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, Failure> {
        let caller = self.caller(token).await?;
        Ok(self.ports.payments.list(caller.ticket.queue, &caller.user, page).await?)
    }
}
