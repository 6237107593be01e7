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
INSERT INTO tokens VALUES (2, 2, 'bob', 'EXPIRED', 6, NULL, NULL, 7, 'LEFT', NULL, 4);
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

UPDATE tokens SET end_reason = NULL WHERE queue = 1 AND number = 2;
--> a token's state does not follow from its moments (R5): queue 1, ticket 2, status "EXPIRED", activated_at 0, ended_at 601000000, end_reason none

UPDATE tokens SET activated_at = NULL, deadline = NULL WHERE queue = 2;
UPDATE queues SET admitted = 0 WHERE queue = 2;
--> a token's state does not follow from its moments (R5): queue 2, ticket 1, status "ACTIVE", activated_at none, ended_at none, end_reason none

UPDATE tokens SET end_reason = 'ABSENT' WHERE queue = 1 AND number = 2;
--> a token ended for a reason that it cannot have had (R5): queue 1, ticket 2, activated_at 0, end_reason "ABSENT"

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
--> a token of before a new epoch lives (design 5): queue 3, ticket 3, status "ACTIVE", last_ended 5

DROP INDEX IF EXISTS tokens_live;
UPDATE tokens SET user_id = 'hal' WHERE queue = 1 AND number = 9;
--> a user has more than one live place in a queue (R1): queue 1, user "hal", live 2, first_ticket 8

-- Admission.
UPDATE tokens SET activated_at = 620000000 WHERE queue = 1 AND number = 5;
--> a token's turn came at an earlier moment than one ahead of it ceased to wait (R3): queue 1, ticket 6, moment 610000000, latest_ahead 620000000

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

UPDATE policies SET since = 599500001 WHERE seq = 4;
UPDATE policies SET max_active = 2 WHERE seq = 3;
--> a token was admitted while the queue was paused (R3): queue 1, ticket 5, activated_at 599500000

-- eve was there too shortly to count, either way.
UPDATE tokens SET ended_at = 600000000 WHERE queue = 1 AND number = 5;
UPDATE policies SET max_active = 1 WHERE seq = 4;
--> an admission took the ACTIVE tokens above the policy of its time (R3): queue 1, ticket 6, activated_at 610000000, active 2, max_active 1

UPDATE policies SET batch = 1 WHERE seq = 1;
--> a window granted more than its batch (R3): queue 1, policy 1, window 0, granted 2, batch 1, first_ticket 1

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

-- Payments.
DELETE FROM payments WHERE user_id = 'fay';
--> a CONFIRMED reservation has no payment, or several (R14): queue 1, reservation 0d, payments 0
--> a PAYMENT entry is of no payment (R14): user "fay", seq 2, reservation 0d
--> a token ended by a payment that is not there (R14): queue 1, ticket 6, reservation 0d

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
--> a sold seat is of no CONFIRMED reservation (R14): queue 1, schedule c1, seat 5, reservation 0d, status none
--> a payment is of no CONFIRMED reservation (R14): queue 1, payment d1, reservation 0d, status none

UPDATE payments SET amount = 1999 WHERE user_id = 'ann';
--> a payment has not its reservation's amount and user (R13): queue 1, payment a1, amount 1999, reservation_amount 2000, user "ann", reservation_user "ann"
--> a payment and its entry disagree (R14): queue 1, payment a1, amount 1999, reservation 0a, kind "PAYMENT", entry_amount 2000, entry_reservation 0a

UPDATE reservations SET user_id = 'ann' WHERE user_id = 'fay';
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

UPDATE tokens SET user_id = 'zoe' WHERE queue = 1 AND number = 6;
--> a payment ended no token, or several (R14): queue 1, payment d1, reservation 0d, tokens 0
--> a token ended by a payment that is not there (R14): queue 1, ticket 6, reservation 0d

UPDATE tokens SET end_reason = 'LEFT', paid_reservation = NULL WHERE queue = 1 AND number = 6;
--> a payment ended no token, or several (R14): queue 1, payment d1, reservation 0d, tokens 0

UPDATE tokens SET end_reason = 'PAID', paid_reservation = X'0E' WHERE queue = 1 AND number = 2;
--> a token ended by a payment that is not there (R14): queue 1, ticket 2, reservation 0e

UPDATE tokens SET user_id = 'ann', end_reason = 'PAID', paid_reservation = X'0A' WHERE queue = 1 AND number = 2;
--> a payment ended no token, or several (R14): queue 1, payment a1, reservation 0a, tokens 2

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
--> a wallet is below nothing (R12): user "dan", balance -1000, lowest -1000

UPDATE wallets SET balance = -1 WHERE user_id = 'dan';
--> a balance is not the sum of its entries (R12): user "dan", balance -1, entries 1000
--> a wallet is below nothing (R12): user "dan", balance -1, lowest 700

UPDATE entries SET balance_after = -1 WHERE user_id = 'dan' AND seq = 1;
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 1, balance_after -1, expected 700
--> an entry's balance does not follow from the one before it (R12): user "dan", seq 2, balance_after 1000, expected 299
--> a wallet is below nothing (R12): user "dan", balance 1000, lowest -1

UPDATE entries SET amount = 1700, balance_after = 1700 WHERE user_id = 'dan' AND seq = 1;
UPDATE entries SET amount = -700 WHERE user_id = 'dan' AND seq = 2;
--> a wallet is below nothing (R12): user "dan", balance 1000, lowest 1000

DELETE FROM wallets WHERE user_id = 'dan';
--> an entry is of no wallet (R12): user "dan", seq 1
--> an entry is of no wallet (R12): user "dan", seq 2
