//! Repeating a request under the same key (R15, W12), for hold, pay and charge.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{ChargeCommand, HoldCommand, PayCommand};
use domain::reservation::{CancelReason, Reservation, ReservationStatus};
use domain::seat::SeatChoice;
use domain::seat::SeatStatus::{Available, Sold};
use domain::{Rejection, TokenStatus};

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, key, money, ticket, user};

const DAY: Duration = Duration::from_secs(86_400);
const REUSED: Rejection = Rejection::IdempotencyKeyReused;

pub(crate) async fn a_hold_is_answered_again_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let (first, replayed) = scene.hold_keyed(ticket, &[1, 2], "k").await.unwrap();
    assert!(!replayed);
    scene.advance(Duration::from_secs(5));
    assert_eq!(scene.hold_keyed(ticket, &[2, 1], "k").await, Ok((first.clone(), true)), "the order is no meaning");
    assert_eq!(scene.hold_keyed(ticket, &[1], "k").await, Err(REUSED));
    let by_ids = SeatChoice::ids(&[scene.seats[4]]).unwrap();
    let other = HoldCommand { ticket, choice: by_ids, key: Some(key("k")) };
    assert_eq!(scene.store.reservations.hold(&other).await.unwrap().map(|_| ()), Err(REUSED));
    assert_eq!(scene.map().await.available(), 48);
    assert!(!scene.hold_keyed(ticket, &[3], "k2").await.unwrap().1);
}

pub(crate) async fn a_charge_is_answered_again_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let (first, replayed) = scene.charge_keyed("a", "10", "k").await.unwrap();
    assert!(!replayed);
    scene.charge("a", "5").await.unwrap();
    assert_eq!(scene.charge_keyed("a", "10.00", "k").await, Ok((first, true)), "the wallet as it was right after it");
    assert_eq!(scene.charge_keyed("a", "11", "k").await, Err(REUSED));
    assert_eq!((scene.balance("a").await, scene.entries("a").await.len()), (money("15"), 2));
}

pub(crate) async fn a_payment_is_answered_again_with_the_token_it_ended_r15_w12(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let (one, two) = (scene.hold(ticket, &[1]).await.unwrap(), scene.hold(ticket, &[2]).await.unwrap());
    let (first, replayed) = scene.pay_keyed(ticket, one.id, "k").await.unwrap();
    assert!(!replayed);
    scene.charge("a", "1").await.unwrap();
    scene.cancel(ticket, two.id).await.unwrap();
    assert_eq!(scene.status(ticket).await, TokenStatus::Expired);
    assert_eq!(scene.pay_keyed(ticket, one.id, "k").await, Ok((first.clone(), true)));
    assert_eq!(scene.pay_keyed(ticket, two.id, "k").await, Err(REUSED));
    let named = PayCommand { ticket, reservation: one.id, amount: Some(money("1000")), key: Some(key("k")) };
    assert_eq!(scene.store.payments.pay(&named).await.unwrap().map(|_| ()), Err(REUSED), "it names an amount");
    assert_eq!(scene.pay_keyed(ticket, one.id, "k2").await, Err(Rejection::AlreadyPaid), "another key decides anew");
    let again = scene.enter("a").await;
    assert_eq!(scene.pay_keyed(again, one.id, "k").await, Ok((first, true)), "the key is the user's, not the token's");
    assert_eq!(scene.status(again).await, TokenStatus::Active);
    assert_eq!((scene.balance("a").await, scene.receipts("a").await.len()), (money("8001"), 1));
}

/// R15: the first answer with today's state of the reservation, swept or not.
pub(crate) async fn a_replay_tells_the_state_of_today_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let (paid, _) = scene.hold_keyed(ticket, &[1], "paid").await.unwrap();
    let (given, _) = scene.hold_keyed(ticket, &[2], "given").await.unwrap();
    let (over, _) = scene.hold_keyed(ticket, &[3], "over").await.unwrap();
    let again = async |first: &Reservation, number, text, status| {
        assert_eq!(first.status, ReservationStatus::Pending);
        let today = Reservation { status, ..first.clone() };
        assert_eq!(scene.hold_keyed(ticket, &[number], text).await, Ok((today, true)));
    };
    scene.cancel(ticket, given.id).await.unwrap();
    scene.pay(ticket, paid.id).await.unwrap();
    scene.set(over.expires_at.minus(MICRO));
    again(&over, 3, "over", ReservationStatus::Pending).await;
    scene.set(over.expires_at);
    for _ in 0..2 {
        again(&paid, 1, "paid", ReservationStatus::Confirmed).await;
        again(&given, 2, "given", ReservationStatus::Cancelled(CancelReason::User)).await;
        again(&over, 3, "over", ReservationStatus::Cancelled(CancelReason::Expired)).await;
        scene.sweep().await;
    }
    assert_eq!(scene.status(ticket).await, TokenStatus::Expired, "also with an EXPIRED token");
    assert_eq!((scene.seat(1).await, scene.seat(2).await, scene.seat(3).await), (Sold, Available, Available));
}

