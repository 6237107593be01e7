//! How reservations end unpaid: cancelled (R17) or run out (R10), and how one's own are read.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Cancelled;
use domain::rejection::Missing;
use domain::reservation::{CancelReason, Reservation, ReservationStatus};
use domain::seat::SeatChoice;
use domain::seat::SeatStatus::{Available, Held, Sold};
use domain::{Page, PolicyChange, QueueNumber, Rejection, ReservationId, Timestamp, TokenStatus};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, concert, make_queue, page, schedule, ticket, user};

const HOLD: Duration = Duration::from_secs(300);
const BY_USER: ReservationStatus = ReservationStatus::Cancelled(CancelReason::User);
const RAN_OUT: ReservationStatus = ReservationStatus::Cancelled(CancelReason::Expired);

pub(crate) async fn cancelling_frees_the_seats_and_again_changes_nothing_r17_w11(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let held = scene.hold(ticket_a, &[1, 2]).await.unwrap();
    let Cancelled { reservation: cancelled, changed } = scene.cancelling(ticket_a, held.id).await.unwrap();
    assert_eq!((&cancelled, changed), (&Reservation { status: BY_USER, ..held.clone() }, true));
    assert_eq!(scene.reservation(&held).await, cancelled);
    let next = scene.hold(ticket_b, &[1]).await.unwrap();
    let again = Cancelled { reservation: cancelled.clone(), changed: false };
    assert_eq!(scene.cancelling(ticket_a, held.id).await, Ok(again));
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Held, Available), "the next holder is not touched");
    assert_eq!(scene.reservation_status(&next).await, ReservationStatus::Pending);
    scene.advance(HOLD);
    assert_eq!(scene.cancel(ticket_a, held.id).await.unwrap(), cancelled);
    assert_eq!(scene.reservation(&held).await, cancelled, "time does not change why it ended");
}

/// R17: a live token cancels, also what is held since before a new epoch, and waiting; one that has ended does not, and what it
/// asks for is not even looked at.
pub(crate) async fn only_a_live_token_cancels_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let ended = scene.enter("a").await;
    let (first, second) = (scene.hold(ended, &[1]).await.unwrap(), scene.hold(ended, &[2]).await.unwrap());
    scene.store.queues.renew_epochs().await.unwrap().unwrap();
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    let live = scene.join("a").await.token.ticket;
    for held in [first.id, ReservationId::new(Uuid::from_u128(7))] {
        assert_eq!(scene.cancel(ended, held).await, Err(Rejection::TokenNotActive(TokenStatus::Expired)));
    }
    assert_eq!((scene.seat(1).await, scene.reservation_status(&first).await), (Held, ReservationStatus::Pending));
    assert_eq!(scene.cancel(live, first.id).await.unwrap().status, BY_USER);
    assert_eq!((scene.seat(1).await, scene.status(live).await), (Available, TokenStatus::Waiting));
    scene.policy(PolicyChange { paused: Some(false), ..PolicyChange::default() }).await;
    scene.tick().await;
    assert_eq!(scene.cancel(live, second.id).await.unwrap().status, BY_USER);
    assert_eq!((scene.seat(2).await, scene.status(live).await), (Available, TokenStatus::Active));
    // Over by time, whether or not that is written.
    let late = scene.enter("b").await;
    let held = scene.hold(late, &[3]).await.unwrap();
    scene.set(scene.turn(late).await.deadline);
    assert_eq!(scene.cancel(late, held.id).await, Err(Rejection::TokenNotActive(TokenStatus::Expired)));
}

pub(crate) async fn what_is_paid_is_not_cancelled_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let paid = scene.hold(ticket, &[1]).await.unwrap();
    scene.pay(ticket, paid.id).await.unwrap();
    let again = scene.enter("a").await;
    assert_eq!(scene.cancel(again, paid.id).await, Err(Rejection::AlreadyPaid));
    assert_eq!((scene.seat(1).await, scene.reservation_status(&paid).await), (Sold, ReservationStatus::Confirmed));
}

