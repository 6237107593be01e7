-- Every way to break the healthy database: statements, and after each arrow a line of the report that says so.
-- Nothing else may be found. Of every id the last byte stands for all.

-- The line.
UPDATE tokens SET number = 12 WHERE queue = 1 AND number = 9;
UPDATE queues SET issued = 12 WHERE queue = 1;
--> ticket numbers have a hole before this one (R2): queue 1, ticket 12, expected 9

UPDATE queues SET issued = 10 WHERE queue = 1;
--> the queue's last number is not its last token's (R2): queue 1, issued 10, last_ticket 9

DELETE FROM tokens WHERE queue = 1 AND number = 9;
--> the queue's last number is not its last token's (R2): queue 1, issued 9, last_ticket 8

UPDATE queues SET admitted = 4 WHERE queue = 1;
--> the queue has not admitted as many tokens as it says (R3): queue 1, admitted 4, tokens_admitted 5

UPDATE queues SET ended_beyond = 2 WHERE queue = 1;
--> not as many tokens left beyond the frontier as the queue says (R4): queue 1, frontier 6, ended_beyond 2, tokens_left 1

UPDATE queues SET frontier = 8 WHERE queue = 1;
--> not as many tokens left beyond the frontier as the queue says (R4): queue 1, frontier 8, ended_beyond 1, tokens_left 0
--> a token waits behind the frontier, where nobody is admitted any more (R4): queue 1, ticket 8, frontier 8

UPDATE queues SET frontier = 5 WHERE queue = 1;
--> a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3): queue 1, ticket 6, frontier 5

UPDATE queues SET issued = 2, version = 4 WHERE queue = 2;
INSERT INTO tokens VALUES (2, 2, 'bob', 'EXPIRED', 6, NULL, NULL, 7, 'LEFT', NULL, 4, NULL, NULL);
UPDATE queues SET ended_beyond = 1 WHERE queue = 2;
--> nobody waits, and the frontier is not at the end of the line (R4): queue 2, frontier 1, issued 2

-- Only who left counts there.
UPDATE queues SET frontier = 1, ended_beyond = 1 WHERE queue = 3;
--> a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3): queue 3, ticket 2, frontier 1
--> a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3): queue 3, ticket 3, frontier 1
--> a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3): queue 3, ticket 5, frontier 1
--> a token beyond the frontier was admitted, passed over, or ended by a new epoch (R3): queue 3, ticket 6, frontier 1

UPDATE tokens SET ended_at = NULL WHERE queue = 3 AND number = 2;
--> a token's state does not follow from its moments (R5): queue 3, ticket 2, status "EXPIRED", activated_at none, ended_at none, end_reason "ABSENT"
--> a user had more than one live place in a queue (R1): queue 3, user "bob", ticket 2, ended_at none, next_ticket 7, next_issued_at 610000000

UPDATE tokens SET end_reason = NULL WHERE queue = 1 AND number = 2;
--> a token's state does not follow from its moments (R5): queue 1, ticket 2, status "EXPIRED", activated_at 0, ended_at 601000000, end_reason none
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 2, deadline 600000000, ended_at 601000000, end_reason none

UPDATE tokens SET activated_at = NULL, deadline = NULL WHERE queue = 2;
UPDATE queues SET admitted = 0 WHERE queue = 2;
--> a token's state does not follow from its moments (R5): queue 2, ticket 1, status "ACTIVE", activated_at none, ended_at none, end_reason none

UPDATE tokens SET end_reason = 'ABSENT' WHERE queue = 1 AND number = 2;
--> a token ended for a reason that it cannot have had (R5): queue 1, ticket 2, activated_at 0, end_reason "ABSENT"
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 2, deadline 600000000, ended_at 601000000, end_reason "ABSENT"

UPDATE tokens SET end_reason = 'DEADLINE' WHERE queue = 3 AND number = 2;
--> a token ended for a reason that it cannot have had (R5): queue 3, ticket 2, activated_at none, end_reason "DEADLINE"

UPDATE tokens SET out_version = NULL WHERE queue = 2;
--> a token waits and has a version at which it ceased to, or the reverse (R4): queue 2, ticket 1, status "ACTIVE", out_version none

UPDATE tokens SET out_version = 13 WHERE queue = 1 AND number = 9;
--> a token waits and has a version at which it ceased to, or the reverse (R4): queue 1, ticket 9, status "WAITING", out_version 13

UPDATE queues SET version = 18 WHERE queue = 1;
--> a token ceased to wait at a version that its queue has not reached (R4): queue 1, ticket 7, out_version 19, version 18

-- One who was absent at another moment than that at which the turn came; one who left as others were admitted; two leavers.
UPDATE tokens SET ended_at = 299999999 WHERE queue = 3 AND number = 2;
--> more than one thing happened at one version of the line (R4): queue 3, version 8, tokens 2, first_ticket 2

UPDATE tokens SET ended_at = 300000000, out_version = 8 WHERE queue = 3 AND number = 4;
--> more than one thing happened at one version of the line (R4): queue 3, version 8, tokens 3, first_ticket 2

UPDATE tokens SET ended_at = 20000000, out_version = 11 WHERE queue = 1 AND number = 7;
--> more than one thing happened at one version of the line (R4): queue 1, version 11, tokens 2, first_ticket 3

UPDATE tokens SET ended_at = 300000000, out_version = 8 WHERE queue = 3 AND number = 5;
--> more than one thing happened at one version of the line (R4): queue 3, version 8, tokens 3, first_ticket 2

UPDATE tokens SET status = 'ACTIVE', deadline = 500000000, ended_at = NULL, end_reason = NULL WHERE queue = 3 AND number = 3;
--> a token of before a new epoch lives (ADR 2): queue 3, ticket 3, status "ACTIVE", last_ended 5

UPDATE tokens SET issued_at = 50000001 WHERE queue = 1 AND number = 4;
--> a token's moments are not in their order (R5): queue 1, ticket 4, issued_at 50000001, activated_at 50000000, deadline 900000000, ended_at none

