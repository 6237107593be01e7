//! Rows of `reservations` and `reservation_seats`.

use bigdecimal::BigDecimal;
use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz};
use diesel::{Queryable, Selectable};
use domain::concert::NumberedSeat;
use domain::ports::StoreError;
use domain::reservation::{OwnSeats, Reservation, ReservationStatus};
use domain::sale::{BareReservation, Key};
use domain::{ConcertId, ReservationId, ScheduleId, SeatId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::schema::{reservation_seats, reservations, schedules};
use crate::tables::columns::{Column, decimal, inconsistent, instant, int, money, small, user};
use crate::tables::idempotency::{fingerprint, key_text};

/// A row of `reservations`, without the key that it was asked for with.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reservations, check_for_backend(Pg))]
pub(crate) struct ReservationRow {
    pub(crate) id: Uuid,
    user_id: String,
    schedule_id: Uuid,
    amount: BigDecimal,
    status: String,
    cancel_reason: Option<String>,
    reserved_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl ReservationRow {
    /// Whose it is, if that can be read.
    pub(crate) fn user(&self) -> Option<UserId> {
        UserId::stored(&self.user_id)
    }

    pub(crate) fn bare(&self) -> Result<BareReservation, StoreError> {
        Ok(BareReservation {
            user: user("reservations", &self.user_id)?,
            schedule: ScheduleId::new(self.schedule_id),
            amount: money("reservations", "amount", &self.amount)?,
            status: ReservationStatus::of_words(&self.status, self.cancel_reason.as_deref())
                .ok_or_else(|| inconsistent("reservations", "status", self.id))?,
            reserved_at: instant(self.reserved_at),
            expires_at: instant(self.expires_at),
        })
    }
}

/// A row of `reservation_seats`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reservation_seats, check_for_backend(Pg))]
pub(crate) struct ReservedSeatRow {
    pub(crate) reservation_id: Uuid,
    #[diesel(embed)]
    pub(crate) seat: NumberedSeatRow,
}

/// A row of `reservation_seats`, but for whose it is.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reservation_seats, check_for_backend(Pg))]
pub(crate) struct NumberedSeatRow {
    seat_id: Uuid,
    number: i32,
    price: BigDecimal,
}

impl NumberedSeatRow {
    pub(crate) fn seat(&self) -> Result<NumberedSeat, StoreError> {
        Ok(NumberedSeat {
            id: SeatId::new(self.seat_id),
            number: small("reservation_seats", "number", self.number)?,
            price: money("reservation_seats", "price", &self.price)?,
        })
    }
}

/// The columns of [`OwnSeatsRow`].
type SqlOwnSeats = (
    Column<reservations::user_id>,
    Column<reservations::id>,
    Column<schedules::concert_id>,
    Column<reservations::schedule_id>,
    Nullable<Timestamptz>,
    BigInt,
);

/// What a user holds or has bought of a concert.
#[derive(Queryable)]
pub(crate) struct OwnSeatsRow {
    user_id: String,
    id: Uuid,
    concert_id: Uuid,
    schedule_id: Uuid,
    /// When the hold ends; nothing when they are bought.
    until: Option<OffsetDateTime>,
    /// How many.
    seats: i64,
}

impl OwnSeatsRow {
    /// Whose, by which reservation, and what; nothing when it cannot be read whose.
    pub(crate) fn own_seats(&self) -> Option<(UserId, ReservationId, OwnSeats)> {
        let own = OwnSeats {
            concert: ConcertId::new(self.concert_id),
            schedule: ScheduleId::new(self.schedule_id),
            seats: u32::try_from(self.seats).unwrap_or(u32::MAX),
            until: self.until.map(instant),
        };
        Some((UserId::parse(&self.user_id)?, ReservationId::new(self.id), own))
    }
}

/// The columns of [`HoldRow`].
type SqlHold = (
    Column<reservations::user_id>,
    Column<reservations::id>,
    Bool,
    Column<reservations::expires_at>,
    BigInt,
    Column<reservations::idempotency_key>,
    Column<reservations::fingerprint>,
    Column<reservations::reserved_at>,
);

/// What a user holds or a key recorded.
#[derive(Queryable)]
pub(crate) struct HoldRow {
    pub(crate) user_id: String,
    pub(crate) id: Uuid,
    pub(crate) pending: bool,
    pub(crate) expires_at: OffsetDateTime,
    /// How many.
    pub(crate) seats: i64,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) fingerprint: Option<Vec<u8>>,
    pub(crate) reserved_at: OffsetDateTime,
}

statement! {
    /// These reservations, and those that leavers give up.
    LockReservations { queue: i32, ids: Vec<Uuid>, leavers: Vec<i64> } -> AsSelect<ReservationRow, Pg> =
    "SELECT r.id, r.user_id, r.schedule_id, r.amount, r.status, r.cancel_reason, r.reserved_at, r.expires_at
     FROM (SELECT i FROM (
              SELECT unnest(" ids ")
              UNION
              SELECT r.id
              FROM unnest(" leavers ") AS l (number)
              CROSS JOIN LATERAL (
                  SELECT user_id FROM tokens WHERE queue = " queue " AND number = l.number OFFSET 0) AS t
              CROSS JOIN LATERAL (
                  SELECT id FROM reservations
                  WHERE queue = " queue " AND user_id = t.user_id AND status = 'PENDING' OFFSET 0) AS r
           ) AS wanted (i)
           ORDER BY i) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM reservations WHERE queue = " queue " AND id = a.i FOR NO KEY UPDATE) AS r"
}

