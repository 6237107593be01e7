-- A payment in one statement by hand: what it must leave, and of its rules only that it is PENDING and can be afforded.
\set i :i + 1
\set n :base + :client_id + :clients * :i
WITH paid AS (
    UPDATE reservations SET status = 'CONFIRMED'
    WHERE queue = 1 AND id = ('01900000-0000-7000-9000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid
      AND status = 'PENDING' AND expires_at > now()
    RETURNING id, user_id, amount),
wallet AS (
    UPDATE wallets w SET balance = balance - amount, last_seq = last_seq + 1
    FROM paid WHERE w.user_id = paid.user_id AND balance >= amount
    RETURNING w.user_id, balance, last_seq, amount, id),
entry AS (
    INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, reservation_id, created_at)
    SELECT user_id, last_seq, ('01900000-0000-7000-b000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, 'PAYMENT', amount,
           balance, id, now()
    FROM wallet),
seat AS (
    UPDATE seats s SET held_until = NULL
    FROM wallet JOIN reservation_seats x ON x.queue = 1 AND x.reservation_id = wallet.id
    WHERE s.queue = 1 AND s.id = x.seat_id),
token AS (
    UPDATE tokens SET status = 'EXPIRED', ended_at = now(), end_reason = 'PAID', paid_reservation = wallet.id
    FROM wallet WHERE queue = 1 AND number = :n)
INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
SELECT 1, ('01900000-0000-7000-c000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, id, user_id, amount, now(), last_seq
FROM wallet;
