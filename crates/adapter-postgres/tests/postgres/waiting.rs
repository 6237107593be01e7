//! Nobody waits for long, whatever somebody else keeps (ADR 1).

use std::collections::BTreeSet;
use std::pin::pin;

use diesel_async::SimpleAsyncConnection;
use domain::ports::{PATIENCE, QueueRepository, StoreError};

use crate::scene::{MAIN, Scene, number, until, user};

/// The session that waits for a lock; 0 when none does.
const WAITING: &str = "SELECT coalesce(max(pid), 0)::bigint AS n FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_keeps_is_waited_for_once() {
    let mut scene = Scene::new(2).await;
    let (schedule, ann) = (scene.schedule(1).await, scene.ticket("ann").await);
    scene.store = scene.impatient(PATIENCE).await;
    let mut keeper = scene.beside("BEGIN; SELECT 1 FROM seats FOR UPDATE").await;
    let mut watcher = scene.beside("").await;
    // Every try has a session of its own.
    let (hold, mut sessions) = (scene.hold(ann, schedule, &[1]), BTreeSet::new());
    let mut hold = pin!(hold);
    let blocked = loop {
        tokio::select! {
            answer = &mut hold => break answer,
            session = number(&mut watcher, WAITING) => sessions.insert(session),
        };
    };
    sessions.remove(&0);
    assert!(matches!(blocked, Err(StoreError::Unavailable(_))), "{blocked:?}");
    assert_eq!(sessions.len(), 1);
    keeper.batch_execute("COMMIT").await.unwrap();
    scene.hold(ann, schedule, &[1]).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_behind_a_batch_is_told_before_it_ends_and_is_not_served() {
    let mut scene = Scene::new(2).await;
    scene.store = scene.impatient(PATIENCE).await;
    // Ann's batch goes on until it is told to end.
    let setting = "
        CREATE SEQUENCE begun;
        CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('begun');
            PERFORM set_config('lock_timeout', '0', true), pg_advisory_xact_lock(1);
            RETURN NEW;
        END $$;
        CREATE TRIGGER go_on BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION go_on();
        SELECT pg_advisory_lock(1)";
    let mut beside = scene.beside(setting).await;
    let (ann, ben, cem) = (user("ann"), user("ben"), user("cem"));
    let behind = async {
        until(&mut beside, "SELECT count(*) AS n FROM begun WHERE is_called", 1).await;
        let told = scene.store.join(MAIN, &ben).await;
        beside.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
        told
    };
    let (joined, told) = tokio::join!(scene.store.join(MAIN, &ann), behind);
    assert!(matches!(told, Err(StoreError::Overloaded)), "{told:?}");
    joined.expect("it ends after the other was told").unwrap();
    scene.store.join(MAIN, &cem).await.unwrap().unwrap();
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM tokens").await, 2, "it was not executed");
}
