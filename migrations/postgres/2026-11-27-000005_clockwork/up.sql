-- When the clockwork ticked last, whichever process it runs in: one row.
CREATE TABLE clockwork (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    ticked_at timestamptz
);
INSERT INTO clockwork (id) VALUES (1);
