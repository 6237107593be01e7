//! Reservations with their schedules and seats: for lists, and for answers that are given again.

use std::collections::HashMap;

use diesel::Queryable;
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::sql_types::Nullable;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::StoreError;
use domain::reservation::Reservation;
use domain::{ConcertId, QueueNumber, ReservationId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::error::BatchError;
use crate::connections::statement::statement;
use crate::schema::{concerts, reservation_seats, schedules};
use crate::tables::columns::{self, Column, inconsistent};
use crate::tables::reservations::{NumberedSeatRow, ReservationRow};
use crate::tables::schedules::start;

/// The columns of [`SeatedRow`].
type SqlSeated = (
    AsSelect<ReservationRow, Pg>,
    Column<schedules::concert_id>,
    Column<schedules::starts_at>,
    Column<schedules::offset_minutes>,
    Column<concerts::title>,
    Nullable<(Column<reservation_seats::seat_id>, Column<reservation_seats::number>, Column<reservation_seats::price>)>,
);

/// A reservation with what its schedule tells, and one of its seats.
#[derive(Queryable)]
pub(crate) struct SeatedRow {
    reservation: ReservationRow,
    concert_id: Uuid,
    starts_at: OffsetDateTime,
    offset_minutes: i32,
    title: String,
    seat: Option<NumberedSeatRow>,
}

statement! {
    /// Reservations with their seats, a row for each seat.
    FindReservations { queue: i32, ids: Vec<Uuid> } -> SqlSeated =
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
    ListReservations { queue: i32, user: String, before: Uuid, limit: i64 } -> SqlSeated =
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

/// Reservations as stored, in the order of their rows.
pub(crate) fn seated(queue: QueueNumber, rows: Vec<SeatedRow>) -> Result<Vec<Reservation>, StoreError> {
    let mut reservations: Vec<Reservation> = Vec::new();
    for row in rows {
        let (id, found) = (ReservationId::new(row.reservation.id), row.reservation.bare()?);
        let Some(seat) = row.seat else {
            return Err(inconsistent("reservation_seats", "reservation_id", format!("{id} has no seats")));
        };
        let seat = seat.seat()?;
        match reservations.last_mut().filter(|last| last.id == id) {
            Some(last) => last.seats.push(seat),
            None => reservations.push(Reservation {
                id,
                queue,
                user: found.user,
                concert: ConcertId::new(row.concert_id),
                schedule: found.schedule,
                title: row.title.into(),
                starts_at: start(row.starts_at, row.offset_minutes)?,
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
    let find = FindReservations { queue: columns::queue(queue), ids: ids.iter().map(|id| id.uuid()).collect() };
    let found = seated(queue, find.load(&mut &*conn).await?)?;
    Ok(found.into_iter().map(|reservation| (reservation.id, reservation)).collect())
}
