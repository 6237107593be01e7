//! Who is let in, when and in which order (R3), and the policy behind it.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Admitted;
use domain::rejection::Missing;
use domain::{PolicyChange, QueueNumber, Rejection, TokenStatus};

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, narrow_rules, open_rules, ticket, user};

const WINDOW: Duration = Duration::from_secs(10);

/// A scene whose line is paused with so many people in it; `max_active` and `batch` as given once it goes on.
async fn crowd(make: &Make, people: u64, max_active: u32, batch: u32) -> Arc<Scene> {
    let scene = Scene::with(make, narrow_rules(max_active, batch)).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    for n in 1..=people {
        assert_eq!(scene.join(n).await.token.status(), TokenStatus::Waiting, "R3: none while paused");
    }
    scene
}

async fn go_on(scene: &Scene) {
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
}

async fn admit(scene: &Scene) -> u64 {
    let ticks = scene.tick().await;
    ticks.iter().filter(|tick| tick.queue == scene.main).map(|tick| tick.admitted).sum()
}

/// The numbers of those who are ACTIVE at this moment.
async fn active(scene: &Scene) -> Vec<u64> {
    let issued = scene.store.queues.report(scene.main).await.unwrap().unwrap().line.issued;
    let mut active = Vec::new();
    for number in 1..=issued {
        if scene.status(ticket(scene.main, number)).await == TokenStatus::Active {
            active.push(number);
        }
    }
    active
}

pub(crate) async fn nobody_is_admitted_while_paused_r3(make: Make) {
    let scene = crowd(&make, 3, 10, 10).await;
    scene.advance(WINDOW);
    assert_eq!(admit(&scene).await, 0);
    assert!(scene.standing(ticket(scene.main, 1)).await.paused);
    go_on(&scene).await;
    assert!(!scene.standing(ticket(scene.main, 1)).await.paused);
    assert_eq!(admit(&scene).await, 3);
}

pub(crate) async fn a_window_grants_one_batch_and_unused_grants_are_gone_r3(make: Make) {
    let scene = crowd(&make, 30, 100, 4).await;
    go_on(&scene).await;
    assert_eq!((admit(&scene).await, admit(&scene).await), (4, 0));
    scene.advance(WINDOW - MICRO);
    assert_eq!(admit(&scene).await, 0, "the last microsecond of the window");
    scene.advance(MICRO);
    assert_eq!((admit(&scene).await, admit(&scene).await), (4, 0), "the next one");
    scene.advance(WINDOW * 3);
    assert_eq!((admit(&scene).await, admit(&scene).await), (4, 0), "not what two empty windows left over");
    assert_eq!(active(&scene).await, (1..=12).collect::<Vec<_>>(), "in the order of their numbers");
}

/// A database's clock that is set back: by a little it is waited for, by more the line goes on, and however often it is done nobody
/// is granted anything by it.
pub(crate) async fn a_clock_that_is_set_back_stops_no_line_r3_q2(make: Make) {
    let scene = crowd(&make, 30, 100, 4).await;
    go_on(&scene).await;
    scene.advance(WINDOW * 400);
    assert_eq!(admit(&scene).await, 4);
    let policy = scene.report().await.policy;
    scene.set(scene.now().minus(WINDOW));
    assert_eq!(admit(&scene).await, 0, "in the window before");
    scene.advance(WINDOW);
    for hours in [1, 2, 1] {
        scene.set(scene.now().minus(Duration::from_secs(hours * 3_600)));
        assert_eq!((admit(&scene).await, admit(&scene).await), (0, 0), "what was used stays used");
    }
    scene.advance(WINDOW - MICRO);
    assert_eq!(admit(&scene).await, 0, "the last microsecond of the window");
    scene.advance(MICRO);
    assert_eq!((admit(&scene).await, admit(&scene).await), (4, 0), "the next one, by the clock that goes on");
    scene.advance(WINDOW);
    assert_eq!(admit(&scene).await, 4);
    assert_eq!(scene.report().await.policy, policy);
    assert_eq!(active(&scene).await, (1..=12).collect::<Vec<_>>(), "in the order of their numbers");
}

pub(crate) async fn never_more_than_max_active_r3_q6(make: Make) {
    let scene = crowd(&make, 12, 5, 100).await;
    go_on(&scene).await;
    assert_eq!(admit(&scene).await, 5);
    scene.leave(ticket(scene.main, 2)).await;
    scene.leave(ticket(scene.main, 4)).await;
    assert_eq!(admit(&scene).await, 2);
    scene.advance(WINDOW);
    assert_eq!(admit(&scene).await, 0);
    assert_eq!(active(&scene).await, [1, 3, 5, 6, 7]);
}

