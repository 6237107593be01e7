//! Admission: in the order of the numbers, and never more than the policy of its time allowed.

use super::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        // Whose turn came, be it to be admitted, to be passed over or to be ended by a new epoch, came when all ahead had
        // ceased to wait. Versions tell it even of what one batch did at one moment.
        finding: "a token's turn came while one ahead of it waited (R3)",
        sql: "SELECT queue, number AS ticket, out_version, nullif(latest_ahead, 9223372036854775807) AS latest_ahead
              FROM (SELECT queue, number, activated_at, end_reason, out_version,
                           max(coalesce(out_version, 9223372036854775807))
                             OVER (PARTITION BY queue ORDER BY number
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest_ahead
                    FROM tokens) AS line
              WHERE out_version < latest_ahead
                AND (activated_at IS NOT NULL OR end_reason IN ('ABSENT', 'NEW_EPOCH'))
              ORDER BY queue, number",
    },
    Check {
        finding: "a token's turn came at an earlier moment than one ahead of it ceased to wait (R3)",
        sql: "SELECT queue, number AS ticket, moment, latest_ahead
              FROM (SELECT queue, number, activated_at, end_reason, coalesce(activated_at, ended_at) AS moment,
                           max(coalesce(activated_at, ended_at))
                             OVER (PARTITION BY queue ORDER BY number
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest_ahead
                    FROM tokens) AS line
              WHERE moment < latest_ahead
                AND (activated_at IS NOT NULL OR end_reason IN ('ABSENT', 'NEW_EPOCH'))
              ORDER BY queue, number",
    },
    Check {
        // Admissions and ends in the order they happened; a running sum is how many were ACTIVE. Each token counts until
        // a second before its end (and a microsecond, as an end is exclusive), so that shorter overlaps are no
        // violation. Only an admission can break the limit: nobody is thrown out when it is lowered. At the very moment
        // of a change either policy may have been in force.
        finding: "an admission took the ACTIVE tokens above the policy of its time (R3)",
        sql: "WITH lives AS (
                SELECT queue, number, activated_at AS since,
                       CASE WHEN ended_at < deadline THEN ended_at ELSE deadline END - 999999 AS until
                FROM tokens WHERE activated_at IS NOT NULL),
              events AS (
                SELECT queue, number, since AS moment, 1 AS change FROM lives WHERE until > since
                UNION ALL
                SELECT queue, number, until, -1 FROM lives WHERE until > since),
              counted AS (
                SELECT queue, number, moment, change,
                       sum(change) OVER (PARTITION BY queue ORDER BY moment, change, number
                                         ROWS UNBOUNDED PRECEDING) AS active
                FROM events),
              terms AS (
                SELECT queue, since, max_active,
                       lead(since) OVER (PARTITION BY queue ORDER BY seq) AS until
                FROM policies)
              SELECT c.queue, c.number AS ticket, c.moment AS activated_at, c.active, max(p.max_active) AS max_active
              FROM counted c
              LEFT JOIN terms p ON p.queue = c.queue AND p.since <= c.moment AND (p.until IS NULL OR p.until >= c.moment)
              WHERE c.change = 1
              GROUP BY c.queue, c.number, c.moment, c.active
              HAVING c.active > coalesce(max(p.max_active), 0) ORDER BY c.queue, c.number",
    },
    Check {
        finding: "a token was admitted while the queue was paused (R3)",
        sql: "WITH terms AS (
                SELECT queue, since, paused, lead(since) OVER (PARTITION BY queue ORDER BY seq) AS until FROM policies)
              SELECT t.queue, t.number AS ticket, t.activated_at
              FROM tokens t
              JOIN terms p ON p.queue = t.queue AND p.since <= t.activated_at
                          AND (p.until IS NULL OR p.until >= t.activated_at)
              GROUP BY t.queue, t.number, t.activated_at HAVING min(p.paused) = 1 ORDER BY t.queue, t.number",
    },
    Check {
        // Whoever was admitted at the very moment of a change may have been so by the policy before it: left out.
        finding: "a window granted more than its batch (R3)",
        sql: "WITH terms AS (
                SELECT queue, seq, since, batch, interval_seconds,
                       lead(since) OVER (PARTITION BY queue ORDER BY seq) AS until
                FROM policies),
              grants AS (
                SELECT t.queue, t.number, p.seq, p.batch,
                       (t.activated_at - p.since) / (p.interval_seconds * 1000000) AS nth
                FROM tokens t
                JOIN terms p ON p.queue = t.queue AND (p.seq = 1 OR p.since < t.activated_at)
                            AND p.since <= t.activated_at AND (p.until IS NULL OR p.until > t.activated_at))
              SELECT queue, seq AS policy, nth AS \"window\", count(*) AS granted, batch, min(number) AS first_ticket
              FROM grants
              GROUP BY queue, seq, nth, batch HAVING count(*) > batch ORDER BY queue, seq, nth",
    },
];
