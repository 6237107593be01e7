//! The waiting line: numbers without holes, tokens whose columns agree, counters that agree with the tokens, one live place
//! a user, and none of before a new epoch.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "ticket numbers have a hole before this one (R2)",
        sql: "SELECT queue, number AS ticket, expected
              FROM (SELECT queue, number,
                           coalesce(lag(number) OVER (PARTITION BY queue ORDER BY number), 0) + 1 AS expected
                    FROM tokens) AS numbered
              WHERE number <> expected ORDER BY queue, number",
    },
    Check {
        finding: "the queue's last number is not its last token's (R2)",
        sql: "SELECT q.queue, q.issued, coalesce(max(t.number), 0) AS last_ticket
              FROM queues q LEFT JOIN tokens t ON t.queue = q.queue
              GROUP BY q.queue, q.issued HAVING q.issued <> coalesce(max(t.number), 0) ORDER BY q.queue",
    },
    Check {
        finding: "the queue has not admitted as many tokens as it says (R3)",
        sql: "SELECT q.queue, q.admitted, count(t.number) AS tokens_admitted
              FROM queues q LEFT JOIN tokens t ON t.queue = q.queue AND t.activated_at IS NOT NULL
              GROUP BY q.queue, q.admitted HAVING q.admitted <> count(t.number) ORDER BY q.queue",
    },
    Check {
        finding: "not as many tokens left beyond the frontier as the queue says (R4)",
        sql: "SELECT q.queue, q.frontier, q.ended_beyond, count(t.number) AS tokens_left
              FROM queues q LEFT JOIN tokens t
                ON t.queue = q.queue AND t.number > q.frontier AND t.end_reason = 'LEFT' AND t.activated_at IS NULL
              GROUP BY q.queue, q.frontier, q.ended_beyond
              HAVING q.ended_beyond <> count(t.number) ORDER BY q.queue",
    },
    Check {
        finding: "a token waits behind the frontier, where nobody is admitted any more (R4)",
        sql: "SELECT t.queue, t.number AS ticket, q.frontier FROM tokens t JOIN queues q ON q.queue = t.queue
              WHERE t.status = 'WAITING' AND t.number <= q.frontier ORDER BY t.queue, t.number",
    },
    Check {
        // Who leaves the line there leaves it by themselves.
        finding: "a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3)",
        sql: "SELECT t.queue, t.number AS ticket, q.frontier FROM tokens t JOIN queues q ON q.queue = t.queue
              WHERE t.number > q.frontier
                AND (t.activated_at IS NOT NULL OR t.end_reason IN ('ABSENT', 'NEW_EPOCH'))
              ORDER BY t.queue, t.number",
    },
    Check {
        finding: "nobody waits, and the frontier is not at the end of the line (R4)",
        sql: "SELECT q.queue, q.frontier, q.issued FROM queues q
              WHERE q.frontier <> q.issued
                AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.queue = q.queue AND t.status = 'WAITING')
              ORDER BY q.queue",
    },
    Check {
        finding: "a token's state does not follow from its moments (R5)",
        sql: "SELECT queue, number AS ticket, status, activated_at, ended_at, end_reason FROM tokens
              WHERE status <> CASE WHEN ended_at IS NOT NULL THEN 'EXPIRED'
                                   WHEN activated_at IS NOT NULL THEN 'ACTIVE' ELSE 'WAITING' END
                 OR (ended_at IS NULL) <> (end_reason IS NULL)
              ORDER BY queue, number",
    },
    Check {
        // Who was never admitted cannot have paid nor run out of time; who was is not passed over.
        finding: "a token ended for a reason that it cannot have had (R5)",
        sql: "SELECT queue, number AS ticket, activated_at, end_reason FROM tokens
              WHERE CASE WHEN activated_at IS NULL THEN end_reason IN ('PAID', 'DEADLINE') ELSE end_reason = 'ABSENT' END
              ORDER BY queue, number",
    },
    Check {
        finding: "a token's moments are not in their order (R5)",
        sql: "SELECT queue, number AS ticket, issued_at, activated_at, deadline, ended_at FROM tokens
              WHERE activated_at < issued_at OR deadline < activated_at OR deadline = activated_at AND last_paid IS NULL
                 OR ended_at < coalesce(activated_at, issued_at) OR (activated_at IS NULL) <> (deadline IS NULL)
              ORDER BY queue, number",
    },
    Check {
        // An older program writes neither: where selection has no end, it is the turn's.
        finding: "a turn's selection ends outside of it, or a token without a turn has one (R5)",
        sql: "SELECT queue, number AS ticket, activated_at, selection_ends_at, deadline, last_paid AS reservation FROM tokens
              WHERE selection_ends_at < activated_at OR selection_ends_at > deadline
                 OR activated_at IS NULL AND (selection_ends_at IS NOT NULL OR last_paid IS NOT NULL)
              ORDER BY queue, number",
    },
    Check {
        // Whoever pays the last that they hold ends their turn with it (R14). An older program left the deadline as it was.
        finding: "an ACTIVE token ended by its deadline before that, or otherwise after it (R5)",
        sql: "SELECT queue, number AS ticket, deadline, ended_at, end_reason FROM tokens
              WHERE CASE WHEN end_reason = 'DEADLINE' OR end_reason = 'PAID' AND last_paid = paid_reservation
                         THEN ended_at < deadline ELSE ended_at >= deadline END
              ORDER BY queue, number",
    },
    Check {
        finding: "a token names what it paid and did not end by that, or the reverse (R6)",
        sql: "SELECT queue, number AS ticket, end_reason, paid_reservation AS reservation FROM tokens
              WHERE CASE WHEN end_reason = 'PAID' THEN paid_reservation IS NULL ELSE paid_reservation IS NOT NULL END
              ORDER BY queue, number",
    },
    Check {
        finding: "a token waits and has a version at which it ceased to, or the reverse (R4)",
        sql: "SELECT queue, number AS ticket, status, out_version FROM tokens
              WHERE (status = 'WAITING') <> (out_version IS NULL) ORDER BY queue, number",
    },
    Check {
        finding: "a token ceased to wait at a version that its queue has not reached (R4)",
        sql: "SELECT t.queue, t.number AS ticket, t.out_version, q.version FROM tokens t JOIN queues q ON q.queue = t.queue
              WHERE t.out_version > q.version ORDER BY t.queue, t.number",
    },
    Check {
        // A version is one change of the line: one leaves, or the turn of some comes, or a new epoch ends all who wait.
        // A leaver stands for a change of their own, so that two of them at one version are two.
        finding: "more than one thing happened at one version of the line (R4)",
        sql: "SELECT queue, out_version AS version, count(*) AS tokens, min(number) AS first_ticket
              FROM (SELECT queue, number, out_version, coalesce(activated_at, ended_at) AS moment,
                           CASE WHEN activated_at IS NOT NULL THEN 0 WHEN end_reason = 'LEFT' THEN number
                                WHEN end_reason = 'NEW_EPOCH' THEN -1 ELSE 0 END AS what
                    FROM tokens WHERE out_version IS NOT NULL) AS changes
              GROUP BY queue, out_version HAVING min(moment) <> max(moment) OR min(what) <> max(what)
              ORDER BY queue, out_version",
    },
    Check {
        finding: "a token of before a new epoch lives (ADR 2)",
        sql: "SELECT t.queue, t.number AS ticket, t.status, e.last_ticket AS last_ended
              FROM tokens t
              JOIN (SELECT queue, max(number) AS last_ticket FROM tokens WHERE end_reason = 'NEW_EPOCH' GROUP BY queue) AS e
                ON e.queue = t.queue AND e.last_ticket > t.number
              WHERE t.status <> 'EXPIRED' ORDER BY t.queue, t.number",
    },
    Check {
        // The moments of two transactions on several servers may be a little out of their order: overlaps under a second
        // are no violation.
        finding: "a user had more than one live place in a queue (R1)",
        sql: "SELECT queue, \"user\", ticket, ended_at, next_ticket, next_issued_at
              FROM (SELECT queue, user_id AS \"user\", number AS ticket, ended_at,
                           lead(number) OVER theirs AS next_ticket, lead(issued_at) OVER theirs AS next_issued_at
                    FROM tokens
                    WINDOW theirs AS (PARTITION BY queue, user_id ORDER BY number)) AS places
              WHERE next_ticket IS NOT NULL AND (ended_at IS NULL OR next_issued_at < ended_at - 1000000)
              ORDER BY queue, ticket",
    },
];
