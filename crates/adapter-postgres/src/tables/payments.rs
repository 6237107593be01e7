//! Rows of `payments`, and the receipts that are made of them.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::payment::{Payment, Receipt};
use domain::ports::{Paid, StoreError};
use domain::sale::Key;
use domain::{PaymentId, QueueNumber, ReservationId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::schema::payments;
use crate::tables::columns::{self, Column, big, count, decimal, inconsistent, instant, money, user};
use crate::tables::idempotency::{fingerprint, key_text};
use crate::tables::seated::reservations;
use crate::tables::wallets::{EntryRow, FindEntries};

/// A row of `payments`, without the key that it was asked for with.
#[derive(Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
pub(crate) struct PaymentRow {
    id: Uuid,
    reservation_id: Uuid,
    pub(crate) user_id: String,
    amount: BigDecimal,
    paid_at: OffsetDateTime,
    entry_seq: i64,
}

impl PaymentRow {
    /// The payment, and the number of its entry in the wallet.
    fn payment(&self) -> Result<(Payment, u64), StoreError> {
        let payment = Payment {
            id: PaymentId::new(self.id),
            reservation: ReservationId::new(self.reservation_id),
            user: user("payments", &self.user_id)?,
            amount: money("payments", "amount", &self.amount)?,
            paid_at: instant(self.paid_at),
        };
        Ok((payment, count("payments", "entry_seq", self.entry_seq)?))
    }
}

/// The columns of [`PaidRow`].
type SqlPaid = (
    Column<payments::user_id>,
    Column<payments::id>,
    Column<payments::idempotency_key>,
    Column<payments::fingerprint>,
    Column<payments::paid_at>,
);

/// What a key recorded of a payment.
#[derive(Queryable)]
pub(crate) struct PaidRow {
    pub(crate) user_id: String,
    pub(crate) id: Uuid,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) fingerprint: Option<Vec<u8>>,
    pub(crate) paid_at: OffsetDateTime,
}

statement! {
    /// What these keys recorded of payments by the users of these tickets.
    FindPaid { queue: i32, numbers: Vec<i64>, keys: Vec<Option<String>> } -> SqlPaid =
    "SELECT p.user_id, p.id, p.idempotency_key, p.fingerprint, p.paid_at
     FROM unnest(" numbers ", " keys ") AS a (number, key)
     CROSS JOIN LATERAL (
         SELECT user_id FROM tokens WHERE queue = " queue " AND number = a.number OFFSET 0) AS t
     CROSS JOIN LATERAL (
         SELECT * FROM payments
         WHERE queue = " queue " AND user_id = t.user_id AND idempotency_key = a.key OFFSET 0) AS p"
}

statement! {
    /// Payments by id.
    FindPayments { queue: i32, ids: Vec<Uuid> } -> AsSelect<PaymentRow, Pg> =
    "SELECT p.id, p.reservation_id, p.user_id, p.amount, p.paid_at, p.entry_seq
     FROM (SELECT DISTINCT unnest(" ids ")) AS a (id)
     CROSS JOIN LATERAL (
         SELECT * FROM payments WHERE queue = " queue " AND id = a.id OFFSET 0) AS p"
}

/// Reads a page of a user's payments, newest first.
#[auto_type(no_type_alias)]
pub(crate) fn list_payments(queue: i32, user: String, before: Uuid, limit: i64) -> _ {
    let row: AsSelect<PaymentRow, Pg> = PaymentRow::as_select();
    payments::table
        .filter(payments::queue.eq(queue))
        .filter(payments::user_id.eq(user))
        .filter(payments::id.lt(before))
        .order(payments::id.desc())
        .limit(limit)
        .select(row)
}

statement! {
    InsertPayments {
        queue: i32, ids: Vec<Uuid>, reservations: Vec<Uuid>, users: Vec<String>, amounts: Vec<BigDecimal>,
        paid: Vec<OffsetDateTime>, seqs: Vec<i64>, keys: Vec<Option<String>>, prints: Vec<Option<Vec<u8>>>,
    } -> () =
    "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq, idempotency_key, fingerprint)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " reservations ", " users ", " amounts ", " paid ", " seqs ", " keys ", " prints ") AS n"
}