statement! {
    /// The seats of these reservations and of those that leavers give up; they never change.
    FindReservedSeats { queue: i32, reservations: Vec<Uuid>, leavers: Vec<i64> } -> AsSelect<ReservedSeatRow, Pg> =
    "SELECT x.reservation_id, x.seat_id, x.number, x.price
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
         SELECT * FROM reservation_seats WHERE queue = " queue " AND reservation_id = w.id OFFSET 0) AS x
     ORDER BY x.reservation_id, x.number"
}

statement! {
    /// Of the users of these tickets: what they hold (R5, R8), and what these keys of theirs recorded (R15).
    FindHolds { queue: i32, numbers: Vec<i64>, keys: Vec<Option<String>> } -> SqlHold =
    "SELECT r.user_id, r.id, r.status = 'PENDING', r.expires_at,
            (SELECT count(*) FROM reservation_seats s WHERE s.queue = " queue " AND s.reservation_id = r.id),
            r.idempotency_key, r.fingerprint, r.reserved_at
     FROM unnest(" numbers ", " keys ") AS a (number, key)
     CROSS JOIN LATERAL (
         SELECT user_id FROM tokens WHERE queue = " queue " AND number = a.number OFFSET 0) AS t
     CROSS JOIN LATERAL (
         SELECT * FROM reservations
         WHERE queue = " queue " AND user_id = t.user_id AND status = 'PENDING'
         UNION ALL
         SELECT * FROM reservations
         WHERE queue = " queue " AND user_id = t.user_id AND idempotency_key = a.key AND status <> 'PENDING'
         OFFSET 0) AS r"
}

statement! {
    /// Of the users of these tickets: what they hold and have bought of the concert of the schedule that each ticket wants seats
    /// of, or of the schedule that the seat is of, where that schedule or its concert limits how many a user may have (R8).
    FindOwnSeats { queue: i32, numbers: Vec<i64>, schedules: Vec<Option<Uuid>>, seats: Vec<Option<Uuid>> } -> SqlOwnSeats =
    "SELECT t.user_id, r.id, w.concert_id, r.schedule_id, CASE r.status WHEN 'PENDING' THEN r.expires_at END,
            (SELECT count(*) FROM reservation_seats x WHERE x.queue = " queue " AND x.reservation_id = r.id)
     FROM unnest(" numbers ", " schedules ", " seats ") AS a (number, schedule_id, seat_id)
     CROSS JOIN LATERAL (
         SELECT concert_id, max_per_user FROM schedules
         WHERE queue = " queue " AND id = coalesce(a.schedule_id, (
             SELECT x.schedule_id FROM seats x WHERE x.queue = " queue " AND x.id = a.seat_id)) OFFSET 0) AS w
     CROSS JOIN LATERAL (
         SELECT max_per_user FROM concerts WHERE queue = " queue " AND id = w.concert_id OFFSET 0) AS c
     CROSS JOIN LATERAL (
         SELECT user_id FROM tokens
         WHERE queue = " queue " AND number = a.number AND coalesce(w.max_per_user, c.max_per_user) IS NOT NULL
         OFFSET 0) AS t
     CROSS JOIN LATERAL (
         SELECT * FROM reservations
         WHERE queue = " queue " AND user_id = t.user_id AND status = 'PENDING'
         UNION ALL
         SELECT * FROM reservations
         WHERE queue = " queue " AND user_id = t.user_id AND status = 'CONFIRMED'
         OFFSET 0) AS r
     CROSS JOIN LATERAL (
         SELECT 1 FROM schedules
         WHERE queue = " queue " AND id = r.schedule_id AND concert_id = w.concert_id OFFSET 0) AS o"
}

