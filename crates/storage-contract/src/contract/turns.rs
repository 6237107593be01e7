//! How long a turn lasts (R5), and how it ends when its user holds more than they pay for at once (R14).

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Endings;
use domain::reservation::Reservation;
use domain::token::{Active, EndReason, TokenEnd};
use domain::{Rejection, Ticket, Timestamp, TokenStatus};

use crate::Make;
use crate::scene::{MICRO, Scene, at_once, money, narrow_rules};

const HOLD: Duration = Duration::from_secs(300);
const EXPIRED: Rejection = Rejection::TokenNotActive(TokenStatus::Expired);

/// An ACTIVE user with points who holds seat 1 and, a minute later, seat 2; both for longer than selection lasts.
async fn two_late_holds(scene: &Scene) -> (Ticket, Reservation, Reservation) {
    let ticket = scene.enter_with("a", "9000").await;
    let end = scene.turn(ticket).await.selection_ends_at;
    scene.set(end.minus(Duration::from_secs(120)));
    let first = scene.hold(ticket, &[1]).await.unwrap();
    scene.advance(Duration::from_secs(60));
    let second = scene.hold(ticket, &[2]).await.unwrap();
    assert_eq!(scene.turn(ticket).await.deadline, second.expires_at);
    (ticket, first, second)
}

/// R5: what is given up extends a turn no longer, whichever of several holds it is.
pub(crate) async fn a_cancelled_hold_gives_its_time_back_r5(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket, first, second) = two_late_holds(&scene).await;
    let turn = scene.turn(ticket).await;
    scene.cancel(ticket, second.id).await.unwrap();
    assert_eq!(scene.turn(ticket).await, Active { deadline: first.expires_at, ..turn });
    scene.cancel(ticket, second.id).await.unwrap();
    assert_eq!(scene.turn(ticket).await.deadline, first.expires_at, "again changes nothing");
    scene.cancel(ticket, first.id).await.unwrap();
    assert_eq!(scene.turn(ticket).await, Active { deadline: turn.selection_ends_at, ..turn });
    let again = scene.hold(ticket, &[1]).await.unwrap();
    assert_eq!(scene.turn(ticket).await, Active { deadline: again.expires_at, ..turn });
    assert_eq!(scene.status(ticket).await, TokenStatus::Active);
}

/// R5: before the end of selection a cancel ends nothing; from then on that of the last hold ends the token, at once.
pub(crate) async fn after_selection_the_last_hold_that_is_cancelled_ends_the_turn_r5(make: Make) {
    for (late, over) in [(-1, false), (0, true), (1, true)] {
        let scene = Scene::open(&make).await;
        let (ticket, first, second) = two_late_holds(&scene).await;
        let end = scene.turn(ticket).await.selection_ends_at;
        scene.set(Timestamp::from_micros(end.micros() + late));
        scene.cancel(ticket, first.id).await.unwrap();
        assert_eq!((scene.turn(ticket).await.deadline, scene.end(ticket).await), (second.expires_at, None));
        scene.cancel(ticket, second.id).await.unwrap();
        let token = scene.standing(ticket).await.token;
        let written = TokenEnd { at: scene.now(), reason: EndReason::Deadline };
        assert_eq!(token.end, over.then_some(written), "in the same transaction: {late}");
        assert_eq!(token.active.unwrap().deadline, if over { scene.now() } else { end });
        assert_eq!(scene.report().await.active, u64::from(!over));
        let next = scene.hold(ticket, &[3]).await.map(|_| ());
        assert_eq!(next, if over { Err(EXPIRED) } else { Ok(()) });
    }
}

/// R5: reading, charging, paying and cancelling go on until the last hold is over, at the microsecond, swept or not.
pub(crate) async fn the_last_hold_that_runs_out_ends_the_turn_r5(make: Make) {
    for swept in [false, true] {
        let scene = Scene::open(&make).await;
        let (ticket, first, second) = two_late_holds(&scene).await;
        scene.set(second.expires_at.minus(MICRO));
        let sweep = async || if swept { scene.sweep().await } else { 0 };
        sweep().await;
        assert_eq!(scene.status(ticket).await, TokenStatus::Active);
        assert_eq!(scene.pay(ticket, first.id).await, Err(Rejection::ReservationExpired), "by what it was asked for");
        let end = scene.turn(ticket).await.selection_ends_at;
        assert_eq!(scene.hold(ticket, &[3]).await, Err(Rejection::SelectionClosed(end)));
        scene.set(second.expires_at);
        sweep().await;
        assert_eq!((scene.status(ticket).await, scene.report().await.active), (TokenStatus::Expired, 0));
        assert_eq!(scene.pay(ticket, second.id).await, Err(EXPIRED));
        assert_eq!(scene.hold(ticket, &[3]).await, Err(EXPIRED));
        assert_ne!(scene.join("a").await.token.ticket, ticket, "R1: a new place");
        assert_eq!(scene.end(ticket).await, Some(EndReason::Deadline));
    }
}

