-- How many seats of it one user may have, PENDING and CONFIRMED, over all time (R8); NULL for as many as there are.
ALTER TABLE concerts ADD COLUMN max_per_user integer CHECK (max_per_user BETWEEN 1 AND 100000);
ALTER TABLE schedules ADD COLUMN max_per_user integer CHECK (max_per_user BETWEEN 1 AND 100000);

-- What one user has bought, however much they held and gave up before.
CREATE INDEX reservations_bought ON reservations (queue, user_id) WHERE status = 'CONFIRMED';