/// R15: a token that never was is unknown before any key is looked up.
pub(crate) async fn an_unknown_token_replays_nothing_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let ours = scene.enter_with("a", "9000").await;
    let (held, _) = scene.hold_keyed(ours, &[1], "k").await.unwrap();
    scene.pay_keyed(ours, held.id, "k").await.unwrap();
    let never = ticket(scene.main, 99);
    assert_eq!(scene.hold_keyed(never, &[1], "k").await, Err(Rejection::TokenUnknown));
    assert_eq!(scene.pay_keyed(never, held.id, "k").await, Err(Rejection::TokenUnknown));
}

/// R15: only successes are recorded; a refusal is decided anew, and its key is free for another request.
pub(crate) async fn refusals_are_not_recorded_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let blocking = scene.hold(ticket_b, &[1]).await.unwrap();
    assert_eq!(scene.hold_keyed(ticket_a, &[1], "k").await, Err(scene.taken(&[1], &[])));
    scene.cancel(ticket_b, blocking.id).await.unwrap();
    let (held, replayed) = scene.hold_keyed(ticket_a, &[1], "k").await.unwrap();
    assert!(!replayed);
    assert!(scene.pay_keyed(ticket_a, held.id, "k").await.is_err(), "no points yet");
    assert!(matches!(scene.charge_keyed("a", "0", "k").await, Err(Rejection::Invalid(_))));
    assert!(!scene.charge_keyed("a", "1000", "k").await.unwrap().1);
    assert!(!scene.pay_keyed(ticket_a, held.id, "k").await.unwrap().1);
}

/// R15: a key is remembered for 24 h, not a microsecond longer, and then names a new request.
pub(crate) async fn a_key_is_forgotten_after_a_day_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let began = scene.now();
    let (held, _) = scene.hold_keyed(ticket, &[1], "k").await.unwrap();
    let (charged, _) = scene.charge_keyed("a", "10", "k").await.unwrap();
    let (paid, _) = scene.pay_keyed(ticket, held.id, "k").await.unwrap();
    scene.set(began.plus(DAY).minus(MICRO));
    scene.sweep().await;
    let confirmed = |held: &Reservation| Reservation { status: ReservationStatus::Confirmed, ..held.clone() };
    assert_eq!(scene.hold_keyed(ticket, &[1], "k").await, Ok((confirmed(&held), true)));
    assert_eq!(scene.charge_keyed("a", "10", "k").await, Ok((charged, true)));
    assert_eq!(scene.pay_keyed(ticket, held.id, "k").await, Ok((paid, true)));
    assert_eq!(scene.charge_keyed("a", "11", "k").await, Err(REUSED));
    scene.set(began.plus(DAY));
    let again = scene.enter("a").await;
    let (second, replayed) = scene.hold_keyed(again, &[2], "k").await.unwrap();
    assert!(!replayed);
    assert!(!scene.charge_keyed("a", "11", "k").await.unwrap().1);
    assert_eq!(scene.pay_keyed(again, held.id, "k").await, Err(Rejection::AlreadyPaid));
    assert!(!scene.pay_keyed(again, second.id, "k").await.unwrap().1);
    assert_eq!(scene.hold_keyed(again, &[2], "k").await, Ok((confirmed(&second), true)), "remembered anew");
}

