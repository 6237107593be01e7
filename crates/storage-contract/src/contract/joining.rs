//! Joining the line and asking where one stands (R1, R2, R4).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::rejection::Missing;
use domain::{PolicyChange, QueueName, QueueNumber, Rejection, TokenStatus};

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, narrow_rules, ticket, user};

pub(crate) async fn main_exists_from_the_start(make: Make) {
    let store = make.store(narrow_rules(7, 3)).await;
    let directory = store.queues.changes(&[]).await.unwrap();
    let main: Vec<_> = directory.iter().filter(|entry| entry.name == QueueName::main()).collect();
    assert_eq!((directory.len(), main.len()), (1, 1), "{directory:?}");
    let report = store.queues.report(main[0].number).await.unwrap().unwrap();
    assert_eq!((report.name, report.policy), (QueueName::main(), narrow_rules(7, 3).new_queue));
    assert_eq!((report.line.issued, report.active), (0, 0));
}

pub(crate) async fn a_live_user_keeps_the_place_r1(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    for (name, status) in [("first", TokenStatus::Active), ("second", TokenStatus::Waiting)] {
        let new = scene.join(name).await;
        assert!(new.created);
        assert_eq!((new.token.status(), new.token.issued_at), (status, scene.now()));
        scene.advance(Duration::from_secs(1));
        let again = scene.join(name).await;
        assert!(!again.created);
        assert_eq!((again.token, again.line), (new.token, new.line));
    }
}

pub(crate) async fn who_left_comes_back_at_the_tail_r1(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    for name in ["active", "waits", "tail"] {
        scene.join(name).await;
    }
    for (name, old, new) in [("active", 1, 4), ("waits", 2, 5)] {
        scene.leave(ticket(scene.main, old)).await;
        let joined = scene.join(name).await;
        assert!(joined.created);
        assert_eq!(joined.token.ticket, ticket(scene.main, new));
    }
    assert_eq!(scene.status(ticket(scene.main, 1)).await, TokenStatus::Expired);
}

/// R1, R5: a deadline is over exactly when it is reached, though nobody has written so.
pub(crate) async fn a_place_is_kept_until_its_deadline_and_not_at_it_r1_r5(make: Make) {
    for (late, kept) in [(-1, true), (0, false), (1, false)] {
        let scene = Scene::open(&make).await;
        let old = scene.enter("a").await;
        let deadline = scene.now().plus(Duration::from_secs(600));
        assert_eq!(scene.standing(old).await.token.active.unwrap().deadline, deadline);
        scene.set(domain::Timestamp::from_micros(deadline.micros() + late));
        let joined = scene.join("a").await;
        assert_eq!(joined.created, !kept, "{late}");
        assert_eq!(joined.token.ticket == old, kept, "{late}");
        assert_eq!(joined.token.status_at(scene.now()), TokenStatus::Active);
    }
}

pub(crate) async fn fifty_joins_of_one_user_give_one_token_r1_q3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    scene.join("head").await;
    let joins = at_once(50, |_| {
        let scene = Arc::clone(&scene);
        async move { scene.join("same").await }
    })
    .await;
    assert_eq!(joins.iter().filter(|joined| joined.created).count(), 1);
    for joined in joins {
        assert_eq!(joined.token.ticket, ticket(scene.main, 2));
        assert_eq!(joined.line.position_at_tail(joined.token.ticket.number), 1);
    }
    assert_eq!(scene.store.queues.report(scene.main).await.unwrap().unwrap().line.issued, 2);
}

pub(crate) async fn numbers_are_dense_r2(make: Make) {
    let scene = Scene::with(&make, narrow_rules(10, 5)).await;
    let joins = at_once(200, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.join(n).await }
    })
    .await;
    let numbers: BTreeSet<u64> = joins.iter().map(|joined| joined.token.ticket.number.get()).collect();
    assert_eq!(numbers, (1..=200).collect());
    for number in 1..=200 {
        let position = scene.standing(ticket(scene.main, number)).await.position;
        assert_eq!(position, number.saturating_sub(5), "{number}");
    }
}