UPDATE tokens SET issued_at = 620000001 WHERE queue = 1 AND number = 7;
--> a token's moments are not in their order (R5): queue 1, ticket 7, issued_at 620000001, activated_at none, deadline none, ended_at 620000000

UPDATE tokens SET deadline = 5000000 WHERE queue = 2;
--> a token's moments are not in their order (R5): queue 2, ticket 1, issued_at 5000000, activated_at 5000000, deadline 5000000, ended_at none

UPDATE tokens SET ended_at = 599499999 WHERE queue = 1 AND number = 5;
--> a token's moments are not in their order (R5): queue 1, ticket 5, issued_at 3000000, activated_at 599500000, deadline 1199500000, ended_at 599499999

UPDATE tokens SET deadline = NULL WHERE queue = 2;
--> a token's moments are not in their order (R5): queue 2, ticket 1, issued_at 5000000, activated_at 5000000, deadline none, ended_at none

UPDATE tokens SET selection_ends_at = 49999999 WHERE queue = 1 AND number = 4;
--> a turn's selection ends outside of it, or a token without a turn has one (R5): queue 1, ticket 4, activated_at 50000000, selection_ends_at 49999999, deadline 900000000, reservation none
--> a hold began when its token's selection was over (R5): queue 1, reservation 0b, user "dan", reserved_at 600000000, selection_ends_at 49999999

UPDATE tokens SET selection_ends_at = 900000001 WHERE queue = 1 AND number = 4;
--> a turn's selection ends outside of it, or a token without a turn has one (R5): queue 1, ticket 4, activated_at 50000000, selection_ends_at 900000001, deadline 900000000, reservation none

UPDATE tokens SET selection_ends_at = 7000000 WHERE queue = 1 AND number = 8;
--> a turn's selection ends outside of it, or a token without a turn has one (R5): queue 1, ticket 8, activated_at none, selection_ends_at 7000000, deadline none, reservation none

UPDATE tokens SET last_paid = X'0A' WHERE queue = 1 AND number = 9;
--> a turn's selection ends outside of it, or a token without a turn has one (R5): queue 1, ticket 9, activated_at none, selection_ends_at none, deadline none, reservation 0a

UPDATE tokens SET ended_at = 639999999, selection_ends_at = 639999999 WHERE queue = 1 AND number = 6;
UPDATE payments SET paid_at = 639999999 WHERE user_id = 'fay';
UPDATE entries SET created_at = 639999999 WHERE user_id = 'fay' AND seq = 2;
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 6, deadline 640000000, ended_at 639999999, end_reason "PAID"
--> a turn ends neither with selection nor with a hold (R5): queue 1, ticket 6, selection_ends_at 639999999, deadline 640000000, ended_at 639999999

UPDATE tokens SET ended_at = 599999999 WHERE queue = 1 AND number = 2;
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 2, deadline 600000000, ended_at 599999999, end_reason "DEADLINE"

UPDATE tokens SET ended_at = 600000000 WHERE queue = 3 AND number = 1;
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 3, ticket 1, deadline 600000000, ended_at 600000000, end_reason "LEFT"
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 3, ticket 3, activated_at 300000000, active 2, max_active 1

UPDATE tokens SET paid_reservation = X'0A' WHERE queue = 2;
--> a token names what it paid and did not end by that, or the reverse (R6): queue 2, ticket 1, end_reason none, reservation 0a

UPDATE tokens SET paid_reservation = NULL WHERE queue = 1 AND number = 1;
--> a token names what it paid and did not end by that, or the reverse (R6): queue 1, ticket 1, end_reason "PAID", reservation none
--> a payment ended neither a token nor its selection (R14): queue 1, payment a1, reservation 0a, user "ann", paid_at 50000000
--> a token ended by a payment that is not there (R14): queue 1, ticket 1, reservation none

DROP INDEX IF EXISTS tokens_live;
UPDATE tokens SET user_id = 'hal' WHERE queue = 1 AND number = 9;
--> a user had more than one live place in a queue (R1): queue 1, user "hal", ticket 8, ended_at none, next_ticket 9, next_issued_at 60000000

-- One that lives before one that has ended; and one that came more than a second before the other ended.
UPDATE tokens SET user_id = 'dan' WHERE queue = 1 AND number = 7;
--> a user had more than one live place in a queue (R1): queue 1, user "dan", ticket 4, ended_at none, next_ticket 7, next_issued_at 5000000

UPDATE tokens SET issued_at = 48999999 WHERE queue = 1 AND number = 9;
--> a user had more than one live place in a queue (R1): queue 1, user "ann", ticket 1, ended_at 50000000, next_ticket 9, next_issued_at 48999999

-- Admission.
UPDATE tokens SET activated_at = 620000000 WHERE queue = 1 AND number = 5;
--> a token's moments are not in their order (R5): queue 1, ticket 5, issued_at 3000000, activated_at 620000000, deadline 1199500000, ended_at 610000000
--> a token's turn came at an earlier moment than one ahead of it ceased to wait (R3): queue 1, ticket 6, moment 610000000, latest_ahead 620000000
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0c, user "eve", reserved_at 600000000, expires_at 900000000

-- cat left at 11, dan was admitted at 12, eve at 17.
UPDATE tokens SET out_version = 13 WHERE queue = 1 AND number = 3;
--> a token's turn came while one ahead of it waited (R3): queue 1, ticket 4, out_version 12, latest_ahead 13

UPDATE tokens SET out_version = 16 WHERE queue = 1 AND number = 6;
--> a token's turn came while one ahead of it waited (R3): queue 1, ticket 6, out_version 16, latest_ahead 17

UPDATE tokens SET status = 'WAITING', ended_at = NULL, end_reason = NULL, out_version = NULL WHERE queue = 1 AND number = 3;
--> a token waits behind the frontier, where nobody is admitted any more (R4): queue 1, ticket 3, frontier 6
--> a token's turn came while one ahead of it waited (R3): queue 1, ticket 4, out_version 12, latest_ahead none
--> a token's turn came while one ahead of it waited (R3): queue 1, ticket 5, out_version 17, latest_ahead none
--> a token's turn came while one ahead of it waited (R3): queue 1, ticket 6, out_version 18, latest_ahead none

