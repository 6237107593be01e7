ALTER TABLE tokens
    DROP COLUMN last_paid,
    DROP COLUMN selection_ends_at;
