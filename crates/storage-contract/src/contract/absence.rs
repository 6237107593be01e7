//! The absent take no slots (R22): they are passed over when their turn comes, and not before.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Admitted, MOST_TURNS};
use domain::presence::{Sighting, Watch};
use domain::token::{EndReason, TokenEnd};
use domain::{PolicyChange, QueueNumber, Rules, TokenStatus};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, narrow_rules, ticket};

const ABSENCE: Duration = Duration::from_secs(300);
/// Servers tell of themselves this often here.
const EVERY: Duration = Duration::from_secs(5);
const A: Uuid = Uuid::from_u128(0xa);
const B: Uuid = Uuid::from_u128(0xb);

/// A scene whose line is paused and that these servers have watched for long.
async fn watched(make: &Make, servers: &[Uuid], batch: u32) -> Arc<Scene> {
    let scene = Scene::with(make, narrow_rules(10_000, batch)).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    watch(&scene, servers, ABSENCE * 2).await;
    scene
}

async fn join(scene: &Scene, people: u64) {
    for n in 1..=people {
        scene.join(n).await;
    }
}

/// `span` passes, and these servers tell of themselves all the while, the last time at its end; they see nobody.
async fn watch(scene: &Scene, servers: &[Uuid], span: Duration) {
    let mut left = span;
    for server in servers {
        note(scene, *server, &[]).await;
    }
    while !left.is_zero() {
        let step = left.min(EVERY);
        scene.advance(step);
        left -= step;
        for server in servers {
            note(scene, *server, &[]).await;
        }
    }
}

fn sighting(queue: QueueNumber, numbers: &[u64]) -> Sighting {
    let mut seen = vec![0; Sighting::BYTES];
    for number in numbers {
        let place = usize::try_from(*number).unwrap();
        seen[place / 8] |= 1 << (place % 8);
    }
    Sighting { queue, chunk: 0, seen }
}

/// `server` tells of itself, and that it saw these.
async fn note(scene: &Scene, server: Uuid, numbers: &[u64]) {
    let seen: Vec<_> = (!numbers.is_empty()).then(|| sighting(scene.main, numbers)).into_iter().collect();
    scene.store.presence.note(server, &seen).await.unwrap();
}

/// The line goes on, and one tick comes.
async fn admit(scene: &Scene) -> Vec<Admitted> {
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    scene.tick().await
}

/// The line goes on, and the clockwork does all that it finds: how many it admitted and passed over.
async fn turns(scene: &Scene) -> (u64, u64) {
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    let (admitted, absent, _) = scene.ticks().await;
    (admitted, absent)
}

async fn states(scene: &Scene) -> Vec<TokenStatus> {
    scene.tokens().await.iter().map(domain::Token::status).collect()
}

pub(crate) async fn nobody_is_absent_where_no_server_watches(make: Make) {
    let scene = watched(&make, &[], 10).await;
    join(&scene, 3).await;
    scene.advance(ABSENCE * 100);
    assert_eq!(turns(&scene).await, (3, 0));
}

pub(crate) async fn who_was_not_seen_for_longer_than_the_rules_allow_is_passed_over(make: Make) {
    for (late, expected) in [(Duration::ZERO, (3, 0)), (MICRO, (0, 3))] {
        let scene = watched(&make, &[A], 10).await;
        join(&scene, 3).await;
        watch(&scene, &[A], ABSENCE + late).await;
        assert_eq!(turns(&scene).await, expected, "{late:?} more than allowed");
    }
}

pub(crate) async fn who_is_passed_over_ends_there_and_may_join_again(make: Make) {
    let scene = watched(&make, &[A], 10).await;
    join(&scene, 2).await;
    watch(&scene, &[A], ABSENCE + MICRO).await;
    let tick = admit(&scene).await.remove(0);
    let line = scene.report().await.line;
    let expected = Admitted { queue: scene.main, admitted: 0, absent: 2, expired: 0, active: 0, line, more: false };
    assert_eq!(tick, expected);
    assert_eq!((line.waiting(), line.frontier, line.ended_beyond, line.admitted), (0, 2, 0, 0));
    for token in scene.tokens().await {
        assert_eq!(token.end, Some(TokenEnd { at: scene.now(), reason: EndReason::Absent }));
        assert_eq!((token.active, token.out_version), (None, Some(line.version)));
    }
    let again = scene.join(1).await;
    assert_eq!((again.created, again.token.ticket.number.get(), again.token.status()), (true, 3, TokenStatus::Active));
}