-- Who was passed over, and who was ended by a new epoch, before one ahead.
UPDATE tokens SET out_version = 3 WHERE queue = 3 AND number = 2;
UPDATE tokens SET out_version = 4 WHERE queue = 3 AND number = 1;
--> a token's turn came while one ahead of it waited (R3): queue 3, ticket 2, out_version 3, latest_ahead 4

UPDATE tokens SET out_version = 6 WHERE queue = 3 AND number = 5;
--> a token's turn came while one ahead of it waited (R3): queue 3, ticket 5, out_version 6, latest_ahead 8

UPDATE tokens SET ended_at = 50000001 WHERE queue = 1 AND number = 3;
--> a token's turn came at an earlier moment than one ahead of it ceased to wait (R3): queue 1, ticket 4, moment 50000000, latest_ahead 50000001

UPDATE tokens SET ended_at = 299999999 WHERE queue = 3 AND number = 5;
--> a token's turn came at an earlier moment than one ahead of it ceased to wait (R3): queue 3, ticket 5, moment 299999999, latest_ahead 300000000

UPDATE tokens SET activated_at = 599000000 WHERE queue = 1 AND number = 5;
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 1, ticket 5, activated_at 599000000, active 3, max_active 2

UPDATE tokens SET activated_at = 49000000 WHERE queue = 1 AND number = 4;
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 1, ticket 4, activated_at 49000000, active 3, max_active 2

DELETE FROM policies WHERE queue = 2;
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 2, ticket 1, activated_at 5000000, active 1, max_active none
--> a queue's policies have a hole, or another than the last is in force (R3): queue 2, policy 1, policies 0, last_policy none

UPDATE policies SET since = 599500001 WHERE seq = 4;
UPDATE policies SET max_active = 2 WHERE seq = 3;
--> a token was admitted while the queue was paused (R3): queue 1, ticket 5, activated_at 599500000

UPDATE policies SET opens_at = 5000001 WHERE queue = 2;
--> a token was admitted before the queue opened (R19): queue 2, ticket 1, activated_at 5000000, opens_at 5000001

-- eve was there too shortly to count, either way.
UPDATE tokens SET ended_at = 600000000 WHERE queue = 1 AND number = 5;
UPDATE policies SET max_active = 1 WHERE seq = 4;
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 1, ticket 6, activated_at 610000000, active 2, max_active 1

UPDATE policies SET batch = 1 WHERE seq = 1;
--> a window granted more than its batch (R3): queue 1, policy 1, window 0, granted 2, batch 1, first_ticket 1

UPDATE queues SET window_granted = 2 WHERE queue = 1;
--> a queue's running window has granted more than its policy's batch (R3): queue 1, window 31, granted 2, batch 1

DELETE FROM policies WHERE queue = 1 AND seq = 2;
--> a queue's policies have a hole, or another than the last is in force (R3): queue 1, policy 4, policies 3, last_policy 4

UPDATE policies SET seq = 5 WHERE queue = 1 AND seq = 4;
--> a queue's policies have a hole, or another than the last is in force (R3): queue 1, policy 4, policies 4, last_policy 5

INSERT INTO policies VALUES (2, 2, 600000000, 100, 10, 10, 0, NULL);
--> a queue's policies have a hole, or another than the last is in force (R3): queue 2, policy 1, policies 2, last_policy 2

-- References.
DELETE FROM queue_registry WHERE number = 2;
--> a queue and its name are not both there (ADR 7): queue 2, number none, name none

INSERT INTO queue_registry VALUES (4, 'none', 0);
--> a queue and its name are not both there (ADR 7): queue none, number 4, name "none"

