-- Which concert was loaded under which key, and what was asked with it (R15). A key is one for all queues and is never
-- forgotten, so that its row belongs to no sale.
CREATE TABLE loadings (
    idempotency_key TEXT NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    queue INTEGER NOT NULL,
    concert_id BLOB NOT NULL CHECK (length(concert_id) = 16),
    loaded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
