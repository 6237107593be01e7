//! How much one transaction takes on at most, so that none lasts long.

use std::sync::Arc;
use std::time::Duration;

use domain::PolicyChange;
use domain::ports::{MOST_TURNS, QueueReport};

use crate::Make;
use crate::scene::{Scene, at_once, narrow_rules};

/// R3: one transaction takes so much and no more, and the next one goes on at once, until all is done.
pub(crate) async fn a_tick_admits_and_ends_no_more_than_it_may(make: Make) {
    const TASKS: usize = 350;
    const EACH: usize = 30;
    let scene = Scene::with(&make, narrow_rules(20_000, 20_000)).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    at_once(TASKS, |task| {
        let scene = Arc::clone(&scene);
        async move {
            for n in 0..EACH {
                scene.join(task * EACH + n).await;
            }
        }
    })
    .await;
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    let (all, most) = (u64::try_from(TASKS * EACH).unwrap(), u64::from(MOST_TURNS));
    let tick = scene.tick().await.remove(0);
    assert_eq!((tick.admitted, tick.more), (most, true));
    assert_eq!(scene.ticks().await, (all - most, 0, 0));
    let report = scene.report().await;
    assert_eq!((report.active, report.waits.len()), (all, usize::try_from(QueueReport::MOST_WAITS).unwrap()));
    scene.advance(Duration::from_secs(600));
    let tick = scene.tick().await.remove(0);
    assert_eq!((tick.expired, tick.more), (most, true));
    assert_eq!(scene.ticks().await, (0, 0, all - most));
    assert_eq!(scene.tick().await, []);
}
