DROP INDEX seats_by_price;
DROP TABLE messages;
ALTER TABLE policies DROP COLUMN opens_at;
