use std::sync::Arc;
use std::time::Duration;

use domain::line::Line;
use domain::{QueueEpoch, Rejection, TicketNumber, TokenStatus};

use super::*;
use crate::mocks::{
    DelayedStore, EPOCH, Hands, NOW, Shown, Task, World, at, block_on, change, down, holder, name_of, numbered, run,
    sealed, ticket,
};
use crate::{Failure, Holder};

const MAIN: QueueNumber = QueueNumber(1);

fn following() -> (App, Arc<Shown>, Arc<Hands>) {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    (world.app(), lines, clock)
}

/// Position and staleness, as a poll tells them; nobody expects to be asked for a token.
fn told(app: &App, holder: Holder) -> (Option<u64>, bool) {
    let standing = block_on(app.standing(holder)).unwrap();
    (standing.position, standing.stale)
}

fn waits() -> Failure {
    Rejection::TokenNotActive(TokenStatus::Waiting).into()
}

/// `main` at `version`, when these have left.
fn left(version: u64, ended_beyond: u64, left: &[u64]) -> QueueChange {
    let before = change(1, "main");
    let left = left.iter().map(|number| TicketNumber::new(*number).unwrap()).collect();
    QueueChange { line: Line { version, ended_beyond, ..before.line }, left, ..before }
}

/// One read of the store: what must be known by then, in any order, and what it shows.
type Read = (&'static [(u16, u64)], Vec<QueueChange>);

fn reading(reads: Vec<Read>) -> App {
    let (mut world, mut order) = (World::default(), mockall::Sequence::new());
    for (expected, shown) in reads {
        let known = move |known: &[(QueueNumber, u64)]| {
            let mut known: Vec<_> = known.iter().map(|(queue, version)| (queue.0, *version)).collect();
            known.sort_unstable();
            known == expected
        };
        world.queues.expect_changes().times(1).in_sequence(&mut order).withf(known).return_once(|_| Ok(shown));
    }
    world.app_without_lines()
}

#[test]
fn a_refresh_asks_for_what_changed_and_counts_leavers_out_q1() {
    let app = reading(vec![
        (&[], vec![change(1, "main"), change(2, "other")]),
        (&[(1, 31), (2, 31)], vec![left(32, 1, &[5])]),
        // Who left before is not named again.
        (&[(1, 32), (2, 31)], vec![left(33, 2, &[6])]),
        (&[(1, 33), (2, 31)], vec![]),
    ]);
    for position in [3, 2, 1, 1] {
        assert_eq!(block_on(app.refresh()), Ok(Refreshed::default()));
        assert_eq!(told(&app, holder()), (Some(position), false));
    }
}

#[test]
fn a_change_that_does_not_agree_is_read_anew_from_the_beginning() {
    let other = |change| QueueChange { number: QueueNumber(2), name: name_of("other"), ..change };
    let app = reading(vec![
        // Wrong as it was read: it is 5 who left.
        (&[], vec![left(31, 1, &[9]), other(left(31, 1, &[6]))]),
        // The counters say three, two are known: a change was missed.
        (&[(1, 31), (2, 31)], vec![left(33, 3, &[6])]),
        // Meanwhile another queue has changed, of which what is known is right, and goes on from there.
        (&[(2, 31)], vec![left(34, 3, &[5, 6, 8]), other(left(32, 2, &[5]))]),
    ]);
    block_on(app.refresh()).unwrap();
    assert_eq!(block_on(app.refresh()), Ok(Refreshed::default()));
    assert_eq!(told(&app, holder()), (Some(1), false));
    let tenth = app.holder(numbered(10).ticket).unwrap();
    assert_eq!(told(&app, tenth), (Some(3), false), "7, 9, 10");
    let other = app.holder(domain::Ticket { queue: QueueNumber(2), ..ticket() }).unwrap();
    assert_eq!(told(&app, other), (Some(1), false));
}

#[test]
fn a_queue_whose_numbers_stay_wrong_is_told_and_refuses_nobody_and_harms_no_other() {
    let (app, lines, clock) = following();
    lines.change(|main| main.line.ended_beyond = 1);
    clock.set(at(NOW + 3));
    let broken = block_on(app.refresh()).unwrap().broken;
    assert!(matches!(broken[..], [(MAIN, SnapshotError::Miscounted { found: 0, .. })]), "{broken:?}");
    assert_eq!(lines.reads(), 3, "once more from the beginning");

    let other = app.holder(domain::Ticket { queue: QueueNumber(2), ..ticket() }).unwrap();
    assert_eq!(told(&app, holder()), (Some(3), true), "as it was known before");
    assert_eq!(told(&app, other), (Some(3), false));
    let answer = run(&app, app.active_caller(holder()));
    assert!(matches!(answer, Err(Failure::Store(StoreError::Unavailable(_)))), "{answer:?}");
    // It may have been issued by now.
    let answer = run(&app, app.standing(app.holder(numbered(11).ticket).unwrap()));
    assert!(matches!(answer, Err(Failure::Store(StoreError::Unavailable(_)))), "{answer:?}");
    assert_eq!(run(&app, app.active_caller(other)), Err(waits()));

    lines.change(|main| main.left.push(TicketNumber::new(5).unwrap()));
    assert_eq!(block_on(app.refresh()), Ok(Refreshed::default()));
    assert_eq!(told(&app, holder()), (Some(2), false));
    assert_eq!(run(&app, app.active_caller(holder())), Err(waits()));
}

#[test]
fn a_store_that_fails_when_it_is_read_anew_has_failed() {
    let (mut app, lines, _) = following();
    let store = DelayedStore::new(Arc::clone(&app.ports.queues));
    app.ports.queues = Arc::<DelayedStore>::clone(&store);
    lines.change(|main| main.line.ended_beyond = 1);
    let (mut caller, mut refresh) = (Task::started(app.active_caller(holder())), Task::started(app.refresh()));
    lines.set_down(true);
    assert!(store.arrive() && refresh.run().is_none() && store.arrive());
    assert_eq!(refresh.run(), Some(&Err(down())));
    assert_eq!(caller.run(), Some(&Err(down().into())));
}

#[test]
fn a_queue_that_is_wrong_from_the_first_is_told_and_not_taken_up() {
    let (app, lines, _) = following();
    let wrong = QueueChange { number: QueueNumber(3), name: name_of("new"), ..left(1, 1, &[]) };
    lines.add(wrong);
    let broken = block_on(app.refresh()).unwrap().broken;
    assert!(matches!(broken[..], [(QueueNumber(3), SnapshotError::Miscounted { .. })]), "{broken:?}");
    assert!(app.queue_number(&name_of("new")).is_err());
    assert_eq!(told(&app, holder()), (Some(3), false));
}

#[test]
fn a_new_queue_is_taken_up() {
    let (app, lines, _) = following();
    assert_eq!(app.queue_number(&name_of("new")), Err(Rejection::NotFound(domain::rejection::Missing::Queue)));
    lines.add(change(3, "new"));
    block_on(app.refresh()).unwrap();
    assert_eq!(app.queue_number(&name_of("new")), Ok(QueueNumber(3)));
    let there = app.holder(domain::Ticket { queue: QueueNumber(3), ..ticket() }).unwrap();
    assert_eq!((app.authenticate(there.token), told(&app, there)), (Ok(there), (Some(3), false)));
    assert_eq!(told(&app, holder()), (Some(3), false), "what was known stays known");
}

#[test]
fn after_a_new_epoch_old_tokens_are_unknown_and_new_ones_open() {
    let (app, lines, _) = following();
    lines.change(|main| {
        main.epoch = QueueEpoch([1; 16]);
        main.line = Line { issued: 11, frontier: 10, ..main.line };
    });
    assert_eq!(app.authenticate(sealed()), Ok(holder()), "nobody knows yet");
    block_on(app.refresh()).unwrap();
    assert_eq!(app.authenticate(sealed()), Err(Rejection::TokenUnknown));
    let new = app.holder(numbered(11).ticket).unwrap();
    assert_eq!((app.authenticate(new.token), told(&app, new)), (Ok(new), (Some(1), false)));
    lines.change(|main| main.epoch = EPOCH);
    block_on(app.refresh()).unwrap();
    assert_eq!(app.authenticate(new.token), Err(Rejection::TokenUnknown), "each epoch by its own seal");
}

/// Whoever comes while a read is under way may have seen more than it shows.
#[test]
fn a_read_that_had_begun_before_they_came_answers_nobody() {
    let (mut app, lines, _) = following();
    let store = DelayedStore::new(Arc::clone(&app.ports.queues));
    app.ports.queues = Arc::<DelayedStore>::clone(&store);
    let mut early = Task::started(app.active_caller(holder()));
    let mut first = Task::started(app.refresh());
    // Number 7 is admitted after the store was read, and its user hears of it.
    lines.admit(7);
    let mut late = Task::started(app.refreshed());
    assert!(store.arrive());
    assert_eq!(first.run(), Some(&Ok(Refreshed::default())));
    assert_eq!(early.run(), Some(&Err(waits())), "who came before the read is answered by it");
    assert_eq!(late.run(), None);

    let mut second = Task::started(app.refresh());
    assert_eq!(late.run(), None, "while the answer travels");
    assert!(store.arrive());
    // As their policy foretold them, they had a second and three to wait.
    let misjudged = [1, 3].map(Duration::from_secs).to_vec();
    assert_eq!(second.run(), Some(&Ok(Refreshed { misjudged, ..Refreshed::default() })));
    assert_eq!(late.run(), Some(&Ok(3)), "the one at start, the first and the second");
    assert_eq!(app.lines.load().queue(MAIN).unwrap().known().snapshot.line().frontier, 7);
}

#[test]
fn one_refresh_at_a_time() {
    let (mut app, _, _) = following();
    let store = DelayedStore::new(Arc::clone(&app.ports.queues));
    app.ports.queues = Arc::<DelayedStore>::clone(&store);
    let mut refreshes: Vec<_> = (0..3).map(|_| Task::started(app.refresh())).collect();
    for ended in 0..3 {
        assert_eq!(store.travelling(), 1, "{ended}");
        store.arrive();
        assert_eq!(refreshes.iter_mut().filter_map(Task::run).count(), ended + 1);
    }
    let (one, mut other) = (Task::started(app.refresh()), Task::started(app.refresh()));
    drop(one);
    other.run();
    assert_eq!(store.travelling(), 1, "one that was given up lets the next one begin");
    store.arrive();
    assert!(other.run().is_some());
}

#[test]
fn who_waits_for_a_refresh_wakes_the_one_who_follows_once() {
    let (app, _, _) = following();
    let mut wanted = Task::started(app.refresh_wanted());
    assert_eq!(wanted.run(), None);
    let mut caller = Task::started(app.refreshed());
    assert_eq!(wanted.run(), Some(&()));
    block_on(app.refresh()).unwrap();
    assert_eq!(caller.run(), Some(&Ok(2)));
    assert_eq!(Task::started(app.refresh_wanted()).answer(), None);
    // Wanted while nobody listened.
    app.following.want();
    assert_eq!(Task::started(app.refresh_wanted()).answer(), Some(&()));
    assert_eq!(Task::started(app.refresh_wanted()).answer(), None, "told once");
    app.following.want();
    block_on(app.refresh()).unwrap();
    assert_eq!(Task::started(app.refresh_wanted()).answer(), None, "a refresh that has begun since will do");
}

#[test]
fn a_failure_reaches_all_who_waited_for_the_refresh() {
    let (app, lines, _) = following();
    lines.set_down(true);
    let mut waiting: Vec<_> = (0..3).map(|_| Task::started(app.refreshed())).collect();
    assert_eq!(block_on(app.refresh()), Err(down()));
    assert!(waiting.iter_mut().all(|waiter| waiter.run() == Some(&Err(down()))));
}

#[test]
fn what_was_misjudged_is_told_when_it_is_over() {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    lines.change(|main| (main.line.issued, main.line.frontier, main.line.admitted) = (110, 10, 10));
    let app = world.app();
    let refreshed = |second: i64, admitted: u64| {
        clock.set(at(NOW + second));
        lines.admit(admitted);
        block_on(app.refresh()).unwrap().misjudged
    };
    let nothing: [Duration; 0] = [];
    // By the policy of one a second the 10th of 100 was foretold 10 s, the 50th 50 s.
    assert_eq!(refreshed(60, 20), [Duration::from_secs(50)], "the 10th comes after a minute");
    // Ten a minute: of 90 who wait the 9th is foretold 54 s, the 45th 270 s, the 90th 540 s.
    assert_eq!(refreshed(65, 28), nothing);
    assert_eq!(refreshed(69, 29), [Duration::from_secs(45)], "the 9th comes after 9 s");
    assert_eq!(refreshed(69, 29), nothing, "told once");
    assert_eq!(refreshed(330, 65), [Duration::from_secs(280), Duration::ZERO], "the 50th of then, and the 45th");
}

/// Another queue is read anew, and takes its time.
#[test]
fn in_the_midst_of_a_refresh_a_wait_is_foretold_as_before() {
    let (mut app, lines, clock) = following();
    clock.set(at(NOW + 60));
    lines.admit(5);
    block_on(app.refresh()).unwrap();
    lines.leave(6);
    lines.add(QueueChange { number: QueueNumber(3), name: name_of("new"), ..left(1, 1, &[]) });
    let store = DelayedStore::new(Arc::clone(&app.ports.queues));
    app.ports.queues = Arc::<DelayedStore>::clone(&store);
    let mut refresh = Task::started(app.refresh());
    assert!(store.arrive() && refresh.run().is_none());
    let standing = block_on(app.standing(holder())).unwrap();
    assert_eq!((standing.position, standing.estimated_wait), (Some(1), Some(Duration::from_secs(60))));
}

#[test]
fn nothing_is_foretold_while_a_queue_is_paused() {
    let (app, lines, clock) = following();
    lines.change(|main| (main.policy.paused, main.policy_since) = (true, at(NOW)));
    block_on(app.refresh()).unwrap();
    clock.set(at(NOW + 60));
    lines.admit(5);
    block_on(app.refresh()).unwrap();
    clock.set(at(NOW + 70));
    lines.admit(10);
    assert_eq!(block_on(app.refresh()), Ok(Refreshed::default()));
}

#[test]
fn idle_queues_are_not_measured() {
    let (app, lines, clock) = following();
    assert_eq!(lock(&app.following.tempos).len(), 2);
    lines.admit(10);
    clock.set(at(NOW + 1));
    block_on(app.refresh()).unwrap();
    assert!(lock(&app.following.tempos).contains_key(&MAIN), "some were admitted a moment ago");
    for later in [301, 302] {
        clock.set(at(NOW + later));
        block_on(app.refresh()).unwrap();
    }
    assert!(!lock(&app.following.tempos).contains_key(&MAIN));
}