/// R6, R17: another's reservation, another queue's and none are the same to the caller.
pub(crate) async fn only_ones_own_is_cancelled_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, _) = scene.other_queue().await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let elsewhere = scene.enter_queue(other, "a").await;
    let held = scene.hold(ticket_a, &[1]).await.unwrap();
    let missing = Err(Rejection::NotFound(Missing::Reservation));
    assert_eq!(scene.cancel(ticket_b, held.id).await, missing);
    assert_eq!(scene.cancel(elsewhere, held.id).await, missing);
    assert_eq!(scene.cancel(ticket_a, ReservationId::new(Uuid::from_u128(7))).await, missing);
    for never in [ticket(scene.main, 99), ticket(QueueNumber(other.0 + 1), 1)] {
        assert_eq!(scene.cancel(never, held.id).await, Err(Rejection::TokenUnknown));
    }
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Pending);
}

/// R7, S4: what is over was ended by time, whoever cancels it then.
pub(crate) async fn cancelling_what_is_over_is_no_cancelling_r7_s4(make: Make) {
    for (late, status) in [(-1, BY_USER), (0, RAN_OUT), (1, RAN_OUT)] {
        let scene = Scene::open(&make).await;
        let ticket = scene.enter("a").await;
        let held = scene.hold(ticket, &[1]).await.unwrap();
        scene.set(Timestamp::from_micros(held.expires_at.micros() + late));
        assert_eq!(scene.cancel(ticket, held.id).await.unwrap().status, status, "{late}");
        assert_eq!(scene.reservation_status(&held).await, status, "{late}");
        assert_eq!(scene.seat(1).await, Available);
        assert_eq!(scene.sweep().await, 0);
    }
}

/// R10, S4: the sweep ends a hold at its deadline and not before.
pub(crate) async fn the_sweep_is_exact_r10_s4(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let held = scene.hold(ticket, &[1, 2]).await.unwrap();
    scene.advance(HOLD - MICRO);
    assert_eq!(scene.sweep().await, 0);
    assert_eq!((scene.seat(1).await, scene.reservation_status(&held).await), (Held, ReservationStatus::Pending));
    scene.advance(MICRO);
    assert_eq!(scene.reservation_status(&held).await, RAN_OUT, "as read, before anybody has swept");
    assert_eq!((scene.sweep().await, scene.sweep().await), (1, 0));
    assert_eq!(scene.reservation_status(&held).await, RAN_OUT);
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Available, Available));
    scene.set(scene.now().minus(MICRO));
    assert_eq!(scene.reservation_status(&held).await, RAN_OUT, "it is written, whatever the clock does");
}

/// S2: a sweep after the payment, and after the seat went to somebody else, touches neither.
pub(crate) async fn the_sweep_touches_nothing_that_is_not_its_own_r10_s2(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter_with("b", "9000").await);
    let (paid, dead) = (scene.hold(ticket_a, &[1]).await.unwrap(), scene.hold(ticket_b, &[2, 3]).await.unwrap());
    scene.pay(ticket_a, paid.id).await.unwrap();
    scene.set(dead.expires_at);
    let ticket_c = scene.enter_with("c", "9000").await;
    let resold = scene.hold(ticket_c, &[2]).await.unwrap();
    for _ in 0..2 {
        scene.sweep().await;
        assert_eq!((scene.seat(1).await, scene.seat(2).await, scene.seat(3).await), (Sold, Held, Available));
        assert_eq!(scene.reservation_status(&paid).await, ReservationStatus::Confirmed);
        assert_eq!(scene.reservation_status(&resold).await, ReservationStatus::Pending);
    }
    scene.pay(ticket_c, resold.id).await.unwrap();
    scene.advance(HOLD * 2);
    assert_eq!(scene.sweep().await, 0);
    assert_eq!(scene.seat(2).await, Sold);
}

