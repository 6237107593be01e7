-- Which concert was loaded under which key, and what was asked with it (R15). A key is one for all queues and is never
-- forgotten, so that its row belongs to no sale.
CREATE TABLE loadings (
    idempotency_key text COLLATE "C" NOT NULL PRIMARY KEY,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    queue integer NOT NULL,
    concert_id uuid NOT NULL,
    loaded_at timestamptz NOT NULL
);