/// R5: whatever is held, cancelled and held again, the place is another's once selection and one hold are over.
pub(crate) async fn nobody_stays_longer_than_selection_and_one_hold_r5(make: Make) {
    for step in [7, 60, 299, 300, 601] {
        let scene = Scene::with(&make, narrow_rules(1, 1)).await;
        let (hog, waits) = (scene.enter("hog").await, scene.join("waits").await.token.ticket);
        let last = scene.now().plus(Duration::from_secs(600) + HOLD);
        let (mut held, mut seat) = (None, 0);
        while scene.status(waits).await == TokenStatus::Waiting {
            assert!(scene.now() <= last.plus(Duration::from_secs(step)), "the hog still is within");
            if let Some(Reservation { id, .. }) = held.take() {
                let cancelled = scene.cancel(hog, id).await;
                assert!(cancelled.is_ok() || cancelled == Err(EXPIRED), "{cancelled:?}");
            }
            seat = seat % 50 + 1;
            held = scene.hold(hog, &[seat]).await.ok();
            assert!(scene.now() < last || held.is_none());
            scene.advance(Duration::from_secs(step));
            scene.sweep().await;
            scene.tick().await;
        }
        assert_eq!(scene.status(hog).await, TokenStatus::Expired);
    }
}

/// R14: who holds on two evenings and pays one may pay the other with the same token, and hold nothing new.
pub(crate) async fn who_holds_more_pays_that_too_r14(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let friday = scene.hold(ticket, &[1]).await.unwrap();
    scene.advance(Duration::from_secs(7));
    let saturday = scene.hold(ticket, &[2]).await.unwrap();
    scene.advance(Duration::from_secs(7));
    scene.pay(ticket, friday.id).await.unwrap();
    let turn = scene.turn(ticket).await;
    assert_eq!((turn.selection_ends_at, turn.deadline), (scene.now(), saturday.expires_at));
    assert_eq!((turn.last_paid, scene.status(ticket).await), (Some(friday.id), TokenStatus::Active));
    assert_eq!(scene.hold(ticket, &[3]).await, Err(Rejection::SelectionClosed(scene.now())));
    assert_eq!(scene.pay(ticket, friday.id).await, Err(Rejection::AlreadyPaid));
    assert_eq!(scene.join("a").await.token.ticket, ticket, "R1: it is the place they have");
    scene.advance(Duration::from_secs(7));
    scene.pay(ticket, saturday.id).await.unwrap();
    let ended = scene.standing(ticket).await.token;
    assert_eq!(ended.end, Some(TokenEnd { at: scene.now(), reason: EndReason::Paid(saturday.id) }));
    assert_eq!(ended.active.unwrap().selection_ends_at, turn.selection_ends_at, "never moved to a later moment");
    for paid in [friday.id, saturday.id] {
        assert_eq!(scene.pay(ticket, paid).await, Err(Rejection::AlreadyPaid), "for all that it paid");
    }
    assert_eq!((scene.balance("a").await, scene.receipts("a").await.len()), (money("7000"), 2));
}

/// R14: a token that has paid ends as one that paid, however its last hold ends, and is counted among those.
pub(crate) async fn a_token_that_paid_ends_paid_however_its_last_hold_ends_r14(make: Make) {
    for way in ["cancelled", "ran out", "swept", "left"] {
        let scene = Scene::open(&make).await;
        let ticket = scene.enter_with("a", "9000").await;
        let (paid, held) = (scene.hold(ticket, &[1]).await.unwrap(), scene.hold(ticket, &[2]).await.unwrap());
        scene.pay(ticket, paid.id).await.unwrap();
        assert_eq!(scene.report().await.ended, Endings::default());
        match way {
            "cancelled" => drop(scene.cancel(ticket, held.id).await.unwrap()),
            "left" => scene.leave(ticket).await,
            _ => scene.set(held.expires_at),
        }
        if way == "swept" {
            assert_eq!(scene.sweep().await, 1);
        }
        let ended = if way == "left" {
            Endings { left: 1, ..Endings::default() }
        } else {
            Endings { paid: 1, ..Endings::default() }
        };
        assert_eq!((scene.report().await.ended, scene.report().await.active), (ended, 0), "{way}, written or not");
        scene.tick().await;
        assert_eq!(scene.report().await.ended, ended, "{way}, written");
        let reason = if way == "left" { EndReason::Left } else { EndReason::Paid(paid.id) };
        assert_eq!(scene.end(ticket).await, Some(reason), "{way}");
        assert_eq!(scene.pay(ticket, paid.id).await, Err(Rejection::AlreadyPaid), "{way}");
        assert_eq!(scene.pay(ticket, held.id).await, Err(EXPIRED), "{way}");
    }
}

/// R5, R14: of payments and cancels of one user's holds at once each is done, and the last one of them ends the token.
pub(crate) async fn what_ends_at_once_ends_the_turn_once_r14(make: Make) {
    for round in 0..12 {
        let scene = Scene::open(&make).await;
        let ticket = scene.enter_with("a", "9000").await;
        let mut held = Vec::new();
        for number in 1..=4 {
            held.push(scene.hold(ticket, &[number]).await.unwrap().id);
        }
        let done = at_once(4, |n| {
            let (scene, reservation) = (Arc::clone(&scene), held[n]);
            async move {
                match (n + round) % 3 {
                    0 => scene.cancel(ticket, reservation).await.map(drop),
                    _ => scene.pay(ticket, reservation).await.map(drop),
                }
            }
        })
        .await;
        assert_eq!(done, vec![Ok(()); 4], "each is its own");
        let paid = scene.receipts("a").await;
        let reason = scene.end(ticket).await;
        assert!(
            matches!(reason, Some(EndReason::Paid(last)) if paid.iter().any(|p| p.reservation.id == last)),
            "{reason:?}"
        );
        assert_eq!(scene.balance("a").await.minor(), 900_000 - 100_000 * i64::try_from(paid.len()).unwrap());
        assert_eq!(scene.report().await.ended, Endings { paid: 1, ..Endings::default() });
    }
}
