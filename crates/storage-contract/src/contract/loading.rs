//! Loading a concert again under its key (R15), and what is too late to be loaded (R11).

use std::sync::Arc;
use std::time::Duration;

use domain::concert::{CreatedConcert, NewConcert};
use domain::ports::{Answer, LoadCommand};
use domain::rejection::Missing;
use domain::{FieldError, LocalTime, QueueName, Rejection, Timestamp, Wrong};

use crate::Make;
use crate::scene::{Scene, at_once, concert, key, page, schedule};

const REUSED: Rejection = Rejection::IdempotencyKeyReused;

/// A concert of three schedules, the last one of which starts first.
fn gala(scene: &Scene, title: &str, queue: &str) -> NewConcert {
    let start = |after: u64| LocalTime::new(scene.starts_at.at().plus(Duration::from_secs(after)), 0).unwrap();
    concert(title, queue, vec![schedule(start(2), 3), schedule(start(3), 2), schedule(start(1), 1)])
}

async fn load(scene: &Scene, concert: &NewConcert, text: &str) -> Result<(CreatedConcert, bool), Rejection> {
    let command = LoadCommand { concert: concert.clone(), key: Some(key(text)) };
    let answer = scene.store.concerts.create(&command).await.unwrap();
    answer.map(|Answer { value, replayed }| (value, replayed))
}

/// How many concerts are listed beside the scene's own.
async fn listed(scene: &Scene) -> usize {
    scene.store.concerts.list(&page()).await.unwrap().items.len() - 1
}

pub(crate) async fn a_loading_is_answered_again_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let wanted = gala(&scene, "A", "main");
    let (first, replayed) = load(&scene, &wanted, "k").await.unwrap();
    assert!(!replayed);
    assert_eq!(load(&scene, &wanted, "k").await, Ok((first.clone(), true)));
    let mut other = wanted.clone();
    other.max_per_user = Some(4);
    assert_eq!(load(&scene, &other, "k").await, Err(REUSED));
    assert_eq!(listed(&scene).await, 1);
    for (id, plan) in first.schedules.iter().zip(&wanted.schedules) {
        let map = scene.store.concerts.seat_map(first.queue, *id).await.unwrap().unwrap();
        assert_eq!((map.schedule.starts_at, map.schedule.seats_total), (plan.starts_at, plan.seats_total()));
    }
    // Without a key, and under another one, it is loaded once more.
    assert_ne!(scene.load(wanted.clone()).await.id, first.id);
    assert!(!load(&scene, &wanted, "k2").await.unwrap().1);
    assert_eq!(listed(&scene).await, 3);
}

/// R15: a key of loading is one for all queues.
pub(crate) async fn a_key_of_loading_is_one_for_all_queues_r15(make: Make) {
    let scene = Scene::open(&make).await;
    scene.other_queue().await;
    let (here, there) = (gala(&scene, "A", "main"), gala(&scene, "A", "other"));
    let (first, _) = load(&scene, &there, "k").await.unwrap();
    assert_eq!(load(&scene, &here, "k").await, Err(REUSED));
    assert_eq!(load(&scene, &there, "k").await, Ok((first, true)));
    // It is none of the keys of those who buy.
    let ticket = scene.enter_with("a", "5000").await;
    let (held, replayed) = scene.hold_keyed(ticket, &[1], "k").await.unwrap();
    assert!(!replayed && !scene.charge_keyed("a", "1", "k").await.unwrap().1);
    assert!(!scene.pay_keyed(ticket, held.id, "k").await.unwrap().1);
}

/// R15: never, also when what was loaded has long been played.
pub(crate) async fn a_key_of_loading_is_never_forgotten_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let wanted = gala(&scene, "A", "main");
    let (first, _) = load(&scene, &wanted, "k").await.unwrap();
    scene.advance(Duration::from_secs(1_000 * 86_400));
    assert_eq!(load(&scene, &wanted, "k").await, Ok((first, true)));
    assert_eq!(load(&scene, &gala(&scene, "B", "main"), "k").await, Err(REUSED));
}

/// R11: what starts at or before now is not loaded, and each schedule that does is named.
pub(crate) async fn what_has_started_is_not_loaded_r11(make: Make) {
    let scene = Scene::open(&make).await;
    let wanted = gala(&scene, "A", "main");
    let start = |place: usize| wanted.schedules[place].starts_at.at().micros();
    let late = |places: &[usize]| {
        let named = places.iter().map(|place| format!("schedules[{place}].starts_at"));
        Err(Rejection::Invalid(named.map(|field| FieldError::new(field, Wrong::Past)).collect()))
    };
    for (now, refused) in [
        (start(2) - 1, None),
        (start(2), Some(&[2][..])),
        (start(2) + 1, Some(&[2][..])),
        (start(0), Some(&[0, 2][..])),
        (start(1), Some(&[0, 1, 2][..])),
    ] {
        scene.set(Timestamp::from_micros(now));
        let answer = load(&scene, &wanted, &format!("at-{now}")).await.map(|(_, replayed)| replayed);
        assert_eq!(answer, refused.map_or(Ok(false), late), "{now}");
    }
}

/// R15: a refusal is decided anew, and its key is free for another request. It has made nothing.
pub(crate) async fn a_loading_that_is_refused_records_nothing_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let nowhere = gala(&scene, "A", "nowhere");
    assert_eq!(load(&scene, &nowhere, "k").await, Err(Rejection::NotFound(Missing::Queue)));
    let mut late = gala(&scene, "A", "main");
    late.queue = nowhere.queue;
    late.schedules.push(schedule(LocalTime::new(scene.now(), 0).unwrap(), 1));
    assert!(matches!(load(&scene, &late, "k").await, Err(Rejection::Invalid(_))));
    assert_eq!(listed(&scene).await, 0);
    late.schedules.pop();
    late.queue = QueueName::main();
    assert!(!load(&scene, &late, "k").await.unwrap().1);
    assert_eq!(listed(&scene).await, 1);
}

/// R15: of many at once under one key one loads, and all are told of it.
pub(crate) async fn one_key_at_once_loads_once_r15(make: Make) {
    let scene = Scene::open(&make).await;
    for round in 1..=5 {
        let answers = at_once(12, |_| {
            let scene = Arc::clone(&scene);
            async move { load(&scene, &gala(&scene, "A", "main"), &format!("k{round}")).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|(_, replayed)| !replayed).count(), 1);
        assert!(answers.iter().all(|(created, _)| *created == answers[0].0));
        assert_eq!(listed(&scene).await, round);
    }
}

/// R15: of two requests at once under one key one is loaded, and the other is told that the key is taken.
pub(crate) async fn one_key_at_once_for_two_concerts_loads_one_r15(make: Make) {
    let scene = Scene::open(&make).await;
    for round in 1..=5 {
        let answers = at_once(12, |n| {
            let scene = Arc::clone(&scene);
            async move { load(&scene, &gala(&scene, ["A", "B"][n % 2], "main"), &format!("k{round}")).await }
        })
        .await;
        let won = answers.iter().position(|answer| matches!(answer, Ok((_, false)))).unwrap();
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), n % 2 == won % 2, "{answer:?}");
            assert!(answer.is_ok() || *answer == Err(REUSED), "{answer:?}");
        }
        assert_eq!(listed(&scene).await, round);
    }
}
