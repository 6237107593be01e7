-- A payment as most would write it: look under lock, decide, write, a statement each.
\set i :i + 1
\set n :base + :client_id + :clients * :i
BEGIN;
SELECT user_id, status, deadline FROM tokens WHERE queue = 1 AND number = :n FOR NO KEY UPDATE;
SELECT user_id, amount, status, expires_at FROM reservations
WHERE queue = 1 AND id = ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid FOR NO KEY UPDATE;
SELECT balance, last_seq FROM wallets WHERE user_id = 'user-' || :n FOR NO KEY UPDATE;
UPDATE wallets SET balance = balance - 50, last_seq = last_seq + 1 WHERE user_id = 'user-' || :n;
INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, reservation_id, created_at)
VALUES ('user-' || :n, 2, ('01900000-0000-7000-b000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, 'PAYMENT', 50, 50,
        ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, now());
UPDATE reservations SET status = 'CONFIRMED'
WHERE queue = 1 AND id = ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid;
UPDATE seats SET held_until = NULL
WHERE queue = 1 AND schedule_id = '01900000-0000-7000-8000-00000000000b' AND number = :n;
INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
VALUES (1, ('01900000-0000-7000-c000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid,
        ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, 'user-' || :n, 50, now(), 2);
UPDATE tokens SET status = 'EXPIRED', ended_at = now(), end_reason = 'PAID',
                  paid_reservation = ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid
WHERE queue = 1 AND number = :n;
COMMIT;
