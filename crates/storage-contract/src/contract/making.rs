//! Making queues.

use std::sync::Arc;

use domain::line::Line;
use domain::ports::QueueReport;
use domain::{NewQueue, Policy, PolicyChange, QueueName, Rejection, TokenStatus};

use crate::Make;
use crate::scene::{Scene, at_once, narrow_rules, queue_name, user};

fn narrow() -> Policy {
    Policy { max_active: 3, batch: 2, interval_seconds: 7, paused: true, ..Policy::default() }
}

fn new(name: &str) -> NewQueue {
    NewQueue { name: queue_name(name), policy: narrow(), message: None }
}

async fn made(scene: &Scene, queue: &NewQueue) -> Result<QueueReport, Rejection> {
    scene.store.queues.make(queue).await.unwrap()
}

pub(crate) async fn a_queue_is_made_with_its_own_policy_and_can_be_joined_r3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let known: Vec<_> = scene.store.queues.changes(&[]).await.unwrap().iter().map(|queue| queue.number).collect();
    let report = made(&scene, &new("tonight")).await.unwrap();
    assert_eq!((&report.name, report.policy, report.line), (&queue_name("tonight"), narrow(), Line::default()));
    let queues = scene.store.queues.changes(&[]).await.unwrap();
    let queue = queues.into_iter().find(|queue| queue.name == report.name).unwrap();
    assert!(!known.contains(&queue.number));
    assert_eq!(scene.store.queues.report(queue.number).await.unwrap(), Ok(report));
    let first = scene.store.queues.join(queue.number, &user("a")).await.unwrap().unwrap().token;
    assert_eq!((first.ticket.number.get(), first.status()), (1, TokenStatus::Waiting), "it is paused");
    let open = PolicyChange { paused: Some(false), ..PolicyChange::default() };
    scene.store.queues.change_policy(queue.number, &open).await.unwrap().unwrap();
    assert_eq!(scene.tick().await[0].admitted, 1);
}

pub(crate) async fn a_name_that_a_queue_has_is_refused_and_nothing_changes(make: Make) {
    let scene = Scene::open(&make).await;
    scene.other_queue().await;
    made(&scene, &new("third")).await.unwrap();
    let before = scene.store.queues.changes(&[]).await.unwrap();
    for name in [QueueName::MAIN, "other", "third"] {
        assert_eq!(made(&scene, &new(name)).await, Err(Rejection::QueueExists), "{name}");
    }
    assert_eq!(scene.store.queues.changes(&[]).await.unwrap(), before);
}

pub(crate) async fn of_many_who_make_a_queue_at_once_one_does(make: Make) {
    let scene = Scene::open(&make).await;
    let answers = at_once(12, |n| {
        let scene = Arc::clone(&scene);
        async move { made(&scene, &new(["other", "third"][n % 2])).await }
    })
    .await;
    for turn in 0..2 {
        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().skip(turn).step_by(2).partition(|answer| answer.is_ok());
        assert_eq!(done.len(), 1);
        assert!(refused.iter().all(|answer| **answer == Err(Rejection::QueueExists)));
    }
    let mut names: Vec<_> =
        scene.store.queues.changes(&[]).await.unwrap().into_iter().map(|queue| queue.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["main", "other", "third"].map(queue_name));
}
