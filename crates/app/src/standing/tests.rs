use std::sync::Arc;

use domain::line::{jitter, poll_after};
use domain::ports::StoreError;
use domain::{Rules, Token};

use super::*;
use crate::mocks::{NOW, Shown, World, active, active_until, at, block_on, down, ended, holder, numbered, run, sealed};

/// A world with nobody to ask about tokens, and what its store shows.
fn by_memory() -> (App, Arc<Shown>, Arc<crate::mocks::Hands>) {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    (world.app(), lines, clock)
}

fn advised(holder: Holder, wait: Option<Duration>, position: u64, now: Timestamp) -> Duration {
    poll_after(wait, position, jitter(holder.ticket.number, now), Duration::from_secs(120))
}

/// No port expects a call once the lines were read.
#[test]
fn who_waits_is_told_from_memory_where_and_when_to_ask_again_r4() {
    let (app, lines, _) = by_memory();
    let expected = Standing {
        token: sealed(),
        queue: QueueName::main(),
        status: TokenStatus::Waiting,
        position: Some(3),
        version: 31,
        estimated_wait: None,
        poll_after: Some(advised(holder(), None, 3, at(NOW))),
        activated_at: None,
        selection_ends_at: None,
        expires_at: None,
        server_time: at(NOW),
        as_of: at(NOW),
        stale: false,
    };
    assert_eq!(block_on(app.standing(holder())), Ok(expected));
    assert_eq!(lines.reads(), 1, "the one at start");
}

#[test]
fn what_is_older_than_2_s_is_stale_and_exactly_2_s_is_not() {
    let (app, _, clock) = by_memory();
    for (micros, stale) in [(1_999_999, false), (2_000_000, false), (2_000_001, true)] {
        clock.set(at(NOW).plus(Duration::from_micros(micros)));
        let told = block_on(app.standing(holder())).unwrap();
        assert_eq!((told.stale, told.as_of, told.server_time), (stale, at(NOW), app.now()), "{micros}");
    }
    block_on(app.refresh()).unwrap();
    let told = block_on(app.standing(holder())).unwrap();
    assert_eq!((told.stale, told.as_of), (false, app.now()), "nothing changed, and that is known now");
}

#[test]
fn while_the_store_is_down_a_position_is_too_high_never_too_low() {
    let (app, lines, clock) = by_memory();
    lines.leave(5);
    lines.set_down(true);
    clock.set(at(NOW + 3));
    assert_eq!(block_on(app.refresh()), Err(down()));
    let told = block_on(app.standing(holder())).unwrap();
    assert_eq!((told.position, told.version, told.as_of, told.stale), (Some(3), 31, at(NOW), true));

    lines.set_down(false);
    block_on(app.refresh()).unwrap();
    let told = block_on(app.standing(holder())).unwrap();
    assert_eq!((told.position, told.version, told.as_of, told.stale), (Some(2), 32, at(NOW + 3), false));
}

#[test]
fn who_left_while_waiting_is_told_so_from_memory() {
    let (app, lines, _) = by_memory();
    lines.leave(7);
    block_on(app.refresh()).unwrap();
    let told = block_on(app.standing(holder())).unwrap();
    assert_eq!((told.status, told.position, told.version), (TokenStatus::Expired, None, 32));
    assert_eq!((told.poll_after, told.activated_at, told.expires_at, told.stale), (None, None, None, false));
}

#[test]
fn whose_turn_has_come_is_looked_up_and_told_no_wait_r4() {
    for (token, status, position, expires_at) in [
        (active(), TokenStatus::Active, Some(0), NOW + 1),
        // Stored as ACTIVE, and over: the deadline is now.
        (active_until(NOW), TokenStatus::Expired, None, NOW),
        (ended(), TokenStatus::Expired, None, NOW + 1),
    ] {
        let told = block_on(World::of(token).app().standing(holder())).unwrap();
        assert_eq!((told.token, told.status, told.position, told.version), (sealed(), status, position, 32));
        assert_eq!((told.estimated_wait, told.poll_after), (None, None));
        assert_eq!((told.activated_at, told.expires_at), (Some(at(2)), Some(at(expires_at))));
        assert_eq!((told.as_of, told.stale), (at(NOW), false));
    }
}