pub(crate) async fn the_operator_can_forbid_to_judge(make: Make) {
    let scene = Scene::with(&make, Rules { absence: Duration::ZERO, ..narrow_rules(10, 10) }).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    join(&scene, 2).await;
    watch(&scene, &[A], ABSENCE * 3).await;
    assert_eq!(turns(&scene).await, (2, 0));
}

/// A server that has come lately cannot know who was there before.
pub(crate) async fn nobody_is_judged_before_a_server_has_watched_for_long_enough(make: Make) {
    for (span, expected) in [(ABSENCE - MICRO, (2, 0)), (ABSENCE, (0, 2))] {
        let scene = watched(&make, &[A], 10).await;
        join(&scene, 2).await;
        watch(&scene, &[A], ABSENCE * 2).await;
        watch(&scene, &[A, B], span).await;
        assert_eq!(turns(&scene).await, expected, "the second one is there for {span:?}");
    }
}

pub(crate) async fn after_a_gap_a_server_watches_anew(make: Make) {
    for (gap, expected) in [(Watch::GAP, (0, 2)), (Watch::GAP + MICRO, (2, 0))] {
        let scene = watched(&make, &[A], 10).await;
        join(&scene, 2).await;
        watch(&scene, &[A], ABSENCE * 2).await;
        scene.advance(gap);
        note(&scene, A, &[]).await;
        assert_eq!(turns(&scene).await, expected, "silent for {gap:?}");
    }
}

/// A crashed or cut-off server's users are not punished.
pub(crate) async fn a_silent_server_holds_judgement_up_until_it_is_given_up(make: Make) {
    let beyond = Watch::GAP + MICRO;
    for (silent, expected) in
        [(Watch::GAP, (0, 2)), (beyond, (2, 0)), (Watch::GIVEN_UP - MICRO, (2, 0)), (Watch::GIVEN_UP, (0, 2))]
    {
        let scene = watched(&make, &[A, B], 10).await;
        join(&scene, 2).await;
        watch(&scene, &[A, B], ABSENCE * 2).await;
        watch(&scene, &[A], silent).await;
        assert_eq!(turns(&scene).await, expected, "B is silent for {silent:?}");
    }
}

/// Nobody knows how old a note of before is, nor how long those have been away whom it names.
pub(crate) async fn a_clock_that_is_set_back_judges_nobody_until_servers_have_watched_anew(make: Make) {
    for (told, expected) in [(vec![A], (3, 0)), (vec![], (3, 0)), (vec![A, B], (3, 0))] {
        let scene = watched(&make, &[A, B], 10).await;
        join(&scene, 3).await;
        watch(&scene, &[A, B], ABSENCE * 2).await;
        scene.set(scene.now().minus(Duration::from_secs(3_600)));
        watch(&scene, &told, EVERY).await;
        assert_eq!(turns(&scene).await, expected, "{told:?} told since");
    }
    let scene = watched(&make, &[A, B], 10).await;
    scene.set(scene.now().minus(Duration::from_secs(3_600)));
    join(&scene, 3).await;
    watch(&scene, &[A], ABSENCE * 2).await;
    assert_eq!(turns(&scene).await, (0, 3), "B has gone, and A has watched for long enough");
}

pub(crate) async fn who_has_stopped_holds_no_judgement_up_and_whom_it_saw_stays_known(make: Make) {
    let scene = watched(&make, &[A, B], 10).await;
    join(&scene, 2).await;
    watch(&scene, &[A, B], ABSENCE * 2).await;
    note(&scene, B, &[2]).await;
    scene.store.presence.forget(B).await.unwrap();
    scene.store.presence.forget(Uuid::from_u128(7)).await.unwrap();
    watch(&scene, &[A], Watch::GAP * 2).await;
    assert_eq!(turns(&scene).await, (1, 1));
    assert_eq!(states(&scene).await, [TokenStatus::Expired, TokenStatus::Active]);
}

