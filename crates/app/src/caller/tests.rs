use std::pin::Pin;
use std::sync::Arc;

use domain::ports::{Answer, Paid, StoreError};
use domain::reservation::Reservation;
use domain::seat::SeatChoice;
use domain::wallet::Wallet;
use domain::{Money, Page, ReservationId, SeatId};
use futures::future::join_all;
use uuid::Uuid;

use super::*;
use crate::mocks::{
    DelayedStore, NOW, Shown, Task, World, active, active_until, block_on, down, ended, forged, holder, numbered,
    reservation, run, sealed, user, waiting,
};

fn refused(status: TokenStatus) -> Failure {
    Failure::Rejected(Rejection::TokenNotActive(status))
}

fn unknown<T>() -> Result<T, Failure> {
    Err(Failure::Rejected(Rejection::TokenUnknown))
}

fn app_and_lines(world: World) -> (App, Arc<Shown>) {
    let lines = Arc::clone(&world.lines);
    (world.app(), lines)
}

/// Q13: no port expects a call, and nothing else makes a [`Holder`] of a token.
#[test]
fn a_forged_token_never_reaches_a_port() {
    let (app, lines) = app_and_lines(World::default());
    for token in forged() {
        assert_eq!(app.authenticate(token), Err(Rejection::TokenUnknown));
    }
    assert_eq!(lines.reads(), 1, "the one at start");
}

#[test]
fn a_genuine_seal_is_checked_without_asking_a_port() {
    let (app, lines) = app_and_lines(World::default());
    assert_eq!(app.authenticate(sealed()), Ok(holder()));
    assert_eq!((holder().token, holder().queue(), lines.reads()), (sealed(), QueueNumber(1), 1));
}

#[test]
fn a_number_never_issued_is_as_unknown_as_a_forged_one() {
    let (app, _) = app_and_lines(World::default());
    let never = app.holder(numbered(11).ticket).unwrap();
    assert_eq!(run(&app, app.active_caller(never)), unknown());

    let mut world = World::default();
    world.lines.admit(7);
    world.queues.expect_tokens().times(2).returning(|_, _| Ok(vec![]));
    let app = world.app();
    assert_eq!(block_on(app.reader(holder())), unknown());
    assert_eq!(block_on(app.active_caller(holder())), unknown());
}

#[test]
fn the_acting_user_is_the_tokens_in_any_state_r6() {
    for token in [waiting(), active(), ended()] {
        assert_eq!(block_on(World::of(token).app().reader(holder())), Ok(user()));
    }
    let over = World::a_day_after(ended());
    assert_eq!(block_on(over.reader(holder())), Err(refused(TokenStatus::Expired)), "R16");
}

#[test]
fn only_a_token_that_is_active_now_acts_r6() {
    for (token, status) in [
        (ended(), Some(TokenStatus::Expired)),
        // Stored as ACTIVE, and over: the deadline is now.
        (active_until(NOW), Some(TokenStatus::Expired)),
        (active(), None),
    ] {
        let answer = block_on(World::of(token).app().active_caller(holder()));
        assert_eq!(answer.map(|caller| caller.queue()), status.map_or(Ok(QueueNumber(1)), |it| Err(refused(it))));
    }
}

#[test]
fn a_store_that_failed_is_no_refusal() {
    for failure in [down(), StoreError::Overloaded] {
        let mut world = World::default();
        world.lines.admit(7);
        let answer = failure.clone();
        world.queues.expect_tokens().times(2).returning(move |_, _| Err(answer.clone()));
        let app = world.app();
        assert_eq!(block_on(app.reader(holder())), Err(Failure::Store(failure.clone())));
        assert_eq!(block_on(app.active_caller(holder())), Err(Failure::Store(failure)));
    }
}

type Case<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

fn case<'a, T>(case: impl Future<Output = Result<T, Failure>> + 'a) -> Case<'a> {
    Box::pin(async { case.await.map(drop) })
}

fn choice() -> SeatChoice {
    SeatChoice::ids(&[SeatId::new(Uuid::nil())]).unwrap()
}

fn one() -> Money {
    Money::parse("1").unwrap()
}

/// Every use case that only an ACTIVE token may use, without a key.
fn guarded(app: &App) -> Vec<(&'static str, Case<'_>)> {
    vec![
        ("active_caller", case(app.active_caller(holder()))),
        ("charge", case(app.charge(holder(), one(), None))),
        ("hold", case(app.hold(holder(), choice(), None))),
        ("pay", case(app.pay(holder(), ReservationId::new(Uuid::nil()), None, None))),
    ]
}

/// Every use case that a WAITING token may not use, without a key: an ended one looks into its wallet for a day (R16).
fn not_for_who_waits(app: &App) -> Vec<(&'static str, Case<'_>)> {
    let page = Page::new(1, None).unwrap();
    let mut cases = guarded(app);
    cases.push(("wallet", case(app.wallet(holder()))));
    cases.push(("entries", case(async move { app.entries(holder(), &page).await })));
    cases
}

