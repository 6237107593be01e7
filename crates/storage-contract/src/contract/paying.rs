//! Paying (R13, R14): what it changes, all or nothing, and what it refuses in which order.

use std::time::Duration;

use domain::payment::{Payment, Receipt};
use domain::ports::Paid;
use domain::rejection::Missing;
use domain::reservation::{Reservation, ReservationStatus};
use domain::seat::SeatChoice;
use domain::seat::SeatStatus::{Available, Held, Sold};
use domain::token::{EndReason, TokenEnd};
use domain::wallet::EntryKind;
use domain::{PaymentId, PolicyChange, QueueNumber, Rejection, ReservationId, Timestamp, TokenStatus};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, money, narrow_rules, page, ticket, user};

/// R14, W14: entry, balance, reservation, seats, record and token, all of it.
pub(crate) async fn a_payment_changes_all_it_should_r14_w14(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "5000.5").await;
    let held = scene.hold(ticket, &[1, 2]).await.unwrap();
    scene.advance(Duration::from_secs(9));
    let paid = scene.pay(ticket, held.id).await.unwrap();
    let payment = Payment {
        id: paid.receipt.payment.id,
        reservation: held.id,
        user: user("a"),
        amount: money("2000"),
        paid_at: scene.now(),
    };
    let reservation = Reservation { status: ReservationStatus::Confirmed, ..held.clone() };
    let receipt = Receipt { payment, reservation: reservation.clone() };
    assert_eq!(paid, Paid { receipt: receipt.clone(), balance: money("3000.5") });
    assert_eq!(scene.reservation(&held).await, reservation);
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Sold, Sold));
    let token = scene.standing(ticket).await.token;
    assert_eq!(token.status(), TokenStatus::Expired);
    assert_eq!(token.end, Some(TokenEnd { at: scene.now(), reason: EndReason::Paid(held.id) }));
    let wallet = scene.store.wallets.balance(&user("a")).await.unwrap();
    assert_eq!((wallet.balance, wallet.last_seq), (money("3000.5"), 2));
    let entry = scene.entries("a").await.pop().unwrap();
    assert_eq!((entry.seq, entry.kind, entry.at), (2, EntryKind::Payment(held.id), scene.now()));
    assert_eq!((entry.amount, entry.balance_after), (money("2000"), money("3000.5")));
    let found = scene.store.payments.find(scene.main, &user("a"), receipt.payment.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&receipt));
    assert_eq!(scene.receipts("a").await, [receipt]);
}

/// W2: equal is enough, and a hundredth less is not; a refusal changes nothing (W14).
pub(crate) async fn an_equal_balance_is_enough_and_less_is_not_r13_w2(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "999.99").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    let refused = Rejection::InsufficientBalance { balance: money("999.99"), amount: money("1000") };
    assert_eq!(scene.pay(ticket, held.id).await, Err(refused));
    assert_eq!((scene.status(ticket).await, scene.seat(1).await), (TokenStatus::Active, Held));
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Pending);
    assert_eq!((scene.entries("a").await.len(), scene.receipts("a").await.len()), (1, 0));
    scene.charge("a", "0.01").await.unwrap();
    assert_eq!(scene.pay(ticket, held.id).await.unwrap().balance, money("0"));
}

/// R13: the checks come in the rule's order, so that each refusal is told though later ones would apply too.
pub(crate) async fn the_checks_come_in_the_rules_order_r13(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter("b").await);
    let given = scene.hold(ticket_b, &[1]).await.unwrap();
    scene.cancel(ticket_b, given.id).await.unwrap();
    let paid = scene.hold(ticket_a, &[2]).await.unwrap();
    scene.pay(ticket_a, paid.id).await.unwrap();
    let ticket_a = scene.enter("a").await;
    let pending = scene.hold(ticket_a, &[3]).await.unwrap();
    let own = scene.hold(ticket_b, &[4]).await.unwrap();
    let nothing = ReservationId::new(Uuid::from_u128(7));
    for (reservation, amount, refused) in [
        (nothing, Some("1"), Rejection::NotFound(Missing::Reservation)),
        (given.id, Some("1"), Rejection::ReservationCancelled),
        (paid.id, Some("1"), Rejection::AlreadyPaid),
        (pending.id, Some("1"), Rejection::UserMismatch),
        (own.id, Some("999.99"), Rejection::AmountMismatch),
        (own.id, Some("1000"), Rejection::InsufficientBalance { balance: money("0"), amount: money("1000") }),
    ] {
        assert_eq!(scene.pay_amount(ticket_b, reservation, amount).await, Err(refused));
    }
    scene.set(pending.expires_at);
    for (reservation, refused) in
        [(pending.id, Rejection::ReservationExpired), (given.id, Rejection::ReservationCancelled)]
    {
        assert_eq!(scene.pay_amount(ticket_b, reservation, Some("1")).await, Err(refused), "time before owner");
    }
    scene.leave(ticket_b).await;
    let refused = Rejection::TokenNotActive(TokenStatus::Expired);
    assert_eq!(scene.pay(ticket_b, nothing).await, Err(refused), "the token before all else");
    assert_eq!((scene.balance("a").await, scene.balance("b").await), (money("8000"), money("0")));
}

