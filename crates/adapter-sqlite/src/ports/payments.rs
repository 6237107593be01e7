//! The port of payments.

use async_trait::async_trait;
use domain::idempotency::is_replay;
use domain::page::Listed;
use domain::payment::{self, Pay, PayFacts, Receipt};
use domain::ports::{Answer, Decided, Paid, PayCommand, PaymentRepository, StoreError};
use domain::{EntryId, Page, PaymentId, QueueNumber, Rejection, UserId};

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::tables::idempotency::Key;
use crate::tables::payments::{self, PaymentRow};
use crate::tables::{reservations, seats, wallets};

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
    let Some(token) = transaction.token(command.ticket)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let (queue, now) = (command.ticket.queue, transaction.now);
    let request = payment::fingerprint(command.reservation, command.amount.as_ref());
    if let Some(key) = &command.key
        && let Some((recorded, made)) = payments::of_key(transaction.conn, queue, &token.user, key)?
    {
        match is_replay(Some(&recorded), &request, now) {
            Ok(true) => return replay(transaction, queue, made).map(Ok),
            Ok(false) => payments::forget_key(transaction.conn, queue, made.payment.id)?,
            Err(rejection) => return Ok(Err(rejection)),
        }
    }
    let reservation = reservations::find(transaction.conn, queue, command.reservation)?;
    let wallet = wallets::find(transaction.conn, &token.user)?;
    let facts = PayFacts {
        token: &token,
        asked: command.reservation,
        reservation: reservation.as_ref(),
        wallet: &wallet,
        amount: command.amount.as_ref(),
    };
    let (id, entry) = (PaymentId::new(transaction.ids.next_id()), EntryId::new(transaction.ids.next_id()));
    let pay = match payment::pay(&facts, id, entry, now) {
        Ok(pay) => pay,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let key = command.key.as_ref().map(|key| (key, &request));
    write(transaction, pay, key).map(|value| Ok(Answer { value, replayed: false }))
}

/// The payment as it was first answered.
fn replay(transaction: &mut Transaction<'_>, queue: QueueNumber, made: PaymentRow) -> Result<Answer<Paid>, StoreError> {
    let balance = wallets::entry(transaction.conn, &made.payment.user, made.entry_seq)?.balance_after;
    let receipt = payments::receipt(transaction.conn, queue, made.payment)?;
    Ok(Answer { value: Paid { receipt, balance }, replayed: true })
}

/// Writes a payment that was granted (R14).
fn write(transaction: &mut Transaction<'_>, pay: Pay, key: Key<'_>) -> Result<Paid, StoreError> {
    let Pay { payment, reservation, wallet, entry, token } = pay;
    let conn = &mut *transaction.conn;
    wallets::write(conn, &wallet, &entry, None)?;
    reservations::end(conn, reservation.queue, reservation.id, reservation.status)?;
    for seat in &reservation.seats {
        let place = (reservation.schedule, seat.number);
        seats::take(conn, reservation.queue, place, Some(reservation.id), reservation.id, None)?;
    }
    payments::insert(conn, reservation.queue, &payment, entry.seq, key)?;
    transaction.update_token(token)?;
    Ok(Paid { receipt: Receipt { payment, reservation }, balance: wallet.balance })
}
