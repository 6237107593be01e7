//! When the clockwork ticked last.

use std::time::Duration;

use domain::ports::MARK_FOR;

use crate::Make;
use crate::scene::{MICRO, Scene};

pub(crate) async fn the_last_tick_is_kept_and_not_each_of_them(make: Make) {
    let scene = Scene::open(&make).await;
    let clockwork = &scene.store.clockwork;
    let last = async || clockwork.last_tick().await.unwrap();
    assert_eq!(last().await, None, "nobody has ticked");
    let first = scene.now();
    clockwork.ticked().await.unwrap();
    assert_eq!(last().await, Some(first));
    for (after, kept) in [(MARK_FOR - MICRO, first), (MICRO, first.plus(MARK_FOR))] {
        scene.advance(after);
        clockwork.ticked().await.unwrap();
        assert_eq!(last().await, Some(kept));
    }
}

pub(crate) async fn a_tick_of_before_the_clock_was_set_back_is_forgotten(make: Make) {
    let scene = Scene::open(&make).await;
    scene.store.clockwork.ticked().await.unwrap();
    for back in [MICRO, Duration::from_secs(3_600)] {
        scene.set(scene.now().minus(back));
        scene.store.clockwork.ticked().await.unwrap();
        assert_eq!(scene.store.clockwork.last_tick().await.unwrap(), Some(scene.now()));
    }
}
