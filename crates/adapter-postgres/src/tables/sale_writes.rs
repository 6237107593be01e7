//! What is written of reservations, seats, payments and their keys.

use bigdecimal::BigDecimal;
use domain::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::sale::working_set::{Changed, Operation, WorkingSet};
use crate::tables::rows::{big, decimal, int, status_columns};

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
        paid: Vec<OffsetDateTime>, seqs: Vec<i64>, keys: Vec<Option<String>>, prints: Vec<Option<Vec<u8>>>,
    } -> () =
    "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq, idempotency_key, fingerprint)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " reservations ", " users ", " amounts ", " paid ", " seqs ", " keys ", " prints ") AS n"
}

statement! {
    /// Keys that the rule has forgotten and that are used again; nobody waits for these rows any more.
    ForgetReservationKeys { queue: i32, ids: Vec<Uuid> } -> () =
    "UPDATE reservations SET idempotency_key = NULL, fingerprint = NULL
     WHERE queue = " queue " AND id = ANY (" ids ")"
}

statement! {
    /// The same of payments.
    ForgetPaymentKeys { queue: i32, ids: Vec<Uuid> } -> () =
    "UPDATE payments SET idempotency_key = NULL, fingerprint = NULL
     WHERE queue = " queue " AND id = ANY (" ids ")"
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
    InsertReservations {
        queue,
        ids: new.iter().map(|r| r.id.uuid()).collect(),
        users: new.iter().map(|r| r.user.as_str().to_owned()).collect(),
        schedules: new.iter().map(|r| r.schedule.uuid()).collect(),
        amounts: new.iter().map(|r| decimal(&r.amount)).collect(),
        statuses: new.iter().map(|r| status_columns(r.status).0.to_owned()).collect(),
        reserved: new.iter().map(|r| r.reserved_at.to_utc()).collect(),
        expires: new.iter().map(|r| r.expires_at.to_utc()).collect(),
        keys: new.iter().map(|r| changed.key(r.id.uuid())).collect(),
        prints: new.iter().map(|r| changed.fingerprint(r.id.uuid())).collect(),
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

pub(crate) fn insert_payments(queue: i32, changed: &Changed) -> InsertPayments {
    let payments = &changed.payments;
    InsertPayments {
        queue,
        ids: payments.iter().map(|(p, _)| p.id.uuid()).collect(),
        reservations: payments.iter().map(|(p, _)| p.reservation.uuid()).collect(),
        users: payments.iter().map(|(p, _)| p.user.as_str().to_owned()).collect(),
        amounts: payments.iter().map(|(p, _)| decimal(&p.amount)).collect(),
        paid: payments.iter().map(|(p, _)| p.paid_at.to_utc()).collect(),
        seqs: payments.iter().map(|(_, seq)| big(*seq)).collect(),
        keys: payments.iter().map(|(p, _)| changed.key(p.id.uuid())).collect(),
        prints: payments.iter().map(|(p, _)| changed.fingerprint(p.id.uuid())).collect(),
    }
}

pub(crate) fn forget_reservation_keys(queue: i32, changed: &Changed) -> ForgetReservationKeys {
    ForgetReservationKeys { queue, ids: changed.forgotten_of(Operation::Hold) }
}

pub(crate) fn forget_payment_keys(queue: i32, changed: &Changed) -> ForgetPaymentKeys {
    ForgetPaymentKeys { queue, ids: changed.forgotten_of(Operation::Pay) }
}
