//! The waiting line: numbers without holes, counters that agree with the tokens, one live place a user.

use super::Check;

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
        finding: "not as many tokens ended beyond the frontier as the queue says (R4)",
        sql: "SELECT q.queue, q.frontier, q.ended_beyond, count(t.number) AS tokens_ended
              FROM queues q LEFT JOIN tokens t
                ON t.queue = q.queue AND t.number > q.frontier AND t.status = 'EXPIRED' AND t.activated_at IS NULL
              GROUP BY q.queue, q.frontier, q.ended_beyond
              HAVING q.ended_beyond <> count(t.number) ORDER BY q.queue",
    },
    Check {
        finding: "a token waits behind the frontier, where nobody is admitted any more (R4)",
        sql: "SELECT t.queue, t.number AS ticket, q.frontier FROM tokens t JOIN queues q ON q.queue = t.queue
              WHERE t.status = 'WAITING' AND t.number <= q.frontier ORDER BY t.queue, t.number",
    },
    Check {
        finding: "a token beyond the frontier was admitted (R3)",
        sql: "SELECT t.queue, t.number AS ticket, q.frontier FROM tokens t JOIN queues q ON q.queue = t.queue
              WHERE t.activated_at IS NOT NULL AND t.number > q.frontier ORDER BY t.queue, t.number",
    },
    Check {
        finding: "nobody waits, and the frontier is not at the end of the line (R4)",
        sql: "SELECT q.queue, q.frontier, q.issued FROM queues q
              WHERE q.frontier <> q.issued
                AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.queue = q.queue AND t.status = 'WAITING')
              ORDER BY q.queue",
    },
    Check {
        finding: "a user has more than one live place in a queue (R1)",
        sql: "SELECT queue, user_id AS \"user\", count(*) AS live, min(number) AS first_ticket
              FROM tokens WHERE status <> 'EXPIRED'
              GROUP BY queue, user_id HAVING count(*) > 1 ORDER BY queue, user_id",
    },
];
