//! What is written of reservations, seats, payments and their keys.

use bigdecimal::BigDecimal;
use domain::payment::Payment;
use domain::reservation::Reservation;
use domain::sale::{BareReservation, Key};
use domain::seat::Seat;
use domain::{PaymentId, ReservationId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::rows::{big, decimal, fingerprint, int, key_text};

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

pub(crate) fn forget_reservation_keys(queue: i32, made: &[ReservationId]) -> ForgetReservationKeys {
    ForgetReservationKeys { queue, ids: made.iter().map(|id| id.uuid()).collect() }
}

pub(crate) fn forget_payment_keys(queue: i32, made: &[PaymentId]) -> ForgetPaymentKeys {
    ForgetPaymentKeys { queue, ids: made.iter().map(|id| id.uuid()).collect() }
}
