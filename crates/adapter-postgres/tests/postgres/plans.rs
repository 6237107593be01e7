//! No statement walks a table, however large the sale (trap P7): counted by the server while the store works.

use diesel_async::SimpleAsyncConnection;
use domain::ports::{
    ConcertRepository, PayCommand, PaymentRepository, QueueRepository, ReservationRepository, WalletRepository,
};
use domain::{Page, Ticket};

use crate::scene::{MAIN, Scene, charge, lines, number, until, user};

/// Of a sale that has just begun, so that no statistics are there (nor does the cluster make any): a hundred thousand
/// seats, tokens that wait, are ACTIVE and have left, reservations of each kind, wallets.
const CROWD: &str = "
    INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, ended_at, end_reason,
                        out_version)
    SELECT 1, n, 'crowd-' || n,
           CASE WHEN n <= 1000 THEN 'ACTIVE' WHEN n % 50 = 0 THEN 'EXPIRED' ELSE 'WAITING' END, now(),
           CASE WHEN n <= 1000 THEN now() END, CASE WHEN n <= 1000 THEN timestamptz '2100-01-01' END,
           CASE WHEN n > 1000 AND n % 50 = 0 THEN now() END, CASE WHEN n > 1000 AND n % 50 = 0 THEN 'LEFT' END,
           CASE WHEN n <= 1000 OR n % 50 = 0 THEN n END
    FROM generate_series(1, 100000) n;
    UPDATE queues SET issued = 100000, admitted = 1000, frontier = 1000, ended_beyond = 1980, version = 100000;
    INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, cancel_reason, reserved_at, expires_at)
    SELECT 1, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'crowd-' || n, s.id, 10,
           CASE n % 3 WHEN 0 THEN 'PENDING' WHEN 1 THEN 'CONFIRMED' ELSE 'CANCELLED' END,
           CASE n % 3 WHEN 2 THEN 'USER' END, now(), timestamptz '2100-01-01'
    FROM generate_series(1, 90000) n, schedules s;
    INSERT INTO reservation_seats (queue, reservation_id, number, seat_id, price)
    SELECT 1, r.id, s.number, s.id, 10 FROM reservations r
    JOIN seats s ON s.number = 1000 + substr(r.user_id, 7)::integer;
    UPDATE seats SET reservation_id = x.reservation_id
    FROM reservation_seats x JOIN reservations r ON r.id = x.reservation_id AND r.status = 'CONFIRMED'
    WHERE x.seat_id = seats.id;
    INSERT INTO wallets (user_id, balance, last_seq) SELECT 'crowd-' || n, 100, 1 FROM generate_series(1, 100000) n;
    INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, created_at)
    SELECT 'crowd-' || n, 1, gen_random_uuid(), 'CHARGE', 100, 100, now() FROM generate_series(1, 100000) n;
    ";

/// Of the tables that a crowd fills.
const WALKED: &str = "SELECT relname || ' ' || seq_scan AS line FROM pg_stat_user_tables
    WHERE seq_scan > 0 AND relname IN ('tokens', 'seats', 'reservations', 'reservation_seats', 'wallets', 'entries',
                                       'payments')";
const TOUCHED: &str = "SELECT relname || ' ' || indexrelname || ' ' || idx_tup_read AS line FROM pg_stat_user_indexes
    WHERE idx_tup_read > 3000";
const OTHERS: &str = "SELECT count(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_walks_a_large_table_p7() {
    let scene = Scene::throw_away(1).await;
    let (schedule, ticket) = (scene.schedule(100_000).await, scene.ticket("early").await);
    // Plans are made while the tables are small, and kept.
    work(&scene, ticket, schedule, "early", 1).await;
    let mut beside = scene.beside("").await;
    beside
        .batch_execute(
            "DELETE FROM payments; UPDATE seats SET reservation_id = NULL, held_until = NULL; \
        DELETE FROM reservation_seats; DELETE FROM reservations; DELETE FROM tokens",
        )
        .await
        .unwrap();
    beside.batch_execute(CROWD).await.unwrap();
    let open = domain::PolicyChange { paused: Some(true), ..domain::PolicyChange::default() };
    scene.store.change_policy(MAIN, &open).await.unwrap().unwrap();
    beside.batch_execute("SELECT pg_stat_reset()").await.unwrap();
    let active = |n: u64| Ticket { queue: MAIN, number: domain::TicketNumber::new(n).unwrap() };
    for n in 1..=10 {
        work(&scene, active(n), schedule, &format!("crowd-{n}"), u32::try_from(n).unwrap()).await;
    }
    let waiting = scene.ticket("late").await;
    assert_eq!(waiting.number.get(), 100_001);
    scene.store.leave(waiting).await.unwrap().unwrap();
    let known = scene.store.changes(&[(MAIN, 100_000)]).await.unwrap()[0].line.version;
    scene.store.leave(active(50_001)).await.unwrap().unwrap();
    let changed = scene.store.changes(&[(MAIN, known)]).await.unwrap();
    assert_eq!(changed[0].left, [active(50_001).number]);
    scene.store.release_expired().await.unwrap();
    scene.store.admit().await.unwrap();
    scene.store.shutdown().await;
    drop(scene);
    // What a session counted is told when it ends.
    until(&mut beside, OTHERS, 0).await;
    let walked = lines(&mut beside, WALKED).await;
    assert!(walked.is_empty(), "{walked:?}");
    let touched = lines(&mut beside, TOUCHED).await;
    assert!(touched.is_empty(), "{touched:?}");
    let used = "SELECT count(*) AS n FROM pg_stat_user_indexes WHERE idx_scan > 0";
    assert!(number(&mut beside, used).await > 10, "the server counts");
}

async fn work(scene: &Scene, ticket: Ticket, schedule: domain::ScheduleId, name: &str, seat: u32) {
    let store = &scene.store;
    store.charge(&charge(name, "10")).await.unwrap().unwrap();
    store.balance(&user(name)).await.unwrap();
    let held = scene.hold(ticket, schedule, &[seat]).await.unwrap().unwrap();
    let given_up = scene.hold(ticket, schedule, &[seat + 500]).await.unwrap().unwrap();
    store.cancel(ticket, given_up.id).await.unwrap().unwrap();
    let page = Page::new(100, None).unwrap();
    ReservationRepository::list(store, MAIN, &user(name), &page).await.unwrap();
    let command = PayCommand { ticket, reservation: held.id, amount: None, key: None };
    store.pay(&command).await.unwrap().unwrap();
    PaymentRepository::list(store, MAIN, &user(name), &Page::new(100, None).unwrap()).await.unwrap();
    store.entries(&user(name), &Page::new(100, None).unwrap()).await.unwrap();
    store.tokens(MAIN, &[ticket.number]).await.unwrap();
    store
        .schedules(MAIN, &domain::concert::ScheduleFilter::default(), &Page::new(10, None).unwrap())
        .await
        .unwrap()
        .unwrap();
}
