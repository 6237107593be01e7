//! Wallets: each balance is the sum of its entries, which chain without a gap and never go below nothing.

use super::check::Check;

pub(super) const CHECKS: &[Check] = &[
    Check {
        finding: "a balance is not the sum of its entries (R12)",
        sql: "SELECT w.user_id AS \"user\", w.balance,
                     coalesce(sum(CASE e.kind WHEN 'CHARGE' THEN e.amount ELSE -e.amount END), 0) AS entries
              FROM wallets w LEFT JOIN entries e ON e.user_id = w.user_id
              GROUP BY w.user_id, w.balance
              HAVING w.balance <> coalesce(sum(CASE e.kind WHEN 'CHARGE' THEN e.amount ELSE -e.amount END), 0)
              ORDER BY w.user_id",
    },
    Check {
        finding: "an entry's balance does not follow from the one before it (R12)",
        sql: "SELECT user_id AS \"user\", seq, balance_after, expected
              FROM (SELECT user_id, seq, balance_after,
                           coalesce(lag(balance_after) OVER (PARTITION BY user_id ORDER BY seq), 0)
                             + CASE kind WHEN 'CHARGE' THEN amount ELSE -amount END AS expected
                    FROM entries) AS chained
              WHERE balance_after <> expected ORDER BY user_id, seq",
    },
    Check {
        finding: "a wallet's entries have a hole before this one (R12)",
        sql: "SELECT user_id AS \"user\", seq, expected
              FROM (SELECT user_id, seq,
                           coalesce(lag(seq) OVER (PARTITION BY user_id ORDER BY seq), 0) + 1 AS expected
                    FROM entries) AS numbered
              WHERE seq <> expected ORDER BY user_id, seq",
    },
    Check {
        finding: "a wallet's last number is not its last entry's (R12)",
        sql: "SELECT w.user_id AS \"user\", w.last_seq, coalesce(max(e.seq), 0) AS last_entry
              FROM wallets w LEFT JOIN entries e ON e.user_id = w.user_id
              GROUP BY w.user_id, w.last_seq HAVING w.last_seq <> coalesce(max(e.seq), 0) ORDER BY w.user_id",
    },
    Check {
        finding: "a wallet is below nothing (R12)",
        sql: "SELECT w.user_id AS \"user\", w.balance, min(e.balance_after) AS lowest, min(e.amount) AS least_amount
              FROM wallets w LEFT JOIN entries e ON e.user_id = w.user_id
              GROUP BY w.user_id, w.balance
              HAVING w.balance < 0 OR min(e.balance_after) < 0 OR min(e.amount) < 0 ORDER BY w.user_id",
    },
    Check {
        finding: "an entry is of no wallet (R12)",
        sql: "SELECT e.user_id AS \"user\", e.seq FROM entries e
              WHERE NOT EXISTS (SELECT 1 FROM wallets w WHERE w.user_id = e.user_id) ORDER BY e.user_id, e.seq",
    },
    Check {
        finding: "an entry is not what its kind says (R12)",
        sql: "SELECT user_id AS \"user\", seq, kind, amount, reservation_id AS reservation, idempotency_key AS \"key\"
              FROM entries
              WHERE CASE kind WHEN 'CHARGE' THEN amount = 0 OR reservation_id IS NOT NULL
                              WHEN 'PAYMENT' THEN reservation_id IS NULL OR idempotency_key IS NOT NULL
                              ELSE true END
              ORDER BY user_id, seq",
    },
    Check {
        finding: "two entries have one id (R12)",
        sql: "SELECT id AS entry, count(*) AS times, min(user_id) AS first_user
              FROM entries GROUP BY id HAVING count(*) > 1 ORDER BY id",
    },
];
