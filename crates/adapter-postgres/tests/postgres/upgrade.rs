//! Rows of the version before, which had the database first and may run beside this one (`docs/operations.md`, "Upgrade").

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use domain::Rejection;
use domain::ports::{Clock, QueueRepository};

use crate::cluster;
use crate::scene::{MAIN, Scene, lines, number};

/// The text of a migration, up or down.
fn migration(name: &str, way: &str) -> String {
    let folder = cluster::migrations("postgres").into_iter().find(|folder| folder.ends_with(name)).unwrap();
    std::fs::read_to_string(folder.join(way)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_within_during_the_upgrade_begins_holds_until_the_deadline_r5() {
    let scene = Scene::clocked(2).await;
    for name in ["within", "gone"] {
        scene.ticket(name).await;
    }
    let gone = scene.ticket("gone").await;
    scene.store.leave(gone).await.unwrap().unwrap();
    let mut beside = scene.beside("").await;
    for way in ["down.sql", "up.sql"] {
        beside.batch_execute(&migration("2026-11-27-000001_turn", way)).await.unwrap();
    }
    let selections = "SELECT user_id || ' ' || (selection_ends_at = deadline)::text AS line FROM tokens
                      WHERE selection_ends_at IS NOT NULL";
    assert_eq!(lines(&mut beside, selections).await, ["within true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_program_beside_goes_on_and_its_rows_are_understood_r5() {
    const OLDER_JOIN: &str = "
        INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, out_version)
        SELECT queue, number + 1, 'older', status, issued_at, activated_at, deadline, out_version FROM tokens;
        UPDATE queues SET issued = issued + 1, frontier = frontier + 1, admitted = admitted + 1, version = version + 1";
    // Its hold moves the deadline, and its payment ends the token.
    const OLDER_HOLD: &str = "UPDATE tokens SET deadline = deadline + interval '1 minute' WHERE user_id = 'older'";
    const OLDER_END: &str = "UPDATE tokens SET status = 'EXPIRED', ended_at = activated_at, end_reason = 'LEFT'
                             WHERE user_id = 'newer'";
    let scene = Scene::clocked(2).await;
    let schedule = scene.schedule(2).await;
    let newer = scene.ticket("newer").await;
    let mut beside = scene.beside(OLDER_JOIN).await;
    beside.batch_execute(OLDER_HOLD).await.unwrap();
    let older = scene.ticket("older").await;
    let token = &scene.store.tokens(MAIN, &[older.number]).await.unwrap()[0];
    let active = token.active.unwrap();
    assert_eq!((active.selection_ends_at, active.last_paid), (active.deadline, None));
    let clock = scene.clock.as_ref().unwrap();
    clock.set(active.deadline.minus(Duration::from_micros(1)));
    let held = scene.hold(older, schedule, &[1]).await.unwrap().unwrap();
    assert_eq!(held.reserved_at, clock.now());
    clock.set(active.deadline);
    assert_eq!(scene.hold(older, schedule, &[2]).await.unwrap(), Err(Rejection::SelectionClosed(active.deadline)));
    beside.batch_execute(OLDER_END).await.unwrap();
    assert!(scene.store.tokens(MAIN, &[newer.number]).await.unwrap()[0].end.is_some());
    assert_eq!(number(&mut beside, "SELECT count(*) AS n FROM tokens WHERE selection_ends_at IS NULL").await, 0);
}
