//! Payments: one for each CONFIRMED reservation, one wallet entry for each, and the end of selection or of a token.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "a CONFIRMED reservation has no payment, or several (R14)",
        sql: "SELECT r.queue, r.id AS reservation, count(p.id) AS payments
              FROM reservations r LEFT JOIN payments p ON p.queue = r.queue AND p.reservation_id = r.id
              WHERE r.status = 'CONFIRMED'
              GROUP BY r.queue, r.id HAVING count(p.id) <> 1 ORDER BY r.queue, r.id",
    },
    Check {
        finding: "a payment is of no CONFIRMED reservation (R14)",
        sql: "SELECT p.queue, p.id AS payment, p.reservation_id AS reservation, r.status
              FROM payments p LEFT JOIN reservations r ON r.queue = p.queue AND r.id = p.reservation_id
              WHERE r.id IS NULL OR r.status <> 'CONFIRMED' ORDER BY p.queue, p.id",
    },
    Check {
        finding: "a payment has not its reservation's amount and user (R13)",
        sql: "SELECT p.queue, p.id AS payment, p.amount, r.amount AS reservation_amount, p.user_id AS \"user\",
                     r.user_id AS reservation_user
              FROM payments p JOIN reservations r ON r.queue = p.queue AND r.id = p.reservation_id
              WHERE p.amount <> r.amount OR p.user_id <> r.user_id ORDER BY p.queue, p.id",
    },
    Check {
        finding: "a payment has no entry in its user's wallet (R14)",
        sql: "SELECT p.queue, p.id AS payment, p.user_id AS \"user\", p.entry_seq
              FROM payments p LEFT JOIN entries e ON e.user_id = p.user_id AND e.seq = p.entry_seq
              WHERE e.seq IS NULL ORDER BY p.queue, p.id",
    },
    Check {
        finding: "a payment and its entry disagree (R14)",
        sql: "SELECT p.queue, p.id AS payment, p.amount, p.reservation_id AS reservation, e.kind,
                     e.amount AS entry_amount, e.reservation_id AS entry_reservation
              FROM payments p JOIN entries e ON e.user_id = p.user_id AND e.seq = p.entry_seq
              WHERE e.kind <> 'PAYMENT' OR e.amount <> p.amount OR e.reservation_id <> p.reservation_id
              ORDER BY p.queue, p.id",
    },
    Check {
        // Materialized, because no index leads from an entry to its payment, and one is made of what is.
        finding: "a PAYMENT entry is of no payment (R14)",
        sql: "WITH paid AS MATERIALIZED (SELECT user_id, entry_seq FROM payments)
              SELECT e.user_id AS \"user\", e.seq, e.reservation_id AS reservation
              FROM entries e LEFT JOIN paid p ON p.user_id = e.user_id AND p.entry_seq = e.seq
              WHERE e.kind = 'PAYMENT' AND p.entry_seq IS NULL ORDER BY e.user_id, e.seq",
    },
    Check {
        // By a token whose turn it was, a second either way, as with reservations. An older program ended the token instead.
        finding: "a payment ended neither a token nor its selection (R14)",
        sql: "WITH admitted AS MATERIALIZED (
                SELECT queue, user_id, number, activated_at, selection_ends_at, deadline, ended_at, paid_reservation
                FROM tokens WHERE activated_at IS NOT NULL)
              SELECT p.queue, p.id AS payment, p.reservation_id AS reservation, p.user_id AS \"user\", p.paid_at
              FROM payments p
              LEFT JOIN admitted t
                ON t.queue = p.queue AND t.user_id = p.user_id AND t.activated_at <= p.paid_at + 1000000
               AND t.deadline >= p.paid_at - 1000000 AND coalesce(t.ended_at, p.paid_at) >= p.paid_at - 1000000
               AND (t.selection_ends_at <= p.paid_at OR t.paid_reservation = p.reservation_id)
              WHERE t.number IS NULL ORDER BY p.queue, p.id",
    },
    Check {
        finding: "a payment ended several tokens (R14)",
        sql: "SELECT queue, paid_reservation AS reservation, count(*) AS tokens, min(number) AS first_ticket
              FROM tokens WHERE paid_reservation IS NOT NULL
              GROUP BY queue, paid_reservation HAVING count(*) > 1 ORDER BY queue, paid_reservation",
    },
    Check {
        finding: "a token ended by a payment that is not there (R14)",
        sql: "SELECT t.queue, t.number AS ticket, t.paid_reservation AS reservation
              FROM tokens t
              WHERE t.end_reason = 'PAID'
                AND NOT EXISTS (SELECT 1 FROM payments p
                                WHERE p.queue = t.queue AND p.reservation_id = t.paid_reservation
                                  AND p.user_id = t.user_id)
              ORDER BY t.queue, t.number",
    },
    Check {
        finding: "what a token paid last is not paid (R14)",
        sql: "SELECT t.queue, t.number AS ticket, t.last_paid AS reservation
              FROM tokens t
              WHERE t.last_paid IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM payments p
                                WHERE p.queue = t.queue AND p.reservation_id = t.last_paid AND p.user_id = t.user_id)
              ORDER BY t.queue, t.number",
    },
    Check {
        // All of it is one transaction, and a transaction has one moment.
        finding: "a payment and its entry are not of one moment (R14)",
        sql: "SELECT p.queue, p.id AS payment, p.paid_at, e.created_at AS entry_at
              FROM payments p JOIN entries e ON e.user_id = p.user_id AND e.seq = p.entry_seq
              WHERE e.created_at <> p.paid_at ORDER BY p.queue, p.id",
    },
    Check {
        // The same transaction as the payment's, unless something else was held that ended later: that was not paid, or its
        // payment would be the last one.
        finding: "a token ended by a payment at another moment, or paid again after it (R14)",
        sql: "SELECT t.queue, t.number AS ticket, t.paid_reservation AS reservation, p.paid_at, t.ended_at
              FROM tokens t
              JOIN payments p ON p.queue = t.queue AND p.reservation_id = t.paid_reservation AND p.user_id = t.user_id
              WHERE t.ended_at < p.paid_at
                 OR t.ended_at > p.paid_at
                    AND NOT EXISTS (SELECT 1 FROM reservations r
                                    WHERE r.queue = t.queue AND r.user_id = t.user_id AND r.status <> 'CONFIRMED'
                                      AND r.reserved_at <= p.paid_at AND r.expires_at > p.paid_at)
                 OR EXISTS (SELECT 1 FROM payments o
                            WHERE o.queue = t.queue AND o.user_id = t.user_id
                              AND o.paid_at > p.paid_at AND o.paid_at <= t.ended_at)
              ORDER BY t.queue, t.number",
    },
    Check {
        finding: "a token that paid ended by its deadline (R14)",
        sql: "SELECT queue, number AS ticket, last_paid AS reservation, ended_at
              FROM tokens WHERE end_reason = 'DEADLINE' AND last_paid IS NOT NULL ORDER BY queue, number",
    },
    Check {
        finding: "a reservation was paid when it was over, or before it was made (R13)",
        sql: "SELECT p.queue, p.id AS payment, p.paid_at, r.reserved_at, r.expires_at
              FROM payments p JOIN reservations r ON r.queue = p.queue AND r.id = p.reservation_id
              WHERE p.paid_at < r.reserved_at OR p.paid_at >= r.expires_at ORDER BY p.queue, p.id",
    },
];
