//! The clockwork when a queue is locked by somebody, and when the database is slow.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use domain::ports::{Admissions, QueueRepository, ReservationRepository};
use domain::{NewQueue, Policy, PolicyChange, QueueName, QueueNumber, Rules};
use futures::future::join_all;

use crate::scene::{MAIN, PATIENCE, Scene, number, until, user};

/// R3: the tick admits to the others and comes back while the lock is still held, and tells that it could not in this one; what
/// it asked of the locked queue is done when the lock is gone, without another tick.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_locked_keeps_no_other_from_being_admitted_to_r3() {
    let scene = Scene::new(4).await;
    let new = NewQueue { name: QueueName::parse("other").unwrap(), policy: Policy::default(), message: None };
    scene.store.make(&new).await.unwrap().unwrap();
    let other = QueueNumber(2);
    for (queue, paused) in [(MAIN, true), (other, true), (MAIN, false), (other, false)] {
        let pause = PolicyChange { paused: Some(paused), ..PolicyChange::default() };
        scene.store.change_policy(queue, &pause).await.unwrap().unwrap();
        if paused {
            scene.store.join(queue, &user("waits")).await.unwrap().unwrap();
        }
    }
    // Its tick gives up after a fifth of that, and the rest is for a slow machine to come to the COMMIT below.
    let store = scene.impatient(Duration::from_secs(60)).await;
    let mut holder = scene.beside("BEGIN; SELECT 1 FROM queues WHERE queue = 1 FOR UPDATE").await;
    let Admissions { done, failed } = store.admit().await.unwrap();
    assert!(failed.iter().any(|(queue, _)| *queue == MAIN), "{failed:?}");
    assert!(done.iter().all(|line| line.queue == other), "{done:?}");
    let mut watcher = scene.beside("").await;
    until(&mut watcher, "SELECT admitted AS n FROM queues WHERE queue = 2", 1).await;
    holder.batch_execute("COMMIT").await.unwrap();
    until(&mut holder, "SELECT admitted AS n FROM queues WHERE queue = 1", 1).await;
}

/// A database that takes a tenth of a second for each row of this table that is changed, and counts them, also those of
/// transactions that came to nothing.
fn slow(table: &str) -> String {
    format!(
        "CREATE SEQUENCE tried;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM nextval('tried'); PERFORM pg_sleep(0.1); RETURN NEW; END $$;
         CREATE TRIGGER slow BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION slow()"
    )
}

/// How long that database may be waited for: a statement is given up after four seconds, in which it changes at most forty
/// rows.
const SHORT: Duration = Duration::from_secs(2);

/// R3: what it cannot do in one transaction it does in several; ticks that came to nothing are told as failures.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_too_slow_for_so_many_turns_at_once_takes_fewer_r3() {
    let scene = Scene::clocked(2).await;
    let crowd = "
        INSERT INTO tokens (queue, number, user_id, status, issued_at)
        SELECT 1, n, 'crowd-' || n, 'WAITING', timestamptz '2026-11-19' FROM generate_series(1, 600) n;
        UPDATE queues SET issued = 600, version = 600;";
    let store = scene.impatient(SHORT).await;
    let mut beside = scene.beside(&(crowd.to_owned() + &slow("tokens"))).await;
    let (mut failures, begun) = (0, Instant::now());
    while number(&mut beside, "SELECT admitted AS n FROM queues").await < 60 {
        assert!(begun.elapsed() < PATIENCE, "nobody is admitted");
        failures += store.admit().await.map_or(1, |admissions| admissions.failed.len());
    }
    assert!(failures > 0, "it is not slow");
    let ordered = "SELECT count(*) AS n FROM tokens, queues WHERE (activated_at IS NOT NULL) <> (number <= admitted)";
    assert_eq!(number(&mut beside, ordered).await, 0, "in the order of their numbers");
}

/// R10: the same for what runs out.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_too_slow_for_a_whole_sweep_sweeps_less_at_once_r10() {
    const HELD: u32 = 400;
    let scene = Scene::clocked(2).await;
    let schedule = scene.schedule(HELD).await;
    join_all((1..=HELD).map(async |number| {
        let ticket = scene.ticket(&format!("user-{number}")).await;
        scene.hold(ticket, schedule, &[number]).await.unwrap().unwrap();
    }))
    .await;
    let store = scene.impatient(SHORT).await;
    let mut beside = scene.beside(&slow("reservations")).await;
    scene.clock.as_ref().unwrap().advance(Rules::default().hold);
    let begun = Instant::now();
    while number(&mut beside, "SELECT count(*) AS n FROM reservations WHERE status = 'CANCELLED'").await < 60 {
        assert!(begun.elapsed() < PATIENCE, "nothing is swept");
        // What of it fails is due again at the next one.
        drop(store.release_expired().await);
    }
    let given_up = "SELECT last_value - (SELECT count(*) FROM reservations WHERE status = 'CANCELLED') AS n FROM tried";
    assert!(number(&mut beside, given_up).await > 0, "it is not slow");
}
