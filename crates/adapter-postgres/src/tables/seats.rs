//! Rows of `seats`.

use bigdecimal::BigDecimal;
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text};
use diesel::{Queryable, Selectable};
use domain::ports::StoreError;
use domain::seat::{Seat, Taken};
use domain::{ReservationId, ScheduleId, SeatId, Timestamp, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::seats;
use crate::tables::columns::{decimal, inconsistent, instant, int, money, small};

/// A row of `seats`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = seats, check_for_backend(Pg))]
pub(crate) struct SeatRow {
    pub(crate) id: Uuid,
    pub(crate) schedule_id: Uuid,
    pub(crate) number: i32,
    price: BigDecimal,
    reservation_id: Option<Uuid>,
    held_until: Option<OffsetDateTime>,
}

impl SeatRow {
    pub(crate) fn seat(&self) -> Result<Seat, StoreError> {
        let taken = match (self.reservation_id, self.held_until) {
            (Some(by), until) => Some(Taken { by: ReservationId::new(by), until: until.map(instant) }),
            (None, None) => None,
            (None, Some(_)) => return Err(inconsistent("seats", "held_until", self.id)),
        };
        Ok(Seat {
            id: SeatId::new(self.id),
            schedule: ScheduleId::new(self.schedule_id),
            number: small("seats", "number", self.number)?,
            price: money("seats", "price", &self.price)?,
            taken,
        })
    }
}

/// A seat, and who has bought it if it is sold. Of one that is held, whoever holds another one in the same batch knows.
#[derive(Queryable)]
pub(crate) struct LockedSeatRow {
    pub(crate) seat: SeatRow,
    pub(crate) buyer: Option<String>,
}

impl LockedSeatRow {
    /// By which reservation it was bought, and who made that.
    pub(crate) fn bought(&self) -> Option<(ReservationId, UserId)> {
        Some((ReservationId::new(self.seat.reservation_id?), UserId::parse(self.buyer.as_ref()?)?))
    }
}

statement! {
    /// The seats of these ids, of these numbers in their schedules, and of these reservations.
    LockSeats {
        queue: i32, ids: Vec<Uuid>, schedules: Vec<Uuid>, numbers: Vec<i32>, reservations: Vec<Uuid>, leavers: Vec<i64>,
    } -> (AsSelect<SeatRow, Pg>, Nullable<Text>) =
    "SELECT s.id, s.schedule_id, s.number, s.price, s.reservation_id, s.held_until, b.user_id
     FROM (SELECT i FROM (
              SELECT unnest(" ids ")
              UNION
              SELECT (SELECT x.id FROM seats x
                      WHERE x.queue = " queue " AND x.schedule_id = c.schedule_id AND x.number = c.number)
              FROM unnest(" schedules ", " numbers ") AS c (schedule_id, number)
              UNION
              SELECT x.seat_id
              FROM (SELECT unnest(" reservations ")
                    UNION
                    SELECT r.id
                    FROM unnest(" leavers ") AS l (number)
                    CROSS JOIN LATERAL (
                        SELECT user_id FROM tokens WHERE queue = " queue " AND number = l.number OFFSET 0) AS t
                    CROSS JOIN LATERAL (
                        SELECT id FROM reservations
                        WHERE queue = " queue " AND user_id = t.user_id AND status = 'PENDING' OFFSET 0) AS r) AS w (id)
              CROSS JOIN LATERAL (
                  SELECT seat_id FROM reservation_seats
                  WHERE queue = " queue " AND reservation_id = w.id OFFSET 0) AS x
           ) AS wanted (i)
           ORDER BY i) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM seats WHERE queue = " queue " AND id = a.i FOR NO KEY UPDATE) AS s
     LEFT JOIN LATERAL (
         SELECT user_id FROM reservations
         WHERE queue = " queue " AND id = s.reservation_id AND s.held_until IS NULL OFFSET 0) AS b ON true"
}

statement! {
    /// Rows that are there and locked; found by the conflict.
    UpdateSeats {
        queue: i32, ids: Vec<Uuid>, schedules: Vec<Uuid>, numbers: Vec<i32>, prices: Vec<BigDecimal>,
        reservations: Vec<Option<Uuid>>, until: Vec<Option<OffsetDateTime>>,
    } -> () =
    "INSERT INTO seats (queue, id, schedule_id, number, price, reservation_id, held_until)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " schedules ", " numbers ", " prices ", " reservations ", " until ") AS n
     ON CONFLICT (queue, id) DO UPDATE SET reservation_id = excluded.reservation_id, held_until = excluded.held_until"
}

pub(crate) fn update_seats(queue: i32, seats: &[&Seat]) -> UpdateSeats {
    UpdateSeats {
        queue,
        ids: seats.iter().map(|s| s.id.uuid()).collect(),
        schedules: seats.iter().map(|s| s.schedule.uuid()).collect(),
        numbers: seats.iter().map(|s| int(s.number)).collect(),
        prices: seats.iter().map(|s| decimal(&s.price)).collect(),
        reservations: seats.iter().map(|s| s.taken.map(|taken| taken.by.uuid())).collect(),
        until: seats.iter().map(|s| s.taken.and_then(|taken| taken.until).map(Timestamp::to_utc)).collect(),
    }
}
