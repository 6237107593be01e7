//! Admission: in the order of the numbers, and never more, nor earlier, than the policy of its time allowed.

use super::check::Check;

/// What each policy allowed: `most`, `least_paused` and `first_opens` at the very moment of the change to it, when the policy
/// before it may have been in force as well. A queue without an opening opened at 0.
macro_rules! terms {
    () => {
        "spans AS (
           SELECT queue, seq, since, max_active, batch, interval_seconds, paused, coalesce(opens_at, 0) AS opens_at,
                  lead(since) OVER (PARTITION BY queue ORDER BY seq) AS until
           FROM policies),
         terms AS (
           SELECT p.queue, p.seq, p.since, p.max_active, p.batch, p.interval_seconds, p.paused, p.opens_at, p.until,
                  max(o.max_active) AS most, min(o.paused) AS least_paused, min(o.opens_at) AS first_opens
           FROM spans p
           JOIN spans o ON o.queue = p.queue AND o.since <= p.since AND (o.until IS NULL OR o.until >= p.since)
           GROUP BY p.queue, p.seq, p.since, p.max_active, p.batch, p.interval_seconds, p.paused, p.opens_at, p.until)"
    };
}

/// Every admission with the number of the last policy that began by then. One walk along the time: however often the
/// policy was changed, it is not looked for again for each token.
macro_rules! admissions {
    () => {
        "events AS (
           SELECT queue, number, activated_at AS moment, 1 AS change, 0 AS policy
           FROM tokens WHERE activated_at IS NOT NULL
           UNION ALL
           SELECT queue, 0, since, 0, seq FROM policies),
         admissions AS (
           SELECT queue, number, moment, change,
                  max(policy) OVER (PARTITION BY queue ORDER BY moment, change, number
                                    ROWS UNBOUNDED PRECEDING) AS policy
           FROM events)"
    };
}

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
        // Admissions, ends and policies in the order they happened; a running sum is how many were ACTIVE. Each token
        // counts until a second before its end (and a microsecond, as an end is exclusive), so that shorter overlaps are
        // no violation. Only an admission can break the limit: nobody is thrown out when it is lowered.
        finding: "an admission took the ACTIVE tokens above the policy of its time (R3)",
        sql: concat!(
            "WITH lives AS (
                SELECT queue, number, activated_at AS since,
                       CASE WHEN ended_at < deadline THEN ended_at ELSE deadline END - 999999 AS until
                FROM tokens WHERE activated_at IS NOT NULL),
              events AS (
                SELECT queue, number, since AS moment, 1 AS change, 0 AS policy FROM lives WHERE until > since
                UNION ALL
                SELECT queue, number, until, -1, 0 FROM lives WHERE until > since
                UNION ALL
                SELECT queue, 0, since, 0, seq FROM policies),
              counted AS (
                SELECT queue, number, moment, change, sum(change) OVER along AS active, max(policy) OVER along AS policy
                FROM events
                WINDOW along AS (PARTITION BY queue ORDER BY moment, change, number ROWS UNBOUNDED PRECEDING)), ",
            terms!(),
            " SELECT queue, ticket, activated_at, active, max_active
              FROM (SELECT c.queue, c.number AS ticket, c.moment AS activated_at, c.active,
                           CASE WHEN c.moment = p.since THEN p.most ELSE p.max_active END AS max_active
                    FROM counted c LEFT JOIN terms p ON p.queue = c.queue AND p.seq = c.policy
                    WHERE c.change = 1) AS admitted
              WHERE active > coalesce(max_active, 0) ORDER BY queue, ticket"
        ),
    },
    Check {
        finding: "a token was admitted while the queue was paused (R3)",
        sql: concat!(
            "WITH ",
            admissions!(),
            ", ",
            terms!(),
            " SELECT a.queue, a.number AS ticket, a.moment AS activated_at
              FROM admissions a JOIN terms p ON p.queue = a.queue AND p.seq = a.policy
              WHERE a.change = 1 AND CASE WHEN a.moment = p.since THEN p.least_paused ELSE p.paused END = 1
              ORDER BY a.queue, a.number"
        ),
    },
    Check {
        finding: "a token was admitted before the queue opened (R19)",
        sql: concat!(
            "WITH ",
            admissions!(),
            ", ",
            terms!(),
            " SELECT queue, ticket, activated_at, opens_at
              FROM (SELECT a.queue, a.number AS ticket, a.moment AS activated_at,
                           CASE WHEN a.moment = p.since THEN p.first_opens ELSE p.opens_at END AS opens_at
                    FROM admissions a JOIN terms p ON p.queue = a.queue AND p.seq = a.policy
                    WHERE a.change = 1) AS admitted
              WHERE activated_at < opens_at ORDER BY queue, ticket"
        ),
    },
    Check {
        // Windows are counted from the opening, if that is later than the policy (R19). Whoever was admitted at the very
        // moment of a change may have been so by the policy before it: left out.
        finding: "a window granted more than its batch (R3)",
        sql: concat!(
            "WITH ",
            admissions!(),
            ", ",
            terms!(),
            ", grants AS (
                SELECT a.queue, a.number, p.seq, p.batch,
                       (a.moment - CASE WHEN p.opens_at > p.since THEN p.opens_at ELSE p.since END)
                         / (p.interval_seconds * 1000000) AS nth
                FROM admissions a JOIN terms p ON p.queue = a.queue AND p.seq = a.policy
                WHERE a.change = 1 AND (a.moment > p.since OR p.seq = 1 AND (p.until IS NULL OR p.until > a.moment)))
              SELECT queue, seq AS policy, nth AS \"window\", count(*) AS granted, batch, min(number) AS first_ticket
              FROM grants
              GROUP BY queue, seq, nth, batch HAVING count(*) > batch ORDER BY queue, seq, nth"
        ),
    },
    Check {
        finding: "a queue's running window has granted more than its policy's batch (R3)",
        sql: "SELECT q.queue, q.window_index AS \"window\", q.window_granted AS granted, p.batch
              FROM queues q JOIN policies p ON p.queue = q.queue AND p.seq = q.policy_seq
              WHERE q.window_granted > p.batch ORDER BY q.queue",
    },
    Check {
        finding: "a queue's policies have a hole, or another than the last is in force (R3)",
        sql: "SELECT q.queue, q.policy_seq AS policy, count(p.seq) AS policies, max(p.seq) AS last_policy
              FROM queues q LEFT JOIN policies p ON p.queue = q.queue
              GROUP BY q.queue, q.policy_seq
              HAVING q.policy_seq <> count(p.seq) OR q.policy_seq <> coalesce(max(p.seq), 0) ORDER BY q.queue",
    },
];
