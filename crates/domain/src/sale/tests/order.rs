//! Of two reasons to refuse a command it hears the one that is asked first; a key is asked before the token's state (R15).

use super::scene::{
    QUEUE, Scene, at, choice, held, hold, money, now, over, pay, reservation_id, schedule_id, ticket, user,
};
use crate::concert::Schedule;
use crate::ports::{Answer, PayCommand};
use crate::rejection::Missing;
use crate::reservation::{CancelReason, ReservationStatus};
use crate::sale::{Command, Outcome, Step};
use crate::seat::Taken;
use crate::token::EndReason;
use crate::{
    Edit, LocalTime, PaymentId, Policy, PolicyChange, Queue, QueueEdit, QueueEpoch, QueueName, Rejection, TicketNumber,
    Token, TokenStatus,
};

/// How one thing is spoiled, and what a command hears then.
type Check = (fn(&mut Scene), Rejection);

/// Holds each pair of `checks`, which are in the order of the rule, against what `command` hears.
fn in_this_order(command: &Command, checks: &[Check]) {
    assert!(Scene::new().verdict(command).is_ok(), "nothing is spoiled: {command:?}");
    for (first, (spoil_first, refusal)) in checks.iter().enumerate() {
        for (spoil_second, later) in checks.get(first..).into_iter().flatten() {
            let mut scene = Scene::new();
            spoil_second(&mut scene);
            spoil_first(&mut scene);
            let heard = scene.verdict(command).map(|outcome| format!("{outcome:?}"));
            assert_eq!(heard, Err(refusal.clone()), "with {later:?} to come");
        }
    }
}

fn never_issued(scene: &mut Scene) {
    scene.tokens.clear();
}

fn ended(scene: &mut Scene) {
    for token in &mut scene.tokens {
        token.end(EndReason::Left, now());
    }
}

#[test]
fn a_hold_r5_r6_r8_r11_r15() {
    let other_request: fn(&mut Scene) =
        |scene| scene.record_hold(&crate::ports::HoldCommand { choice: choice(&[2]), ..hold(1) }, at(0), held());
    let taken: fn(&mut Scene) =
        |scene| scene.seats[0].taken = Some(Taken { by: reservation_id(5), until: Some(over()) });
    let checks: [Check; 10] = [
        (never_issued, Rejection::TokenUnknown),
        (other_request, Rejection::IdempotencyKeyReused),
        (ended, Rejection::TokenNotActive(TokenStatus::Expired)),
        (|scene| scene.tokens[0].pay(reservation_id(4), now()), Rejection::SelectionClosed(now())),
        (|scene| scene.sold_elsewhere = true, Rejection::WrongQueue),
        (
            |scene| {
                scene.schedule = Schedule { starts_at: LocalTime::new(now(), 0).unwrap(), ..scene.schedule.clone() }
            },
            Rejection::SaleClosed,
        ),
        (|scene| scene.rules.max_seats = 1, Rejection::SeatLimit(1)),
        (|scene| scene.schedule.max_per_user = Some(1), Rejection::PurchaseLimit { max_per_user: 1, owned: 1 }),
        (|scene| scene.schedule.concert_max_per_user = Some(1), Rejection::PurchaseLimit { max_per_user: 1, owned: 1 }),
        (taken, Rejection::SeatTaken { schedule: schedule_id(), numbers: vec![1], own: vec![] }),
    ];
    in_this_order(&Command::Hold(hold(1)), &checks);
    // A seat that is not there is asked for after the schedule and before whether it is on sale.
    let mut gone = Scene::new();
    gone.seats.remove(0);
    gone.schedule.starts_at = LocalTime::new(now(), 0).unwrap();
    let missing = Rejection::NotFound(Missing::Seats(vec![1]));
    assert_eq!(gone.verdict(&Command::Hold(hold(1))).err(), Some(missing));
}

#[test]
fn a_payment_r6_r13_r15() {
    let other_request: fn(&mut Scene) =
        |scene| scene.record_payment(&PayCommand { reservation: reservation_id(8), ..pay(1) }, at(0), payment());
    let others: fn(&mut Scene) = |scene| scene.reservations[0].1.user = user("other");
    let checks: [Check; 7] = [
        (never_issued, Rejection::TokenUnknown),
        (other_request, Rejection::IdempotencyKeyReused),
        (ended, Rejection::TokenNotActive(TokenStatus::Expired)),
        (|scene| scene.reservations[0].1.expires_at = now(), Rejection::ReservationExpired),
        (others, Rejection::UserMismatch),
        (|scene| scene.reservations[0].1.amount = money("11"), Rejection::AmountMismatch),
        (|scene| scene.wallets[0].balance = money("9.99"), insufficient()),
    ];
    in_this_order(&Command::Pay(PayCommand { amount: Some(money("10")), ..pay(1) }), &checks);
    for (status, refusal) in [
        (ReservationStatus::Confirmed, Rejection::AlreadyPaid),
        (ReservationStatus::Cancelled(CancelReason::User), Rejection::ReservationCancelled),
    ] {
        let mut scene = Scene::new();
        scene.reservations[0].1.status = status;
        others(&mut scene);
        assert_eq!(scene.verdict(&Command::Pay(pay(1))).err(), Some(refusal));
    }
    let mut none = Scene::new();
    none.reservations.clear();
    none.wallets.clear();
    assert_eq!(none.verdict(&Command::Pay(pay(1))).err(), Some(Rejection::NotFound(Missing::Reservation)));
}

