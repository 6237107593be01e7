-- What the statements of this directory work on: a sale whose queue is 1, with :people seats to hold in one schedule, :people
-- held ones in another, an ACTIVE token for each person, and money in each wallet.
INSERT INTO queue_registry VALUES (1, 'bench', now());
INSERT INTO policies (queue, seq, since, max_active, batch, interval_seconds, paused)
VALUES (1, 1, now(), 10000000, 10000000, 1, false);
INSERT INTO queues VALUES (1, decode(repeat('00', 16), 'hex'), 1, :people, :people, :people, 0, 1, 0, 0);
INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, selection_ends_at, deadline, out_version)
SELECT 1, n, 'user-' || n, 'ACTIVE', now(), now(), now() + interval '1 day', now() + interval '1 day', n
FROM generate_series(1, :people) AS n;
INSERT INTO concerts (queue, id, title, created_at) VALUES (1, '01900000-0000-7000-8000-000000000000', 'Bench', now());
INSERT INTO schedules (queue, id, concert_id, starts_at, offset_minutes, local_date, seats_total)
SELECT 1, id::uuid, '01900000-0000-7000-8000-000000000000', now() + interval '1 year', 0, current_date + 365, :people
FROM (VALUES ('01900000-0000-7000-8000-00000000000a'), ('01900000-0000-7000-8000-00000000000b')) AS schedule (id);
INSERT INTO seats (queue, schedule_id, number, id, price)
SELECT 1, '01900000-0000-7000-8000-00000000000a', n, ('01900000-0000-7000-800a-' || lpad(to_hex(n), 12, '0'))::uuid, 50
FROM generate_series(1, :people) AS n;
INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at)
SELECT 1, ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || n,
       '01900000-0000-7000-8000-00000000000b', 50, 'PENDING', now(), now() + interval '1 day'
FROM generate_series(1, :people) AS n;
INSERT INTO reservation_seats (queue, reservation_id, seat_id, number, price)
SELECT 1, ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
       ('01900000-0000-7000-800b-' || lpad(to_hex(n), 12, '0'))::uuid, n, 50
FROM generate_series(1, :people) AS n;
INSERT INTO seats (queue, schedule_id, number, id, price, reservation_id, held_until)
SELECT 1, '01900000-0000-7000-8000-00000000000b', n, ('01900000-0000-7000-800b-' || lpad(to_hex(n), 12, '0'))::uuid, 50,
       ('01900000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, now() + interval '1 day'
FROM generate_series(1, :people) AS n;
INSERT INTO wallets SELECT 'user-' || n, 100, 1 FROM generate_series(1, :people) AS n;
INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, created_at)
SELECT 'user-' || n, 1, gen_random_uuid(), 'CHARGE', 100, 100, now() FROM generate_series(1, :people) AS n;
CREATE TABLE one_row (n integer PRIMARY KEY, held_until timestamptz) WITH (fillfactor = 80);
INSERT INTO one_row SELECT n FROM generate_series(1, :people) AS n;
VACUUM ANALYZE;
