//! The databases that are asked for plans: one with a million rows of all that a crowd makes, and others whose statistics say
//! something else than what will be there.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use test_postgres::{connect, empty};

use crate::connections::limits::Limits;
use crate::connections::pool;

/// However slow the machine is, a million rows are made in that time.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// Ten schedules of a hundred thousand seats, half of them held or sold; tokens that wait, are ACTIVE, have left; servers
/// that saw those who wait.
const MILLION: &str = "
    INSERT INTO queue_registry VALUES (1, 'main', now());
    INSERT INTO policies VALUES (1, 1, now(), 1000, 1000, 10, false);
    INSERT INTO queues VALUES (1, decode(repeat('00', 16), 'hex'), 1, 1000000, 1000, 1000, 19980, 1, 0, 0);
    INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason,
                        out_version)
    SELECT 1, n, 'user-' || n,
           CASE WHEN n <= 1000 THEN 'ACTIVE' WHEN n % 50 = 0 THEN 'EXPIRED' ELSE 'WAITING' END, now(),
           CASE WHEN n <= 1000 THEN now() END, CASE WHEN n <= 1000 THEN now() + interval '1 h' END,
           CASE WHEN n > 1000 AND n % 50 = 0 THEN now() END, CASE WHEN n > 1000 AND n % 50 = 0 THEN 'LEFT' END,
           CASE WHEN n <= 1000 OR n % 50 = 0 THEN 1000000 + n END
    FROM generate_series(1, 1000000) n;
    INSERT INTO servers SELECT gen_random_uuid(), now(), now() FROM generate_series(1, 2);
    INSERT INTO sightings
    SELECT 1, c, now() - n * interval '2 s', s.id, decode(repeat('00', 4096), 'hex')
    FROM generate_series(0, 30) c, generate_series(1, 100) n, servers s;
    INSERT INTO concerts SELECT 1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Concert', now()
    FROM generate_series(1, 10) n;
    INSERT INTO schedules SELECT 1, id, id, now() + interval '1 year', 0, current_date + 365, 100000 FROM concerts;
    INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, reserved_at, expires_at)
    SELECT 1, ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || n,
           ('00000000-0000-7000-8000-' || lpad(to_hex(1 + (n - 1) / 100000), 12, '0'))::uuid, 10,
           CASE WHEN n % 10 = 0 THEN 'PENDING' ELSE 'CONFIRMED' END, now(), now() + interval '5 min'
    FROM generate_series(1, 500000) n;
    INSERT INTO reservation_seats (queue, reservation_id, seat_id, number, price)
    SELECT 1, id, id, 1, 10 FROM reservations;
    INSERT INTO seats (queue, schedule_id, number, id, price, reservation_id, held_until)
    SELECT 1, ('00000000-0000-7000-8000-' || lpad(to_hex(1 + (n - 1) / 100000), 12, '0'))::uuid, 1 + (n - 1) % 100000, id, 10,
           CASE WHEN n <= 500000 THEN id END, CASE WHEN n <= 500000 AND n % 10 = 0 THEN now() + interval '5 min' END
    FROM (SELECT n, ('00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid AS id FROM generate_series(1, 1000000) n) s;
    INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
    SELECT 1, id, id, user_id, 10, now(), 2 FROM reservations WHERE status = 'CONFIRMED';
    INSERT INTO wallets SELECT 'user-' || n, 90, 2 FROM generate_series(1, 500000) n;
    INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, created_at)
    SELECT 'user-' || n, 1, gen_random_uuid(), 'CHARGE', 100, 100, now() FROM generate_series(1, 500000) n;
    ANALYZE";

/// A hundredth of it, all of it sold and everybody gone: what is PENDING, ACTIVE or waiting is nothing, say the
/// statistics.
const SOLD: &str = "
    UPDATE tokens SET status = 'EXPIRED', activated_at = now(), deadline = now(), ended_at = now(), end_reason = 'DEADLINE',
           out_version = coalesce(out_version, 1)
    WHERE status <> 'EXPIRED';
    UPDATE reservations SET status = 'CONFIRMED';
    UPDATE seats SET held_until = NULL;
    VACUUM ANALYZE";

/// What the statistics of a database were made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Statistics {
    /// A million.
    Million,
    /// Nothing: there are none.
    None,
    /// Tables with a handful of rows.
    Handful,
    /// A sale that is sold out.
    SoldOut,
}

/// A session as the store's are, on a database with these statistics.
pub(super) async fn session(statistics: Statistics) -> AsyncPgConnection {
    let url = empty().await;
    crate::migrate(&url).await.unwrap();
    let mut connection = connect(&url).await;
    match statistics {
        Statistics::None => {}
        Statistics::Million => fill(&mut connection, 1).await,
        Statistics::Handful => fill(&mut connection, 200_000).await,
        Statistics::SoldOut => {
            fill(&mut connection, 100).await;
            for statement in SOLD.split(';') {
                connection.batch_execute(statement).await.unwrap();
            }
        }
    }
    pool::establish(url, Limits::new(PATIENCE), Arc::default()).await.unwrap()
}

/// A million of each divided by this.
async fn fill(connection: &mut AsyncPgConnection, by: u32) {
    let part = |most: u32| (most / by).max(1).to_string();
    let fewer = MILLION
        .replace("(1, 1000000)", &format!("(1, {})", part(1_000_000)))
        .replace("(1, 500000)", &format!("(1, {})", part(500_000)))
        .replace("n <= 500000", &format!("n <= {}", part(500_000)));
    connection.batch_execute(&fewer).await.unwrap();
}