/// R15: a key belongs to a user, an operation and, for hold and pay, a queue.
pub(crate) async fn keys_do_not_meet_across_users_operations_and_queues_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let hold_there = async |ticket| {
        let choice = SeatChoice::numbers(elsewhere, &[1]).unwrap();
        let command = HoldCommand { ticket, choice, key: Some(key("k")) };
        scene.store.reservations.hold(&command).await.unwrap().unwrap()
    };
    for (name, number) in [("a", 1), ("b", 2)] {
        assert!(!scene.charge_keyed(name, "5000", "k").await.unwrap().1);
        let ticket = scene.enter(name).await;
        let (held, replayed) = scene.hold_keyed(ticket, &[number], "k").await.unwrap();
        assert!(!replayed, "not the other user's");
        assert!(!scene.pay_keyed(ticket, held.id, "k").await.unwrap().1, "a payment, not the hold");
    }
    let there = scene.enter_queue(other, "a").await;
    let held = hold_there(there).await;
    assert!(!held.replayed, "not the other queue's");
    assert!(!scene.pay_keyed(there, held.value.id, "k").await.unwrap().1);
    assert!(hold_there(there).await.replayed);
}

/// W12: of many at once under one key one is done, and all hear the same.
pub(crate) async fn one_key_at_once_is_done_once_r15_w12(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let held = at_once(20, |_| {
        let scene = Arc::clone(&scene);
        async move { scene.hold_keyed(ticket, &[1, 2], "k").await.unwrap() }
    })
    .await;
    let reservation = held[0].0.id;
    let paid = at_once(20, |_| {
        let scene = Arc::clone(&scene);
        async move { scene.pay_keyed(ticket, reservation, "k").await.unwrap() }
    })
    .await;
    let charged = at_once(20, |_| {
        let scene = Arc::clone(&scene);
        async move { scene.charge_keyed("a", "10", "k").await.unwrap() }
    })
    .await;
    assert!(held.iter().all(|(answer, _)| *answer == held[0].0));
    assert!(paid.iter().all(|(answer, _)| *answer == paid[0].0));
    assert!(charged.iter().all(|(answer, _)| *answer == charged[0].0));
    let firsts = [
        held.iter().filter(|(_, replayed)| !replayed).count(),
        paid.iter().filter(|(_, replayed)| !replayed).count(),
        charged.iter().filter(|(_, replayed)| !replayed).count(),
    ];
    assert_eq!(firsts, [1, 1, 1]);
    assert_eq!((scene.balance("a").await, scene.entries("a").await.len()), (money("7010"), 3));
    assert_eq!((scene.map().await.available(), scene.receipts("a").await.len()), (48, 1));
}

/// W12: of two requests at once under one key one is done and the other refused.
pub(crate) async fn one_key_at_once_for_two_requests_does_one_r15_w12(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    for round in 0..10 {
        let text = format!("k{round}");
        let charged = at_once(2, |n| {
            let (scene, text) = (Arc::clone(&scene), text.clone());
            async move { scene.charge_keyed("a", ["1", "2"][n], &text).await.map(|_| ()) }
        })
        .await;
        assert!(charged.contains(&Ok(())) && charged.contains(&Err(REUSED)), "{charged:?}");
    }
    let held = at_once(2, |n| {
        let scene = Arc::clone(&scene);
        async move { scene.hold_keyed(ticket, &[[1, 2][n]], "k").await.map(|_| ()) }
    })
    .await;
    assert!(held.contains(&Ok(())) && held.contains(&Err(REUSED)), "{held:?}");
    assert_eq!(scene.map().await.available(), 49);
}

/// R15, R16: the answer of a charge for who may no longer charge; asking writes nothing.
pub(crate) async fn a_charge_can_be_asked_for_again_without_charging_r15(make: Make) {
    let scene = Scene::open(&make).await;
    let command =
        |amount: &str, text: Option<&str>| ChargeCommand { user: user("a"), amount: money(amount), key: text.map(key) };
    let asked = async |command: ChargeCommand| scene.store.wallets.replay(&command).await.unwrap();
    assert_eq!(asked(command("10", Some("k"))).await, Ok(None));
    let (first, _) = scene.charge_keyed("a", "10", "k").await.unwrap();
    scene.charge("a", "1").await.unwrap();
    assert_eq!(asked(command("10", Some("k"))).await, Ok(Some(first)));
    assert_eq!(asked(command("11", Some("k"))).await, Err(REUSED));
    assert_eq!(asked(command("10", Some("k2"))).await, Ok(None));
    assert_eq!(asked(command("10", None)).await, Ok(None));
    let of_b = ChargeCommand { user: user("b"), ..command("10", Some("k")) };
    assert_eq!(asked(of_b).await, Ok(None));
    scene.advance(DAY);
    assert_eq!(asked(command("10", Some("k"))).await, Ok(None));
    assert_eq!((scene.balance("a").await, scene.balance("b").await), (money("11"), money("0")));
}
