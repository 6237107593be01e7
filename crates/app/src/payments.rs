//! Paying, and one's own receipts (R13 to R16).

use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{Answer, Paid, PayCommand};
use domain::rejection::Missing;
use domain::{IdempotencyKey, Money, Page, PaymentId, Rejection, ReservationId};

use crate::{App, Failure, Holder};

impl App {
    /// Pays a reservation from the token's user's wallet. The store checks the token itself, under its lock.
    pub async fn pay(
        &self,
        holder: Holder,
        reservation: ReservationId,
        amount: Option<Money>,
        key: Option<IdempotencyKey>,
    ) -> Result<Answer<Paid>, Failure> {
        self.require_turn_unless_keyed(holder, key.as_ref()).await?;
        Ok(self.ports.payments.pay(&PayCommand { ticket: holder.ticket, reservation, amount, key }).await??)
    }

    /// One's own payment, with a live token or one that ended not long ago (R16).
    pub async fn payment(&self, holder: Holder, payment: PaymentId) -> Result<Receipt, Failure> {
        let user = self.reader(holder).await?;
        let found = self.ports.payments.find(holder.ticket.queue, &user, payment).await?;
        Ok(found.ok_or(Rejection::NotFound(Missing::Payment))?)
    }

    /// One's own payments in the token's queue, newest first, with a live token or one that ended not long ago (R16).
    pub async fn payments(
        &self,
        holder: Holder,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, Failure> {
        let user = self.reader(holder).await?;
        Ok(self.ports.payments.list(holder.ticket.queue, &user, page).await?)
    }
}

#[cfg(test)]
mod tests {
    use domain::payment::Payment;
    use domain::ports::Decided;
    use domain::{QueueNumber, TokenStatus, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::mocks::{NOW, World, active, at, block_on, down, ended, holder, reservation, ticket, user, waiting};

    fn receipt() -> Receipt {
        let reservation = reservation();
        let payment = Payment {
            id: PaymentId::new(Uuid::from_u128(6)),
            reservation: reservation.id,
            user: user(),
            amount: reservation.amount.clone(),
            paid_at: at(NOW),
        };
        Receipt { payment, reservation }
    }

    fn command(key: Option<&str>) -> PayCommand {
        let (amount, key) = (Money::parse("30"), key.and_then(IdempotencyKey::parse));
        PayCommand { ticket: ticket(), reservation: reservation().id, amount, key }
    }

    /// By somebody whose turn has come, without a key, and by somebody who waits, with one.
    fn paying(answer: &Decided<Answer<Paid>>) -> Result<Answer<Paid>, Failure> {
        let [waiting, admitted] = [Some("k"), None].map(|key| {
            let (mut world, answer) = (World::default(), answer.clone());
            if key.is_none() {
                world.lines.admit(ticket().number.get());
            }
            let asked = move |asked: &PayCommand| *asked == command(key);
            world.payments.expect_pay().times(1).withf(asked).return_once(|_| answer);
            let asked = command(key);
            block_on(world.app().pay(holder(), asked.reservation, asked.amount, asked.key))
        });
        assert_eq!(waiting, admitted);
        admitted
    }

    /// The token is not looked up before: the store decides under its lock, and a replay needs no ACTIVE token (R15).
    #[test]
    fn a_payment_is_one_call_of_one_port() {
        for replayed in [true, false] {
            let answer = Answer { value: Paid { receipt: receipt(), balance: Money::zero() }, replayed };
            assert_eq!(paying(&Ok(Ok(answer.clone()))), Ok(answer));
        }
        let refusal = Rejection::TokenNotActive(TokenStatus::Waiting);
        assert_eq!(paying(&Ok(Err(refusal.clone()))), Err(Failure::Rejected(refusal)));
        assert_eq!(paying(&Err(down())), Err(Failure::Store(down())));
    }

    #[test]
    fn ones_own_receipts_are_read_with_a_live_token_and_for_a_day_after_its_end_r16() {
        let page = Page::new(5, Some(receipt().payment.id)).unwrap();
        for token in [waiting(), active(), ended()] {
            let mut world = World::of(token);
            let asked = |queue: &QueueNumber, by: &UserId, id: &PaymentId| {
                (*queue, by, *id) == (QueueNumber(1), &user(), receipt().payment.id)
            };
            world.payments.expect_find().times(1).withf(asked).return_once(|_, _, _| Ok(Some(receipt())));
            let asked = move |queue: &QueueNumber, by: &UserId, on: &Page<PaymentId>| {
                (*queue, by, on) == (QueueNumber(1), &user(), &page)
            };
            let all = Listed { items: vec![receipt()], next: None };
            let listed = all.clone();
            world.payments.expect_list().times(1).withf(asked).return_once(|_, _, _| Ok(listed));
            let app = world.app();
            assert_eq!(block_on(app.payment(holder(), receipt().payment.id)), Ok(receipt()));
            assert_eq!(block_on(app.payments(holder(), &page)), Ok(all));
        }
        // No port but that of tokens expects a call.
        let app = World::a_day_after(ended());
        let over = Failure::from(Rejection::TokenNotActive(TokenStatus::Expired));
        assert_eq!(block_on(app.payment(holder(), receipt().payment.id)), Err(over.clone()));
        assert_eq!(block_on(app.payments(holder(), &page)), Err(over));
    }

    #[test]
    fn what_is_not_there_is_not_found_and_a_store_that_failed_is_not_that() {
        let unknown = Failure::Rejected(Rejection::NotFound(Missing::Payment));
        for (answer, passed) in [(Ok(None), unknown), (Err(down()), Failure::Store(down()))] {
            let mut world = World::of(active());
            world.payments.expect_find().return_once(|_, _, _| answer);
            assert_eq!(block_on(world.app().payment(holder(), receipt().payment.id)), Err(passed));
        }
    }
}
