-- When a queue opens: nobody is admitted before (R19). It is part of the policy, and of its history.
ALTER TABLE policies ADD COLUMN opens_at timestamptz;

-- What an operator tells those who wait, in the queues where that is something.
CREATE TABLE messages (
    queue integer NOT NULL PRIMARY KEY REFERENCES queues (queue),
    since timestamptz NOT NULL,
    ko text NOT NULL CHECK (char_length(ko) BETWEEN 1 AND 500),
    en text NOT NULL CHECK (char_length(en) BETWEEN 1 AND 500)
);

-- The cheapest seat that is left is looked for in this order. Nothing of it changes when a seat is held or sold, so that it costs
-- a hold nothing.
CREATE INDEX seats_by_price ON seats (queue, schedule_id, price, number);
