//! Rows of `payments`.

use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::payment::{Payment, Receipt};
use domain::ports::{Paid, StoreError};
use domain::sale::Key;
use domain::{IdempotencyKey, Money, PaymentId, QueueNumber, ReservationId, UserId};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow, wrong};
use crate::tables::idempotency::recorded;
use crate::tables::reservations;

macro_rules! select_payments {
    ($rest:literal) => {
        concat!("SELECT id, reservation_id, user_id, amount, paid_at FROM payments ", $rest)
    };
}

statements! {
    Find = select_payments!("WHERE queue = ? AND id = ?");
    // Newest first is by id: ids grow with time.
    First = select_payments!("INDEXED BY payments_of_user WHERE queue = ? AND user_id = ? ORDER BY id DESC LIMIT ?");
    After = select_payments!("INDEXED BY payments_of_user WHERE queue = ? AND user_id = ? AND id < ? ORDER BY id DESC LIMIT ?");
    WithEntry = "SELECT p.id, p.reservation_id, p.user_id, p.amount, p.paid_at, e.balance_after FROM payments p \
        LEFT JOIN entries e ON e.user_id = p.user_id AND e.seq = p.entry_seq WHERE p.queue = ? AND p.id = ?";
    OfKey = "SELECT id, paid_at, fingerprint FROM payments INDEXED BY payments_keys \
        WHERE queue = ? AND user_id = ? AND idempotency_key = ?";
    ForgetKey = "UPDATE payments SET idempotency_key = NULL, fingerprint = NULL WHERE queue = ? AND id = ?";
    Insert = "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq, idempotency_key, \
        fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
}

/// A payment in a queue, whoever made it.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    Find::row(conn, binds![queue, id])
}

/// At most `limit` payments of a user, newest first, after `after`.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    after: Option<PaymentId>,
    limit: u32,
) -> Result<Vec<Payment>, StoreError> {
    match after {
        Some(after) => After::rows(conn, binds![queue, user, after, limit]),
        None => First::rows(conn, binds![queue, user, limit]),
    }
}

/// What the user's payment under `key` asked for, and what it made.
pub(crate) fn of_key(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, PaymentId)>, StoreError> {
    OfKey::row(conn, binds![queue, user, key])
}

/// Frees the key of a payment for another request.
pub(crate) fn forget_key(conn: &mut SqliteConnection, queue: QueueNumber, id: PaymentId) -> Result<(), StoreError> {
    ForgetKey::change_one(conn, binds![queue, id])
}

/// Inserts a payment that was just granted; its entry is there already.
pub(crate) fn insert(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    payment: &Payment,
    entry_seq: u64,
    key: Option<&Key>,
) -> Result<(), StoreError> {
    Insert::change_one(
        conn,
        binds![
            queue,
            payment.id,
            payment.reservation,
            &payment.user,
            &payment.amount,
            payment.paid_at,
            entry_seq,
            key.map(|(key, _)| key),
            key.map(|(_, request)| request),
        ],
    )
}

/// A payment with what it paid for, which is CONFIRMED for good.
pub(crate) fn receipt(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    payment: Payment,
) -> Result<Receipt, StoreError> {
    let reservation = reservations::find(conn, queue, payment.reservation)?.ok_or_else(|| {
        wrong(("payments", "reservation_id"), format!("there is no reservation {}", payment.reservation))
    })?;
    Ok(Receipt { payment, reservation })
}

/// What a payment whose id was just read answered.
pub(crate) fn paid(conn: &mut SqliteConnection, queue: QueueNumber, id: PaymentId) -> Result<Paid, StoreError> {
    let (payment, balance): (Payment, Money) = WithEntry::row(conn, binds![queue, id])?
        .ok_or_else(|| wrong(("payments", "id"), format!("there is no {id}")))?;
    Ok(Paid { receipt: receipt(conn, queue, payment)?, balance })
}

impl FromRow for Payment {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok(Self {
            id: PaymentId::new(row.id(0, ("payments", "id"))?),
            reservation: ReservationId::new(row.id(1, ("payments", "reservation_id"))?),
            user: row.user(2, ("payments", "user_id"))?,
            amount: row.money(3, ("payments", "amount"))?,
            paid_at: row.instant(4, ("payments", "paid_at"))?,
        })
    }
}

impl FromRow for (Payment, Money) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        Ok((Payment::from_row(row)?, row.money(5, ("entries", "balance_after"))?))
    }
}

impl FromRow for (Recorded, PaymentId) {
    fn from_row<'a>(row: &impl Columns<'a>) -> Result<Self, StoreError> {
        let at = row.instant(1, ("payments", "paid_at"))?;
        let recorded = recorded(row, 2, ("payments", "fingerprint"), at)?;
        Ok((recorded, PaymentId::new(row.id(0, ("payments", "id"))?)))
    }
}