pub(crate) async fn a_smaller_max_active_ends_nobody_r3(make: Make) {
    let scene = crowd(&make, 6, 4, 100).await;
    go_on(&scene).await;
    assert_eq!(admit(&scene).await, 4);
    scene.policy(PolicyChange { max_active: Some(2), ..PolicyChange::default() }).await;
    assert_eq!(admit(&scene).await, 0);
    for number in 1..=2 {
        scene.leave(ticket(scene.main, number)).await;
    }
    assert_eq!(admit(&scene).await, 0, "two are ACTIVE still");
    scene.leave(ticket(scene.main, 3)).await;
    assert_eq!(admit(&scene).await, 1);
    assert_eq!(active(&scene).await, [4, 5]);
}

pub(crate) async fn a_change_of_policy_starts_a_window_r3(make: Make) {
    let scene = crowd(&make, 20, 100, 3).await;
    go_on(&scene).await;
    assert_eq!(admit(&scene).await, 3);
    scene.advance(Duration::from_secs(4));
    scene.policy(PolicyChange { interval_seconds: Some(7), ..PolicyChange::default() }).await;
    assert_eq!((admit(&scene).await, admit(&scene).await), (3, 0), "all grants anew");
    scene.advance(Duration::from_secs(7) - MICRO);
    assert_eq!(admit(&scene).await, 0, "counted from the change");
    scene.advance(MICRO);
    assert_eq!(admit(&scene).await, 3);
}

/// Q9: who is silent gives the place back, exactly at the deadline.
pub(crate) async fn the_silent_make_room_at_their_deadline_r3_r5_q9(make: Make) {
    let scene = crowd(&make, 6, 2, 100).await;
    go_on(&scene).await;
    assert_eq!(admit(&scene).await, 2);
    scene.advance(Duration::from_secs(600) - MICRO);
    assert_eq!(admit(&scene).await, 0);
    scene.advance(MICRO);
    let ticks = scene.tick().await;
    let line = scene.store.queues.report(scene.main).await.unwrap().unwrap().line;
    let tick = Admitted { queue: scene.main, admitted: 2, absent: 0, expired: 2, active: 2, line, more: false };
    assert_eq!(ticks, [tick]);
    assert_eq!(active(&scene).await, [3, 4]);
    let over = scene.standing(ticket(scene.main, 1)).await.token;
    assert_eq!((over.status(), over.end.unwrap().reason), (TokenStatus::Expired, domain::token::EndReason::Deadline));
}

/// R3: a join with nobody ahead takes a place that time freed; behind others it admits nobody.
pub(crate) async fn a_join_admits_into_places_that_time_freed_r3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 100)).await;
    for name in ["a", "b"] {
        scene.enter(name).await;
    }
    scene.advance(Duration::from_secs(600));
    scene.enter("c").await;
    scene.enter("d").await;
    let waits = scene.join("e").await.token;
    scene.advance(Duration::from_secs(600));
    let behind = scene.join("f").await.token;
    assert_eq!((waits.status(), behind.status()), (TokenStatus::Waiting, TokenStatus::Waiting));
    assert_eq!(active(&scene).await, [0; 0], "there is room, and the next tick fills it");
    assert_eq!(admit(&scene).await, 2);
    assert_eq!(active(&scene).await, [5, 6]);
}

/// Q11: a thousand who gave up do not delay the first who waits.
pub(crate) async fn the_gone_do_not_block_a_batch_q11(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 2)).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    at_once(1_000, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.join(n).await }
    })
    .await;
    let live = scene.join("live").await.token;
    let live = scene.standing(live.ticket).await;
    assert_eq!(live.position, 1_001);
    at_once(1_000, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.leave(ticket(scene.main, u64::try_from(n).unwrap() + 1)).await }
    })
    .await;
    assert_eq!(scene.standing(live.token.ticket).await.position, 1);
    go_on(&scene).await;
    assert_eq!(admit(&scene).await, 1);
    assert_eq!(scene.status(live.token.ticket).await, TokenStatus::Active);
}

/// Q7: of two admitters at once nobody is lost or doubled.
pub(crate) async fn two_admitters_lose_and_double_nobody_r3_q7(make: Make) {
    let scene = crowd(&make, 60, 1_000, 7).await;
    go_on(&scene).await;
    for window in 1..=8 {
        let ticks = at_once(4, |_| {
            let scene = Arc::clone(&scene);
            async move { admit(&scene).await }
        })
        .await;
        assert_eq!(ticks.iter().sum::<u64>(), 7);
        assert_eq!(active(&scene).await, (1..=window * 7).collect::<Vec<_>>());
        scene.advance(WINDOW);
    }
    assert_eq!((admit(&scene).await, admit(&scene).await), (4, 0));
}

/// Q6: however many join at once, the cap holds, and it is the first that are in.
pub(crate) async fn parallel_joins_keep_the_cap_r3_q6(make: Make) {
    let scene = Scene::with(&make, narrow_rules(10, 1_000)).await;
    at_once(100, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.join(n).await }
    })
    .await;
    assert_eq!(active(&scene).await, (1..=10).collect::<Vec<_>>());
    let report = scene.store.queues.report(scene.main).await.unwrap().unwrap();
    assert_eq!((report.active, report.line.issued, report.line.admitted, report.line.waiting()), (10, 100, 10, 90));
}

