DROP INDEX reservations_bought;
ALTER TABLE schedules DROP COLUMN max_per_user;
ALTER TABLE concerts DROP COLUMN max_per_user;
