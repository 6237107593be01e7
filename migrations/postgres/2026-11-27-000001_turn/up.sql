-- A turn has two ends (R5): no hold begins from the first one on, which a payment moves to its own moment (R14); the deadline is
-- the later of it and the end of the last live hold.
--
-- An older program that runs beside writes neither column. Where the first one is NULL, the deadline is meant: until then that
-- program lets a token begin holds.
ALTER TABLE tokens
    ADD COLUMN selection_ends_at timestamptz CHECK (activated_at IS NOT NULL OR selection_ends_at IS NULL),
    -- The reservation that it paid last, while it lives on for others and afterwards.
    ADD COLUMN last_paid uuid CHECK (activated_at IS NOT NULL OR last_paid IS NULL);

-- Whoever is within keeps what they were told. Of those that have ended nobody asks.
UPDATE tokens SET selection_ends_at = deadline WHERE status = 'ACTIVE';
