//! The port of payments.

use async_trait::async_trait;
use diesel_async::RunQueryDsl;
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{Answer, Decided, Paid, PayCommand, PaymentRepository, StoreError};
use domain::sale::{Command, Outcome};
use domain::{Page, PaymentId, QueueNumber, UserId};
use uuid::Uuid;

use crate::store::PostgresStore;
use crate::tables::columns;
use crate::tables::payments::{FindPayments, PaymentRow, list_payments, receipts};

#[async_trait]
impl PaymentRepository for PostgresStore {
    async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>> {
        match self.sale(command.ticket.queue, Command::Pay(command.clone())).await? {
            Ok(Outcome::Paid(answer)) => Ok(Ok(answer)),
            Err(rejection) => Ok(Err(rejection)),
            Ok(other) => Err(other.unexpected()),
        }
    }

    async fn find(&self, queue: QueueNumber, user: &UserId, payment: PaymentId) -> Result<Option<Receipt>, StoreError> {
        self.read(async |connection| {
            let find = FindPayments { queue: columns::queue(queue), ids: vec![payment.uuid()] };
            let mut found = find.load::<PaymentRow>(&mut &*connection).await?;
            found.retain(|row| row.user_id == user.as_str());
            let found = receipts(&connection, queue, found).await?;
            Ok(found.into_iter().next().map(|(receipt, _)| receipt))
        })
        .await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, StoreError> {
        self.read(async |connection| {
            let before = page.after.map_or_else(Uuid::max, PaymentId::uuid);
            let limit = i64::from(page.limit) + 1;
            let list = list_payments(columns::queue(queue), user.as_str().to_owned(), before, limit);
            let listed = list.load::<PaymentRow>(&mut &*connection).await?;
            let listed = receipts(&connection, queue, listed).await?;
            let items = listed.into_iter().map(|(receipt, _)| receipt).collect();
            Ok(Listed::cut(items, page, |receipt: &Receipt| receipt.payment.id))
        })
        .await
    }
}