/// R6: only an ACTIVE token pays.
pub(crate) async fn only_an_active_token_pays_r6_r13(make: Make) {
    let scene = Scene::open(&make).await;
    let ended = scene.enter_with("a", "9000").await;
    let held = scene.hold(ended, &[1]).await.unwrap();
    // What is held outlives the token by a new epoch only (ADR 2).
    scene.store.queues.renew_epochs().await.unwrap().unwrap();
    let expired = Rejection::TokenNotActive(TokenStatus::Expired);
    assert_eq!(scene.pay(ended, held.id).await, Err(expired.clone()));
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    let waits = scene.join("a").await.token.ticket;
    assert_eq!(scene.pay(waits, held.id).await, Err(Rejection::TokenNotActive(TokenStatus::Waiting)));
    for never in [ticket(scene.main, 99), ticket(QueueNumber(scene.main.0 + 1), 1)] {
        assert_eq!(scene.pay(never, held.id).await, Err(Rejection::TokenUnknown));
    }
    assert_eq!(scene.balance("a").await, money("9000"));
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    scene.tick().await;
    scene.pay(waits, held.id).await.unwrap();
    assert_eq!(scene.pay(waits, held.id).await, Err(Rejection::AlreadyPaid), "though it was held before");
}

/// R13, S4: payable to the last microsecond before the deadline, and never at it.
pub(crate) async fn a_hold_is_payable_until_its_deadline_r13_s4(make: Make) {
    for (late, payable) in [(-1, true), (0, false), (1, false)] {
        let scene = Scene::open(&make).await;
        let ticket = scene.enter_with("a", "9000").await;
        let held = scene.hold(ticket, &[1]).await.unwrap();
        scene.set(Timestamp::from_micros(held.expires_at.micros() + late));
        let paid = scene.pay(ticket, held.id).await.map(|_| ());
        assert_eq!(paid, if payable { Ok(()) } else { Err(Rejection::ReservationExpired) }, "{late}");
        assert_eq!(scene.seat(1).await, if payable { Sold } else { Available });
        assert_eq!(scene.balance("a").await, money(if payable { "8000" } else { "9000" }));
    }
}

/// S5: what ran out and went to somebody else is not paid by who had it first.
pub(crate) async fn what_went_to_somebody_else_is_not_paid_s5(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket_a = scene.enter_with("a", "9000").await;
    let old = scene.hold(ticket_a, &[1]).await.unwrap();
    scene.set(old.expires_at);
    let ticket_b = scene.enter_with("b", "9000").await;
    let new = scene.hold(ticket_b, &[1]).await.unwrap();
    assert_eq!(scene.pay(ticket_a, old.id).await, Err(Rejection::ReservationExpired));
    assert_eq!(scene.balance("a").await, money("9000"));
    scene.pay(ticket_b, new.id).await.unwrap();
    let again = scene.enter("a2").await;
    assert_eq!(scene.pay(again, old.id).await, Err(Rejection::ReservationExpired));
    assert_eq!((scene.seat(1).await, scene.receipts("b").await.len()), (Sold, 1));
}

/// W5: a reservation is paid by its own user only, from their own wallet.
pub(crate) async fn nobody_pays_for_another_w5(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter_with("b", "9000").await);
    let held = scene.hold(ticket_a, &[1]).await.unwrap();
    assert_eq!(scene.pay(ticket_b, held.id).await, Err(Rejection::UserMismatch));
    assert_eq!((scene.balance("a").await, scene.balance("b").await), (money("9000"), money("9000")));
    assert_eq!(scene.status(ticket_b).await, TokenStatus::Active);
    scene.pay(ticket_a, held.id).await.unwrap();
}