/// R2: who was answered before another came has the smaller number.
pub(crate) async fn numbers_follow_the_order_of_commits_r2_q2(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    for (n, name) in ["z", "a", "m", "b"].iter().enumerate() {
        let joined = scene.join(name).await;
        assert_eq!(joined.token.ticket.number.get(), u64::try_from(n).unwrap() + 1, "the same microsecond");
    }
    scene.set(scene.now().minus(Duration::from_secs(5)));
    let late = scene.join("c").await;
    let position = late.line.position_at_tail(late.token.ticket.number);
    assert_eq!((late.token.ticket.number.get(), position), (5, 4), "a clock that went back");
    assert_eq!(scene.standing(ticket(scene.main, 2)).await.position, 1);
}

pub(crate) async fn a_join_creates_no_queue_r1(make: Make) {
    let scene = Scene::open(&make).await;
    let unknown = QueueNumber(scene.main.0 + 100);
    let joined = scene.store.queues.join(unknown, &user("a")).await.unwrap();
    assert_eq!(joined, Err(Rejection::NotFound(Missing::Queue)));
    assert_eq!(scene.store.queues.changes(&[]).await.unwrap().len(), 1);
}

/// R3: the answer shows the admission that ran with the join.
pub(crate) async fn a_newcomer_with_nobody_ahead_is_active_at_once_r3(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 2)).await;
    let joined = scene.join("a").await;
    let active = joined.token.active.unwrap();
    assert_eq!((active.since, active.deadline), (scene.now(), scene.now().plus(Duration::from_secs(600))));
    let standing = scene.standing(joined.token.ticket).await;
    assert_eq!((standing.position, standing.position_at(scene.now())), (0, Some(0)));
    assert_eq!((joined.token, joined.line), (standing.token, standing.line));
}

/// Q5: a free place is that of who waits, never of who comes.
pub(crate) async fn a_newcomer_does_not_overtake_r3_q5(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 1)).await;
    let first = scene.enter("a").await;
    let waits = scene.join("b").await.token.ticket;
    scene.leave(first).await;
    let newcomer = scene.join("c").await;
    let position = newcomer.line.position_at_tail(newcomer.token.ticket.number);
    assert_eq!((newcomer.token.status(), position), (TokenStatus::Waiting, 2));
    scene.advance(Duration::from_secs(10));
    let newcomer = scene.join("d").await;
    assert_eq!(newcomer.token.status(), TokenStatus::Waiting);
    assert_eq!(scene.status(waits).await, TokenStatus::Waiting, "behind others a join admits nobody");
    scene.tick().await;
    assert_eq!(scene.status(waits).await, TokenStatus::Active, "the new window is b's");
    assert_eq!(scene.status(newcomer.token.ticket).await, TokenStatus::Waiting);
}

pub(crate) async fn a_number_never_issued_is_found_nowhere(make: Make) {
    let scene = Scene::open(&make).await;
    let a = scene.join("a").await.token;
    let numbers = [2, 1, 3].map(|number| ticket(scene.main, number).number);
    assert_eq!(scene.store.queues.tokens(scene.main, &numbers).await.unwrap(), [a], "none for the others");
    for never in [ticket(scene.main, 2), ticket(QueueNumber(scene.main.0 + 1), 1), ticket(scene.main, (1 << 40) - 1)] {
        assert_eq!(scene.store.queues.tokens(never.queue, &[never.number]).await.unwrap(), [], "{never:?}");
    }
}

