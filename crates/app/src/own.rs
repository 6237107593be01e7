//! What is a person's own, read by who they are and not by a token (R16). Whoever calls this has had that proved.

use domain::page::Listed;
use domain::payment::Receipt;
use domain::reservation::Reservation;
use domain::wallet::{Entry, Wallet};
use domain::{Page, PaymentId, QueueName, ReservationId, UserId};

use crate::{App, Failure};

impl App {
    /// A user's reservations in a queue, newest first.
    pub async fn reservations_of(
        &self,
        user: &UserId,
        queue: &QueueName,
        page: &Page<ReservationId>,
    ) -> Result<Listed<Reservation, ReservationId>, Failure> {
        Ok(self.ports.reservations.list(self.named(queue).await?, user, page).await?)
    }

    /// A user's payments in a queue, newest first.
    pub async fn payments_of(
        &self,
        user: &UserId,
        queue: &QueueName,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, Failure> {
        Ok(self.ports.payments.list(self.named(queue).await?, user, page).await?)
    }

    /// A user's wallet.
    pub async fn wallet_of(&self, user: &UserId) -> Result<Wallet, Failure> {
        Ok(self.ports.wallets.balance(user).await?)
    }

    /// The entries of a user's wallet, newest first.
    pub async fn entries_of(&self, user: &UserId, page: &Page<u64>) -> Result<Listed<Entry, u64>, Failure> {
        Ok(self.ports.wallets.entries(user, page).await?)
    }
}

#[cfg(test)]
mod tests {
    use domain::rejection::Missing;
    use domain::{QueueNumber, Rejection};

    use super::*;
    use crate::mocks::{World, name_of, run, user};

    fn nothing<T, K>() -> Listed<T, K> {
        Listed { items: Vec::new(), next: None }
    }

    #[test]
    fn one_reads_what_is_ones_own_in_the_queue_that_one_names_r16() {
        let mut world = World::default();
        let here = |queue: &QueueNumber, by: &UserId| *queue == QueueNumber(2) && *by == user();
        let reservations = &mut world.reservations;
        reservations.expect_list().times(1).withf(move |q, by, _| here(q, by)).return_once(|_, _, _| Ok(nothing()));
        let payments = &mut world.payments;
        payments.expect_list().times(1).withf(move |q, by, _| here(q, by)).return_once(|_, _, _| Ok(nothing()));
        let wallet = Wallet { user: user(), balance: domain::Money::parse("0").unwrap(), last_seq: 0 };
        let answer = wallet.clone();
        world.wallets.expect_balance().times(1).withf(|by| *by == user()).return_once(|_| Ok(answer));
        world.wallets.expect_entries().times(1).withf(|by, _| *by == user()).return_once(|_, _| Ok(nothing()));
        let app = world.app();
        let (user, other) = (user(), name_of("other"));
        assert!(run(&app, app.reservations_of(&user, &other, &Page::new(1, None).unwrap())).is_ok());
        assert!(run(&app, app.payments_of(&user, &other, &Page::new(1, None).unwrap())).is_ok());
        assert_eq!(run(&app, app.wallet_of(&user)), Ok(wallet));
        assert!(run(&app, app.entries_of(&user, &Page::new(1, None).unwrap())).is_ok());
        let nowhere = run(&app, app.payments_of(&user, &name_of("nowhere"), &Page::new(1, None).unwrap()));
        assert_eq!(nowhere, Err(Failure::Rejected(Rejection::NotFound(Missing::Queue))));
    }
}
