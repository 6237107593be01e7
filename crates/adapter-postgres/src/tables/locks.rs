//! The statements that read under lock.
//!
//! Lock order: queue, token, seat, reservation, wallet, each ascending by key. A statement that needs
//! what an earlier one locks looks it up again by itself: under READ COMMITTED it sees what is true once the locks are
//! held, and no second round trip is needed.
//!
//! What is looked up stands in LATERAL subqueries that are planned on their own, by the whole key. Joined freely, a planner
//! that has no statistics of a sale that has just begun takes the queue alone to be selective, and walks all of it.

use diesel::dsl::AsSelect;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Numeric, Text, Timestamptz};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::statement;
use crate::tables::wallet_rows::WalletRow;

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

pub(crate) type SqlToken = (
    BigInt,
    Text,
    Text,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<SqlUuid>,
    Nullable<BigInt>,
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
    /// The tokens of these numbers, the live ones of these users, and, when at most `waiting` wait so that there may be an
    /// admission, the first `most` of those whose deadline is over.
    LockTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, waiting: i64, most: i64, now: Option<OffsetDateTime>,
    } -> SqlToken =
    "SELECT t.number, t.user_id, t.status, t.issued_at, t.activated_at, t.deadline, t.ended_at, t.end_reason,
            t.paid_reservation, t.out_version
     FROM (SELECT n FROM (
              SELECT unnest(" numbers ")
              UNION
              SELECT (SELECT m.number FROM tokens m
                      WHERE m.queue = " queue " AND m.user_id = u AND m.ended_at IS NULL)
              FROM unnest(" users ") AS u
              UNION
              SELECT d.number
              FROM (SELECT number FROM tokens
                    WHERE (SELECT issued - frontier - ended_beyond FROM queues WHERE queue = " queue ") <= " waiting "
                      AND queue = " queue " AND status = 'ACTIVE' AND deadline <= coalesce(" now ", statement_timestamp())
                    ORDER BY deadline
                    LIMIT " most ") AS d
           ) AS wanted (n)
           ORDER BY n) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM tokens WHERE queue = " queue " AND number = a.n FOR NO KEY UPDATE) AS t"
}

statement! {
    /// The seats of these ids, of these numbers in their schedules, and of these reservations.
    LockSeats {
        queue: i32, ids: Vec<Uuid>, schedules: Vec<Uuid>, numbers: Vec<i32>, reservations: Vec<Uuid>, leavers: Vec<i64>,
    } -> (
        SqlUuid, SqlUuid, Integer, Numeric, Nullable<SqlUuid>, Nullable<Timestamptz>,
    ) =
    "SELECT s.id, s.schedule_id, s.number, s.price, s.reservation_id, s.held_until
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
         SELECT * FROM seats WHERE queue = " queue " AND id = a.i FOR NO KEY UPDATE) AS s"
}

statement! {
    /// These reservations, and those that leavers give up.
    LockReservations { queue: i32, ids: Vec<Uuid>, leavers: Vec<i64> } -> (
        SqlUuid, Text, SqlUuid, Numeric, Text, Nullable<Text>, Timestamptz, Timestamptz,
    ) =
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
    FindReservedSeats { queue: i32, reservations: Vec<Uuid>, leavers: Vec<i64> } -> (SqlUuid, SqlUuid, Integer, Numeric) =
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
    /// Of the users of these tickets: what they hold (R8), and what these keys of theirs recorded (R15). Whether it is
    /// PENDING, until when, how many seats; the key, what was asked with it, and when.
    FindHolds { queue: i32, numbers: Vec<i64>, keys: Vec<Option<String>> } -> (
        (Text, SqlUuid), (Bool, Timestamptz, BigInt), (Nullable<Text>, Nullable<Binary>, Timestamptz),
    ) =
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
    /// What these keys recorded of payments by the users of these tickets.
    FindPaid { queue: i32, numbers: Vec<i64>, keys: Vec<Option<String>> } -> (
        (Text, SqlUuid), (Nullable<Text>, Nullable<Binary>, Timestamptz),
    ) =
    "SELECT p.user_id, p.id, p.idempotency_key, p.fingerprint, p.paid_at
     FROM unnest(" numbers ", " keys ") AS a (number, key)
     CROSS JOIN LATERAL (
         SELECT user_id FROM tokens WHERE queue = " queue " AND number = a.number OFFSET 0) AS t
     CROSS JOIN LATERAL (
         SELECT * FROM payments
         WHERE queue = " queue " AND user_id = t.user_id AND idempotency_key = a.key OFFSET 0) AS p"
}

statement! {
    /// The wallets of the users of these tickets.
    LockWallets { queue: i32, numbers: Vec<i64> } -> AsSelect<WalletRow, Pg> =
    "SELECT w.user_id, w.balance, w.last_seq
     FROM (SELECT DISTINCT t.user_id
           FROM unnest(" numbers ") AS p (number)
           CROSS JOIN LATERAL (
               SELECT user_id FROM tokens WHERE queue = " queue " AND number = p.number OFFSET 0) AS t
           ORDER BY t.user_id) AS a
     CROSS JOIN LATERAL (
         SELECT * FROM wallets WHERE user_id = a.user_id FOR NO KEY UPDATE) AS w"
}
