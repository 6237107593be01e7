ALTER TABLE tokens DROP COLUMN last_paid;
ALTER TABLE tokens DROP COLUMN selection_ends_at;
