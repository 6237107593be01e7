use std::sync::Arc;

use domain::line::{Outlook, Pace, Rate, jitter, poll_after};
use domain::ports::StoreError;
use domain::{Message, Policy, QueueName, Rules, Token};

use super::*;
use crate::mocks::{NOW, Shown, World, active, active_until, at, block_on, down, ended, holder, numbered, run, sealed};

/// A world with nobody to ask about tokens, and what its store shows.
fn by_memory() -> (App, Arc<Shown>, Arc<crate::mocks::Hands>) {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    (world.app(), lines, clock)
}

/// What is known of a queue of this policy of which so much was measured.
fn outlook(policy: Policy, measured: Option<Rate>) -> Outlook {
    Outlook { policy, turn: Duration::from_secs(600), measured }
}

fn advised(holder: Holder, outlook: &Outlook, position: u64, now: Timestamp) -> Duration {
    poll_after(outlook, position, jitter(holder.ticket.number, now), Duration::from_secs(300), now)
}

/// No port expects a call once the lines were read.
#[test]
fn who_waits_is_told_from_memory_where_and_when_to_ask_again_r4() {
    let (app, lines, _) = by_memory();
    let expected = Standing {
        token: sealed(),
        bulletin: Arc::new(Bulletin::new(QueueName::main(), None, None, Arc::default())),
        phase: Phase::Waiting,
        status: TokenStatus::Waiting,
        position: Some(3),
        version: 31,
        estimated_wait: Some(Duration::from_secs(3)),
        wait_range: Some((Duration::from_millis(2_250), Duration::from_millis(3_750))),
        poll_after: Some(advised(holder(), &outlook(Policy::default(), None), 3, at(NOW))),
        activated_at: None,
        selection_ends_at: None,
        expires_at: None,
        end_reason: None,
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
    assert_eq!((told.phase, told.end_reason), (Phase::Ended, Some(EndReason::Left)));
    assert_eq!((told.poll_after, told.activated_at, told.expires_at, told.stale), (None, None, None, false));
}

#[test]
fn whose_turn_has_come_is_looked_up_and_told_no_wait_r4() {
    for (token, status, phase, end_reason, position, expires_at) in [
        (active(), TokenStatus::Active, Phase::Active, None, Some(0), NOW + 1),
        // Stored as ACTIVE, and over: the deadline is now.
        (active_until(NOW), TokenStatus::Expired, Phase::Ended, Some(EndReason::Deadline), None, NOW),
        (ended(), TokenStatus::Expired, Phase::Ended, Some(EndReason::Left), None, NOW + 1),
    ] {
        let told = block_on(World::of(token).app().standing(holder())).unwrap();
        assert_eq!((told.token, told.status, told.position, told.version), (sealed(), status, position, 32));
        assert_eq!((told.phase, told.end_reason), (phase, end_reason));
        assert_eq!((told.estimated_wait, told.wait_range, told.poll_after), (None, None, None));
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

/// By the policy one a second; 30 are admitted within a minute, and then the third in line waits 6 s.
#[test]
fn the_wait_is_the_policys_until_it_is_measured_by_refreshes_and_not_foretold_while_paused() {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    lines.change(|main| main.line.issued = 100);
    let app = world.app();
    let third = numbered(37).ticket;
    let holder = app.holder(third).unwrap();
    assert_eq!(block_on(app.standing(holder)).unwrap().estimated_wait, Some(Duration::from_secs(33)), "unknown as yet");

    lines.admit(34);
    clock.set(at(NOW + 60));
    block_on(app.refresh()).unwrap();
    let running = block_on(app.standing(holder)).unwrap();
    assert_eq!((running.position, running.estimated_wait), (Some(3), Some(Duration::from_secs(6))));

    // Far down the line, where a wait moves the advice.
    let last = app.holder(numbered(100).ticket).unwrap();
    let mut pace = Pace::default();
    for (second, admitted) in [(NOW, 4), (NOW + 60, 34)] {
        pace.observe(at(second), admitted, &Policy::default(), at(0));
    }
    let measured = outlook(Policy::default(), pace.rate(&Policy::default()));
    let told = block_on(app.standing(last)).unwrap();
    assert_eq!(told.estimated_wait, Some(Duration::from_secs(132)));
    assert_eq!(told.poll_after, Some(advised(last, &measured, 66, at(NOW + 60))));

    // Another policy: what was measured under the one before tells nothing of it, from the first poll on.
    let fast = Policy { batch: 110, ..Policy::default() };
    lines.change(|main| (main.policy, main.policy_since) = (fast, at(NOW + 60)));
    block_on(app.refresh()).unwrap();
    let told = block_on(app.standing(last)).unwrap();
    assert_eq!(told.estimated_wait, Some(Duration::from_secs(6)));
    assert_eq!(told.poll_after, Some(advised(last, &outlook(fast, None), 66, at(NOW + 60))));

    let paused = Policy { paused: true, ..fast };
    lines.change(|main| (main.policy, main.policy_since) = (paused, at(NOW + 61)));
    block_on(app.refresh()).unwrap();
    let told = block_on(app.standing(last)).unwrap();
    assert_eq!(told.estimated_wait, None);
    assert_eq!(told.poll_after, Some(advised(last, &outlook(paused, None), 66, at(NOW + 60))));
}

/// By this server's own clock, however long ago it looked at the line.
#[test]
fn before_an_opening_the_wait_counts_from_it_r19() {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    lines.change(|main| main.policy.opens_at = Some(at(NOW + 100)));
    let app = world.app();
    for (second, wait) in [(0, 103), (60, 43), (99, 4), (100, 3), (101, 3)] {
        clock.set(at(NOW + second));
        let told = block_on(app.standing(holder())).unwrap();
        assert_eq!(told.estimated_wait, Some(Duration::from_secs(wait)), "{second}");
        assert!(told.poll_after <= Some(Duration::from_millis(3_300)), "{told:?}");
    }
}

/// Who waits is told in one word how far it is, by the clock of this server; what all are told alike is made once.
#[test]
fn all_are_told_alike_what_the_operator_says_and_when_the_queue_opens() {
    let world = World::default();
    let (lines, clock) = (Arc::clone(&world.lines), Arc::clone(&world.clock));
    let app = world.app();
    let told = |holder| block_on(app.standing(holder)).unwrap();
    assert_eq!((told(holder()).phase, &told(holder()).bulletin.message), (Phase::Waiting, &None));
    let message = Message::new("곧", "Soon").ok();
    lines.change(|main| (main.message, main.policy.opens_at) = (message.clone(), Some(at(NOW + 9))));
    block_on(app.refresh()).unwrap();
    let (one, other) = (told(holder()), told(app.holder(numbered(8).ticket).unwrap()));
    assert!(Arc::ptr_eq(&one.bulletin, &other.bulletin));
    let (queue, opens_at) = (QueueName::main(), Some(at(NOW + 9)));
    assert_eq!(*one.bulletin, Bulletin::new(queue, opens_at, message, Arc::default()));
    assert_eq!(one.bulletin.written(|bulletin| bulletin.queue.to_string()), "main");
    assert_eq!(other.bulletin.written(|_| panic!("it is written already")), "main");
    assert_eq!((one.phase, one.wait_range.is_some()), (Phase::Before, true));

    lines.leave(5);
    block_on(app.refresh()).unwrap();
    assert!(Arc::ptr_eq(&told(holder()).bulletin, &one.bulletin), "whatever moves in the line");
    clock.set(at(NOW + 9));
    assert_eq!(told(holder()).phase, Phase::Waiting);
    lines.change(|main| (main.message, main.policy.paused) = (None, true));
    block_on(app.refresh()).unwrap();
    assert_eq!((told(holder()).phase, told(holder()).wait_range), (Phase::Paused, None));
    assert_eq!(told(holder()).bulletin.message, None);
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
