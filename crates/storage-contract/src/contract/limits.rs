//! How many seats one user may hold (R8).

use std::sync::Arc;
use std::time::Duration;

use domain::seat::SeatChoice;
use domain::{Rejection, Rules, Timestamp};

use crate::Make;
use crate::scene::{Scene, at_once, concert, open_rules, schedule};

const FULL: Rejection = Rejection::SeatLimit(4);

pub(crate) async fn four_seats_are_held_and_a_fifth_is_not_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    assert_eq!(scene.hold(ticket, &[1, 2, 3, 4, 5]).await, Err(FULL));
    scene.hold(ticket, &[1, 2, 3]).await.unwrap();
    assert_eq!(scene.hold(ticket, &[4, 5]).await, Err(FULL));
    scene.hold(ticket, &[4]).await.unwrap();
    assert_eq!(scene.hold(ticket, &[5]).await, Err(FULL));
    assert_eq!(scene.hold(ticket, &[1]).await, Err(FULL), "the limit is looked at before the seats");
    let other = scene.enter("b").await;
    scene.hold(other, &[5, 6, 7, 8]).await.unwrap();
}

pub(crate) async fn the_limit_is_the_operators_r8(make: Make) {
    let scene = Scene::with(&make, Rules { max_seats: 1, ..open_rules() }).await;
    let ticket = scene.enter("a").await;
    assert_eq!(scene.hold(ticket, &[1, 2]).await, Err(Rejection::SeatLimit(1)));
    scene.hold(ticket, &[1]).await.unwrap();
}

/// R8: seats of all schedules of a queue count, those of another queue do not.
pub(crate) async fn the_limit_spans_a_queue_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let second = scene.load(concert("B", "main", vec![schedule(scene.starts_at, 5)])).await.schedules[0];
    let (other, elsewhere) = scene.other_queue().await;
    let (here, there) = (scene.enter("a").await, scene.enter_queue(other, "a").await);
    scene.hold(here, &[1, 2, 3]).await.unwrap();
    let of = |schedule, numbers: &[u32]| SeatChoice::numbers(schedule, numbers).unwrap();
    assert_eq!(scene.hold_of(here, of(second, &[1, 2])).await, Err(FULL));
    scene.hold_of(here, of(second, &[1])).await.unwrap();
    scene.hold_of(there, of(elsewhere, &[1, 2, 3, 4])).await.unwrap();
}

/// R7, R8: what is cancelled, paid or over does not count; a hold counts to its last microsecond.
pub(crate) async fn only_live_pending_seats_count_r7_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let given = scene.hold(ticket, &[1, 2, 3, 4]).await.unwrap();
    scene.cancel(ticket, given.id).await.unwrap();
    let paid = scene.hold(ticket, &[1, 2, 3, 4]).await.unwrap();
    scene.pay(ticket, paid.id).await.unwrap();
    let ticket = scene.enter("a").await;
    let held = scene.hold(ticket, &[5, 6, 7, 8]).await.unwrap();
    scene.set(Timestamp::from_micros(held.expires_at.micros() - 1));
    assert_eq!(scene.hold(ticket, &[9]).await, Err(FULL));
    scene.set(held.expires_at);
    scene.hold(ticket, &[9, 10, 11, 12]).await.unwrap();
}

/// R8: what is held since before a new epoch counts with the new token too.
pub(crate) async fn a_new_token_does_not_raise_the_limit_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    scene.hold(ticket, &[2, 3, 4]).await.unwrap();
    scene.store.queues.renew_epochs().await.unwrap().unwrap();
    let ticket = scene.enter("a").await;
    scene.advance(Duration::from_secs(1));
    assert_eq!(scene.hold(ticket, &[5, 6]).await, Err(FULL), "three are held still");
    scene.hold(ticket, &[5]).await.unwrap();
}

/// R8: race-safe, under the locked token.
pub(crate) async fn parallel_holds_of_one_user_keep_the_limit_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let held = at_once(20, |n| {
        let scene = Arc::clone(&scene);
        let number = u32::try_from(n).unwrap() + 1;
        async move { scene.hold(ticket, &[number]).await }
    })
    .await;
    assert_eq!(held.iter().filter(|answer| answer.is_ok()).count(), 4);
    assert!(held.into_iter().filter_map(Result::err).all(|refused| refused == FULL));
    assert_eq!(scene.map().await.available(), 46);
}