/// Q1: after leaves and admissions each position is the number of live waiters ahead + 1.
pub(crate) async fn positions_are_those_of_brute_force_r4_q1(make: Make) {
    let scene = Scene::with(&make, narrow_rules(100, 3)).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    for n in 1..=40 {
        let joined = scene.join(n).await;
        assert_eq!(joined.line.position_at_tail(joined.token.ticket.number), n);
        assert_eq!(scene.standing(joined.token.ticket).await.position, n);
    }
    let mut shown = vec![u64::MAX; 41];
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    for (tick, leavers) in
        [vec![2, 39], vec![7, 8, 9], vec![], vec![13, 12], vec![40, 20], vec![4, 5]].iter().enumerate()
    {
        for leaver in leavers {
            scene.leave(ticket(scene.main, *leaver)).await;
            check_positions(&scene, &mut shown).await;
        }
        let ticks = scene.tick().await;
        assert_eq!(ticks.iter().map(|tick| tick.admitted).sum::<u64>(), 3, "tick {tick}");
        check_positions(&scene, &mut shown).await;
        scene.advance(Duration::from_secs(10));
    }
}

async fn check_positions(scene: &Scene, shown: &mut [u64]) {
    let mut ahead = 0;
    for number in 1..=40 {
        let standing = scene.standing(ticket(scene.main, number)).await;
        let before = &mut shown[usize::try_from(number).unwrap()];
        if standing.token.status() == TokenStatus::Waiting {
            ahead += 1;
            assert_eq!(standing.position, ahead, "{number}");
            assert!(standing.position <= *before, "R4: a position never rises");
            *before = standing.position;
        } else {
            assert_eq!(standing.position, 0, "{number}");
        }
        assert_eq!(standing.line.waiting() + standing.line.admitted + left_waiting(scene).await, 40);
    }
}

async fn left_waiting(scene: &Scene) -> u64 {
    let mut left = 0;
    for number in 1..=40 {
        let token = scene.standing(ticket(scene.main, number)).await.token;
        left += u64::from(token.end.is_some() && token.active.is_none());
    }
    left
}

/// R4: the version grows with every join, admission, departure of a waiting token and change of policy.
pub(crate) async fn the_version_grows_with_what_moves_the_line_r4(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let version = async || scene.store.queues.report(scene.main).await.unwrap().unwrap().line.version;
    let mut last = version().await;
    let mut grown = async |what: &str| {
        let now = version().await;
        assert!(now > last, "{what}");
        last = now;
    };
    let active = scene.enter("a").await;
    grown("join").await;
    let waits = scene.join("b").await.token.ticket;
    grown("join").await;
    scene.join("c").await;
    grown("join").await;
    scene.leave(waits).await;
    grown("a waiting token left").await;
    scene.leave(active).await;
    scene.advance(Duration::from_secs(10));
    scene.tick().await;
    grown("admission").await;
    scene.policy(PolicyChange { batch: Some(2), ..PolicyChange::default() }).await;
    grown("policy").await;
}

/// `tokens` writes nothing: a token past its deadline is shown as stored.
pub(crate) async fn a_token_past_its_deadline_is_shown_as_stored(make: Make) {
    let scene = Scene::open(&make).await;
    let held = scene.enter("a").await;
    scene.advance(Duration::from_secs(600).saturating_sub(MICRO));
    assert_eq!(scene.status(held).await, TokenStatus::Active);
    scene.advance(MICRO);
    let standing = scene.standing(held).await;
    assert_eq!((standing.token.status(), standing.token.end), (TokenStatus::Active, None));
    assert_eq!(standing.position_at(scene.now()), None);
}

pub(crate) async fn queues_do_not_know_of_each_other(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let (other, _) = scene.other_queue().await;
    let here = scene.enter("a").await;
    let there = scene.enter_queue(other, "a").await;
    assert_eq!((here.number.get(), there.number.get()), (1, 1));
    let second = scene.store.queues.join(other, &user("b")).await.unwrap().unwrap();
    assert_eq!((second.token.ticket.number.get(), scene.standing(second.token.ticket).await.position), (2, 1));
    scene.leave(there).await;
    assert_eq!(scene.status(here).await, TokenStatus::Active);
}
