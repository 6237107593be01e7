-- A hold in one statement by hand: what it must leave, and of its rules only that the seat is free.
\set i :i + 1
\set n :base + :client_id + :clients * :i
WITH seat AS (
    UPDATE seats SET reservation_id = ('01900000-0000-7000-a000-' || lpad(to_hex(:n::integer), 12, '0'))::uuid,
                     held_until = now() + interval '5 min'
    WHERE queue = 1 AND schedule_id = '01900000-0000-7000-8000-00000000000a' AND number = :n
      AND (reservation_id IS NULL OR held_until <= now())
    RETURNING id, number, price, reservation_id, schedule_id),
made AS (
    INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at)
    SELECT 1, reservation_id, 'user-' || number, schedule_id, price, 'PENDING', now(), now() + interval '5 min' FROM seat)
INSERT INTO reservation_seats (queue, reservation_id, seat_id, number, price)
SELECT 1, reservation_id, id, number, price FROM seat;
