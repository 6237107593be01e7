//! Who is there: turns in pages and in bounded transactions, and that nothing is kept for ever.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use domain::ports::{Admitted, MOST_TURNS, PresenceRepository, QueueRepository};
use domain::presence::{Sighting, Watch};
use domain::{PolicyChange, Rules, Ticket, TicketNumber, TokenStatus};
use futures::future::join_all;
use uuid::Uuid;

use crate::scene::{MAIN, Scene, number, until, user};

/// People who wait and have long been there.
const CROWD: &str = "
    INSERT INTO tokens (queue, number, user_id, status, issued_at)
    SELECT 1, n, 'crowd-' || n, 'WAITING', timestamptz '2026-11-19' FROM generate_series(1, 25000) n;
    UPDATE queues SET issued = 25000, version = 25000";

const WAITING: &str = "SELECT count(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";
/// What is due was asked for and answered.
const ASKED: &str = "SELECT count(*) AS n FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND query LIKE '%q.admitted > 0%'";

/// Of these numbers, all of the first chunk.
fn sighting(numbers: &[usize]) -> Sighting {
    let mut seen = vec![0; Sighting::BYTES];
    for number in numbers {
        seen[number / 8] |= 1 << (number % 8);
    }
    Sighting { queue: MAIN, chunk: 0, seen }
}

/// A server watches for as long as is needed to judge anybody, and sees these.
async fn watch(scene: &Scene, numbers: &[usize]) {
    for _ in 0..30 {
        scene.store.note(Uuid::max(), &[]).await.unwrap();
        scene.clock.as_ref().unwrap().advance(Watch::GAP);
    }
    scene.store.note(Uuid::max(), &[sighting(numbers)]).await.unwrap();
}

