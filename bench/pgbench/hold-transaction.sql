-- A hold as most would write it: look under lock, decide, write, a statement each.
\set i :i + 1
\set n :base + :client_id + :clients * :i
BEGIN;
SELECT user_id, status, deadline FROM tokens WHERE queue = 1 AND number = :n FOR NO KEY UPDATE;
SELECT coalesce(sum((SELECT count(*) FROM reservation_seats s WHERE s.queue = 1 AND s.reservation_id = r.id)), 0)
FROM reservations r WHERE r.queue = 1 AND r.user_id = 'hold-' || :n AND r.status = 'PENDING';
SELECT id, price, reservation_id, held_until FROM seats
WHERE queue = 1 AND schedule_id = '01900000-0000-7000-8000-00000000000a' AND number = :n FOR NO KEY UPDATE;
INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at)
VALUES (1, ('01900000-0000-7000-a000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, 'hold-' || :n,
        '01900000-0000-7000-8000-00000000000a', 50, 'PENDING', now(), now() + interval '5 min');
INSERT INTO reservation_seats (queue, reservation_id, seat_id, number, price)
VALUES (1, ('01900000-0000-7000-a000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid,
        ('01900000-0000-7000-800a-' || lpad(to_hex(:n::integer), 12, '0'))::uuid, :n, 50);
UPDATE seats SET reservation_id = ('01900000-0000-7000-a000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid,
                 held_until = now() + interval '5 min'
WHERE queue = 1 AND schedule_id = '01900000-0000-7000-8000-00000000000a' AND number = :n;
COMMIT;
