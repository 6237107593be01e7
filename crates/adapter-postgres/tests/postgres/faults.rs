//! Faults stay with the command they belong to, and what the database gave up is done again.

use diesel_async::SimpleAsyncConnection;
use domain::ports::{
    Admissions, PayCommand, PaymentRepository, QueueRepository, ReservationRepository, StoreError, WalletRepository,
};
use domain::reservation::{CancelReason, ReservationStatus};
use domain::{PolicyChange, Rejection, Rules, TokenStatus};
use futures::future::join_all;

use crate::scene::{MAIN, Scene, charge, number, until, user};

const WAITING: &str = "SELECT count(*) AS n FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_command_of_a_batch_fails_alone_q17_w12() {
    let scene = Scene::new(2).await;
    let mut beside = scene
        .beside(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF NEW.user_id = 'bad' THEN RAISE EXCEPTION 'injected'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER fault BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION fault();",
        )
        .await;
    // Whoever comes while the queue is locked waits, and forms one batch.
    beside.batch_execute("BEGIN; SELECT 1 FROM queues FOR UPDATE").await.unwrap();
    let first = tokio::spawn({
        let store = scene.store.clone();
        async move { store.join(MAIN, &user("first")).await }
    });
    let mut watcher = scene.beside("").await;
    until(&mut watcher, WAITING, 1).await;
    let asked: Vec<_> = ["a", "bad", "b", "c"].into_iter().map(user).collect();
    let asked = join_all(asked.iter().map(|user| scene.store.join(MAIN, user)));
    let (_, answers) = tokio::join!(beside.batch_execute("COMMIT"), asked);
    first.await.unwrap().unwrap().unwrap();
    let (mut numbers, mut failed) = (Vec::new(), 0);
    for answer in answers {
        match answer {
            Ok(joined) => numbers.push(joined.unwrap().token.ticket.number.get()),
            Err(StoreError::Unavailable(_)) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    numbers.sort_unstable();
    assert_eq!((numbers, failed), (vec![2, 3, 4], 1), "dense though one failed between them (R2)");
    beside.batch_execute("DROP TRIGGER fault ON tokens").await.unwrap();
    assert_eq!(scene.ticket("bad").await.number.get(), 5, "a failed join locks nobody out");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_does_not_stop_the_sweep_s8() {
    let scene = Scene::clocked(2).await;
    let schedule = scene.schedule(3).await;
    let mut held = Vec::new();
    for (name, seat) in [("a", 1), ("b", 2), ("c", 3)] {
        let ticket = scene.ticket(name).await;
        held.push(scene.hold(ticket, schedule, &[seat]).await.unwrap().unwrap().id);
    }
    // Of the first the seat cannot be written, after its reservation was; the second cannot be read.
    let mut beside = scene
        .beside(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'injected'; END $$;
             CREATE TRIGGER fault BEFORE UPDATE ON seats FOR EACH ROW WHEN (OLD.number = 1) EXECUTE FUNCTION fault();
             ALTER TABLE reservations DROP CONSTRAINT reservations_amount_check;
             UPDATE reservations SET amount = -1 WHERE user_id = 'b';",
        )
        .await;
    scene.clock.as_ref().unwrap().advance(Rules::default().hold);
    assert_eq!(scene.store.release_expired().await, Ok(1));
    let last = ReservationRepository::find(&scene.store, MAIN, &user("c"), held[2]).await.unwrap().unwrap().status;
    assert_eq!(last, ReservationStatus::Cancelled(CancelReason::Expired));
    assert_eq!(scene.store.release_expired().await, Ok(0), "the bad ones are left as they are");
    let unread = ReservationRepository::find(&scene.store, MAIN, &user("b"), held[1]).await;
    assert!(matches!(unread, Err(StoreError::Inconsistent { table: "reservations", column: "amount", .. })));
    beside.batch_execute("DROP TRIGGER fault ON seats").await.unwrap();
    assert_eq!(scene.store.release_expired().await, Ok(1), "nothing of it was written by halves");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_reaches_no_caller_w7() {
    let scene = Scene::throw_away(2).await;
    let (schedule, ticket) = (scene.schedule(2).await, scene.ticket("a").await);
    // The store's transaction has the seat and waits, at its first try, until the other one waits for that seat; then it
    // asks for what the other one has. It is the last to wait, so it is the one that the server ends.
    let setting = "
        CREATE SEQUENCE tries;
        CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('tries') = 1 THEN PERFORM pg_advisory_xact_lock(2); END IF;
            PERFORM pg_advisory_xact_lock(1);
            RETURN NEW;
        END $$;
        CREATE TRIGGER collide BEFORE INSERT ON reservations FOR EACH ROW EXECUTE FUNCTION collide();
        SET deadlock_timeout = '60s'";
    let mut beside = scene.beside(setting).await;
    beside.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(1)").await.unwrap();
    let mut watcher = scene.beside("SELECT pg_advisory_lock(2)").await;
    let collision = async {
        until(&mut watcher, WAITING, 1).await;
        let waits = async {
            until(&mut watcher, WAITING, 2).await;
            watcher.batch_execute("SELECT pg_advisory_unlock(2)").await.unwrap();
        };
        let asks = beside.batch_execute("SELECT 1 FROM seats WHERE number = 1 FOR UPDATE; COMMIT");
        let (asked, ()) = tokio::join!(asks, waits);
        asked.unwrap();
    };
    let (held, ()) = tokio::join!(scene.hold(ticket, schedule, &[1]), collision);
    held.unwrap().unwrap();
    assert!(number(&mut watcher, "SELECT last_value AS n FROM tries").await >= 2, "it was tried again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_before_commit_is_tried_again() {
    let scene = Scene::new(2).await;
    let (schedule, ticket) = (scene.schedule(2).await, scene.ticket("a").await);
    let mut beside = scene
        .beside(
            "CREATE SEQUENCE tries;
             CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER cut BEFORE INSERT ON reservations FOR EACH ROW EXECUTE FUNCTION cut();",
        )
        .await;
    scene.hold(ticket, schedule, &[1]).await.unwrap().unwrap();
    assert_eq!(number(&mut beside, "SELECT last_value AS n FROM tries").await, 2);
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM reservations").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connections_cut_at_once_are_noticed() {
    let scene = Scene::new(4).await;
    let users: Vec<_> = (0..4).map(|n| format!("u{n}")).collect();
    let store = &scene.store;
    let ask = || join_all(users.iter().map(|name| async move { store.charge(&charge(name, "1")).await }));
    join_all(users.iter().map(|name| async { scene.store.balance(&user(name)).await.unwrap() })).await;
    assert!(ask().await.iter().all(|answer| matches!(answer, Ok(Ok(_)))));
    let cut = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut beside = scene.beside("").await;
    assert!(number(&mut beside, cut).await >= 2);
    assert!(ask().await.iter().all(|answer| matches!(answer, Ok(Ok(_)))), "no restart, no failure");
    assert_eq!(number(&mut beside, "SELECT sum(balance)::bigint AS n FROM wallets").await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_reservation_fails_its_own_user_and_nobody_else_r7_r17_s8() {
    let scene = Scene::clocked(2).await;
    let schedule = scene.schedule(2).await;
    for (name, seat) in [("lost", 1), ("unreadable", 2)] {
        let ticket = scene.ticket(name).await;
        scene.hold(ticket, schedule, &[seat]).await.unwrap().unwrap();
    }
    let _beside = scene
        .beside(
            "SET session_replication_role = replica;
             ALTER TABLE reservations DROP CONSTRAINT reservations_amount_check;
             UPDATE reservations SET schedule_id = gen_random_uuid() WHERE user_id = 'lost';
             UPDATE reservations SET amount = -1 WHERE user_id = 'unreadable';",
        )
        .await;
    for name in ["lost", "unreadable"] {
        let left = scene.store.leave(scene.ticket(name).await).await;
        assert!(matches!(left, Err(StoreError::Inconsistent { table: "reservations", .. })), "{name}: {left:?}");
    }
    scene.clock.as_ref().unwrap().advance(Rules::default().hold);
    for (name, seat) in [("a", 1), ("b", 2)] {
        let ticket = scene.ticket(name).await;
        assert!(scene.hold(ticket, schedule, &[seat]).await.unwrap().is_ok(), "{name} takes a dead hold over");
    }
}

/// Three are ACTIVE and past their deadline and one waits, in a queue with room for three.
async fn three_past_their_deadline_and_one_who_waits() -> Scene {
    let scene = Scene::clocked(2).await;
    let three = PolicyChange { max_active: Some(3), ..PolicyChange::default() };
    scene.store.change_policy(MAIN, &three).await.unwrap().unwrap();
    for name in ["a", "b", "c", "waits"] {
        scene.ticket(name).await;
    }
    scene.clock.as_ref().unwrap().advance(Rules::default().active);
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_past_its_deadline_keeps_its_own_place_and_no_other_r3_s8() {
    let scene = three_past_their_deadline_and_one_who_waits().await;
    let _beside = scene.beside("UPDATE tokens SET user_id = ' b ' WHERE user_id = 'b'").await;
    let Admissions { done, failed } = scene.store.admit().await.unwrap();
    assert_eq!(failed, []);
    assert_eq!(done.iter().map(|line| (line.expired, line.admitted, line.active)).collect::<Vec<_>>(), [(2, 1, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_that_waits_is_not_passed_over_r3_s8() {
    let scene = three_past_their_deadline_and_one_who_waits().await;
    let _beside = scene.beside("UPDATE tokens SET user_id = ' waits ' WHERE user_id = 'waits'").await;
    let Admissions { done, failed } = scene.store.admit().await.unwrap();
    assert_eq!(done, []);
    assert!(matches!(&*failed, [(MAIN, StoreError::Inconsistent { table: "tokens", .. })]), "{failed:?}");
    let joined = scene.store.join(MAIN, &user("later")).await.unwrap().unwrap();
    let position = joined.line.position_at_tail(joined.token.ticket.number);
    assert_eq!((joined.token.status(), position), (TokenStatus::Waiting, 2), "told as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_commit_is_looked_up() {
    let scene = Scene::throw_away(2).await;
    let (schedule, ticket) = (scene.schedule(2).await, scene.ticket("a").await);
    // COMMIT is done and waits for a standby that never comes; then its connection is cut.
    let database = scene.url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let mut beside = scene.beside("SET synchronous_commit = off").await;
    beside.batch_execute(&format!("ALTER DATABASE {database} SET synchronous_commit = on")).await.unwrap();
    let scene = Scene::on(scene.url.clone(), None, 2).await;
    let waiting = "SELECT count(*) AS n FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event = 'SyncRep'";
    let cut = async {
        until(&mut beside, waiting, 1).await;
        let cut = "SELECT count(pg_terminate_backend(pid)) AS n FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event = 'SyncRep'";
        assert_eq!(number(&mut beside, cut).await, 1);
    };
    let (held, ()) = tokio::join!(scene.hold(ticket, schedule, &[1]), cut);
    let held = held.unwrap().unwrap();
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM reservations").await, 1, "once, and not again");
    let found = ReservationRepository::find(&scene.store, MAIN, &user("a"), held.id).await.unwrap();
    assert_eq!(found, Some(held));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_one_completes_everything_w8() {
    let scene = Scene::new(1).await;
    let schedule = scene.schedule(50).await;
    let buy = |n: u32| {
        let scene = &scene;
        async move {
            let name = format!("u{n}");
            scene.store.charge(&charge(&name, "10")).await.unwrap().unwrap();
            let ticket = scene.ticket(&name).await;
            let held = scene.hold(ticket, schedule, &[n]).await.unwrap().unwrap();
            let command = PayCommand { ticket, reservation: held.id, amount: None, key: None };
            let paid = scene.store.pay(&command).await.unwrap().unwrap().value;
            let again = scene.store.pay(&command).await.unwrap();
            assert_eq!(again, Err(Rejection::AlreadyPaid));
            assert!(
                PaymentRepository::find(&scene.store, MAIN, &user(&name), paid.receipt.payment.id)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    };
    join_all((1..=50).map(buy)).await;
    let mut beside = scene.beside("").await;
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM payments").await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_one_transaction_on_a_cold_connection_too() {
    let scene = Scene::new(1).await;
    let (schedule, ticket) = (scene.schedule(2).await, scene.ticket("a").await);
    // COMMIT is prepared on this connection, what a hold writes is not: it must not be sent after the COMMIT.
    scene.store.charge(&charge("a", "10")).await.unwrap().unwrap();
    scene.hold(ticket, schedule, &[1, 2]).await.unwrap().unwrap();
    let mut beside = scene.beside("").await;
    let transactions = "SELECT count(DISTINCT x) AS n FROM (
        SELECT xmin::text FROM reservations UNION ALL SELECT xmin::text FROM reservation_seats
        UNION ALL SELECT xmin::text FROM seats) t (x)";
    assert_eq!(number(&mut beside, transactions).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_at_a_shutdown_is_done_and_nothing_is_taken_after_it() {
    let scene = Scene::new(2).await;
    let mut beside = scene.beside("BEGIN; SELECT 1 FROM queues FOR UPDATE").await;
    let mut watcher = scene.beside("").await;
    let store = scene.store.clone();
    let waiting = tokio::spawn(async move { store.join(MAIN, &user("a")).await });
    until(&mut watcher, WAITING, 1).await;
    let (_, ()) = tokio::join!(beside.batch_execute("COMMIT"), scene.store.shutdown());
    assert!(waiting.await.unwrap().unwrap().is_ok());
    assert!(matches!(scene.store.join(MAIN, &user("b")).await, Err(StoreError::Unavailable(_))));
}