statement! {
    /// Rows that are there and locked; found by the conflict.
    UpdateReservations {
        queue: i32, ids: Vec<Uuid>, users: Vec<String>, schedules: Vec<Uuid>, amounts: Vec<BigDecimal>,
        reserved: Vec<OffsetDateTime>, expires: Vec<OffsetDateTime>, statuses: Vec<String>, reasons: Vec<Option<String>>,
    } -> () =
    "INSERT INTO reservations (queue, id, user_id, schedule_id, amount, reserved_at, expires_at, status, cancel_reason)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " users ", " schedules ", " amounts ", " reserved ", " expires ", " statuses ", " reasons ") AS n
     ON CONFLICT (queue, id) DO UPDATE SET status = excluded.status, cancel_reason = excluded.cancel_reason"
}

statement! {
    InsertReservations {
        queue: i32, ids: Vec<Uuid>, users: Vec<String>, schedules: Vec<Uuid>, amounts: Vec<BigDecimal>,
        statuses: Vec<String>, reserved: Vec<OffsetDateTime>, expires: Vec<OffsetDateTime>, keys: Vec<Option<String>>,
        prints: Vec<Option<Vec<u8>>>,
    } -> () =
    "INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at,
                               idempotency_key, fingerprint)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " users ", " schedules ", " amounts ", " statuses ", " reserved ", " expires ", " keys ",
                 " prints ") AS n"
}

statement! {
    InsertReservedSeats { queue: i32, reservations: Vec<Uuid>, numbers: Vec<i32>, seats: Vec<Uuid>, prices: Vec<BigDecimal> } -> () =
    "INSERT INTO reservation_seats (queue, reservation_id, number, seat_id, price)
     SELECT " queue ", n.* FROM unnest(" reservations ", " numbers ", " seats ", " prices ") AS n"
}

statement! {
    /// Keys that the rule has forgotten and that are used again; nobody waits for these rows any more.
    ForgetReservationKeys { queue: i32, ids: Vec<Uuid> } -> () =
    "UPDATE reservations SET idempotency_key = NULL, fingerprint = NULL
     WHERE queue = " queue " AND id = ANY (" ids ")"
}

pub(crate) fn update_reservations(queue: i32, rows: &[(ReservationId, &BareReservation)]) -> UpdateReservations {
    UpdateReservations {
        queue,
        ids: rows.iter().map(|(id, _)| id.uuid()).collect(),
        users: rows.iter().map(|(_, r)| r.user.as_str().to_owned()).collect(),
        schedules: rows.iter().map(|(_, r)| r.schedule.uuid()).collect(),
        amounts: rows.iter().map(|(_, r)| decimal(&r.amount)).collect(),
        reserved: rows.iter().map(|(_, r)| r.reserved_at.to_utc()).collect(),
        expires: rows.iter().map(|(_, r)| r.expires_at.to_utc()).collect(),
        statuses: rows.iter().map(|(_, r)| r.status.words().0.to_owned()).collect(),
        reasons: rows.iter().map(|(_, r)| r.status.words().1.map(str::to_owned)).collect(),
    }
}

pub(crate) fn insert_reservations(queue: i32, new: &[&(Reservation, Option<Key>)]) -> InsertReservations {
    InsertReservations {
        queue,
        ids: new.iter().map(|(r, _)| r.id.uuid()).collect(),
        users: new.iter().map(|(r, _)| r.user.as_str().to_owned()).collect(),
        schedules: new.iter().map(|(r, _)| r.schedule.uuid()).collect(),
        amounts: new.iter().map(|(r, _)| decimal(&r.amount)).collect(),
        statuses: new.iter().map(|(r, _)| r.status.words().0.to_owned()).collect(),
        reserved: new.iter().map(|(r, _)| r.reserved_at.to_utc()).collect(),
        expires: new.iter().map(|(r, _)| r.expires_at.to_utc()).collect(),
        keys: new.iter().map(|(_, key)| key_text(key.as_ref())).collect(),
        prints: new.iter().map(|(_, key)| fingerprint(key.as_ref())).collect(),
    }
}

pub(crate) fn insert_reserved_seats(queue: i32, new: &[&(Reservation, Option<Key>)]) -> InsertReservedSeats {
    let rows: Vec<_> = new.iter().flat_map(|(r, _)| r.seats.iter().map(move |seat| (r.id.uuid(), seat))).collect();
    InsertReservedSeats {
        queue,
        reservations: rows.iter().map(|(id, _)| *id).collect(),
        numbers: rows.iter().map(|(_, seat)| int(seat.number)).collect(),
        seats: rows.iter().map(|(_, seat)| seat.id.uuid()).collect(),
        prices: rows.iter().map(|(_, seat)| decimal(&seat.price)).collect(),
    }
}

pub(crate) fn forget_reservation_keys(queue: i32, made: &[ReservationId]) -> ForgetReservationKeys {
    ForgetReservationKeys { queue, ids: made.iter().map(|id| id.uuid()).collect() }
}
