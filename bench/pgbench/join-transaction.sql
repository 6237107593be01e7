-- A join: the next number from the queue's row, and a token with it.
\set i :i + 1
\set n :base + :client_id + :clients * :i
BEGIN;
UPDATE queues SET issued = issued + 1, version = version + 1 WHERE queue = 1 RETURNING issued \gset
INSERT INTO tokens (queue, number, user_id, status, issued_at) VALUES (1, :issued, 'join-' || :n, 'WAITING', now());
COMMIT;
