//! What is written of reservations, seats, payments and their keys.

use bigdecimal::BigDecimal;
use domain::Timestamp;
use domain::reservation::Reservation;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{big, decimal, int, status_columns};
use crate::statement::statement;
use crate::working_set::{Changed, WorkingSet};

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
        statuses: Vec<String>, reasons: Vec<Option<String>>, reserved: Vec<OffsetDateTime>, expires: Vec<OffsetDateTime>,
    } -> () =
    "INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, cancel_reason, reserved_at, expires_at)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " users ", " schedules ", " amounts ", " statuses ", " reasons ", " reserved ", " expires ") AS n"
}

statement! {
    InsertReservedSeats { queue: i32, reservations: Vec<Uuid>, numbers: Vec<i32>, seats: Vec<Uuid>, prices: Vec<BigDecimal> } -> () =
    "INSERT INTO reservation_seats (queue, reservation_id, number, seat_id, price)
     SELECT " queue ", n.* FROM unnest(" reservations ", " numbers ", " seats ", " prices ") AS n"
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

statement! {
    InsertPayments {
        queue: i32, ids: Vec<Uuid>, reservations: Vec<Uuid>, users: Vec<String>, amounts: Vec<BigDecimal>,
        paid: Vec<OffsetDateTime>, seqs: Vec<i64>,
    } -> () =
    "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
     SELECT " queue ", n.* FROM unnest(" ids ", " reservations ", " users ", " amounts ", " paid ", " seqs ") AS n"
}

statement! {
    /// A key that is written over is one that is forgotten: the rule saw to it, under the token's lock.
    InsertKeys {
        queue: i32, users: Vec<String>, operations: Vec<String>, keys: Vec<String>, prints: Vec<Vec<u8>>,
        results: Vec<Uuid>, created: OffsetDateTime,
    } -> () =
    "INSERT INTO sale_keys (queue, user_id, operation, key, fingerprint, result_id, created_at)
     SELECT " queue ", n.*, " created "
     FROM unnest(" users ", " operations ", " keys ", " prints ", " results ") AS n
     ON CONFLICT (queue, user_id, operation, key) DO UPDATE
     SET fingerprint = excluded.fingerprint, result_id = excluded.result_id, created_at = excluded.created_at"
}

pub(crate) fn update_reservations(queue: i32, set: &WorkingSet) -> UpdateReservations {
    let changed = set.changed.reservations.iter();
    let rows: Vec<_> = changed.filter_map(|id| set.reservations.get(id).map(|held| (id, held))).collect();
    UpdateReservations {
        queue,
        ids: rows.iter().map(|(id, _)| id.uuid()).collect(),
        users: rows.iter().map(|(_, held)| held.user.as_str().to_owned()).collect(),
        schedules: rows.iter().map(|(_, held)| held.schedule.uuid()).collect(),
        amounts: rows.iter().map(|(_, held)| decimal(&held.amount)).collect(),
        reserved: rows.iter().map(|(_, held)| held.reserved_at.to_utc()).collect(),
        expires: rows.iter().map(|(_, held)| held.expires_at.to_utc()).collect(),
        statuses: rows.iter().map(|(_, held)| status_columns(held.status).0.to_owned()).collect(),
        reasons: rows.iter().map(|(_, held)| status_columns(held.status).1.map(str::to_owned)).collect(),
    }
}

pub(crate) fn insert_reservations(queue: i32, changed: &Changed) -> InsertReservations {
    let new = &changed.new_reservations;
    let status = |r: &Reservation| status_columns(r.status);
    InsertReservations {
        queue,
        ids: new.iter().map(|r| r.id.uuid()).collect(),
        users: new.iter().map(|r| r.user.as_str().to_owned()).collect(),
        schedules: new.iter().map(|r| r.schedule.uuid()).collect(),
        amounts: new.iter().map(|r| decimal(&r.amount)).collect(),
        statuses: new.iter().map(|r| status(r).0.to_owned()).collect(),
        reasons: new.iter().map(|r| status(r).1.map(str::to_owned)).collect(),
        reserved: new.iter().map(|r| r.reserved_at.to_utc()).collect(),
        expires: new.iter().map(|r| r.expires_at.to_utc()).collect(),
    }
}

pub(crate) fn insert_reserved_seats(queue: i32, changed: &Changed) -> InsertReservedSeats {
    let rows: Vec<_> =
        changed.new_reservations.iter().flat_map(|r| r.seats.iter().map(move |seat| (r.id.uuid(), seat))).collect();
    InsertReservedSeats {
        queue,
        reservations: rows.iter().map(|(id, _)| *id).collect(),
        numbers: rows.iter().map(|(_, seat)| int(seat.number)).collect(),
        seats: rows.iter().map(|(_, seat)| seat.id.uuid()).collect(),
        prices: rows.iter().map(|(_, seat)| decimal(&seat.price)).collect(),
    }
}

pub(crate) fn update_seats(queue: i32, set: &WorkingSet) -> UpdateSeats {
    let seats: Vec<_> = set.changed.seats.iter().filter_map(|id| set.seats.get(id)).collect();
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

pub(crate) fn payments(queue: i32, changed: &Changed) -> InsertPayments {
    let payments = &changed.payments;
    InsertPayments {
        queue,
        ids: payments.iter().map(|(p, _)| p.id.uuid()).collect(),
        reservations: payments.iter().map(|(p, _)| p.reservation.uuid()).collect(),
        users: payments.iter().map(|(p, _)| p.user.as_str().to_owned()).collect(),
        amounts: payments.iter().map(|(p, _)| decimal(&p.amount)).collect(),
        paid: payments.iter().map(|(p, _)| p.paid_at.to_utc()).collect(),
        seqs: payments.iter().map(|(_, seq)| big(*seq)).collect(),
    }
}

pub(crate) fn keys(queue: i32, changed: &Changed, created: OffsetDateTime) -> InsertKeys {
    let keys = &changed.keys;
    InsertKeys {
        queue,
        users: keys.iter().map(|((user, _, _), _, _)| user.as_str().to_owned()).collect(),
        operations: keys.iter().map(|((_, operation, _), _, _)| (*operation).to_owned()).collect(),
        keys: keys.iter().map(|((_, _, key), _, _)| key.clone()).collect(),
        prints: keys.iter().map(|(_, print, _)| print.0.to_vec()).collect(),
        results: keys.iter().map(|(_, _, result)| *result).collect(),
        created,
    }
}
