//! What belongs to what: every row is of something that is there. What is paid for, and whose wallets entries are in, is
//! looked at beside the rest of payments and wallets.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "a queue and its name are not both there (ADR 7)",
        sql: "SELECT q.queue, g.number, g.name FROM queues q FULL JOIN queue_registry g ON g.number = q.queue
              WHERE q.queue IS NULL OR g.number IS NULL ORDER BY q.queue, g.number",
    },
    Check {
        finding: "rows are of no queue (ADR 7)",
        sql: "SELECT n.\"table\", n.queue, n.\"rows\"
              FROM (SELECT 'policies' AS \"table\", queue, count(*) AS \"rows\" FROM policies GROUP BY queue
                    UNION ALL SELECT 'tokens', queue, count(*) FROM tokens GROUP BY queue
                    UNION ALL SELECT 'concerts', queue, count(*) FROM concerts GROUP BY queue
                    UNION ALL SELECT 'schedules', queue, count(*) FROM schedules GROUP BY queue
                    UNION ALL SELECT 'seats', queue, count(*) FROM seats GROUP BY queue
                    UNION ALL SELECT 'reservations', queue, count(*) FROM reservations GROUP BY queue
                    UNION ALL SELECT 'reservation_seats', queue, count(*) FROM reservation_seats GROUP BY queue
                    UNION ALL SELECT 'payments', queue, count(*) FROM payments GROUP BY queue) AS n
              LEFT JOIN queues q ON q.queue = n.queue
              WHERE q.queue IS NULL ORDER BY n.queue, n.\"table\"",
    },
    Check {
        finding: "what was loaded under a key is not there (R15)",
        sql: "SELECT l.queue, l.idempotency_key AS \"key\", l.concert_id AS concert
              FROM loadings l LEFT JOIN concerts c ON c.queue = l.queue AND c.id = l.concert_id
              WHERE c.id IS NULL ORDER BY l.queue, l.idempotency_key",
    },
    Check {
        finding: "a schedule is of no concert (ADR 7)",
        sql: "SELECT s.queue, s.id AS schedule, s.concert_id AS concert
              FROM schedules s LEFT JOIN concerts c ON c.queue = s.queue AND c.id = s.concert_id
              WHERE c.id IS NULL ORDER BY s.queue, s.id",
    },
    Check {
        finding: "a schedule has not as many seats as it says (ADR 7)",
        sql: "SELECT s.queue, s.id AS schedule, s.seats_total, coalesce(n.seats, 0) AS seats
              FROM schedules s
              LEFT JOIN (SELECT queue, schedule_id, count(*) AS seats FROM seats GROUP BY queue, schedule_id) AS n
                ON n.queue = s.queue AND n.schedule_id = s.id
              WHERE s.seats_total <> coalesce(n.seats, 0) ORDER BY s.queue, s.id",
    },
    Check {
        finding: "seats are of no schedule (ADR 7)",
        sql: "SELECT n.queue, n.schedule, n.seats
              FROM (SELECT queue, schedule_id AS schedule, count(*) AS seats FROM seats GROUP BY queue, schedule_id) AS n
              LEFT JOIN schedules s ON s.queue = n.queue AND s.id = n.schedule
              WHERE s.id IS NULL ORDER BY n.queue, n.schedule",
    },
    Check {
        finding: "a reservation is of no schedule (ADR 7)",
        sql: "SELECT r.queue, r.id AS reservation, r.schedule_id AS schedule
              FROM reservations r LEFT JOIN schedules s ON s.queue = r.queue AND s.id = r.schedule_id
              WHERE s.id IS NULL ORDER BY r.queue, r.id",
    },
    Check {
        finding: "a reserved seat is of no reservation (ADR 7)",
        sql: "SELECT rs.queue, rs.reservation_id AS reservation, rs.number AS seat
              FROM reservation_seats rs LEFT JOIN reservations r ON r.queue = rs.queue AND r.id = rs.reservation_id
              WHERE r.id IS NULL ORDER BY rs.queue, rs.reservation_id, rs.number",
    },
];