async fn admit(scene: &Scene) -> Admitted {
    scene.store.admit().await.unwrap().done.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_absent_are_passed_over_page_by_page_and_no_transaction_is_long() {
    let scene = Scene::clocked(2).await;
    let two = PolicyChange { max_active: Some(2), ..PolicyChange::default() };
    scene.store.change_policy(MAIN, &two).await.unwrap().unwrap();
    let mut beside = scene.beside(CROWD).await;
    watch(&scene, &[3, 1_700]).await;

    let first = admit(&scene).await;
    assert_eq!((first.admitted, first.absent, first.more), (1, u64::from(MOST_TURNS) - 1, true));
    assert_eq!(first.line.frontier, u64::from(MOST_TURNS));
    let (mut last, mut absent) = (first, 0);
    while last.more {
        last = admit(&scene).await;
        assert!(last.admitted + last.absent <= u64::from(MOST_TURNS), "{last:?}");
        absent += last.absent;
    }
    assert_eq!((absent, last.admitted, last.active), (1_700 - u64::from(MOST_TURNS) - 1, 1, 2));
    assert_eq!((last.line.frontier, last.line.waiting()), (1_700, 23_300), "no more than there was room for");
    let judged = "SELECT count(*) AS n FROM tokens
        WHERE number <= 1700 AND number NOT IN (3, 1700) AND end_reason = 'ABSENT' AND activated_at IS NULL
          AND out_version > 25000";
    assert_eq!(number(&mut beside, judged).await, 1_698);
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM tokens WHERE status = 'WAITING'").await, 23_300);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_whom_a_batch_knows_gets_a_turn_before_those_between_r3() {
    let scene = Scene::clocked(3).await;
    let mut beside = scene.beside(CROWD).await;
    let three = PolicyChange { max_active: Some(3), ..PolicyChange::default() };
    scene.store.change_policy(MAIN, &three).await.unwrap().unwrap();
    // One batch, behind one that waits for the queue: somebody far behind asks again, those in front leave, somebody
    // new comes, and the clockwork.
    beside.batch_execute("BEGIN; SELECT 1 FROM queues FOR UPDATE").await.unwrap();
    let mut watcher = scene.beside("").await;
    let (store, before) = (&scene.store, scene.store.clone());
    let before = tokio::spawn(async move { before.join(MAIN, &user("crowd-2")).await });
    until(&mut watcher, WAITING, 1).await;
    let (late, new) = (user("crowd-20000"), user("new"));
    let leave = |number| store.leave(Ticket { queue: MAIN, number: TicketNumber::new(number).unwrap() });
    let unlock = async {
        until(&mut watcher, ASKED, 1).await;
        beside.batch_execute("COMMIT").await.unwrap();
    };
    let left = join_all((1..=3).map(leave));
    let (again, left, joined, ticked, ()) =
        tokio::join!(store.join(MAIN, &late), left, store.join(MAIN, &new), store.admit(), unlock);
    before.await.unwrap().unwrap().unwrap();
    assert!(left.iter().all(|left| matches!(left, Ok(Ok(left)) if left.lived)));
    let (again, joined) = (again.unwrap().unwrap(), joined.unwrap().unwrap());
    assert_eq!((again.created, again.token.status()), (false, TokenStatus::Waiting));
    assert_eq!((joined.created, joined.token.status(), joined.line.issued), (true, TokenStatus::Waiting, 25_001));
    assert_eq!(ticked.unwrap().done[0].admitted, 3);
    let first = "SELECT count(*) AS n FROM tokens WHERE status = 'ACTIVE' AND number IN (4, 5, 6)";
    assert_eq!(number(&mut beside, first).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_of_long_ago_are_removed_by_who_wrote_them_or_when_that_is_gone() {
    let scene = Scene::clocked(1).await;
    let mut beside = scene.beside("").await;
    let [gone, live, other] = [1, 2, 3].map(Uuid::from_u128);
    let note = |server, seen: Vec<Sighting>| {
        let store = &scene.store;
        async move { store.note(server, &seen).await.unwrap() }
    };
    let after = |seconds| scene.clock.as_ref().unwrap().advance(Duration::from_secs(seconds));
    note(gone, vec![sighting(&[1])]).await;
    note(live, vec![sighting(&[1])]).await;
    after(310);
    note(live, vec![]).await;
    after(290);
    note(other, vec![]).await;
    let (servers, sightings) =
        ("SELECT count(*) AS n FROM servers", "SELECT count(*) AS n FROM sightings WHERE queue = 1 AND chunk = 0");
    assert_eq!(number(&mut beside, servers).await, 2, "one is gone");
    assert_eq!(number(&mut beside, sightings).await, 2, "at the very end of what is kept");
    after(1);
    note(other, vec![]).await;
    assert_eq!(number(&mut beside, sightings).await, 1, "of the one that is gone");
    note(live, vec![sighting(&[1])]).await;
    assert_eq!(number(&mut beside, sightings).await, 1, "its own, but for the new one");
}

/// A join behind others admits nobody, and does not look for places that time freed; who leaves in the same batch may have
/// been all of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_of_a_batch_in_which_the_last_waiter_leaves_finds_places_that_time_freed_r3() {
    let scene = Scene::clocked(2).await;
    let one = PolicyChange { max_active: Some(1), ..PolicyChange::default() };
    scene.store.change_policy(MAIN, &one).await.unwrap().unwrap();
    scene.ticket("active").await;
    let last = scene.ticket("last").await;
    scene.clock.as_ref().unwrap().advance(Rules::default().active);
    let mut beside = scene.beside("BEGIN; SELECT 1 FROM queues FOR UPDATE").await;
    let mut watcher = scene.beside("").await;
    let (store, before) = (&scene.store, scene.store.clone());
    let before = tokio::spawn(async move { before.join(MAIN, &user("last")).await });
    until(&mut watcher, WAITING, 1).await;
    let new = user("new");
    let (left, joined, unlocked) =
        tokio::join!(store.leave(last), store.join(MAIN, &new), beside.batch_execute("COMMIT"));
    unlocked.unwrap();
    before.await.unwrap().unwrap().unwrap();
    left.unwrap().unwrap();
    assert_eq!(joined.unwrap().unwrap().token.status(), TokenStatus::Active);
}
