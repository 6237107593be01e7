//! Leaving the line (R17).

use std::collections::BTreeSet;
use std::time::Duration;

use domain::ports::Left;
use domain::reservation::{CancelReason, ReservationStatus};
use domain::seat::{SeatChoice, SeatStatus};
use domain::token::EndReason;
use domain::{QueueNumber, Rejection, TokenStatus};

use crate::Make;
use crate::scene::{Scene, concert, load, narrow_rules, schedule, ticket, user};

pub(crate) async fn who_waits_and_leaves_moves_the_others_up_r4_r17(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    for name in ["a", "b", "c", "d"] {
        scene.join(name).await;
    }
    scene.leave(ticket(scene.main, 3)).await;
    let gone = scene.standing(ticket(scene.main, 3)).await;
    assert_eq!((gone.token.status(), gone.position, gone.token.active), (TokenStatus::Expired, 0, None));
    assert_eq!(gone.token.end.unwrap(), domain::token::TokenEnd { at: scene.now(), reason: EndReason::Left });
    assert_eq!(scene.standing(ticket(scene.main, 2)).await.position, 1);
    assert_eq!(scene.standing(ticket(scene.main, 4)).await.position, 2);
}

pub(crate) async fn leaving_again_changes_nothing_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let left = scene.enter("a").await;
    scene.leave(left).await;
    let first = scene.standing(left).await;
    scene.advance(Duration::from_secs(1));
    scene.leave(left).await;
    assert_eq!(scene.standing(left).await, first);
}

/// R17: whoever has shown the seats to others learns which ones to look at again, and nothing of a token that had ended.
pub(crate) async fn leaving_tells_of_which_schedules_it_gave_up_seats_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let plan = vec![schedule(scene.starts_at, 2), schedule(scene.starts_at, 3)];
    let more = load(&scene.store, concert("B", "main", plan)).await.schedules;
    let leave = async |ticket| scene.store.queues.leave(ticket).await.unwrap().unwrap();
    let (holder, nobody) = (scene.enter("a").await, scene.enter("b").await);
    scene.hold(holder, &[1]).await.unwrap();
    for schedule in &more {
        scene.hold_of(holder, SeatChoice::numbers(*schedule, &[1]).unwrap()).await.unwrap();
    }
    // What was given up before is not given up again.
    let cancelled = scene.hold_of(nobody, SeatChoice::numbers(more[1], &[2]).unwrap()).await.unwrap();
    scene.cancel(nobody, cancelled.id).await.unwrap();
    let none = Left { lived: true, freed: BTreeSet::new() };
    assert_eq!(leave(nobody).await, none);
    assert_eq!(leave(holder).await, Left { lived: true, freed: [scene.schedule, more[0], more[1]].into() });
    for ended in [holder, nobody] {
        assert_eq!(leave(ended).await, Left { lived: false, ..none.clone() });
    }
    let late = scene.enter("c").await;
    scene.advance(Duration::from_secs(600));
    assert_eq!(leave(late).await, Left { lived: false, ..none }, "time had ended it");
}

pub(crate) async fn a_number_never_issued_cannot_leave(make: Make) {
    let scene = Scene::open(&make).await;
    scene.enter("a").await;
    for never in [ticket(scene.main, 2), ticket(QueueNumber(scene.main.0 + 1), 1)] {
        assert_eq!(scene.store.queues.leave(never).await.unwrap(), Err(Rejection::TokenUnknown));
    }
}

/// R17: what one has not paid is given up, in this queue, and nothing else.
pub(crate) async fn leaving_cancels_ones_pending_reservations_there_r17(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "5000").await, scene.enter("b").await);
    let there = scene.enter_queue(other, "a").await;
    let held = [scene.hold(ticket_a, &[1, 2]).await.unwrap(), scene.hold(ticket_a, &[3]).await.unwrap()];
    let (paid, given) = (&held[1], &held[0]);
    let others = scene.hold(ticket_b, &[4]).await.unwrap();
    let choice = domain::seat::SeatChoice::numbers(elsewhere, &[1]).unwrap();
    let kept = scene.hold_of(there, choice).await.unwrap();
    scene.pay(ticket_a, paid.id).await.unwrap();
    let again = scene.enter("a").await;
    scene.leave(again).await;
    let left = ReservationStatus::Cancelled(CancelReason::Left);
    assert_eq!(scene.reservation_status(given).await, left);
    assert_eq!(scene.reservation_status(paid).await, ReservationStatus::Confirmed);
    assert_eq!(scene.reservation_status(&others).await, ReservationStatus::Pending);
    assert_eq!(scene.reservation_status(&kept).await, ReservationStatus::Pending);
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (SeatStatus::Available, SeatStatus::Available));
    assert_eq!((scene.seat(3).await, scene.seat(4).await), (SeatStatus::Sold, SeatStatus::Held));
    let again = scene.enter("a").await;
    assert_eq!(scene.pay(again, given.id).await, Err(Rejection::ReservationCancelled));
    scene.hold(again, &[1, 2]).await.unwrap();
}

/// R5, R7: what time ended was not ended by leaving.
pub(crate) async fn leaving_too_late_ends_nothing_that_time_has_not_r5(make: Make) {
    let scene = Scene::open(&make).await;
    let late = scene.enter("a").await;
    let held = scene.hold(late, &[1]).await.unwrap();
    scene.advance(Duration::from_secs(600));
    scene.leave(late).await;
    assert_eq!(scene.standing(late).await.token.end.unwrap().reason, EndReason::Deadline);
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Cancelled(CancelReason::Expired));
}

pub(crate) async fn a_former_token_cannot_end_the_new_one(make: Make) {
    let scene = Scene::open(&make).await;
    let old = scene.enter("a").await;
    scene.leave(old).await;
    let new = scene.enter("a").await;
    let held = scene.hold(new, &[1]).await.unwrap();
    scene.leave(old).await;
    assert_eq!(scene.status(new).await, TokenStatus::Active);
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Pending);
    assert_eq!(scene.join("a").await.token.ticket, new);
    assert_eq!(scene.standing(new).await.token.user, user("a"));
}

/// R17, R5: a token that is over by time has nothing to give up, whether or not anybody has written its end.
pub(crate) async fn leaving_too_late_gives_up_no_hold_of_an_earlier_place_r17(make: Make) {
    let scene =
        Scene::with(&make, domain::Rules { active: Duration::from_secs(60), ..crate::scene::open_rules() }).await;
    let first = scene.enter("a").await;
    let kept = scene.hold(first, &[2]).await.unwrap();
    scene.store.queues.renew_epochs().await.unwrap().unwrap();
    let second = scene.enter("a").await;
    scene.advance(Duration::from_secs(60));
    scene.leave(second).await;
    assert_eq!(scene.reservation_status(&kept).await, ReservationStatus::Pending);
    assert_eq!(scene.status(second).await, TokenStatus::Expired);
}