/// S7: a seat that ran out is sold like any other.
pub(crate) async fn a_seat_that_was_swept_is_sold_to_another_s7(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket_a = scene.enter_with("a", "9000").await;
    let old = scene.hold(ticket_a, &[1]).await.unwrap();
    scene.advance(HOLD);
    assert_eq!(scene.sweep().await, 1);
    let ticket_b = scene.enter_with("b", "9000").await;
    let new = scene.hold(ticket_b, &[1]).await.unwrap();
    assert_eq!(scene.pay(ticket_a, old.id).await, Err(Rejection::ReservationExpired), "S5");
    scene.pay(ticket_b, new.id).await.unwrap();
    assert_eq!(scene.seat(1).await, Sold);
}

/// R10: of all queues, the oldest first, at most 500 at a time.
pub(crate) async fn at_most_five_hundred_are_swept_at_once_oldest_first_r10(make: Make) {
    let scene = Scene::open(&make).await;
    let mut held = Vec::new();
    make_queue(&scene.store, "other").await;
    for name in ["main", "other"] {
        let created = scene.load(concert("Big", name, vec![schedule(scene.starts_at, 300)])).await;
        for group in 0..6 {
            scene.advance(MICRO);
            let of_group = at_once(50, |n| {
                let (scene, queue, schedule) = (Arc::clone(&scene), created.queue, created.schedules[0]);
                let number = group * 50 + u32::try_from(n).unwrap() + 1;
                async move {
                    let ticket = scene.enter_queue(queue, number).await;
                    let choice = SeatChoice::numbers(schedule, &[number]).unwrap();
                    scene.hold_of(ticket, choice).await.unwrap()
                }
            })
            .await;
            held.extend(of_group);
        }
    }
    scene.advance(HOLD);
    assert_eq!(scene.sweep().await, 500);
    let now = scene.now();
    scene.set(held[0].expires_at.minus(MICRO));
    for (index, reservation) in held.iter().enumerate() {
        let swept = scene.reservation_status(reservation).await == RAN_OUT;
        assert_eq!(swept, index < 500, "the oldest deadlines first: {index}");
    }
    scene.set(now);
    assert_eq!((scene.sweep().await, scene.sweep().await), (100, 0));
}

pub(crate) async fn one_reads_ones_own_reservations_newest_first(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let mut newest_first = Vec::new();
    for number in 1..=4 {
        newest_first.insert(0, scene.hold(ticket_a, &[number]).await.unwrap().id);
        scene.hold(ticket_b, &[number + 10]).await.unwrap();
    }
    let there = scene.enter_queue(other, "a").await;
    let choice = SeatChoice::numbers(elsewhere, &[1]).unwrap();
    let theirs = scene.hold_of(there, choice).await.unwrap();
    for limit in [1, 3, 4, 5] {
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = Page::new(limit, after).unwrap();
            let listed = scene.store.reservations.list(scene.main, &user("a"), &page).await.unwrap();
            seen.extend(listed.items.iter().map(|reservation| reservation.id));
            pages += 1;
            after = listed.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((&seen, pages), (&newest_first, 4_u32.div_ceil(limit)));
    }
    let find = async |queue, name: &str, id| scene.store.reservations.find(queue, &user(name), id).await.unwrap();
    assert_eq!(find(scene.main, "b", newest_first[0]).await, None, "another user's");
    assert_eq!(find(scene.main, "a", theirs.id).await, None, "another queue's");
    assert_eq!(find(other, "a", theirs.id).await, Some(theirs));
    let nobody = scene.store.reservations.list(scene.main, &user("nobody"), &page()).await.unwrap();
    assert_eq!((nobody.items, nobody.next), (vec![], None));
}

/// R7: both ways of reading show the state at the moment of reading.
pub(crate) async fn lists_show_the_state_of_the_moment_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    for (late, status) in [(-1, ReservationStatus::Pending), (0, RAN_OUT), (1, RAN_OUT)] {
        scene.set(Timestamp::from_micros(held.expires_at.micros() + late));
        let expected = Reservation { status, ..held.clone() };
        assert_eq!(scene.reservation(&held).await, expected);
        let listed = scene.store.reservations.list(scene.main, &user("a"), &page()).await.unwrap();
        assert_eq!(listed.items, [expected]);
    }
}
