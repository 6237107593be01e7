//! The statements that read under lock.
//!
//! Lock order: queue, token, (idempotency key), seat, reservation, wallet, each ascending by key. A statement that needs
//! what an earlier one locks looks it up again by itself: under READ COMMITTED it sees what is true once the locks are
//! held, and no second round trip is needed.

use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Numeric, Text, Timestamptz};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::statement::statement;

type SqlUuid = diesel::sql_types::Uuid;

pub(crate) type SqlQueue = (
    Text,
    Binary,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Integer,
    BigInt,
    Integer,
    Timestamptz,
    Integer,
    Integer,
    Integer,
    Bool,
);

statement! {
    /// Locks the queue's row. What stands in it is read by the next statement, which sees what is true under the lock:
    /// a policy that came into force while this one waited too.
    LockQueue { queue: i32 } -> Integer =
    "SELECT queue FROM queues WHERE queue = " queue " FOR NO KEY UPDATE"
}

statement! {
    /// The queue's row with the policy in force.
    FindQueue { queue: i32 } -> SqlQueue =
    "SELECT g.name, q.epoch, q.version, q.issued, q.admitted, q.frontier, q.ended_beyond, q.policy_seq,
            q.window_index, q.window_granted, p.since, p.max_active, p.batch, p.interval_seconds, p.paused
     FROM queues q
     JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
     JOIN queue_registry g ON g.number = q.queue
     WHERE q.queue = " queue
}

statement! {
    /// The tokens of these numbers, the newest of these users, and, for admission, those whose deadline is over.
    LockTokens { queue: i32, numbers: Vec<i64>, users: Vec<String>, due: bool, now: Option<OffsetDateTime> } -> (
        BigInt, Text, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>,
        Nullable<Text>, Nullable<SqlUuid>,
    ) =
    "SELECT number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason, paid_reservation
     FROM tokens
     WHERE queue = " queue " AND number = ANY (ARRAY(
        SELECT unnest(" numbers ")
        UNION
        SELECT (SELECT max(t.number) FROM tokens t WHERE t.queue = " queue " AND t.user_id = u)
        FROM unnest(" users ") AS u
        UNION
        SELECT t.number FROM tokens t
        WHERE " due " AND t.queue = " queue " AND t.status = 'ACTIVE' AND t.deadline <= coalesce(" now ", clock_timestamp())
     ))
     ORDER BY number
     FOR NO KEY UPDATE"
}

statement! {
    /// What these keys recorded for the users of these tickets.
    FindKeys { queue: i32, numbers: Vec<i64>, operations: Vec<String>, keys: Vec<String> } -> (
        BigInt, Text, Text, Binary, SqlUuid, Timestamptz,
    ) =
    "SELECT a.number, a.operation, a.key, k.fingerprint, k.result_id, k.created_at
     FROM unnest(" numbers ", " operations ", " keys ") AS a (number, operation, key)
     JOIN tokens t ON t.queue = " queue " AND t.number = a.number
     JOIN sale_keys k ON k.queue = " queue " AND k.user_id = t.user_id AND k.operation = a.operation AND k.key = a.key"
}

statement! {
    /// The seats of these ids, of these numbers in their schedules, and of these reservations.
    LockSeats {
        queue: i32, ids: Vec<Uuid>, schedules: Vec<Uuid>, numbers: Vec<i32>, reservations: Vec<Uuid>, leavers: Vec<i64>,
    } -> (
        SqlUuid, SqlUuid, Integer, Numeric, Nullable<SqlUuid>, Nullable<Timestamptz>,
    ) =
    "SELECT id, schedule_id, number, price, reservation_id, held_until
     FROM seats
     WHERE queue = " queue " AND id = ANY (ARRAY(
        SELECT unnest(" ids ")
        UNION
        SELECT (SELECT s.id FROM seats s WHERE s.queue = " queue " AND s.schedule_id = a.schedule_id AND s.number = a.number)
        FROM unnest(" schedules ", " numbers ") AS a (schedule_id, number)
        UNION
        SELECT r.seat_id FROM reservation_seats r WHERE r.queue = " queue " AND r.reservation_id = ANY (" reservations ")
        UNION
        SELECT s.seat_id
        FROM tokens t
        JOIN reservations r ON r.queue = " queue " AND r.user_id = t.user_id AND r.status = 'PENDING'
        JOIN reservation_seats s ON s.queue = " queue " AND s.reservation_id = r.id
        WHERE t.queue = " queue " AND t.number = ANY (" leavers ")
     ))
     ORDER BY id
     FOR NO KEY UPDATE"
}

