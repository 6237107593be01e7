-- When a queue opens: nobody is admitted before (R19). It is part of the policy, and of its history.
ALTER TABLE policies ADD COLUMN opens_at INTEGER;

-- What an operator tells those who wait, in the queues where that is something.
CREATE TABLE messages (
    queue INTEGER NOT NULL PRIMARY KEY REFERENCES queues (queue),
    since INTEGER NOT NULL,
    ko TEXT NOT NULL CHECK (length(ko) BETWEEN 1 AND 500),
    en TEXT NOT NULL CHECK (length(en) BETWEEN 1 AND 500)
) STRICT;

-- The cheapest seat that is left is looked for in this order. Nothing of it changes when a seat is held or sold, so that it costs
-- a hold nothing.
CREATE INDEX seats_by_price ON seats (queue, schedule_id, price, number);
