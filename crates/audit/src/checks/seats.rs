//! Seats: each is of one live reservation at most, and both sides agree on which.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "a sold seat is of no CONFIRMED reservation (R14)",
        sql: "SELECT s.queue, s.schedule_id AS schedule, s.number AS seat, s.reservation_id AS reservation, r.status
              FROM seats s LEFT JOIN reservations r ON r.queue = s.queue AND r.id = s.reservation_id
              WHERE s.reservation_id IS NOT NULL AND s.held_until IS NULL AND (r.id IS NULL OR r.status <> 'CONFIRMED')
              ORDER BY s.queue, s.schedule_id, s.number",
    },
    Check {
        finding: "a seat of a CONFIRMED reservation is not sold to it (R14)",
        sql: "SELECT r.queue, r.id AS reservation, rs.number AS seat, s.reservation_id AS sold_to, s.held_until
              FROM reservations r
              JOIN reservation_seats rs ON rs.queue = r.queue AND rs.reservation_id = r.id
              LEFT JOIN seats s ON s.queue = rs.queue AND s.id = rs.seat_id
              WHERE r.status = 'CONFIRMED'
                AND (s.reservation_id IS NULL OR s.reservation_id <> r.id OR s.held_until IS NOT NULL)
              ORDER BY r.queue, r.id, rs.number",
    },
    Check {
        finding: "a seat of a PENDING reservation is not held by it until it ends (R9)",
        sql: "SELECT r.queue, r.id AS reservation, rs.number AS seat, s.reservation_id AS held_by, s.held_until,
                     r.expires_at
              FROM reservations r
              JOIN reservation_seats rs ON rs.queue = r.queue AND rs.reservation_id = r.id
              LEFT JOIN seats s ON s.queue = rs.queue AND s.id = rs.seat_id
              WHERE r.status = 'PENDING'
                AND (s.reservation_id IS NULL OR s.reservation_id <> r.id
                     OR s.held_until IS NULL OR s.held_until <> r.expires_at)
              ORDER BY r.queue, r.id, rs.number",
    },
    Check {
        // A reservation that ran out may leave its seats behind: their hold is dead by the same clock.
        finding: "a seat is held by a reservation that is over (R7)",
        sql: "SELECT s.queue, s.schedule_id AS schedule, s.number AS seat, s.reservation_id AS reservation, r.status,
                     s.held_until
              FROM seats s LEFT JOIN reservations r ON r.queue = s.queue AND r.id = s.reservation_id
              WHERE s.held_until IS NOT NULL
                AND (r.id IS NULL
                     OR r.status = 'CANCELLED' AND (r.cancel_reason <> 'EXPIRED' OR s.held_until > r.expires_at))
              ORDER BY s.queue, s.schedule_id, s.number",
    },
    Check {
        finding: "a taken seat is not among the seats of its reservation (R8)",
        sql: "SELECT s.queue, s.schedule_id AS schedule, s.number AS seat, s.reservation_id AS reservation
              FROM seats s
              WHERE s.reservation_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM reservation_seats rs
                                WHERE rs.queue = s.queue AND rs.reservation_id = s.reservation_id
                                  AND rs.seat_id = s.id)
              ORDER BY s.queue, s.schedule_id, s.number",
    },
    Check {
        finding: "a seat is of more than one live reservation (R7)",
        sql: "SELECT queue, seat, reservation, other_reservation
              FROM (SELECT rs.queue, rs.seat_id AS seat, r.id AS reservation,
                           lead(r.id) OVER (PARTITION BY rs.queue, rs.seat_id ORDER BY r.id) AS other_reservation
                    FROM reservation_seats rs
                    JOIN reservations r ON r.queue = rs.queue AND r.id = rs.reservation_id
                    WHERE r.status <> 'CANCELLED') AS live
              WHERE other_reservation IS NOT NULL ORDER BY queue, seat, reservation",
    },
    Check {
        finding: "a reservation has a seat of no schedule, of another one, or of another number (R8)",
        sql: "SELECT r.queue, r.id AS reservation, rs.number AS seat, s.number AS seat_number,
                     s.schedule_id AS seat_schedule
              FROM reservations r
              JOIN reservation_seats rs ON rs.queue = r.queue AND rs.reservation_id = r.id
              LEFT JOIN seats s ON s.queue = rs.queue AND s.id = rs.seat_id
              WHERE s.id IS NULL OR s.schedule_id <> r.schedule_id OR s.number <> rs.number
              ORDER BY r.queue, r.id, rs.number",
    },
    Check {
        finding: "a price is below nothing (ADR 3)",
        sql: "SELECT \"table\", queue, seat, price
              FROM (SELECT 'seats' AS \"table\", queue, id AS seat, price FROM seats WHERE price < 0
                    UNION ALL
                    SELECT 'reservation_seats', queue, seat_id, price FROM reservation_seats WHERE price < 0) AS low
              ORDER BY queue, seat, \"table\"",
    },
];
