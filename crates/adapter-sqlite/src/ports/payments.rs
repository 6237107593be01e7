//! The port of payments.

use async_trait::async_trait;
use diesel::SqliteConnection;
use domain::idempotency::{Recorded, is_replay};
use domain::page::Listed;
use domain::payment::{self, Pay, PayFacts, Payment, Receipt};
use domain::ports::{Answer, Decided, Paid, PayCommand, PaymentRepository, StoreError};
use domain::{EntryId, Page, PaymentId, QueueNumber, Rejection, ReservationId, UserId};

use crate::SqliteStore;
use crate::batches::transaction::Transaction;
use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow, wrong};
use crate::tables::idempotency::{Key, recorded};
use crate::tables::{reservations, seats, wallets};

macro_rules! select_payments {
    ($rest:literal) => {
        select_payments!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!("SELECT id, reservation_id, user_id, amount, paid_at, entry_seq", $more, " FROM payments ", $rest)
    };
}

statements! {
    Find = select_payments!("WHERE queue = ? AND id = ?");
    // Newest first is by id: ids grow with time.
    First = select_payments!("INDEXED BY payments_of_user WHERE queue = ? AND user_id = ? ORDER BY id DESC LIMIT ?");
    After = select_payments!("INDEXED BY payments_of_user WHERE queue = ? AND user_id = ? AND id < ? ORDER BY id DESC LIMIT ?");
    OfKey = select_payments!(", fingerprint", "INDEXED BY payments_keys WHERE queue = ? AND user_id = ? AND idempotency_key = ?");
    ForgetKey = "UPDATE payments SET idempotency_key = NULL, fingerprint = NULL WHERE queue = ? AND id = ?";
    Insert = "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq, idempotency_key, \
        fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
}

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
                let found: Option<PaymentRow> = Find::row(snapshot.conn, binds![queue, payment])?;
                found
                    .filter(|found| found.payment.user == user)
                    .map(|found| receipt(snapshot.conn, queue, found.payment))
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
                let limit = page.limit + 1;
                let rows: Vec<PaymentRow> = match page.after {
                    Some(after) => After::rows(snapshot.conn, binds![queue, &user, after, limit])?,
                    None => First::rows(snapshot.conn, binds![queue, &user, limit])?,
                };
                let receipts: Result<Vec<_>, _> =
                    rows.into_iter().map(|row| receipt(snapshot.conn, queue, row.payment)).collect();
                Ok(Listed::cut(receipts?, &page, |receipt| receipt.payment.id))
            })
            .await
    }
}

/// A payment with what it paid for, which is CONFIRMED for good.
fn receipt(conn: &mut SqliteConnection, queue: QueueNumber, payment: Payment) -> Result<Receipt, StoreError> {
    let reservation = reservations::find(conn, queue, payment.reservation)?.ok_or_else(|| {
        wrong(("payments", "reservation_id"), format!("there is no reservation {}", payment.reservation))
    })?;
    Ok(Receipt { payment, reservation })
}

fn pay(transaction: &mut Transaction<'_>, command: &PayCommand) -> Decided<Answer<Paid>> {
    let Some(token) = transaction.token(command.ticket)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let (queue, now) = (command.ticket.queue, transaction.now);
    let request = payment::fingerprint(command.reservation, command.amount.as_ref());
    if let Some(key) = &command.key
        && let Some((recorded, made)) =
            OfKey::row::<(Recorded, PaymentRow)>(transaction.conn, binds![queue, &token.user, key])?
    {
        match is_replay(Some(&recorded), &request, now) {
            Ok(true) => return replay(transaction, queue, made).map(Ok),
            Ok(false) => ForgetKey::change_one(transaction.conn, binds![queue, made.payment.id])?,
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
    let receipt = receipt(transaction.conn, queue, made.payment)?;
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
    Insert::change_one(
        conn,
        binds![
            reservation.queue,
            payment.id,
            payment.reservation,
            &payment.user,
            &payment.amount,
            payment.paid_at,
            entry.seq,
            key.map(|(key, _)| key),
            key.map(|(_, request)| request),
        ],
    )?;
    transaction.update_token(token)?;
    Ok(Paid { receipt: Receipt { payment, reservation }, balance: wallet.balance })
}

struct PaymentRow {
    payment: Payment,
    entry_seq: u64,
}

impl FromRow for PaymentRow {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let payment = Payment {
            id: PaymentId::new(row.id(0, ("payments", "id"))?),
            reservation: ReservationId::new(row.id(1, ("payments", "reservation_id"))?),
            user: row.user(2, ("payments", "user_id"))?,
            amount: row.money(3, ("payments", "amount"))?,
            paid_at: row.instant(4, ("payments", "paid_at"))?,
        };
        Ok(Self { payment, entry_seq: row.number(5, ("payments", "entry_seq"))? })
    }
}

impl FromRow for (Recorded, PaymentRow) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let made = PaymentRow::from_row(row)?;
        Ok((recorded(row, 6, ("payments", "fingerprint"), made.payment.paid_at)?, made))
    }
}