/// Number 7 is not issued yet by what this server has read: another one may just have given it.
fn before_it_was_issued(token: Option<Token>) -> (App, Arc<Shown>) {
    let world = token.map_or_else(World::default, World::of);
    let lines = Arc::clone(&world.lines);
    let mut then = None;
    lines.change(|main| {
        then = Some(main.line);
        (main.line.frontier, main.line.issued, main.line.version) = (4, 6, 30);
    });
    let app = world.app();
    lines.change(|main| main.line = then.unwrap());
    (app, lines)
}

#[test]
fn a_number_that_was_just_issued_is_told_after_one_refresh() {
    for (token, status, position) in
        [(None, TokenStatus::Waiting, Some(3)), (Some(active()), TokenStatus::Active, Some(0))]
    {
        let (app, lines) = before_it_was_issued(token);
        let told = run(&app, app.standing(holder())).unwrap();
        assert_eq!((told.status, told.position, lines.reads()), (status, position, 2));
    }
}

#[test]
fn a_number_never_issued_is_unknown_after_one_refresh() {
    let (app, lines) = before_it_was_issued(None);
    let never = numbered(11).ticket;
    let never = app.holder(never).unwrap();
    assert_eq!(run(&app, app.standing(never)), Err(Rejection::TokenUnknown.into()));
    assert_eq!(lines.reads(), 2);
    lines.set_down(true);
    assert_eq!(run(&app, app.standing(never)), Err(Failure::Store(down())), "a failure is no refusal");
}

#[test]
fn a_store_that_failed_is_no_refusal() {
    for failure in [down(), StoreError::Overloaded] {
        let mut world = World::default();
        world.lines.admit(7);
        let answer = failure.clone();
        world.queues.expect_tokens().times(1).return_once(move |_, _| Err(answer));
        assert_eq!(block_on(world.app().standing(holder())), Err(Failure::Store(failure)));
    }
}

/// 30 are admitted within a minute; then the third in line waits 6 s.
#[test]
fn the_wait_is_measured_by_refreshes_and_not_foretold_while_paused() {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    lines.change(|main| main.line.issued = 100);
    let app = world.app();
    let third = numbered(37).ticket;
    let holder = app.holder(third).unwrap();
    assert_eq!(block_on(app.standing(holder)).unwrap().estimated_wait, None, "unknown as yet");

    lines.admit(34);
    clock.set(at(NOW + 60));
    block_on(app.refresh()).unwrap();
    let running = block_on(app.standing(holder)).unwrap();
    assert_eq!((running.position, running.estimated_wait), (Some(3), Some(Duration::from_secs(6))));

    // Far down the line, where a wait moves the advice.
    let last = app.holder(numbered(100).ticket).unwrap();
    let far = |wait| Some(advised(last, wait, 66, at(NOW + 60)));
    let told = block_on(app.standing(last)).unwrap();
    assert_eq!(told.estimated_wait, Some(Duration::from_secs(132)));
    assert_eq!(told.poll_after, far(told.estimated_wait));
    assert_ne!(told.poll_after, far(None));

    lines.change(|main| main.policy.paused = true);
    block_on(app.refresh()).unwrap();
    let paused = block_on(app.standing(last)).unwrap();
    assert_eq!((paused.estimated_wait, paused.poll_after), (None, far(None)));
}

#[test]
fn who_polls_as_advised_is_never_taken_to_be_absent() {
    let world = World::default();
    let rules = Rules { absence: Duration::from_secs(3), ..Rules::default() };
    world.lines.change(|main| main.line.issued = 100_000);
    let app = World { rules, ..world }.app();
    let last = app.holder(numbered(100_000).ticket).unwrap();
    assert!(block_on(app.standing(last)).unwrap().poll_after.unwrap() <= Duration::from_secs(1));
}
