//! Reservations and payments as they are read back: for lists, and for answers that are given again.

use std::collections::HashMap;

use bigdecimal::BigDecimal;
use diesel::dsl::{AsSelect, auto_type};
use diesel::pg::Pg;
use diesel::sql_types::{Integer, Nullable, Numeric, Text, Timestamptz};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::payment::{Payment, Receipt};
use domain::ports::{Paid, StoreError};
use domain::reservation::Reservation;
use domain::{ConcertId, PaymentId, QueueNumber, ReservationId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::schema::payments;
use crate::tables::rows::{self, ReservationRow, count, inconsistent, money, user};
use crate::tables::schedules::start;
use crate::tables::wallet_rows::{EntryRow, FindEntries};

type SqlUuid = diesel::sql_types::Uuid;
type SqlReservation = (
    (SqlUuid, Text, SqlUuid, Numeric, Text, Nullable<Text>, Timestamptz, Timestamptz),
    (SqlUuid, Timestamptz, Integer, Text),
    Nullable<(SqlUuid, Integer, Numeric)>,
);
/// A reservation with its schedule's concert, start, offset and title, and one of its seats.
pub(crate) type SeatedRow = (ReservationRow, (Uuid, OffsetDateTime, i32, String), Option<(Uuid, i32, BigDecimal)>);

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
            paid_at: rows::instant(self.paid_at),
        };
        Ok((payment, count("payments", "entry_seq", self.entry_seq)?))
    }
}

statement! {
    /// Reservations with their seats, a row for each seat.
    FindReservations { queue: i32, ids: Vec<Uuid> } -> SqlReservation =
    "SELECT r.id, r.user_id, r.schedule_id, r.amount, r.status, r.cancel_reason, r.reserved_at, r.expires_at,
            s.concert_id, s.starts_at, s.offset_minutes, c.title,
            x.seat_id, x.number, x.price
     FROM (SELECT DISTINCT unnest(" ids ")) AS a (id)
     CROSS JOIN LATERAL (
         SELECT * FROM reservations WHERE queue = " queue " AND id = a.id OFFSET 0) AS r
     CROSS JOIN LATERAL (
         SELECT * FROM schedules WHERE queue = " queue " AND id = r.schedule_id OFFSET 0) AS s
     CROSS JOIN LATERAL (
         SELECT * FROM concerts WHERE queue = " queue " AND id = s.concert_id OFFSET 0) AS c
     LEFT JOIN LATERAL (
         SELECT * FROM reservation_seats WHERE queue = " queue " AND reservation_id = r.id OFFSET 0) AS x ON true
     ORDER BY r.id DESC, x.number"
}

statement! {
    /// A page of a user's reservations, newest first, which is by id: ids grow with time.
    ListReservations { queue: i32, user: String, before: Uuid, limit: i64 } -> SqlReservation =
    "SELECT r.id, r.user_id, r.schedule_id, r.amount, r.status, r.cancel_reason, r.reserved_at, r.expires_at,
            s.concert_id, s.starts_at, s.offset_minutes, c.title,
            x.seat_id, x.number, x.price
     FROM (SELECT * FROM reservations
           WHERE queue = " queue " AND user_id = " user " AND id < " before "
           ORDER BY id DESC
           LIMIT " limit ") AS r
     CROSS JOIN LATERAL (
         SELECT * FROM schedules WHERE queue = " queue " AND id = r.schedule_id OFFSET 0) AS s
     CROSS JOIN LATERAL (
         SELECT * FROM concerts WHERE queue = " queue " AND id = s.concert_id OFFSET 0) AS c
     LEFT JOIN LATERAL (
         SELECT * FROM reservation_seats WHERE queue = " queue " AND reservation_id = r.id OFFSET 0) AS x ON true
     ORDER BY r.id DESC, x.number"
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

/// Reservations as stored, in the order of their rows.
pub(crate) fn seated(queue: QueueNumber, rows: Vec<SeatedRow>) -> Result<Vec<Reservation>, StoreError> {
    let mut reservations: Vec<Reservation> = Vec::new();
    for (row, (concert, starts_at, offset, title), seat) in rows {
        let (id, found) = (ReservationId::new(row.0), rows::bare_reservation(&row)?);
        let Some((seat, number, price)) = seat else {
            return Err(inconsistent("reservation_seats", "reservation_id", format!("{id} has no seats")));
        };
        let seat = rows::reserved_seat(seat, number, &price)?;
        match reservations.last_mut().filter(|last| last.id == id) {
            Some(last) => last.seats.push(seat),
            None => reservations.push(Reservation {
                id,
                queue,
                user: found.user,
                concert: ConcertId::new(concert),
                schedule: found.schedule,
                title: title.into(),
                starts_at: start(starts_at, offset)?,
                seats: vec![seat],
                amount: found.amount,
                status: found.status,
                reserved_at: found.reserved_at,
                expires_at: found.expires_at,
            }),
        }
    }
    Ok(reservations)
}

/// Reservations by id, as stored.
pub(crate) async fn reservations(
    conn: &AsyncPgConnection,
    queue: QueueNumber,
    ids: &[ReservationId],
) -> Result<HashMap<ReservationId, Reservation>, BatchError> {
    let find = FindReservations { queue: rows::queue(queue), ids: ids.iter().map(|id| id.uuid()).collect() };
    let found = seated(queue, find.load(&mut &*conn).await?)?;
    Ok(found.into_iter().map(|reservation| (reservation.id, reservation)).collect())
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

/// Payments as they were first answered.
pub(crate) async fn paid(
    conn: &AsyncPgConnection,
    queue: QueueNumber,
    ids: &[PaymentId],
) -> Result<HashMap<PaymentId, Paid>, BatchError> {
    let find = FindPayments { queue: rows::queue(queue), ids: ids.iter().map(|id| id.uuid()).collect() };
    let receipts = receipts(conn, queue, find.load(&mut &*conn).await?).await?;
    let entries = FindEntries {
        users: receipts.iter().map(|(receipt, _)| receipt.payment.user.as_str().to_owned()).collect(),
        seqs: receipts.iter().map(|(_, seq)| rows::big(*seq)).collect(),
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
