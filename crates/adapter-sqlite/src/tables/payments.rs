//! Rows of `payments`.

use diesel::SqliteConnection;
use domain::idempotency::Recorded;
use domain::payment::{Payment, Receipt};
use domain::ports::StoreError;
use domain::{IdempotencyKey, PaymentId, QueueNumber, ReservationId, UserId};

use crate::connections::statement::{Statement, binds, statements};
use crate::tables::columns::{Columns, FromRow, wrong};
use crate::tables::idempotency::{Key, recorded};
use crate::tables::reservations;

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

/// A payment and the number of its entry in the wallet.
pub(crate) struct PaymentRow {
    pub(crate) payment: Payment,
    pub(crate) entry_seq: u64,
}

/// A payment in a queue, whoever made it.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    id: PaymentId,
) -> Result<Option<Payment>, StoreError> {
    Ok(Find::row::<PaymentRow>(conn, binds![queue, id])?.map(|row| row.payment))
}

/// At most `limit` payments of a user, newest first, after `after`.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    after: Option<PaymentId>,
    limit: u32,
) -> Result<Vec<Payment>, StoreError> {
    let rows: Vec<PaymentRow> = match after {
        Some(after) => After::rows(conn, binds![queue, user, after, limit])?,
        None => First::rows(conn, binds![queue, user, limit])?,
    };
    Ok(rows.into_iter().map(|row| row.payment).collect())
}

/// What the user paid under `key`, and what they asked for then.
pub(crate) fn of_key(
    conn: &mut SqliteConnection,
    queue: QueueNumber,
    user: &UserId,
    key: &IdempotencyKey,
) -> Result<Option<(Recorded, PaymentRow)>, StoreError> {
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
    key: Key<'_>,
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
