-- The least that a commit can be: one row of a table with nothing else to it.
\set i :i + 1
\set n :base + :client_id + :clients * :i
UPDATE one_row SET held_until = now() + interval '5 min' WHERE n = :n AND (held_until IS NULL OR held_until <= now());
