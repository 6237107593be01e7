-- Usher's tables, PostgreSQL dialect. Names and meaning are those of every dialect.
-- What belongs to a sale leads with its queue, in every key, so that it can be spread by queue (docs/scaling.md).

-- Which number a queue's name has; a number is never used for another name.
CREATE TABLE queue_registry (
    number integer NOT NULL PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

-- How fast a queue admits, with its history: the policy that the queue's row names is in force.
CREATE TABLE policies (
    queue integer NOT NULL REFERENCES queue_registry (number),
    seq integer NOT NULL CHECK (seq >= 1),
    since timestamptz NOT NULL,
    max_active integer NOT NULL CHECK (max_active >= 0),
    batch integer NOT NULL CHECK (batch >= 1),
    interval_seconds integer NOT NULL CHECK (interval_seconds >= 1),
    paused boolean NOT NULL,
    PRIMARY KEY (queue, seq)
);

-- The queue's row: its counters, its running window, what its tokens are sealed with.
CREATE TABLE queues (
    queue integer NOT NULL PRIMARY KEY REFERENCES queue_registry (number),
    epoch bytea NOT NULL CHECK (length(epoch) = 16),
    version bigint NOT NULL CHECK (version >= 0),
    issued bigint NOT NULL CHECK (issued >= 0),
    admitted bigint NOT NULL CHECK (admitted BETWEEN 0 AND issued),
    frontier bigint NOT NULL CHECK (frontier BETWEEN admitted AND issued),
    ended_beyond bigint NOT NULL CHECK (ended_beyond BETWEEN 0 AND issued - frontier),
    policy_seq integer NOT NULL,
    window_index bigint NOT NULL CHECK (window_index >= 0),
    window_granted integer NOT NULL CHECK (window_granted >= 0),
    FOREIGN KEY (queue, policy_seq) REFERENCES policies (queue, seq)
) WITH (fillfactor = 50);

CREATE TABLE tokens (
    queue integer NOT NULL REFERENCES queues (queue),
    number bigint NOT NULL CHECK (number >= 1),
    user_id text COLLATE "C" NOT NULL,
    status text NOT NULL CHECK (status IN ('WAITING', 'ACTIVE', 'EXPIRED')),
    issued_at timestamptz NOT NULL,
    activated_at timestamptz,
    deadline timestamptz,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('PAID', 'LEFT', 'DEADLINE', 'ABSENT', 'NEW_EPOCH')),
    paid_reservation uuid,
    -- The version of the line at which it ceased to wait: was admitted, left or was passed over. So positions can be
    -- recomputed for every version (R4).
    out_version bigint CHECK (out_version >= 1),
    PRIMARY KEY (queue, number),
    CHECK ((activated_at IS NULL) = (deadline IS NULL)),
    CHECK ((status = 'EXPIRED') = (ended_at IS NOT NULL) AND (ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (status <> 'WAITING' OR activated_at IS NULL),
    CHECK ((status = 'WAITING') = (out_version IS NULL)),
    CHECK (status <> 'ACTIVE' OR activated_at IS NOT NULL),
    CHECK ((end_reason IS NOT DISTINCT FROM 'PAID') = (paid_reservation IS NOT NULL))
) WITH (fillfactor = 80);

-- One live place of a user in a queue (R1). No index here is of what another one's predicate implies: when statistics were made
-- while nothing was ACTIVE or waiting, a planner would take any such index to be empty, and walk it.
CREATE UNIQUE INDEX tokens_live ON tokens (queue, user_id) WHERE ended_at IS NULL;
CREATE INDEX tokens_active ON tokens (queue, deadline) WHERE status = 'ACTIVE';
-- Who left while waiting, by version: what a server that follows the line has not seen yet (R4).
CREATE INDEX tokens_left ON tokens (queue, out_version, number) WHERE end_reason = 'LEFT' AND activated_at IS NULL;
-- What a report counts beside: how the admitted ended, and whom a new epoch ended while they waited. How most tokens end,
-- by their deadline or absent, is what these and the queue's counters leave over, and costs no index. Of those that have
-- ended otherwise each is in one index: of who was admitted, of who left waiting, of who was expelled waiting.
CREATE INDEX tokens_ended ON tokens (queue, end_reason) WHERE activated_at IS NOT NULL AND end_reason <> 'DEADLINE';
CREATE INDEX tokens_expelled ON tokens (queue) WHERE end_reason = 'NEW_EPOCH' AND activated_at IS NULL;

-- Which servers tell of themselves: since when without a gap, and when last (R22).
CREATE TABLE servers (
    id uuid NOT NULL PRIMARY KEY,
    since timestamptz NOT NULL,
    last timestamptz NOT NULL CHECK (last >= since)
) WITH (fillfactor = 50);

-- Whom a server saw of a chunk of numbers between two of its notes: a bit for each number. Rows are never changed.
CREATE TABLE sightings (
    queue integer NOT NULL REFERENCES queues (queue),
    chunk bigint NOT NULL CHECK (chunk >= 0),
    noted_at timestamptz NOT NULL,
    server uuid NOT NULL,
    seen bytea NOT NULL CHECK (length(seen) = 4096),
    PRIMARY KEY (queue, chunk, noted_at, server)
);

CREATE TABLE concerts (
    queue integer NOT NULL REFERENCES queues (queue),
    id uuid NOT NULL,
    title text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (queue, id)
);
-- For telling "another queue's" from "nobody's".
CREATE INDEX concerts_by_id ON concerts (id);

CREATE TABLE schedules (
    queue integer NOT NULL,
    id uuid NOT NULL,
    concert_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    offset_minutes integer NOT NULL CHECK (offset_minutes BETWEEN -1439 AND 1439),
    -- The calendar date in that offset.
    local_date date NOT NULL,
    seats_total integer NOT NULL CHECK (seats_total >= 1),
    PRIMARY KEY (queue, id),
    FOREIGN KEY (queue, concert_id) REFERENCES concerts (queue, id)
);
CREATE INDEX schedules_by_start ON schedules (queue, starts_at, id);
CREATE INDEX schedules_of_concert ON schedules (queue, concert_id, starts_at, id);
CREATE INDEX schedules_by_id ON schedules (id);

CREATE TABLE reservations (
    queue integer NOT NULL,
    id uuid NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    schedule_id uuid NOT NULL,
    amount numeric(16, 2) NOT NULL CHECK (amount >= 0),
    status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED')),
    cancel_reason text CHECK (cancel_reason IN ('EXPIRED', 'USER', 'LEFT')),
    reserved_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The key it was asked for with, and what was asked (R15). The first answer is rebuilt from what never changes of
    -- the row. A key that is forgotten by the rule is taken from its row when it is used again.
    idempotency_key text COLLATE "C",
    fingerprint bytea CHECK (length(fingerprint) = 32),
    PRIMARY KEY (queue, id),
    FOREIGN KEY (queue, schedule_id) REFERENCES schedules (queue, id),
    CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL)),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX reservations_keys ON reservations (queue, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX reservations_of_user ON reservations (queue, user_id, id);
-- What one user holds now, however much they bought before (R8).
CREATE INDEX reservations_pending ON reservations (queue, user_id) WHERE status = 'PENDING';
-- What is due, across queues (R10, trap P7). In other words than the index above, for the reason given at the tokens.
CREATE INDEX reservations_due ON reservations (expires_at) WHERE status <> 'CONFIRMED' AND cancel_reason IS NULL;

-- What a reservation took; a seat names a reservation only if that took it.
CREATE TABLE reservation_seats (
    queue integer NOT NULL,
    reservation_id uuid NOT NULL,
    seat_id uuid NOT NULL,
    number integer NOT NULL,
    -- The price at hold time (R9).
    price numeric(16, 2) NOT NULL CHECK (price >= 0),
    PRIMARY KEY (queue, reservation_id, seat_id),
    FOREIGN KEY (queue, reservation_id) REFERENCES reservations (queue, id)
);

-- Room for a second version of every row of a page, so that a whole page may be held at once without touching an index.
CREATE TABLE seats (
    queue integer NOT NULL,
    schedule_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    id uuid NOT NULL,
    price numeric(16, 2) NOT NULL CHECK (price >= 0),
    -- Whose it is: one reservation at most, so that no seat can be sold twice whatever a program does.
    reservation_id uuid,
    -- When the hold ends; NULL with a reservation means sold.
    held_until timestamptz,
    PRIMARY KEY (queue, schedule_id, number),
    UNIQUE (queue, id),
    FOREIGN KEY (queue, schedule_id) REFERENCES schedules (queue, id),
    FOREIGN KEY (queue, reservation_id, id) REFERENCES reservation_seats (queue, reservation_id, seat_id),
    CHECK (reservation_id IS NOT NULL OR held_until IS NULL)
) WITH (fillfactor = 45);

CREATE TABLE payments (
    queue integer NOT NULL,
    id uuid NOT NULL,
    reservation_id uuid NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    amount numeric(16, 2) NOT NULL CHECK (amount >= 0),
    paid_at timestamptz NOT NULL,
    -- The wallet's entry; no foreign key crosses between a sale and the wallets.
    entry_seq bigint NOT NULL,
    -- As of reservations (R15).
    idempotency_key text COLLATE "C",
    fingerprint bytea CHECK (length(fingerprint) = 32),
    PRIMARY KEY (queue, id),
    UNIQUE (queue, reservation_id),
    FOREIGN KEY (queue, reservation_id) REFERENCES reservations (queue, id),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL))
);
CREATE UNIQUE INDEX payments_keys ON payments (queue, user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX payments_of_user ON payments (queue, user_id, id);

-- Room for a second version of every row, as for seats.
CREATE TABLE wallets (
    user_id text COLLATE "C" NOT NULL PRIMARY KEY,
    balance numeric(16, 2) NOT NULL CHECK (balance BETWEEN 0 AND 10000000000000),
    last_seq bigint NOT NULL CHECK (last_seq >= 1)
) WITH (fillfactor = 45);

CREATE TABLE entries (
    user_id text COLLATE "C" NOT NULL REFERENCES wallets (user_id),
    seq bigint NOT NULL CHECK (seq >= 1),
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('CHARGE', 'PAYMENT')),
    amount numeric(16, 2) NOT NULL CHECK (amount >= 0),
    balance_after numeric(16, 2) NOT NULL CHECK (balance_after >= 0),
    reservation_id uuid,
    created_at timestamptz NOT NULL,
    -- As of reservations, for charges (R15).
    idempotency_key text COLLATE "C",
    fingerprint bytea CHECK (length(fingerprint) = 32),
    PRIMARY KEY (user_id, seq),
    CHECK ((kind = 'PAYMENT') = (reservation_id IS NOT NULL)),
    CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL)),
    CHECK (kind = 'CHARGE' OR idempotency_key IS NULL)
);
CREATE UNIQUE INDEX entries_keys ON entries (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Which server key sealed last, and the key itself when no operator set one.
CREATE TABLE token_keys (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    generated bytea CHECK (length(generated) = 32)
);
