//! What an operator is told of a queue.

use std::time::Duration;

use domain::PolicyChange;
use domain::ports::{Endings, QueueReport};
use domain::presence::Watch;
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, narrow_rules, open_rules, ticket, user};

const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn a_report_counts_the_ended_by_reason(make: Make) {
    let rules = domain::Rules { absence: 30 * SECOND, ..narrow_rules(3, 3) };
    let scene = Scene::with(&make, rules).await;
    let (paid, late) = (scene.enter_with("paid", "1000").await, scene.enter("late").await);
    scene.enter("later").await;
    let held = scene.hold(paid, &[1]).await.unwrap();
    scene.pay(paid, held.id).await.unwrap();
    for n in 4..=8 {
        scene.join(n).await;
    }
    scene.leave(ticket(scene.main, 5)).await;
    let ended = async || scene.report().await.ended;
    assert_eq!(ended().await, Endings { paid: 1, left: 1, ..Endings::default() }, "who left beyond the frontier too");

    // Everybody but number 7 is absent when two places are free.
    scene.policy(PolicyChange { batch: Some(1), ..PolicyChange::default() }).await;
    let mut seen = vec![0; domain::presence::Sighting::BYTES];
    seen[0] = 1 << 7;
    let seen = domain::presence::Sighting { queue: scene.main, chunk: 0, seen };
    for _ in 0..10 {
        scene.store.presence.note(Uuid::from_u128(1), std::slice::from_ref(&seen)).await.unwrap();
        scene.advance(5 * SECOND);
    }
    scene.store.presence.note(Uuid::from_u128(1), &[]).await.unwrap();
    let tick = scene.tick().await.remove(0);
    assert_eq!((tick.admitted, tick.absent), (1, 2), "4 and 6; 5 had left");
    assert_eq!(ended().await, Endings { paid: 1, left: 1, absent: 2, ..Endings::default() });

    scene.leave(late).await;
    assert_eq!(ended().await, Endings { paid: 1, left: 2, absent: 2, ..Endings::default() }, "who was ACTIVE too");
    scene.advance(Duration::from_secs(600));
    let over = Endings { paid: 1, left: 2, deadline: 2, absent: 2, new_epoch: 0 };
    assert_eq!(ended().await, over, "nobody has written yet that 3 and 7 are over");
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    scene.tick().await;
    assert_eq!(ended().await, over, "written");

    scene.advance(Watch::GIVEN_UP);
    assert_eq!(scene.store.queues.renew_epochs().await.unwrap(), Some(1));
    assert_eq!(ended().await, Endings { new_epoch: 1, ..over }, "who waited");
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    scene.enter("last").await;
    assert_eq!(scene.store.queues.renew_epochs().await.unwrap(), Some(1));
    assert_eq!(ended().await, Endings { new_epoch: 2, ..over }, "who was ACTIVE");
}

pub(crate) async fn a_report_tells_the_oldest_wait(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let oldest = async || scene.report().await.oldest_wait;
    scene.enter("a").await;
    assert_eq!(oldest().await, None, "nobody waits");
    for name in ["b", "c"] {
        scene.join(name).await;
        scene.advance(SECOND);
    }
    assert_eq!(oldest().await, Some(2 * SECOND));
    scene.leave(ticket(scene.main, 2)).await;
    assert_eq!(oldest().await, Some(SECOND), "the first one who has not left");
    scene.leave(ticket(scene.main, 3)).await;
    assert_eq!(oldest().await, None);
}

pub(crate) async fn a_report_tells_how_long_the_last_ones_waited(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    let waits = async || {
        let mut waits = scene.report().await.waits;
        waits.sort_unstable();
        waits
    };
    for n in 1..=6 {
        scene.join(n).await;
    }
    assert_eq!(waits().await, [Duration::ZERO; 2]);
    scene.leave(ticket(scene.main, 4)).await;
    scene.advance(20 * SECOND);
    scene.tick().await;
    assert_eq!(waits().await, [Duration::ZERO, Duration::ZERO, 20 * SECOND, 20 * SECOND], "not who left");
    scene.leave(ticket(scene.main, 3)).await;
    scene.advance(QueueReport::RECENT - 20 * SECOND);
    assert_eq!(waits().await.len(), 4, "in whatever way they ended since");
    scene.advance(MICRO);
    assert_eq!(waits().await, [20 * SECOND; 2], "not those admitted longer ago");
    scene.advance(QueueReport::RECENT);
    assert_eq!(waits().await.len(), 0);
}

/// What the operator changes is answered by a report like any other.
pub(crate) async fn a_change_of_policy_is_answered_by_the_report(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    for n in 1..=3 {
        scene.join(n).await;
        scene.advance(SECOND);
    }
    scene.leave(ticket(scene.main, 1)).await;
    let change = PolicyChange { batch: Some(5), ..PolicyChange::default() };
    let changed = scene.store.queues.change_policy(scene.main, &change).await.unwrap().unwrap();
    assert_eq!((changed.ended.left, changed.oldest_wait, changed.waits.len()), (1, Some(2 * SECOND), 1));
    assert_eq!(scene.report().await, changed);
}

pub(crate) async fn the_active_are_counted_in_all_queues_by_time(make: Make) {
    let scene = Scene::with(&make, open_rules()).await;
    let (other, _) = scene.other_queue().await;
    let active = async || {
        let mut active = scene.store.queues.active().await.unwrap();
        active.sort_unstable();
        active
    };
    assert_eq!(active().await, []);
    for name in ["a", "b", "c"] {
        scene.enter(name).await;
    }
    scene.leave(ticket(scene.main, 1)).await;
    scene.advance(SECOND);
    scene.store.queues.join(other, &user("a")).await.unwrap().unwrap();
    assert_eq!(active().await, [(scene.main, 2), (other, 1)]);
    scene.advance(Duration::from_secs(599) - MICRO);
    assert_eq!(active().await, [(scene.main, 2), (other, 1)]);
    scene.advance(MICRO);
    assert_eq!(active().await, [(other, 1)], "a deadline that is reached is over, written or not");
}
