//! Reservations: what was held was free, by somebody who might, and before the sale closed; and what was asked with a key
//! was done once.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "a reservation's amount is not the sum of its seats' prices (R9)",
        sql: "SELECT r.queue, r.id AS reservation, r.amount, sum(rs.price) AS prices
              FROM reservations r
              LEFT JOIN reservation_seats rs ON rs.queue = r.queue AND rs.reservation_id = r.id
              GROUP BY r.queue, r.id, r.amount
              HAVING count(rs.number) = 0 OR sum(rs.price) <> r.amount ORDER BY r.queue, r.id",
    },
    Check {
        finding: "a reservation's state and why it was cancelled disagree (R17)",
        sql: "SELECT queue, id AS reservation, status, cancel_reason FROM reservations
              WHERE status NOT IN ('PENDING', 'CONFIRMED', 'CANCELLED')
                 OR (status = 'CANCELLED') <> (cancel_reason IS NOT NULL)
                 OR cancel_reason NOT IN ('EXPIRED', 'USER', 'LEFT')
              ORDER BY queue, id",
    },
    Check {
        finding: "a hold ended as it began (R9)",
        sql: "SELECT queue, id AS reservation, reserved_at, expires_at FROM reservations
              WHERE expires_at <= reserved_at ORDER BY queue, id",
    },
    Check {
        finding: "a reservation was made when its schedule had started (R11)",
        sql: "SELECT r.queue, r.id AS reservation, r.reserved_at, s.starts_at
              FROM reservations r JOIN schedules s ON s.queue = r.queue AND s.id = r.schedule_id
              WHERE r.reserved_at >= s.starts_at ORDER BY r.queue, r.id",
    },
    Check {
        // What was given back in time was so at a moment that nobody noted: it hinders nobody here. The moments of two
        // transactions on several servers may be a little out of their order: who came within a second is left out.
        finding: "a seat was held while another reservation had it (R7)",
        sql: "SELECT queue, seat, reservation, reserved_at, nullif(taken_until, 9223372036854775807) AS taken_until
              FROM (SELECT rs.queue, rs.seat_id AS seat, r.id AS reservation, r.reserved_at,
                           max(CASE WHEN r.status = 'CONFIRMED' THEN 9223372036854775807
                                    WHEN r.status = 'PENDING' OR r.cancel_reason = 'EXPIRED' THEN r.expires_at END)
                             OVER (PARTITION BY rs.queue, rs.seat_id ORDER BY r.reserved_at
                                   RANGE BETWEEN UNBOUNDED PRECEDING AND 1000000 PRECEDING) AS taken_until
                    FROM reservation_seats rs
                    JOIN reservations r ON r.queue = rs.queue AND r.id = rs.reservation_id) AS holds
              WHERE reserved_at < taken_until ORDER BY queue, seat, reserved_at",
    },
    Check {
        // Of what else the user had when this was held. What was given back in time was so at a moment that nobody noted: it
        // hinders nobody here. A hold that ended within a second is left out, as above.
        finding: "a user has more seats of a schedule than one may have (R8)",
        sql: "SELECT queue, reservation, \"user\", schedule, max_per_user, sum(seats) AS seats
              FROM (SELECT r.queue, r.id AS reservation, r.user_id AS \"user\", s.id AS schedule, s.max_per_user,
                           (SELECT count(*) FROM reservation_seats rs
                            WHERE rs.queue = o.queue AND rs.reservation_id = o.id) AS seats
                    FROM schedules s
                    JOIN reservations r ON r.queue = s.queue AND r.schedule_id = s.id
                    JOIN reservations o
                      ON o.queue = r.queue AND o.user_id = r.user_id AND o.schedule_id = r.schedule_id
                    WHERE s.max_per_user IS NOT NULL
                      AND (o.id = r.id OR o.reserved_at <= r.reserved_at
                           AND (o.status = 'CONFIRMED'
                                OR (o.status = 'PENDING' OR o.cancel_reason = 'EXPIRED')
                                   AND o.expires_at > r.reserved_at + 1000000))) AS owned
              GROUP BY queue, reservation, \"user\", schedule, max_per_user
              HAVING sum(seats) > max_per_user ORDER BY queue, reservation",
    },
    Check {
        // The same, over all schedules of a concert.
        finding: "a user has more seats of a concert than one may have (R8)",
        sql: "SELECT queue, reservation, \"user\", concert, max_per_user, sum(seats) AS seats
              FROM (SELECT r.queue, r.id AS reservation, r.user_id AS \"user\", c.id AS concert, c.max_per_user,
                           (SELECT count(*) FROM reservation_seats rs
                            WHERE rs.queue = o.queue AND rs.reservation_id = o.id) AS seats
                    FROM concerts c
                    JOIN schedules s ON s.queue = c.queue AND s.concert_id = c.id
                    JOIN reservations r ON r.queue = s.queue AND r.schedule_id = s.id
                    JOIN reservations o ON o.queue = r.queue AND o.user_id = r.user_id
                    JOIN schedules os ON os.queue = o.queue AND os.id = o.schedule_id AND os.concert_id = c.id
                    WHERE c.max_per_user IS NOT NULL
                      AND (o.id = r.id OR o.reserved_at <= r.reserved_at
                           AND (o.status = 'CONFIRMED'
                                OR (o.status = 'PENDING' OR o.cancel_reason = 'EXPIRED')
                                   AND o.expires_at > r.reserved_at + 1000000))) AS owned
              GROUP BY queue, reservation, \"user\", concert, max_per_user
              HAVING sum(seats) > max_per_user ORDER BY queue, reservation",
    },
    Check {
        // A turn lasts as long as what is held in it; what was paid or given up held it no longer. A second either way, as
        // above. Materialized, so that the tokens of a user are looked up among those of all users, not among all of the queue.
        finding: "a reservation was made without an ACTIVE token that lasted as long (R5, R6)",
        sql: "WITH admitted AS MATERIALIZED (
                SELECT queue, user_id, number, activated_at, deadline, ended_at
                FROM tokens WHERE activated_at IS NOT NULL)
              SELECT r.queue, r.id AS reservation, r.user_id AS \"user\", r.reserved_at, r.expires_at
              FROM reservations r
              LEFT JOIN admitted t
                ON t.queue = r.queue AND t.user_id = r.user_id AND t.activated_at <= r.reserved_at + 1000000
               AND t.deadline >= CASE WHEN r.status = 'PENDING' OR r.cancel_reason = 'EXPIRED' THEN r.expires_at
                                      ELSE r.reserved_at - 1000000 END
               AND coalesce(t.ended_at, r.reserved_at) >= r.reserved_at - 1000000
              WHERE t.number IS NULL ORDER BY r.queue, r.id",
    },
    Check {
        // A payment ends selection at its own moment, at which a hold may have come before it. Of two tokens within a second
        // of it, which is as close as moments of several servers can be told apart, a hold may be either's.
        finding: "a hold began when its token's selection was over (R5)",
        sql: "WITH admitted AS MATERIALIZED (
                SELECT queue, user_id, activated_at, coalesce(selection_ends_at, deadline) AS selection_ends_at, ended_at
                FROM tokens WHERE activated_at IS NOT NULL),
              held AS (
                SELECT r.queue, r.id, r.user_id, r.reserved_at, max(t.selection_ends_at) AS selection_ends_at
                FROM reservations r
                JOIN admitted t
                  ON t.queue = r.queue AND t.user_id = r.user_id AND t.activated_at <= r.reserved_at + 1000000
                 AND coalesce(t.ended_at, r.reserved_at) >= r.reserved_at - 1000000
                GROUP BY r.queue, r.id, r.user_id, r.reserved_at)
              SELECT h.queue, h.id AS reservation, h.user_id AS \"user\", h.reserved_at, h.selection_ends_at
              FROM held h
              WHERE h.selection_ends_at < h.reserved_at
                 OR h.selection_ends_at = h.reserved_at
                    AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.queue = h.queue AND p.user_id = h.user_id
                                                               AND p.paid_at = h.reserved_at)
              ORDER BY h.queue, h.id",
    },
    Check {
        // So nobody stays longer than until selection and one hold are over. What was cancelled extends a turn no longer: where it
        // was the last hold, it ended the turn at a moment at which it had not run out yet, as its payment would have.
        finding: "a turn ends neither with selection nor with a hold (R5)",
        sql: "SELECT t.queue, t.number AS ticket, t.selection_ends_at, t.deadline, t.ended_at
              FROM tokens t
              WHERE t.deadline > t.selection_ends_at
                AND NOT EXISTS (SELECT 1 FROM reservations r
                                WHERE r.queue = t.queue AND r.user_id = t.user_id AND t.ended_at = t.deadline
                                  AND r.status <> 'PENDING' AND r.reserved_at <= t.ended_at AND r.expires_at >= t.ended_at)
                AND NOT EXISTS (SELECT 1 FROM reservations r
                                WHERE r.queue = t.queue AND r.user_id = t.user_id AND r.expires_at = t.deadline
                                  AND (t.ended_at IS NOT NULL OR r.status = 'PENDING' OR r.cancel_reason = 'EXPIRED'))
              ORDER BY t.queue, t.number",
    },
    Check {
        // What had run out by then was over without that, whether or not it was written. A second for the moments of servers.
        finding: "a hold is there that its user gave up with the place (R17)",
        sql: "SELECT r.queue, r.id AS reservation, r.expires_at, t.number AS ticket, t.ended_at
              FROM reservations r
              JOIN tokens t ON t.queue = r.queue AND t.user_id = r.user_id
              WHERE r.status = 'PENDING' AND t.end_reason = 'LEFT' AND t.activated_at <= r.reserved_at
                AND r.reserved_at < t.ended_at - 1000000 AND r.expires_at > t.ended_at + 1000000
              ORDER BY r.queue, r.id",
    },
    Check {
        finding: "an idempotency key was used twice (R15)",
        sql: "SELECT operation, queue, \"user\", idempotency_key AS \"key\", times
              FROM (SELECT 'hold' AS operation, queue, user_id AS \"user\", idempotency_key, count(*) AS times
                    FROM reservations WHERE idempotency_key IS NOT NULL GROUP BY queue, user_id, idempotency_key
                    UNION ALL
                    SELECT 'pay', queue, user_id, idempotency_key, count(*)
                    FROM payments WHERE idempotency_key IS NOT NULL GROUP BY queue, user_id, idempotency_key
                    UNION ALL
                    SELECT 'charge', 0, user_id, idempotency_key, count(*)
                    FROM entries WHERE idempotency_key IS NOT NULL GROUP BY user_id, idempotency_key) AS used
              WHERE times > 1 ORDER BY operation, queue, \"user\", idempotency_key",
    },
    Check {
        finding: "an idempotency key is kept without what was asked with it, or the reverse (R15)",
        sql: "SELECT operation, id, idempotency_key AS \"key\"
              FROM (SELECT 'hold' AS operation, id, idempotency_key, fingerprint FROM reservations
                    UNION ALL SELECT 'pay', id, idempotency_key, fingerprint FROM payments
                    UNION ALL SELECT 'charge', id, idempotency_key, fingerprint FROM entries) AS kept
              WHERE (idempotency_key IS NULL) <> (fingerprint IS NULL) ORDER BY operation, id",
    },
];