fn payment() -> PaymentId {
    PaymentId::new(uuid::Uuid::from_u128(77))
}

fn insufficient() -> Rejection {
    Rejection::InsufficientBalance { balance: money("9.99"), amount: money("10") }
}

#[test]
fn cancelling_leaving_and_joining_r1_r17() {
    let others: fn(&mut Scene) = |scene| scene.reservations[0].1.user = user("other");
    let cancel: [Check; 4] = [
        (never_issued, Rejection::TokenUnknown),
        (ended, Rejection::TokenNotActive(TokenStatus::Expired)),
        (others, Rejection::NotFound(Missing::Reservation)),
        (|scene| scene.reservations[0].1.status = ReservationStatus::Confirmed, Rejection::AlreadyPaid),
    ];
    in_this_order(&Command::Cancel(ticket(1), held()), &cancel);
    let no_queue: fn(&mut Scene) = |scene| scene.queue = None;
    in_this_order(
        &Command::Leave(ticket(1)),
        &[(never_issued, Rejection::TokenUnknown), (no_queue, Rejection::TokenUnknown)],
    );
    let mut nowhere = Scene::new();
    no_queue(&mut nowhere);
    let change = PolicyChange { batch: Some(0), ..PolicyChange::default() };
    for command in [Command::Admit, Command::Edit(QueueEdit { policy: Some(change), message: Edit::Keep })] {
        assert_eq!(nowhere.verdict(&command).err(), Some(Rejection::NotFound(Missing::Queue)), "{command:?}");
    }
    let joined = nowhere.verdict(&Command::Join(user("holder")));
    assert_eq!(joined.err(), Some(Rejection::NotFound(Missing::Queue)), "though there is a token of theirs");
}

#[test]
fn a_key_is_asked_before_the_state_of_its_token_r15() {
    let dead: [fn(&mut Scene); 3] =
        [|_scene| {}, ended, |scene| scene.tokens[0] = Token::issue(ticket(1), user("holder"), at(0))];
    for spoil in dead {
        let mut scene = Scene::new();
        scene.record_hold(&hold(1), at(0), reservation_id(4));
        scene.record_payment(&pay(1), at(0), payment());
        spoil(&mut scene);
        let mut set = scene.set();
        let (held, paid) = (
            set.decide(&Command::Hold(hold(1)), &scene.context()).unwrap(),
            set.decide(&Command::Pay(pay(1)), &scene.context()).unwrap(),
        );
        assert!(matches!(held, Step::ReplayHold(id) if id == reservation_id(4)), "{held:?}");
        assert!(matches!(paid, Step::ReplayPay(id) if id == payment()), "{paid:?}");
        assert_eq!(format!("{:?}", set.changed()), format!("{:?}", scene.set().changed()), "and changes nothing");
    }
}

#[test]
fn a_key_of_this_batch_is_known_to_its_later_commands_r15() {
    let scene = Scene::new();
    let mut set = scene.set();
    let first = set.decide(&Command::Hold(hold(1)), &scene.context()).unwrap();
    let Step::Done(first) = first else { panic!("{first:?}") };
    let Ok(Outcome::Held(Answer { value: made, .. })) = *first else { panic!("{first:?}") };
    let again = set.decide(&Command::Hold(hold(1)), &scene.context()).unwrap();
    assert!(matches!(again, Step::ReplayHold(id) if id == made.id), "{again:?}");
    assert_eq!(set.made_reservation(made.id).unwrap(), Some(made));
    assert_eq!(set.made_reservation(held()).unwrap(), None, "it was stored before");

    let Step::Done(paid) = set.decide(&Command::Pay(pay(1)), &scene.context()).unwrap() else { panic!() };
    let Ok(Outcome::Paid(Answer { value: paid, .. })) = *paid else { panic!("{paid:?}") };
    let again = set.decide(&Command::Pay(pay(1)), &scene.context()).unwrap();
    assert!(matches!(again, Step::ReplayPay(id) if id == paid.receipt.payment.id), "its token is over: {again:?}");
    assert_eq!(set.made_payment(paid.receipt.payment.id).unwrap(), Some(paid));
}

#[test]
fn somebody_who_waits_is_found_by_their_newest_token_r1() {
    let mut scene = Scene::new();
    ended(&mut scene);
    scene.tokens.push(super::scene::token(3, "holder"));
    scene.queue =
        Some(Queue::new(QUEUE, QueueName::parse("main").unwrap(), QueueEpoch([7; 16]), Policy::default(), at(0)));
    let step = scene.set().decide(&Command::Join(user("holder")), &scene.context()).unwrap();
    assert!(matches!(step, Step::Placed(number, None) if number == TicketNumber::new(3).unwrap()), "{step:?}");
}