INSERT INTO policies VALUES (9, 1, 0, 1, 1, 10, 0, NULL);
INSERT INTO tokens VALUES (9, 1, 'bob', 'WAITING', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO concerts VALUES (9, X'C9', 'None', 0, NULL);
INSERT INTO schedules VALUES (9, X'CA', X'C9', 9000000000, 540, '1970-01-01', 1, NULL);
INSERT INTO seats VALUES (9, X'CA', 1, X'59', 0, NULL, NULL);
INSERT INTO reservations VALUES (9, X'9F', 'bob', X'CA', 0, 'CONFIRMED', NULL, 0, 1, NULL, NULL);
INSERT INTO reservation_seats VALUES (9, X'9F', X'59', 1, 0);
INSERT INTO payments VALUES (9, X'9A', X'9F', 'bob', 0, 0, 1, NULL, NULL);
--> rows are of no queue (ADR 7): table "concerts", queue 9, rows 1
--> rows are of no queue (ADR 7): table "payments", queue 9, rows 1
--> rows are of no queue (ADR 7): table "policies", queue 9, rows 1
--> rows are of no queue (ADR 7): table "reservation_seats", queue 9, rows 1
--> rows are of no queue (ADR 7): table "reservations", queue 9, rows 1
--> rows are of no queue (ADR 7): table "schedules", queue 9, rows 1
--> rows are of no queue (ADR 7): table "seats", queue 9, rows 1
--> rows are of no queue (ADR 7): table "tokens", queue 9, rows 1
--> a seat of a CONFIRMED reservation is not sold to it (R14): queue 9, reservation 9f, seat 1, sold_to none, held_until none
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 9, reservation 9f, user "bob", reserved_at 0, expires_at 1
--> a payment has no entry in its user's wallet (R14): queue 9, payment 9a, user "bob", entry_seq 1
--> a payment ended neither a token nor its selection (R14): queue 9, payment 9a, reservation 9f, user "bob", paid_at 0

INSERT INTO loadings VALUES ('load-1', X'00', 1, X'C0', 0), ('load-2', X'00', 2, X'C0', 0), ('load-3', X'00', 1, X'C1', 0);
--> what was loaded under a key is not there (R15): queue 1, key "load-3", concert c1
--> what was loaded under a key is not there (R15): queue 2, key "load-2", concert c0

UPDATE schedules SET concert_id = X'C8' WHERE seats_total = 1;
--> a schedule is of no concert (ADR 7): queue 1, schedule c2, concert c8

DELETE FROM seats WHERE number = 4;
DELETE FROM reservation_seats WHERE number = 4;
DELETE FROM reservations WHERE user_id = 'eve';
--> a schedule has not as many seats as it says (ADR 7): queue 1, schedule c1, seats_total 6, seats 5

DELETE FROM schedules WHERE seats_total = 1;
--> seats are of no schedule (ADR 7): queue 1, schedule c2, seats 1

INSERT INTO reservations VALUES (1, X'0F', 'dan', X'C9', 1000, 'CANCELLED', 'USER', 600000000, 900000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'54', 4, 1000);
--> a reservation is of no schedule (ADR 7): queue 1, reservation 0f, schedule c9
--> a reservation has a seat of no schedule, of another one, or of another number (R8): queue 1, reservation 0f, seat 4, seat_number 4, seat_schedule c1

INSERT INTO reservation_seats VALUES (1, X'0F', X'54', 4, 1000);
--> a reserved seat is of no reservation (ADR 7): queue 1, reservation 0f, seat 4

-- Seats.
UPDATE seats SET reservation_id = X'0F' WHERE number = 4;
--> a sold seat is of no CONFIRMED reservation (R14): queue 1, schedule c1, seat 4, reservation 0f, status none
--> a taken seat is not among the seats of its reservation (R8): queue 1, schedule c1, seat 4, reservation 0f

UPDATE seats SET held_until = NULL WHERE number = 3;
--> a sold seat is of no CONFIRMED reservation (R14): queue 1, schedule c1, seat 3, reservation 0b, status "PENDING"
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0b, seat 3, held_by 0b, held_until none, expires_at 900000000

UPDATE seats SET reservation_id = NULL WHERE number = 2;
--> a seat of a CONFIRMED reservation is not sold to it (R14): queue 1, reservation 0a, seat 2, sold_to none, held_until none

UPDATE seats SET reservation_id = X'0D' WHERE number = 2;
--> a seat of a CONFIRMED reservation is not sold to it (R14): queue 1, reservation 0a, seat 2, sold_to 0d, held_until none
--> a taken seat is not among the seats of its reservation (R8): queue 1, schedule c1, seat 2, reservation 0d

UPDATE seats SET held_until = 310000000 WHERE number = 2;
--> a seat of a CONFIRMED reservation is not sold to it (R14): queue 1, reservation 0a, seat 2, sold_to 0a, held_until 310000000

UPDATE seats SET reservation_id = X'0E' WHERE number = 3;
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0b, seat 3, held_by 0e, held_until 900000000, expires_at 900000000
--> a seat is held by a reservation that is over (R7): queue 1, schedule c1, seat 3, reservation 0e, status "CANCELLED", held_until 900000000
--> a taken seat is not among the seats of its reservation (R8): queue 1, schedule c1, seat 3, reservation 0e

UPDATE seats SET held_until = 900000001 WHERE number = 3;
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0b, seat 3, held_by 0b, held_until 900000001, expires_at 900000000

UPDATE seats SET reservation_id = NULL WHERE number = 3;
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0b, seat 3, held_by none, held_until 900000000, expires_at 900000000
--> a seat is held by a reservation that is over (R7): queue 1, schedule c1, seat 3, reservation none, status none, held_until 900000000

UPDATE seats SET reservation_id = NULL, held_until = NULL WHERE number = 3;
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0b, seat 3, held_by none, held_until none, expires_at 900000000

UPDATE seats SET reservation_id = X'0C', held_until = 900000000 WHERE number = 4;
--> a seat is held by a reservation that is over (R7): queue 1, schedule c1, seat 4, reservation 0c, status "CANCELLED", held_until 900000000

UPDATE seats SET held_until = 600000001 WHERE number = 6;
--> a seat is held by a reservation that is over (R7): queue 1, schedule c1, seat 6, reservation 0e, status "CANCELLED", held_until 600000001

UPDATE seats SET reservation_id = X'0B', held_until = 900000000 WHERE number = 4;
--> a taken seat is not among the seats of its reservation (R8): queue 1, schedule c1, seat 4, reservation 0b

UPDATE seats SET reservation_id = X'0A' WHERE number = 4;
--> a taken seat is not among the seats of its reservation (R8): queue 1, schedule c1, seat 4, reservation 0a

UPDATE reservations SET status = 'PENDING', cancel_reason = NULL WHERE user_id = 'bob';
--> a seat of a PENDING reservation is not held by it until it ends (R9): queue 1, reservation 0e, seat 5, held_by 0d, held_until none, expires_at 600000000
--> a seat is of more than one live reservation (R7): queue 1, seat 55, reservation 0d, other_reservation 0e

UPDATE reservation_seats SET seat_id = X'57', number = 1 WHERE number = 4;
--> a reservation has a seat of no schedule, of another one, or of another number (R8): queue 1, reservation 0c, seat 1, seat_number 1, seat_schedule c2

UPDATE reservation_seats SET seat_id = X'58' WHERE number = 4;
--> a reservation has a seat of no schedule, of another one, or of another number (R8): queue 1, reservation 0c, seat 4, seat_number none, seat_schedule none

UPDATE reservation_seats SET number = 7 WHERE number = 4;
--> a reservation has a seat of no schedule, of another one, or of another number (R8): queue 1, reservation 0c, seat 7, seat_number 4, seat_schedule c1

UPDATE reservations SET amount = 1001 WHERE user_id = 'eve';
--> a reservation's amount is not the sum of its seats' prices (R9): queue 1, reservation 0c, amount 1001, prices 1000

DELETE FROM reservation_seats WHERE number = 4;
--> a reservation's amount is not the sum of its seats' prices (R9): queue 1, reservation 0c, amount 1000, prices none

UPDATE seats SET price = -1 WHERE number = 4;
--> a price is below nothing (ADR 3): table "seats", queue 1, seat 54, price -1

UPDATE reservation_seats SET price = -1 WHERE number = 4;
UPDATE reservations SET amount = -1 WHERE user_id = 'eve';
--> a price is below nothing (ADR 3): table "reservation_seats", queue 1, seat 54, price -1

-- Reservations.
UPDATE reservations SET cancel_reason = 'USER' WHERE user_id = 'dan';
--> a reservation's state and why it was cancelled disagree (R17): queue 1, reservation 0b, status "PENDING", cancel_reason "USER"

UPDATE reservations SET cancel_reason = NULL WHERE user_id = 'eve';
--> a reservation's state and why it was cancelled disagree (R17): queue 1, reservation 0c, status "CANCELLED", cancel_reason none

UPDATE reservations SET status = 'OVER', cancel_reason = NULL WHERE user_id = 'eve';
--> a reservation's state and why it was cancelled disagree (R17): queue 1, reservation 0c, status "OVER", cancel_reason none

UPDATE reservations SET cancel_reason = 'BORED' WHERE user_id = 'eve';
--> a reservation's state and why it was cancelled disagree (R17): queue 1, reservation 0c, status "CANCELLED", cancel_reason "BORED"

UPDATE tokens SET status = 'EXPIRED', ended_at = 700000000, end_reason = 'LEFT' WHERE queue = 1 AND number = 4;
--> a hold is there that its user gave up with the place (R17): queue 1, reservation 0b, expires_at 900000000, ticket 4, ended_at 700000000

UPDATE tokens SET status = 'EXPIRED', selection_ends_at = 605000000, deadline = 606000000, ended_at = 606000000,
    end_reason = 'DEADLINE' WHERE queue = 3 AND number = 6;
--> a turn ends neither with selection nor with a hold (R5): queue 3, ticket 6, selection_ends_at 605000000, deadline 606000000, ended_at 606000000

UPDATE reservations SET expires_at = 600000000 WHERE user_id = 'eve';
--> a hold ended as it began (R9): queue 1, reservation 0c, reserved_at 600000000, expires_at 600000000

UPDATE schedules SET starts_at = 620000000 WHERE seats_total = 6;
--> a reservation was made when its schedule had started (R11): queue 1, reservation 0d, reserved_at 620000000, starts_at 620000000

-- More in one hold; in a second one beside what is bought; over two schedules.
UPDATE schedules SET max_per_user = 1 WHERE seats_total = 6;
--> a user has more seats of a schedule than one may have (R8): queue 1, reservation 0a, user "ann", schedule c1, max_per_user 1, seats 2
--> a user has more seats of a schedule than one may have (R8): queue 1, reservation 0e, user "bob", schedule c1, max_per_user 1, seats 2

UPDATE schedules SET max_per_user = 2 WHERE seats_total = 6;
INSERT INTO reservations VALUES (1, X'0F', 'ann', X'C1', 1000, 'CANCELLED', 'USER', 20000000, 320000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'54', 4, 1000);
--> a user has more seats of a schedule than one may have (R8): queue 1, reservation 0f, user "ann", schedule c1, max_per_user 2, seats 3

UPDATE concerts SET max_per_user = 2;
INSERT INTO reservations VALUES (1, X'0F', 'ann', X'C2', 1000, 'CANCELLED', 'USER', 20000000, 320000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'57', 1, 1000);
--> a user has more seats of a concert than one may have (R8): queue 1, reservation 0f, user "ann", concert c0, max_per_user 2, seats 3

-- Before a hold ran out; when somebody holds it; after it was sold.
UPDATE reservations SET reserved_at = 611000000 WHERE user_id = 'fay';
UPDATE reservations SET expires_at = 611000001 WHERE user_id = 'bob';
UPDATE seats SET held_until = 611000001 WHERE number = 6;
UPDATE tokens SET deadline = 612000000, ended_at = 612000000 WHERE queue = 1 AND number = 2;
UPDATE policies SET max_active = 3 WHERE seq = 4;
--> a seat was held while another reservation had it (R7): queue 1, seat 55, reservation 0d, reserved_at 611000000, taken_until 611000001

INSERT INTO reservations VALUES (1, X'0F', 'dan', X'C1', 1000, 'CANCELLED', 'USER', 601000000, 900000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'53', 3, 1000);
--> a seat was held while another reservation had it (R7): queue 1, seat 53, reservation 0f, reserved_at 601000000, taken_until 900000000

INSERT INTO reservations VALUES (1, X'0F', 'dan', X'C1', 1000, 'CANCELLED', 'USER', 60000000, 360000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'51', 1, 1000);
--> a seat was held while another reservation had it (R7): queue 1, seat 51, reservation 0f, reserved_at 60000000, taken_until none

-- Of somebody else, before the admission, after the end, and longer than the token.
UPDATE reservations SET user_id = 'hal' WHERE user_id = 'eve';
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0c, user "hal", reserved_at 600000000, expires_at 900000000

UPDATE reservations SET reserved_at = 598499999 WHERE user_id = 'eve';
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0c, user "eve", reserved_at 598499999, expires_at 900000000

UPDATE reservations SET reserved_at = 611000001 WHERE user_id = 'eve';
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0c, user "eve", reserved_at 611000001, expires_at 900000000

UPDATE reservations SET expires_at = 900000001 WHERE user_id = 'dan';
UPDATE seats SET held_until = 900000001 WHERE number = 3;
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0b, user "dan", reserved_at 600000000, expires_at 900000001
--> a turn ends neither with selection nor with a hold (R5): queue 1, ticket 4, selection_ends_at 650000000, deadline 900000000, ended_at none

-- What ran out, and what was given up after the token's time.
UPDATE reservations SET expires_at = 600000001 WHERE user_id = 'bob';
UPDATE seats SET held_until = 600000001 WHERE number = 6;
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0e, user "bob", reserved_at 300000000, expires_at 600000001

UPDATE tokens SET deadline = 605000000, ended_at = 700000000, end_reason = 'DEADLINE' WHERE queue = 1 AND number = 5;
UPDATE reservations SET reserved_at = 606000001, expires_at = 906000001 WHERE user_id = 'eve';
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0c, user "eve", reserved_at 606000001, expires_at 906000001
--> a hold began when its token's selection was over (R5): queue 1, reservation 0c, user "eve", reserved_at 606000001, selection_ends_at 605000000

-- At the end of selection, after it, and after a payment.
UPDATE tokens SET selection_ends_at = 600000000 WHERE queue = 1 AND number = 4;
--> a hold began when its token's selection was over (R5): queue 1, reservation 0b, user "dan", reserved_at 600000000, selection_ends_at 600000000

UPDATE tokens SET selection_ends_at = 619999999 WHERE queue = 1 AND number = 6;
--> a hold began when its token's selection was over (R5): queue 1, reservation 0d, user "fay", reserved_at 620000000, selection_ends_at 619999999

-- Longer than what is held; and as long as what was given up.
UPDATE tokens SET deadline = 900000001 WHERE queue = 1 AND number = 4;
--> a turn ends neither with selection nor with a hold (R5): queue 1, ticket 4, selection_ends_at 650000000, deadline 900000001, ended_at none

UPDATE reservations SET status = 'CANCELLED', cancel_reason = 'USER' WHERE user_id = 'dan';
UPDATE seats SET reservation_id = NULL, held_until = NULL WHERE number = 3;
--> a turn ends neither with selection nor with a hold (R5): queue 1, ticket 4, selection_ends_at 650000000, deadline 900000000, ended_at none

UPDATE tokens SET deadline = 700000000 WHERE queue = 3 AND number = 1;
--> a turn ends neither with selection nor with a hold (R5): queue 3, ticket 1, selection_ends_at 600000000, deadline 700000000, ended_at 300000000

DROP INDEX IF EXISTS reservations_keys;
DROP INDEX IF EXISTS payments_keys;
DROP INDEX IF EXISTS entries_keys;
UPDATE reservations SET user_id = 'ann' WHERE user_id = 'fay';
UPDATE payments SET user_id = 'ann' WHERE user_id = 'fay';
UPDATE entries SET user_id = 'ann', seq = 3, balance_after = 1500 WHERE user_id = 'fay' AND kind = 'PAYMENT';
UPDATE payments SET entry_seq = 3 WHERE reservation_id = X'0D';
UPDATE wallets SET balance = 1500, last_seq = 3 WHERE user_id = 'ann';
UPDATE wallets SET balance = 1500, last_seq = 1 WHERE user_id = 'fay';
UPDATE tokens SET user_id = 'ann', issued_at = 60000000 WHERE queue = 1 AND number = 6;
UPDATE tokens SET user_id = 'ida' WHERE queue = 1 AND number = 9;
UPDATE reservations SET idempotency_key = 'k', fingerprint = X'01' WHERE user_id = 'ann';
UPDATE payments SET idempotency_key = 'k', fingerprint = X'01' WHERE user_id = 'ann';
UPDATE entries SET idempotency_key = 'k', fingerprint = X'01' WHERE user_id = 'dan';
--> an idempotency key was used twice (R15): operation "charge", queue 0, user "dan", key "k", times 2
--> an idempotency key was used twice (R15): operation "hold", queue 1, user "ann", key "k", times 2
--> an idempotency key was used twice (R15): operation "pay", queue 1, user "ann", key "k", times 2

UPDATE reservations SET idempotency_key = 'k' WHERE user_id = 'ann';
UPDATE payments SET idempotency_key = 'k' WHERE user_id = 'ann';
UPDATE entries SET fingerprint = X'01' WHERE user_id = 'dan' AND seq = 1;
--> an idempotency key is kept without what was asked with it, or the reverse (R15): operation "charge", id e3, key none
--> an idempotency key is kept without what was asked with it, or the reverse (R15): operation "hold", id 0a, key "k"
--> an idempotency key is kept without what was asked with it, or the reverse (R15): operation "pay", id a1, key "k"

-- Payments.
DELETE FROM payments WHERE user_id = 'fay';
--> a CONFIRMED reservation has no payment, or several (R14): queue 1, reservation 0d, payments 0
--> a PAYMENT entry is of no payment (R14): user "fay", seq 2, reservation 0d
--> a token ended by a payment that is not there (R14): queue 1, ticket 6, reservation 0d
--> what a token paid last is not paid (R14): queue 1, ticket 6, reservation 0d

CREATE TABLE copies AS SELECT * FROM payments;
DROP TABLE payments;
ALTER TABLE copies RENAME TO payments;
INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
    SELECT queue, X'A2', reservation_id, user_id, amount, paid_at, entry_seq FROM payments WHERE user_id = 'ann';
--> a CONFIRMED reservation has no payment, or several (R14): queue 1, reservation 0a, payments 2

UPDATE reservations SET status = 'CANCELLED', cancel_reason = 'USER' WHERE user_id = 'fay';
UPDATE seats SET reservation_id = NULL WHERE number = 5;
--> a payment is of no CONFIRMED reservation (R14): queue 1, payment d1, reservation 0d, status "CANCELLED"

DELETE FROM reservations WHERE user_id = 'fay';
--> a reserved seat is of no reservation (ADR 7): queue 1, reservation 0d, seat 5
--> a sold seat is of no CONFIRMED reservation (R14): queue 1, schedule c1, seat 5, reservation 0d, status none
--> a payment is of no CONFIRMED reservation (R14): queue 1, payment d1, reservation 0d, status none

UPDATE payments SET amount = 1999 WHERE user_id = 'ann';
--> a payment has not its reservation's amount and user (R13): queue 1, payment a1, amount 1999, reservation_amount 2000, user "ann", reservation_user "ann"
--> a payment and its entry disagree (R14): queue 1, payment a1, amount 1999, reservation 0a, kind "PAYMENT", entry_amount 2000, entry_reservation 0a

UPDATE reservations SET user_id = 'ann' WHERE user_id = 'fay';
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0d, user "ann", reserved_at 620000000, expires_at 920000000
--> a payment has not its reservation's amount and user (R13): queue 1, payment d1, amount 1500, reservation_amount 1500, user "fay", reservation_user "ann"

UPDATE payments SET entry_seq = 3 WHERE user_id = 'ann';
--> a payment has no entry in its user's wallet (R14): queue 1, payment a1, user "ann", entry_seq 3
--> a PAYMENT entry is of no payment (R14): user "ann", seq 2, reservation 0a

UPDATE entries SET reservation_id = X'0D' WHERE user_id = 'ann' AND seq = 2;
--> a payment and its entry disagree (R14): queue 1, payment a1, amount 2000, reservation 0a, kind "PAYMENT", entry_amount 2000, entry_reservation 0d

UPDATE entries SET kind = 'PAYMENT', balance_after = 400, reservation_id = X'0B' WHERE user_id = 'dan' AND seq = 2;
UPDATE wallets SET balance = 400 WHERE user_id = 'dan';
--> a PAYMENT entry is of no payment (R14): user "dan", seq 2, reservation 0b

UPDATE entries SET kind = 'CHARGE' WHERE user_id = 'ann' AND seq = 2;
--> a payment and its entry disagree (R14): queue 1, payment a1, amount 2000, reservation 0a, kind "CHARGE", entry_amount 2000, entry_reservation 0a
--> a balance is not the sum of its entries (R12): user "ann", balance 3000, entries 7000
--> an entry's balance does not follow from the one before it (R12): user "ann", seq 2, balance_after 3000, expected 7000
--> an entry is not what its kind says (R12): user "ann", seq 2, kind "CHARGE", amount 2000, reservation 0a, key none

UPDATE tokens SET user_id = 'zoe' WHERE queue = 1 AND number = 6;
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0d, user "fay", reserved_at 620000000, expires_at 920000000
--> a payment ended neither a token nor its selection (R14): queue 1, payment d1, reservation 0d, user "fay", paid_at 640000000
--> a token ended by a payment that is not there (R14): queue 1, ticket 6, reservation 0d
--> what a token paid last is not paid (R14): queue 1, ticket 6, reservation 0d

UPDATE tokens SET status = 'ACTIVE', deadline = 1210000000, ended_at = NULL, end_reason = NULL, paid_reservation = NULL, last_paid = NULL,
                  selection_ends_at = 1210000000 WHERE queue = 1 AND number = 6;
--> a payment ended neither a token nor its selection (R14): queue 1, payment d1, reservation 0d, user "fay", paid_at 640000000

-- By a token that had ended, and by one that was not yet admitted.
UPDATE tokens SET ended_at = 638999999, deadline = 638999999, selection_ends_at = 638999999, end_reason = 'DEADLINE',
                  paid_reservation = NULL WHERE queue = 1 AND number = 6;
--> a payment ended neither a token nor its selection (R14): queue 1, payment d1, reservation 0d, user "fay", paid_at 640000000
--> a token that paid ended by its deadline (R14): queue 1, ticket 6, reservation 0d, ended_at 638999999

UPDATE tokens SET last_paid = X'0E' WHERE queue = 3 AND number = 6;
--> what a token paid last is not paid (R14): queue 3, ticket 6, reservation 0e

-- At once, as nothing more was held; and by the last of two.
UPDATE tokens SET ended_at = 640000001 WHERE queue = 1 AND number = 6;
--> a token ended by a payment at another moment, or paid again after it (R14): queue 1, ticket 6, reservation 0d, paid_at 640000000, ended_at 640000001

UPDATE tokens SET end_reason = 'DEADLINE', paid_reservation = NULL WHERE queue = 1 AND number = 6;
--> a token that paid ended by its deadline (R14): queue 1, ticket 6, reservation 0d, ended_at 640000000

INSERT INTO reservations VALUES (1, X'0F', 'fay', X'C2', 0, 'CONFIRMED', NULL, 621000000, 921000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'0F', X'57', 1, 0);
UPDATE seats SET reservation_id = X'0F' WHERE id = X'57';
INSERT INTO entries VALUES ('fay', 3, X'E7', 'PAYMENT', 0, 0, X'0F', 641000000, NULL, NULL);
UPDATE wallets SET last_seq = 3 WHERE user_id = 'fay';
INSERT INTO payments VALUES (1, X'F1', X'0F', 'fay', 0, 641000000, 3, NULL, NULL);
INSERT INTO reservations VALUES (1, X'10', 'fay', X'C1', 1000, 'CANCELLED', 'USER', 622000000, 922000000, NULL, NULL);
INSERT INTO reservation_seats VALUES (1, X'10', X'54', 4, 1000);
UPDATE tokens SET ended_at = 642000000, deadline = 642000000 WHERE queue = 1 AND number = 6;
--> a token ended by a payment at another moment, or paid again after it (R14): queue 1, ticket 6, reservation 0d, paid_at 640000000, ended_at 642000000

UPDATE tokens SET end_reason = 'PAID', paid_reservation = X'0E' WHERE queue = 1 AND number = 2;
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 2, deadline 600000000, ended_at 601000000, end_reason "PAID"
--> a token ended by a payment that is not there (R14): queue 1, ticket 2, reservation 0e

UPDATE tokens SET user_id = 'ann', end_reason = 'PAID', paid_reservation = X'0A' WHERE queue = 1 AND number = 2;
--> an ACTIVE token ended by its deadline before that, or otherwise after it (R5): queue 1, ticket 2, deadline 600000000, ended_at 601000000, end_reason "PAID"
--> a user had more than one live place in a queue (R1): queue 1, user "ann", ticket 1, ended_at 50000000, next_ticket 2, next_issued_at 0
--> a user had more than one live place in a queue (R1): queue 1, user "ann", ticket 2, ended_at 601000000, next_ticket 9, next_issued_at 60000000
--> a reservation was made without an ACTIVE token that lasted as long (R5, R6): queue 1, reservation 0e, user "bob", reserved_at 300000000, expires_at 600000000
--> a payment ended several tokens (R14): queue 1, reservation 0a, tokens 2, first_ticket 1
--> a token ended by a payment at another moment, or paid again after it (R14): queue 1, ticket 2, reservation 0a, paid_at 50000000, ended_at 601000000

UPDATE payments SET paid_at = 50000001 WHERE user_id = 'ann';
--> a payment and its entry are not of one moment (R14): queue 1, payment a1, paid_at 50000001, entry_at 50000000
--> a token ended by a payment at another moment, or paid again after it (R14): queue 1, ticket 1, reservation 0a, paid_at 50000001, ended_at 50000000

UPDATE entries SET created_at = 50000001 WHERE user_id = 'ann' AND seq = 2;
--> a payment and its entry are not of one moment (R14): queue 1, payment a1, paid_at 50000000, entry_at 50000001

UPDATE tokens SET ended_at = 49999999 WHERE queue = 1 AND number = 1;
--> a token ended by a payment at another moment, or paid again after it (R14): queue 1, ticket 1, reservation 0a, paid_at 50000000, ended_at 49999999

UPDATE reservations SET expires_at = 50000000 WHERE user_id = 'ann';
--> a reservation was paid when it was over, or before it was made (R13): queue 1, payment a1, paid_at 50000000, reserved_at 10000000, expires_at 50000000

UPDATE reservations SET reserved_at = 50000001 WHERE user_id = 'ann';
--> a reservation was paid when it was over, or before it was made (R13): queue 1, payment a1, paid_at 50000000, reserved_at 50000001, expires_at 310000000

-- Wallets.
UPDATE wallets SET balance = 999 WHERE user_id = 'dan';
--> a balance is not the sum of its entries (R12): user "dan", balance 999, entries 1000

UPDATE entries SET balance_after = 701 WHERE user_id = 'dan' AND seq = 1;
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 1, balance_after 701, expected 700
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 2, balance_after 1000, expected 1001

UPDATE entries SET amount = 701 WHERE user_id = 'dan' AND seq = 1;
--> a balance is not the sum of its entries (R12): user "dan", balance 1000, entries 1001
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 1, balance_after 700, expected 701

UPDATE entries SET seq = 3 WHERE user_id = 'dan' AND seq = 2;
UPDATE wallets SET last_seq = 3 WHERE user_id = 'dan';
--> a wallet's entries have a hole before this one (R12): user "dan", seq 3, expected 2

UPDATE wallets SET last_seq = 3 WHERE user_id = 'dan';
--> a wallet's last number is not its last entry's (R12): user "dan", last_seq 3, last_entry 2

UPDATE entries SET amount = -1700, balance_after = -1000 WHERE user_id = 'dan' AND seq = 2;
UPDATE wallets SET balance = -1000 WHERE user_id = 'dan';
--> a wallet is below nothing (R12): user "dan", balance -1000, lowest -1000, least_amount -1700

UPDATE wallets SET balance = -1 WHERE user_id = 'dan';
--> a balance is not the sum of its entries (R12): user "dan", balance -1, entries 1000
--> a wallet is below nothing (R12): user "dan", balance -1, lowest 700, least_amount 300

UPDATE entries SET balance_after = -1 WHERE user_id = 'dan' AND seq = 1;
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 1, balance_after -1, expected 700
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 2, balance_after 1000, expected 299
--> a wallet is below nothing (R12): user "dan", balance 1000, lowest -1, least_amount 300

UPDATE entries SET amount = 1700, balance_after = 1700 WHERE user_id = 'dan' AND seq = 1;
UPDATE entries SET amount = -700 WHERE user_id = 'dan' AND seq = 2;
--> a wallet is below nothing (R12): user "dan", balance 1000, lowest 1000, least_amount -700

DELETE FROM wallets WHERE user_id = 'dan';
--> an entry is of no wallet (R12): user "dan", seq 1
--> an entry is of no wallet (R12): user "dan", seq 2

UPDATE entries SET amount = 0 WHERE user_id = 'dan' AND seq = 1;
UPDATE entries SET amount = 1000, balance_after = 1000 WHERE user_id = 'dan' AND seq = 2;
UPDATE entries SET balance_after = 0 WHERE user_id = 'dan' AND seq = 1;
--> an entry is not what its kind says (R12): user "dan", seq 1, kind "CHARGE", amount 0, reservation none, key none

UPDATE entries SET reservation_id = X'0A' WHERE user_id = 'dan' AND seq = 1;
--> an entry is not what its kind says (R12): user "dan", seq 1, kind "CHARGE", amount 700, reservation 0a, key none

UPDATE entries SET reservation_id = NULL WHERE user_id = 'ann' AND seq = 2;
--> an entry is not what its kind says (R12): user "ann", seq 2, kind "PAYMENT", amount 2000, reservation none, key none

UPDATE entries SET idempotency_key = 'k', fingerprint = X'01' WHERE user_id = 'ann' AND seq = 2;
--> an entry is not what its kind says (R12): user "ann", seq 2, kind "PAYMENT", amount 2000, reservation 0a, key "k"

UPDATE entries SET kind = 'GIFT', balance_after = 200 WHERE user_id = 'dan' AND seq = 2;
UPDATE entries SET amount = 500 WHERE user_id = 'dan' AND seq = 2;
UPDATE wallets SET balance = 200 WHERE user_id = 'dan';
--> an entry is not what its kind says (R12): user "dan", seq 2, kind "GIFT", amount 500, reservation none, key none

UPDATE entries SET id = X'E1' WHERE user_id = 'ann';
--> two entries have one id (R12): entry e1, times 2, first_user "ann"