/// R6, Q16: no port expects a call but the one that tells what changed.
#[test]
fn who_waits_is_refused_by_a_refresh_that_began_after_the_request() {
    type Move = fn(&Shown);
    type Cases = for<'a> fn(&'a App) -> Vec<(&'static str, Case<'a>)>;
    let moves: [(Move, Cases, TokenStatus); 2] =
        [(|_| (), not_for_who_waits, TokenStatus::Waiting), (|lines| lines.leave(7), guarded, TokenStatus::Expired)];
    for (happens, cases, status) in moves {
        let (app, lines) = app_and_lines(World::default());
        happens(&lines);
        for (before, (name, case)) in cases(&app).into_iter().enumerate() {
            assert_eq!(run(&app, case), Err(refused(status)), "{name}");
            assert_eq!(lines.reads(), before + 2, "{name}");
        }
    }
}

#[test]
fn who_was_admitted_meanwhile_gets_through_q8() {
    let names: Vec<_> = not_for_who_waits(&World::default().app()).into_iter().map(|(name, _)| name).collect();
    for (which, name) in names.into_iter().enumerate() {
        let mut world = World::default();
        world.queues.expect_tokens().returning(|_, _| Ok(vec![active()]));
        world.wallets.expect_balance().returning(|user| Ok(Wallet { user: user.clone(), balance: one(), last_seq: 0 }));
        world.wallets.expect_entries().returning(|_, _| Err(down()));
        world.wallets.expect_charge().returning(|_| Err(down()));
        world.reservations.expect_hold().returning(|_| Ok(Ok(Answer { value: reservation(), replayed: false })));
        world.payments.expect_pay().returning(|_| Err(down()));
        let (app, lines) = app_and_lines(world);
        lines.admit(7);
        let case = not_for_who_waits(&app).into_iter().nth(which).unwrap().1;
        // What is down here is behind the guard.
        let answer = run(&app, case);
        assert!(answer == Ok(()) || answer == Err(down().into()), "{name}: {answer:?}");
        assert_eq!(lines.reads(), 2, "{name}");
        let passed = block_on(app.active_caller(holder()));
        assert_eq!((passed.is_ok(), lines.reads()), (true, 2), "known from now on");
    }
}

/// One waiting token in a loop costs no more than that either (ADR 9).
#[test]
fn many_who_are_refused_at_once_share_one_read() {
    let (app, lines) = app_and_lines(World::default());
    let answers = run(&app, join_all((0..100).map(|_| app.active_caller(holder()))));
    assert!(answers.iter().all(|answer| *answer == Err(refused(TokenStatus::Waiting))));
    assert_eq!(lines.reads(), 2, "the one at start, and one for all");
}

/// R15: the store may have recorded an answer for a token that the user had before. Nothing is refreshed.
#[test]
fn with_a_key_the_store_is_asked_although_the_token_waits_r15() {
    let key = || IdempotencyKey::parse("k");
    let mut world = World::of(waiting());
    let held = Answer { value: reservation(), replayed: true };
    let answer = Ok(Ok(held.clone()));
    world.reservations.expect_hold().times(1).return_once(|_| answer);
    world.payments.expect_pay().times(1).return_once(|_| Ok(Err(Rejection::AlreadyPaid)));
    world.wallets.expect_replay().times(1).return_once(|_| Ok(Err(Rejection::IdempotencyKeyReused)));
    let app = world.app();
    let answer: Result<Answer<Reservation>, _> = block_on(app.hold(holder(), choice(), key()));
    assert_eq!(answer, Ok(held));
    let answer: Result<Answer<Paid>, _> = block_on(app.pay(holder(), reservation().id, None, key()));
    assert_eq!(answer, Err(Rejection::AlreadyPaid.into()));
    assert_eq!(block_on(app.charge(holder(), one(), key())), Err(Rejection::IdempotencyKeyReused.into()));
}

#[test]
fn a_refresh_that_failed_refuses_nobody() {
    let (app, lines) = app_and_lines(World::default());
    lines.set_down(true);
    for (name, case) in not_for_who_waits(&app) {
        assert_eq!(run(&app, case), Err(Failure::Store(down())), "{name}");
    }
}

#[test]
fn a_refresh_that_was_given_up_leaves_nobody_waiting() {
    let mut app = World::default().app();
    app.ports.queues = DelayedStore::new(Arc::clone(&app.ports.queues));
    let mut caller = Task::started(app.active_caller(holder()));
    let refresh = Task::started(app.refresh());
    assert_eq!(caller.run(), None, "while the answer travels");
    drop(refresh);
    let answer = caller.run();
    assert!(matches!(answer, Some(Err(Failure::Store(StoreError::Unavailable(_))))), "{answer:?}");
}
