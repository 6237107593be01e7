//! A server that follows the line sees every change, whole, however late it was committed (R4).

use diesel_async::SimpleAsyncConnection;
use domain::ports::{QueueChange, QueueRepository};

use crate::scene::{MAIN, Scene, until};

/// COMMIT of what changes a token waits for the lock.
const HELD_BACK: &str = "
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER hold_back AFTER UPDATE ON tokens
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_back();
    SELECT pg_advisory_lock(1)";
const WAITING: &str = "SELECT count(*) AS n FROM pg_stat_activity \
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

async fn changes(scene: &Scene, known: u64) -> Option<QueueChange> {
    scene.store.changes(&[(MAIN, known)]).await.unwrap().pop()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_whole_once_it_is_committed_and_never_skipped_r4() {
    let scene = Scene::new(4).await;
    let mut beside = scene.beside("UPDATE policies SET max_active = 0").await;
    let (first, second) = (scene.ticket("first").await, scene.ticket("second").await);
    scene.ticket("third").await;
    let known = changes(&scene, 0).await.unwrap().line;
    assert_eq!((known.waiting(), known.version), (3, 3));

    beside.batch_execute(HELD_BACK).await.unwrap();
    let watch = async {
        let mut watcher = scene.beside("").await;
        until(&mut watcher, WAITING, 1).await;
        assert_eq!(changes(&scene, known.version).await, None, "what is written and not committed");
        // Nobody can draw a later version meanwhile.
        let later = watcher.batch_execute("SELECT 1 FROM queues FOR NO KEY UPDATE NOWAIT").await;
        assert!(later.unwrap_err().to_string().contains("could not obtain lock"));
        beside.batch_execute("SELECT pg_advisory_unlock(1)").await.unwrap();
    };
    let (left, ()) = tokio::join!(scene.store.leave(first), watch);
    left.unwrap().unwrap();

    let change = changes(&scene, known.version).await.unwrap();
    assert_eq!((change.line.version, change.line.ended_beyond, change.left), (4, 1, vec![first.number]));
    assert_eq!(changes(&scene, 4).await, None);
    scene.store.leave(second).await.unwrap().unwrap();
    assert_eq!(changes(&scene, 4).await.unwrap().left, [second.number], "nothing twice");
    let mut whole = changes(&scene, 3).await.unwrap().left;
    whole.sort_unstable();
    assert_eq!(whole, [first.number, second.number], "nothing is skipped by who has seen neither");
}
