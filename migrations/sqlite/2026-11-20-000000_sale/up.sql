-- Usher's tables, SQLite dialect. Names and meaning are those of every dialect.
-- Instants: microseconds since 1970 UTC. Money: hundredths. Ids: 16 bytes. What belongs to a sale leads with its queue.

-- Which number a queue's name has; a number is never used for another name.
CREATE TABLE queue_registry (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

-- How fast a queue admits, with its history: the policy with the largest seq is in force.
CREATE TABLE policies (
    queue INTEGER NOT NULL REFERENCES queue_registry (number),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    since INTEGER NOT NULL,
    max_active INTEGER NOT NULL CHECK (max_active >= 0),
    batch INTEGER NOT NULL CHECK (batch >= 1),
    interval_seconds INTEGER NOT NULL CHECK (interval_seconds >= 1),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    PRIMARY KEY (queue, seq)
) STRICT, WITHOUT ROWID;

-- The queue's row: its counters, its running window, what its tokens are sealed with.
CREATE TABLE queues (
    queue INTEGER NOT NULL PRIMARY KEY REFERENCES queue_registry (number),
    epoch BLOB NOT NULL CHECK (length(epoch) = 16),
    version INTEGER NOT NULL CHECK (version >= 0),
    issued INTEGER NOT NULL CHECK (issued >= 0),
    admitted INTEGER NOT NULL CHECK (admitted BETWEEN 0 AND issued),
    frontier INTEGER NOT NULL CHECK (frontier BETWEEN admitted AND issued),
    ended_beyond INTEGER NOT NULL CHECK (ended_beyond BETWEEN 0 AND issued - frontier),
    policy_seq INTEGER NOT NULL,
    window_index INTEGER NOT NULL CHECK (window_index >= 0),
    window_granted INTEGER NOT NULL CHECK (window_granted >= 0),
    FOREIGN KEY (queue, policy_seq) REFERENCES policies (queue, seq)
) STRICT;

CREATE TABLE tokens (
    queue INTEGER NOT NULL REFERENCES queues (queue),
    number INTEGER NOT NULL CHECK (number >= 1),
    user_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('WAITING', 'ACTIVE', 'EXPIRED')),
    issued_at INTEGER NOT NULL,
    activated_at INTEGER,
    deadline INTEGER,
    ended_at INTEGER,
    end_reason TEXT CHECK (end_reason IN ('PAID', 'LEFT', 'DEADLINE', 'ABSENT', 'NEW_EPOCH')),
    paid_reservation BLOB,
    -- The version of the line at which it ceased to wait: was admitted, left or was passed over. So positions can be
    -- recomputed for every version (R4).
    out_version INTEGER CHECK (out_version >= 1),
    PRIMARY KEY (queue, number),
    CHECK ((activated_at IS NULL) = (deadline IS NULL)),
    CHECK ((status = 'EXPIRED') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (status <> 'WAITING' OR activated_at IS NULL),
    CHECK ((status = 'WAITING') = (out_version IS NULL)),
    CHECK (status <> 'ACTIVE' OR activated_at IS NOT NULL),
    CHECK ((end_reason IS 'PAID') = (paid_reservation IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- One live place of a user in a queue (R1).
CREATE UNIQUE INDEX tokens_live ON tokens (queue, user_id) WHERE status <> 'EXPIRED';
CREATE INDEX tokens_active ON tokens (queue, deadline) WHERE status = 'ACTIVE';
-- Who left while waiting, by version: what a server that follows the line has not seen yet (R4). An index answers alone
-- only for what is in it, be it in its predicate: hence `activated_at` at its end, here and below.
CREATE INDEX tokens_left ON tokens (queue, out_version, number, activated_at)
    WHERE end_reason = 'LEFT' AND activated_at IS NULL;
-- What a report counts beside: how the admitted ended, and whom a new epoch ended while they waited. How most tokens end,
-- by their deadline or absent, is what these and the queue's counters leave over, and costs no index.
CREATE INDEX tokens_ended ON tokens (queue, end_reason, activated_at)
    WHERE activated_at IS NOT NULL AND end_reason <> 'DEADLINE';
CREATE INDEX tokens_expelled ON tokens (queue, activated_at) WHERE end_reason = 'NEW_EPOCH' AND activated_at IS NULL;

-- Which servers tell of themselves: since when without a gap, and when last (R22).
CREATE TABLE servers (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    since INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= since)
) STRICT, WITHOUT ROWID;

-- Whom a server saw of a chunk of numbers between two of its notes: a bit for each number. Rows are never changed.
CREATE TABLE sightings (
    queue INTEGER NOT NULL REFERENCES queues (queue),
    chunk INTEGER NOT NULL CHECK (chunk >= 0),
    noted_at INTEGER NOT NULL,
    server BLOB NOT NULL CHECK (length(server) = 16),
    seen BLOB NOT NULL CHECK (length(seen) = 4096),
    PRIMARY KEY (queue, chunk, noted_at, server)
) STRICT;

CREATE TABLE concerts (
    queue INTEGER NOT NULL REFERENCES queues (queue),
    id BLOB NOT NULL CHECK (length(id) = 16),
    title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
-- For telling "another queue's" from "nobody's".
CREATE INDEX concerts_by_id ON concerts (id);

CREATE TABLE schedules (
    queue INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    concert_id BLOB NOT NULL,
    starts_at INTEGER NOT NULL,
    offset_minutes INTEGER NOT NULL CHECK (offset_minutes BETWEEN -1439 AND 1439),
    -- The calendar date in that offset, YYYY-MM-DD.
    local_date TEXT NOT NULL,
    seats_total INTEGER NOT NULL CHECK (seats_total >= 1),
    PRIMARY KEY (queue, id),
    FOREIGN KEY (queue, concert_id) REFERENCES concerts (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_by_start ON schedules (queue, starts_at, id);
CREATE INDEX schedules_of_concert ON schedules (queue, concert_id, starts_at, id);
CREATE INDEX schedules_by_id ON schedules (id);

CREATE TABLE reservations (
    queue INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    user_id TEXT NOT NULL,
    schedule_id BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    status TEXT NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED')),
    cancel_reason TEXT CHECK (cancel_reason IN ('EXPIRED', 'USER', 'LEFT')),
    reserved_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- The key it was asked for with, and what was asked (R15). The first answer is rebuilt from what never changes of
    -- the row. A key that is forgotten by the rule is taken from its row when it is used again.
    idempotency_key TEXT,
    fingerprint BLOB CHECK (length(fingerprint) = 32),
    PRIMARY KEY (queue, id),
    FOREIGN KEY (queue, schedule_id) REFERENCES schedules (queue, id),
    CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL)),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reservations_keys ON reservations (queue, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX reservations_of_user ON reservations (queue, user_id, id);
-- What one user holds now, however much they bought before (R8).
CREATE INDEX reservations_pending ON reservations (queue, user_id) WHERE status = 'PENDING';
-- What is due, across queues (R10, trap P7).
CREATE INDEX reservations_due ON reservations (expires_at) WHERE status = 'PENDING';

-- What a reservation took; a seat names a reservation only if that took it.
CREATE TABLE reservation_seats (
    queue INTEGER NOT NULL,
    reservation_id BLOB NOT NULL,
    seat_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    -- The price at hold time (R9).
    price INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (queue, reservation_id, seat_id),
    FOREIGN KEY (queue, reservation_id) REFERENCES reservations (queue, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE seats (
    queue INTEGER NOT NULL,
    schedule_id BLOB NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    id BLOB NOT NULL CHECK (length(id) = 16),
    price INTEGER NOT NULL CHECK (price >= 0),
    -- Whose it is: one reservation at most, so that no seat can be sold twice whatever a program does.
    reservation_id BLOB,
    -- When the hold ends; NULL with a reservation means sold.
    held_until INTEGER,
    PRIMARY KEY (queue, schedule_id, number),
    UNIQUE (queue, id),
    FOREIGN KEY (queue, schedule_id) REFERENCES schedules (queue, id),
    FOREIGN KEY (queue, reservation_id, id) REFERENCES reservation_seats (queue, reservation_id, seat_id),
    CHECK (reservation_id IS NOT NULL OR held_until IS NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    queue INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    reservation_id BLOB NOT NULL,
    user_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    paid_at INTEGER NOT NULL,
    -- The wallet's entry; no foreign key crosses between a sale and the wallets.
    entry_seq INTEGER NOT NULL,
    -- As of reservations (R15).
    idempotency_key TEXT,
    fingerprint BLOB CHECK (length(fingerprint) = 32),
    PRIMARY KEY (queue, id),
    UNIQUE (queue, reservation_id),
    FOREIGN KEY (queue, reservation_id) REFERENCES reservations (queue, id),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payments_keys ON payments (queue, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX payments_of_user ON payments (queue, user_id, id);

CREATE TABLE wallets (
    user_id TEXT NOT NULL PRIMARY KEY,
    balance INTEGER NOT NULL CHECK (balance BETWEEN 0 AND 1000000000000000),
    last_seq INTEGER NOT NULL CHECK (last_seq >= 1)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    user_id TEXT NOT NULL REFERENCES wallets (user_id),
    seq INTEGER NOT NULL CHECK (seq >= 1),
    id BLOB NOT NULL CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('CHARGE', 'PAYMENT')),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    reservation_id BLOB,
    created_at INTEGER NOT NULL,
    -- As of reservations, for charges (R15).
    idempotency_key TEXT,
    fingerprint BLOB CHECK (length(fingerprint) = 32),
    PRIMARY KEY (user_id, seq),
    CHECK ((kind = 'PAYMENT') = (reservation_id IS NOT NULL)),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL)),
    CHECK (kind = 'CHARGE' OR idempotency_key IS NULL)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_keys ON entries (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Which server key sealed last, and the key itself when no operator set one.
CREATE TABLE token_keys (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    generated BLOB CHECK (length(generated) = 32)
) STRICT;