statement! {
    /// These reservations, and those whose dead or live holds stand on these seats.
    LockReservations {
        queue: i32, ids: Vec<Uuid>, seats: Vec<Uuid>, schedules: Vec<Uuid>, numbers: Vec<i32>, leavers: Vec<i64>,
    } -> (
        SqlUuid, Text, SqlUuid, Numeric, Text, Nullable<Text>, Timestamptz, Timestamptz,
    ) =
    "SELECT id, user_id, schedule_id, amount, status, cancel_reason, reserved_at, expires_at
     FROM reservations
     WHERE queue = " queue " AND id = ANY (ARRAY(
        SELECT unnest(" ids ")
        UNION
        SELECT (SELECT s.reservation_id FROM seats s
                WHERE s.queue = " queue " AND s.id = a AND s.held_until IS NOT NULL)
        FROM unnest(" seats ") AS a
        UNION
        SELECT (SELECT s.reservation_id FROM seats s
                WHERE s.queue = " queue " AND s.schedule_id = a.schedule_id AND s.number = a.number AND s.held_until IS NOT NULL)
        FROM unnest(" schedules ", " numbers ") AS a (schedule_id, number)
        UNION
        SELECT r.id
        FROM tokens t
        JOIN reservations r ON r.queue = " queue " AND r.user_id = t.user_id AND r.status = 'PENDING'
        WHERE t.queue = " queue " AND t.number = ANY (" leavers ")
     ))
     ORDER BY id
     FOR NO KEY UPDATE"
}

statement! {
    /// The seats of these reservations and of those that leavers give up; they never change.
    FindReservedSeats { queue: i32, reservations: Vec<Uuid>, leavers: Vec<i64> } -> (SqlUuid, SqlUuid, Integer, Numeric) =
    "SELECT reservation_id, seat_id, number, price
     FROM reservation_seats
     WHERE queue = " queue " AND reservation_id = ANY (ARRAY(
        SELECT unnest(" reservations ")
        UNION
        SELECT r.id
        FROM tokens t
        JOIN reservations r ON r.queue = " queue " AND r.user_id = t.user_id AND r.status = 'PENDING'
        WHERE t.queue = " queue " AND t.number = ANY (" leavers ")
     ))
     ORDER BY reservation_id, number"
}

statement! {
    /// The PENDING reservations of the users of these tickets: how many seats, until when.
    FindPending { queue: i32, numbers: Vec<i64> } -> (Text, SqlUuid, Timestamptz, BigInt) =
    "SELECT r.user_id, r.id, r.expires_at,
            (SELECT count(*) FROM reservation_seats s WHERE s.queue = " queue " AND s.reservation_id = r.id)
     FROM tokens t
     JOIN reservations r ON r.queue = " queue " AND r.user_id = t.user_id AND r.status = 'PENDING'
     WHERE t.queue = " queue " AND t.number = ANY (" numbers ")"
}

statement! {
    /// The wallets of the users of these tickets.
    LockWallets { queue: i32, numbers: Vec<i64> } -> (Text, Numeric, BigInt) =
    "SELECT user_id, balance, last_seq
     FROM wallets
     WHERE user_id = ANY (ARRAY(SELECT user_id FROM tokens WHERE queue = " queue " AND number = ANY (" numbers ")))
     ORDER BY user_id
     FOR NO KEY UPDATE"
}

statement! {
    /// The time of the batch, after its locks, and the transaction to ask about should the answer to COMMIT be lost.
    Now {} -> (Timestamptz, Text) =
    "SELECT clock_timestamp(), pg_current_xact_id()::text"
}