statement! {
    /// Keys that the rule has forgotten and that are used again; nobody waits for these rows any more.
    ForgetPaymentKeys { queue: i32, ids: Vec<Uuid> } -> () =
    "UPDATE payments SET idempotency_key = NULL, fingerprint = NULL
     WHERE queue = " queue " AND id = ANY (" ids ")"
}

/// Receipts of payments, in their order. What they paid for is CONFIRMED for good, so that it may be read after them.
pub(crate) async fn receipts(
    conn: &AsyncPgConnection,
    queue: QueueNumber,
    rows: Vec<PaymentRow>,
) -> Result<Vec<(Receipt, u64)>, BatchError> {
    let ids: Vec<_> = rows.iter().map(|row| ReservationId::new(row.reservation_id)).collect();
    let mut paid_for = if ids.is_empty() { HashMap::new() } else { reservations(conn, queue, &ids).await? };
    let receipt = |row: PaymentRow| {
        let (payment, seq) = row.payment()?;
        let reservation = paid_for.remove(&payment.reservation);
        let reservation = reservation.ok_or_else(|| inconsistent("payments", "reservation_id", payment.id))?;
        Ok((Receipt { payment, reservation }, seq))
    };
    rows.into_iter().map(receipt).collect::<Result<_, StoreError>>().map_err(BatchError::from)
}

/// Payments as they were first answered, with today's state of what they paid for.
pub(crate) async fn paid(
    conn: &AsyncPgConnection,
    queue: QueueNumber,
    ids: &[PaymentId],
) -> Result<HashMap<PaymentId, Paid>, BatchError> {
    let find = FindPayments { queue: columns::queue(queue), ids: ids.iter().map(|id| id.uuid()).collect() };
    let receipts = receipts(conn, queue, find.load(&mut &*conn).await?).await?;
    let entries = FindEntries {
        users: receipts.iter().map(|(receipt, _)| receipt.payment.user.as_str().to_owned()).collect(),
        seqs: receipts.iter().map(|(_, seq)| big(*seq)).collect(),
    };
    let entries = entries.load::<EntryRow>(&mut &*conn).await?;
    let entries: Vec<_> = entries.into_iter().map(EntryRow::entry).collect::<Result<_, _>>()?;
    let mut paid = HashMap::new();
    for (receipt, seq) in receipts {
        let entry = entries.iter().find(|entry| entry.user == receipt.payment.user && entry.seq == seq);
        let entry = entry.ok_or_else(|| inconsistent("payments", "entry_seq", receipt.payment.id))?;
        paid.insert(receipt.payment.id, Paid { receipt, balance: entry.balance_after.clone() });
    }
    Ok(paid)
}

pub(crate) fn insert_payments(queue: i32, payments: &[(Payment, u64, Option<Key>)]) -> InsertPayments {
    InsertPayments {
        queue,
        ids: payments.iter().map(|(p, ..)| p.id.uuid()).collect(),
        reservations: payments.iter().map(|(p, ..)| p.reservation.uuid()).collect(),
        users: payments.iter().map(|(p, ..)| p.user.as_str().to_owned()).collect(),
        amounts: payments.iter().map(|(p, ..)| decimal(&p.amount)).collect(),
        paid: payments.iter().map(|(p, ..)| p.paid_at.to_utc()).collect(),
        seqs: payments.iter().map(|(_, seq, _)| big(*seq)).collect(),
        keys: payments.iter().map(|(.., key)| key_text(key.as_ref())).collect(),
        prints: payments.iter().map(|(.., key)| fingerprint(key.as_ref())).collect(),
    }
}

pub(crate) fn forget_payment_keys(queue: i32, made: &[PaymentId]) -> ForgetPaymentKeys {
    ForgetPaymentKeys { queue, ids: made.iter().map(|id| id.uuid()).collect() }
}