/// Q4: whatever happens at once, those admitted are those with the smallest numbers.
pub(crate) async fn admission_is_in_the_order_of_numbers_r3_q4(make: Make) {
    let scene = Scene::with(&make, narrow_rules(20, 3)).await;
    at_once(120, |n| {
        let scene = Arc::clone(&scene);
        async move {
            let joined = scene.join(n / 2).await;
            match n % 5 {
                0 => scene.leave(joined.token.ticket).await,
                1 => scene.advance(Duration::from_secs(2)),
                2 => drop(admit(&scene).await),
                _ => {}
            }
        }
    })
    .await;
    let issued = scene.store.queues.report(scene.main).await.unwrap().unwrap().line.issued;
    let mut waiting_ahead = None;
    for number in 1..=issued {
        let token = scene.standing(ticket(scene.main, number)).await.token;
        assert!(token.active.is_none() || waiting_ahead.is_none(), "{waiting_ahead:?} was overtaken by {number}");
        if token.status() == TokenStatus::Waiting {
            waiting_ahead = waiting_ahead.or(Some(number));
        }
    }
    assert!(active(&scene).await.len() <= 20);
}

pub(crate) async fn queues_with_nothing_due_are_not_listed(make: Make) {
    let scene = Scene::with(&make, open_rules()).await;
    let (other, _) = scene.other_queue().await;
    assert_eq!(scene.tick().await, []);
    scene.enter("a").await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    scene
        .store
        .queues
        .change_policy(other, &PolicyChange { paused: Some(true), ..PolicyChange::default() })
        .await
        .unwrap()
        .unwrap();
    scene.store.queues.join(other, &user("b")).await.unwrap().unwrap();
    assert_eq!(scene.tick().await, [], "one is in and the other is paused");
    scene
        .store
        .queues
        .change_policy(other, &PolicyChange { paused: Some(false), ..PolicyChange::default() })
        .await
        .unwrap()
        .unwrap();
    let ticks = scene.tick().await;
    assert_eq!(ticks.iter().map(|tick| (tick.queue, tick.admitted, tick.active)).collect::<Vec<_>>(), [(other, 1, 1)]);
}

pub(crate) async fn a_report_counts_who_is_active_now(make: Make) {
    let scene = crowd(&make, 5, 2, 100).await;
    go_on(&scene).await;
    admit(&scene).await;
    let counts = async || {
        let report = scene.store.queues.report(scene.main).await.unwrap().unwrap();
        (report.line.waiting(), report.active, report.line.issued, report.line.admitted)
    };
    assert_eq!(counts().await, (3, 2, 5, 2));
    scene.advance(Duration::from_secs(600) - MICRO);
    assert_eq!(counts().await, (3, 2, 5, 2));
    scene.advance(MICRO);
    assert_eq!(counts().await, (3, 0, 5, 2), "those past their deadline are not");
}

pub(crate) async fn a_policy_out_of_bounds_changes_nothing_r3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(3, 2)).await;
    let before = scene.store.queues.report(scene.main).await.unwrap().unwrap();
    for change in [
        PolicyChange { batch: Some(0), max_active: Some(9), ..PolicyChange::default() },
        PolicyChange { interval_seconds: Some(0), ..PolicyChange::default() },
        PolicyChange { max_active: Some(10_000_001), ..PolicyChange::default() },
    ] {
        let changed = scene.store.queues.change_policy(scene.main, &change).await.unwrap();
        assert!(matches!(changed, Err(Rejection::Invalid(_))), "{changed:?}");
    }
    assert_eq!(scene.store.queues.report(scene.main).await.unwrap().unwrap(), before);
}

pub(crate) async fn only_what_is_named_of_a_policy_changes(make: Make) {
    let scene = Scene::with(&make, narrow_rules(3, 2)).await;
    let change = PolicyChange { max_active: Some(0), paused: Some(true), ..PolicyChange::default() };
    let report = scene.store.queues.change_policy(scene.main, &change).await.unwrap().unwrap();
    let policy = report.policy;
    assert_eq!((policy.max_active, policy.batch, policy.interval_seconds, policy.paused), (0, 2, 10, true));
    assert_eq!(scene.store.queues.report(scene.main).await.unwrap().unwrap(), report);
}

pub(crate) async fn an_unknown_queue_has_no_policy(make: Make) {
    let scene = Scene::open(&make).await;
    let unknown = QueueNumber(scene.main.0 + 1);
    let missing = Rejection::NotFound(Missing::Queue);
    assert_eq!(scene.store.queues.report(unknown).await.unwrap(), Err(missing.clone()));
    let changed = scene.store.queues.change_policy(unknown, &PolicyChange::default()).await.unwrap();
    assert_eq!(changed, Err(missing));
}
