//! Nobody waits for long, whatever somebody else keeps (design 2.2).

use diesel_async::SimpleAsyncConnection;
use domain::ports::StoreError;

use crate::scene::{Scene, number, until};

const WAITING: &str = "SELECT count(*) AS n FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_somebody_keeps_is_waited_for_once() {
    let scene = Scene::new(2).await;
    let schedule = scene.schedule(2).await;
    let (ann, ben) = (scene.ticket("ann").await, scene.ticket("ben").await);
    let mut keeper = scene.beside("BEGIN; SELECT 1 FROM seats WHERE number = 1 FOR UPDATE").await;
    let mut watcher = scene.beside("").await;
    let next = async {
        until(&mut watcher, WAITING, 1).await;
        scene.hold(ben, schedule, &[2]).await
    };
    let (blocked, next) = tokio::join!(scene.hold(ann, schedule, &[1]), next);
    assert!(matches!(blocked, Err(StoreError::Unavailable(_))), "{blocked:?}");
    next.expect("whoever waited behind it did not wait too long").unwrap();
    keeper.batch_execute("COMMIT").await.unwrap();
    scene.hold(ann, schedule, &[1]).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_behind_a_batch_is_told_before_it_ends_and_is_not_served() {
    let scene = Scene::new(2).await;
    let schedule = scene.schedule(3).await;
    let (ann, ben) = (scene.ticket("ann").await, scene.ticket("ben").await);
    // Ann's batch goes on until it is told to end.
    let setting = "
        CREATE SEQUENCE begun; CREATE SEQUENCE ended;
        CREATE FUNCTION go_on() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('begun');
            WHILE NOT (SELECT is_called FROM ended) LOOP PERFORM pg_sleep(0.005); END LOOP;
            RETURN NEW;
        END $$;
        CREATE TRIGGER go_on BEFORE INSERT ON reservations FOR EACH ROW EXECUTE FUNCTION go_on()";
    let mut beside = scene.beside(setting).await;
    let behind = async {
        until(&mut beside, "SELECT count(*) AS n FROM begun WHERE is_called", 1).await;
        let told = scene.hold(ben, schedule, &[2]).await;
        beside.batch_execute("SELECT nextval('ended')").await.unwrap();
        told
    };
    let (held, told) = tokio::join!(scene.hold(ann, schedule, &[1]), behind);
    assert!(matches!(told, Err(StoreError::Overloaded)), "{told:?}");
    held.expect("it ends after the other was told").unwrap();
    scene.hold(ann, schedule, &[3]).await.unwrap().unwrap();
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM reservations").await, 2, "it was not executed");
}