/// Whichever server saw them, and in whichever of its notes.
pub(crate) async fn who_was_seen_keeps_the_place_and_nobody_is_judged_before_their_turn(make: Make) {
    let scene = watched(&make, &[A, B], 3).await;
    join(&scene, 7).await;
    watch(&scene, &[A, B], ABSENCE).await;
    note(&scene, A, &[2]).await;
    watch(&scene, &[A, B], EVERY).await;
    note(&scene, A, &[5]).await;
    note(&scene, B, &[3, 5]).await;
    watch(&scene, &[A, B], EVERY).await;
    assert_eq!(turns(&scene).await, (3, 2));
    let (out, within, waits) = (TokenStatus::Expired, TokenStatus::Active, TokenStatus::Waiting);
    assert_eq!(states(&scene).await, [out, within, within, out, within, waits, waits]);
    assert_eq!(scene.tick().await, [], "the absent used no grant, but three are used");
}

/// Nothing that a server saw is lost, however short the time between its notes is.
pub(crate) async fn notes_of_one_moment_all_count(make: Make) {
    let scene = watched(&make, &[A], 10).await;
    join(&scene, 4).await;
    watch(&scene, &[A], ABSENCE).await;
    note(&scene, A, &[1]).await;
    note(&scene, A, &[2]).await;
    let twice = [sighting(scene.main, &[3]), sighting(scene.main, &[4])];
    scene.store.presence.note(A, &twice).await.unwrap();
    watch(&scene, &[A], EVERY).await;
    assert_eq!(turns(&scene).await, (4, 0));
}

pub(crate) async fn what_was_seen_too_long_ago_does_not_count(make: Make) {
    for (late, expected) in [(Duration::ZERO, (1, 0)), (MICRO, (0, 1))] {
        let scene = watched(&make, &[A], 10).await;
        join(&scene, 1).await;
        watch(&scene, &[A], EVERY).await;
        note(&scene, A, &[1]).await;
        watch(&scene, &[A], ABSENCE + late).await;
        assert_eq!(turns(&scene).await, expected, "{late:?}");
    }
}

pub(crate) async fn who_was_seen_in_another_queue_was_not_seen_here(make: Make) {
    let scene = watched(&make, &[A], 10).await;
    let (other, _) = scene.other_queue().await;
    join(&scene, 1).await;
    watch(&scene, &[A], ABSENCE).await;
    scene.store.presence.note(A, &[sighting(other, &[1])]).await.unwrap();
    watch(&scene, &[A], EVERY).await;
    assert_eq!(turns(&scene).await, (0, 1));
}

pub(crate) async fn who_joined_lately_is_there(make: Make) {
    let scene = watched(&make, &[A], 10).await;
    join(&scene, 1).await;
    watch(&scene, &[A], ABSENCE * 2).await;
    scene.join("late").await;
    assert_eq!(turns(&scene).await, (1, 1));
    assert_eq!(states(&scene).await, [TokenStatus::Expired, TokenStatus::Active]);
}

/// Q11: who waits behind a thousand that are not there is admitted by the next tick.
pub(crate) async fn a_thousand_absent_heads_delay_nobody_q11(make: Make) {
    let scene = watched(&make, &[A], 1).await;
    at_once(1_000, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.join(n).await }
    })
    .await;
    let live = scene.join("live").await.token.ticket;
    scene.join("next").await;
    watch(&scene, &[A], ABSENCE + EVERY).await;
    note(&scene, A, &[live.number.get()]).await;
    assert_eq!(turns(&scene).await, (1, 1_000));
    assert_eq!(scene.status(live).await, TokenStatus::Active);
    assert_eq!(scene.status(ticket(scene.main, 1_002)).await, TokenStatus::Waiting, "it is not their turn");
}

/// One transaction takes no more turns than that; the next one goes on at once.
pub(crate) async fn a_tick_takes_no_more_turns_than_it_may(make: Make) {
    let most = u64::from(MOST_TURNS);
    let (last, scene) = (most + most / 2, watched(&make, &[A], 1).await);
    at_once(usize::try_from(last).unwrap(), |n| {
        let scene = Arc::clone(&scene);
        async move { scene.join(n).await }
    })
    .await;
    watch(&scene, &[A], ABSENCE + EVERY).await;
    note(&scene, A, &[last]).await;
    let tick = admit(&scene).await.remove(0);
    assert_eq!((tick.absent, tick.admitted, tick.more, tick.line.waiting()), (most, 0, true, last - most));
    let tick = scene.tick().await.remove(0);
    assert_eq!((tick.absent, tick.admitted, tick.more, tick.line.waiting()), (last - most - 1, 1, false, 0));
    assert_eq!(scene.status(ticket(scene.main, last)).await, TokenStatus::Active);
}
