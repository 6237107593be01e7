//! The port of payments.

use async_trait::async_trait;
use domain::page::Listed;
use domain::payment::Receipt;
use domain::ports::{Answer, Decided, Paid, PayCommand, PaymentRepository, StoreError};
use domain::sale::{self, Made};
use domain::{Page, PaymentId, QueueNumber, UserId};

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::sale::facts::Sale;
use crate::sale::write::write;
use crate::tables::payments;

#[async_trait]
impl PaymentRepository for SqliteStore {
    async fn pay(&self, command: &PayCommand) -> Decided<Answer<Paid>> {
        let command = command.clone();
        self.writer().run(move |transaction| pay(transaction, &command)).await
    }

    async fn find(&self, queue: QueueNumber, user: &UserId, payment: PaymentId) -> Result<Option<Receipt>, StoreError> {
        let user = user.clone();
        self.reads()
            .run(move |snapshot| {
                let found = payments::find(snapshot.conn, queue, payment)?;
                found
                    .filter(|payment| payment.user == user)
                    .map(|payment| payments::receipt(snapshot.conn, queue, payment))
                    .transpose()
            })
            .await
    }

    async fn list(
        &self,
        queue: QueueNumber,
        user: &UserId,
        page: &Page<PaymentId>,
    ) -> Result<Listed<Receipt, PaymentId>, StoreError> {
        let (user, page) = (user.clone(), *page);
        self.reads()
            .run(move |snapshot| {
                let listed = payments::list(snapshot.conn, queue, &user, page.after, page.limit + 1)?;
                let receipts: Result<Vec<_>, _> =
                    listed.into_iter().map(|payment| payments::receipt(snapshot.conn, queue, payment)).collect();
                Ok(Listed::cut(receipts?, &page, |receipt| receipt.payment.id))
            })
            .await
    }
}

fn pay(transaction: &mut Transaction<'_>, command: &PayCommand) -> Decided<Answer<Paid>> {
    let (queue, context) = (command.ticket.queue, transaction.context());
    match sale::pay(&mut Sale { transaction, queue }, command, &context)? {
        Ok(Made::Now(value, effects)) => {
            write(transaction, queue, *effects)?;
            Ok(Ok(Answer { value, replayed: false }))
        }
        Ok(Made::Before(made)) => {
            let value = payments::paid(transaction.conn, queue, made)?;
            Ok(Ok(Answer { value, replayed: true }))
        }
        Err(rejection) => Ok(Err(rejection)),
    }
}