/// W4: an amount that is named decides nothing; it must be right, however it is written.
pub(crate) async fn a_named_amount_must_be_right_w4(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let held = scene.hold(ticket, &[1, 2]).await.unwrap();
    for wrong in ["0", "1000", "1999.99", "2000.01", "9000"] {
        assert_eq!(scene.pay_amount(ticket, held.id, Some(wrong)).await, Err(Rejection::AmountMismatch), "{wrong}");
    }
    assert_eq!(scene.pay_amount(ticket, held.id, Some("2000.00")).await.unwrap().balance, money("7000"));
}

/// R6: who has paid hears so, with the token that paid and with a new one.
pub(crate) async fn paying_twice_is_already_paid_r6_r13(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    scene.pay(ticket, held.id).await.unwrap();
    assert_eq!(scene.pay(ticket, held.id).await, Err(Rejection::AlreadyPaid));
    let again = scene.enter("a").await;
    assert_eq!(scene.pay(again, held.id).await, Err(Rejection::AlreadyPaid));
    assert_eq!(scene.status(again).await, TokenStatus::Active);
    scene.advance(Duration::from_secs(86_400));
    assert_eq!(scene.pay(ticket, held.id).await, Err(Rejection::AlreadyPaid));
    assert_eq!((scene.balance("a").await, scene.receipts("a").await.len()), (money("8000"), 1));
}

/// R6: a token pays what its own queue sells.
pub(crate) async fn another_queues_reservation_is_not_there_r6_r13(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let here = scene.enter_with("a", "9000").await;
    let there = scene.enter_queue(other, "a").await;
    let choice = SeatChoice::numbers(elsewhere, &[1]).unwrap();
    let held = scene.hold_of(there, choice).await.unwrap();
    assert_eq!(scene.pay(here, held.id).await, Err(Rejection::NotFound(Missing::Reservation)));
    scene.pay(there, held.id).await.unwrap();
    assert_eq!(scene.status(here).await, TokenStatus::Active, "only the token that paid has ended");
}

/// R11: what is held may be paid though the schedule has started.
pub(crate) async fn what_is_held_is_paid_after_the_start_r11(make: Make) {
    let scene = Scene::open(&make).await;
    scene.set(scene.starts_at.at().minus(MICRO));
    let ticket = scene.enter_with("a", "9000").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    scene.advance(Duration::from_secs(60));
    scene.pay(ticket, held.id).await.unwrap();
}

/// R14: what ends by paying makes room for who waits.
pub(crate) async fn a_payment_makes_room_in_the_line_r5_r14(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 10)).await;
    let ticket = scene.enter_with("a", "9000").await;
    let waits = scene.join("b").await.token.ticket;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    scene.pay(ticket, held.id).await.unwrap();
    assert_eq!(scene.store.queues.report(scene.main).await.unwrap().unwrap().active, 0);
    scene.tick().await;
    assert_eq!(scene.status(waits).await, TokenStatus::Active);
}

pub(crate) async fn one_reads_ones_own_payments_newest_first(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, _) = scene.other_queue().await;
    let mut newest_first = Vec::new();
    for number in 1..=5 {
        for name in ["a", "b"] {
            let ticket = scene.enter_with(name, "1000").await;
            let seat = if name == "a" { number } else { number + 10 };
            let held = scene.hold(ticket, &[seat]).await.unwrap();
            let paid = scene.pay(ticket, held.id).await.unwrap();
            if name == "a" {
                newest_first.insert(0, paid.receipt);
            }
        }
    }
    for limit in [1, 2, 5, 6] {
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = domain::Page::new(limit, after).unwrap();
            let listed = scene.store.payments.list(scene.main, &user("a"), &page).await.unwrap();
            seen.extend(listed.items);
            pages += 1;
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((&seen, pages), (&newest_first, 5_u32.div_ceil(limit)));
    }
    let id = newest_first[0].payment.id;
    let find = async |queue, name: &str, id| scene.store.payments.find(queue, &user(name), id).await.unwrap();
    assert_eq!(find(scene.main, "a", id).await.as_ref(), Some(&newest_first[0]));
    assert_eq!(find(scene.main, "b", id).await, None, "another user's");
    assert_eq!(find(other, "a", id).await, None, "another queue's");
    assert_eq!(find(scene.main, "a", PaymentId::new(Uuid::from_u128(7))).await, None);
    assert_eq!(scene.store.payments.list(other, &user("a"), &page()).await.unwrap().items, []);
}
