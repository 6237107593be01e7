//! New epochs, for a database that was restored from a backup (ADR 2).

use std::time::Duration;

use domain::presence::Watch;
use domain::reservation::{CancelReason, ReservationStatus};
use domain::seat::SeatStatus;
use domain::token::{EndReason, TokenEnd};
use domain::{Rejection, TokenStatus};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, narrow_rules, ticket, user};

const SERVER: Uuid = Uuid::from_u128(0xa);

async fn renew(scene: &Scene) -> Option<u64> {
    scene.store.queues.renew_epochs().await.unwrap()
}

pub(crate) async fn a_new_epoch_ends_all_live_tokens(make: Make) {
    let scene = Scene::with(&make, narrow_rules(3, 3)).await;
    let (other, _) = scene.other_queue().await;
    for n in 1..=3 {
        scene.enter(n).await;
    }
    scene.leave(ticket(scene.main, 2)).await;
    for n in 4..=6 {
        scene.join(n).await;
    }
    scene.leave(ticket(scene.main, 5)).await;
    let there = scene.enter_queue(other, "a").await;
    let before = scene.tokens().await;
    scene.advance(Duration::from_secs(1));
    assert_eq!(renew(&scene).await, Some(5), "1, 3, 4, 6 and the other queue's");
    let (after, line) = (scene.tokens().await, scene.report().await.line);
    let ended = Some(TokenEnd { at: scene.now(), reason: EndReason::NewEpoch });
    for index in [0, 2, 3, 5] {
        assert_eq!(after[index].end, ended, "{:?}", after[index]);
    }
    for index in [0, 2] {
        assert_eq!((after[index].active, after[index].out_version), (before[index].active, before[index].out_version));
    }
    for index in [3, 5] {
        assert_eq!((after[index].active, after[index].out_version), (None, Some(line.version)));
    }
    for index in [1, 4] {
        assert_eq!(after[index], before[index], "it had ended before");
    }
    assert_eq!(scene.status(there).await, TokenStatus::Expired);
    assert_eq!(scene.store.queues.active().await.unwrap(), []);
}

pub(crate) async fn a_new_epoch_is_a_change_of_every_line(make: Make) {
    let scene = Scene::with(&make, narrow_rules(1, 1)).await;
    let (other, _) = scene.other_queue().await;
    for n in 1..=4 {
        scene.join(n).await;
    }
    scene.leave(ticket(scene.main, 3)).await;
    let before = scene.store.queues.changes(&[]).await.unwrap();
    let known: Vec<_> = before.iter().map(|change| (change.number, change.line.version)).collect();
    renew(&scene).await.unwrap();
    let after = scene.store.queues.changes(&known).await.unwrap();
    assert_eq!(after.len(), 2);
    for change in &after {
        let old = before.iter().find(|old| old.number == change.number).unwrap();
        assert_ne!(change.epoch, old.epoch);
        assert_eq!((change.line.version, change.line.waiting(), change.left.len()), (old.line.version + 1, 0, 0));
        let (now, then) = (change.line, old.line);
        assert_eq!((now.issued, now.frontier, now.admitted), (then.issued, then.issued, then.admitted));
    }
    assert_ne!(after[0].epoch, after[1].epoch);
    assert!(after.iter().any(|change| change.number == other));
}

pub(crate) async fn numbers_go_on_after_a_new_epoch_r2(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 2)).await;
    for n in 1..=5 {
        scene.join(n).await;
    }
    renew(&scene).await.unwrap();
    scene.advance(Duration::from_secs(10));
    let again = scene.join(5).await;
    assert_eq!((again.created, again.token.ticket.number.get(), again.token.status()), (true, 6, TokenStatus::Active));
    let line = scene.report().await.line;
    assert_eq!((line.issued, line.admitted, line.frontier, line.waiting()), (6, 3, 6, 0));
}

/// A token that is past its deadline ended by that, whatever comes later.
pub(crate) async fn what_time_had_ended_no_epoch_ends_r5(make: Make) {
    let scene = Scene::with(&make, narrow_rules(2, 2)).await;
    let (late, payer) = (scene.enter("a").await, scene.enter_with("b", "1000").await);
    let (paid, _ran_out) = (scene.hold(payer, &[1]).await.unwrap(), scene.hold(payer, &[2]).await.unwrap());
    scene.pay(payer, paid.id).await.unwrap();
    scene.advance(Duration::from_secs(600));
    renew(&scene).await.unwrap();
    assert_eq!(scene.end(late).await, Some(EndReason::Deadline));
    assert_eq!(scene.end(payer).await, Some(EndReason::Paid(paid.id)), "R14");
}

/// R10: what is held stays held until its own end, and nobody can pay for it.
pub(crate) async fn holds_run_out_by_themselves_after_a_new_epoch_r10(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "5000").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    renew(&scene).await.unwrap();
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Pending);
    assert_eq!(scene.pay(ticket, held.id).await, Err(Rejection::TokenNotActive(TokenStatus::Expired)));
    assert_eq!(scene.seat(1).await, SeatStatus::Held);
    scene.set(held.expires_at);
    assert_eq!((scene.sweep().await, scene.seat(1).await), (1, SeatStatus::Available));
    assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Cancelled(CancelReason::Expired));
}

/// A server that is there would go on sealing tokens with the epoch before.
pub(crate) async fn no_epoch_is_renewed_while_a_server_tells_of_itself(make: Make) {
    let scene = Scene::open(&make).await;
    let active = scene.enter("a").await;
    let before = scene.view().await.change;
    scene.store.presence.note(SERVER, &[]).await.unwrap();
    for wait in [Duration::ZERO, Watch::GAP] {
        scene.advance(wait);
        assert_eq!(renew(&scene).await, None, "after {wait:?}");
        assert_eq!((scene.view().await.change, scene.status(active).await), (before.clone(), TokenStatus::Active));
    }
    scene.advance(MICRO);
    assert_eq!(renew(&scene).await, Some(1));
    scene.store.presence.note(SERVER, &[]).await.unwrap();
    assert_eq!(renew(&scene).await, None);
    scene.store.presence.forget(SERVER).await.unwrap();
    assert_eq!(renew(&scene).await, Some(0), "it has stopped");
}

/// A server that was there before the clock was set back has long gone.
pub(crate) async fn notes_of_before_a_clock_was_set_back_hold_no_epoch_up(make: Make) {
    let scene = Scene::open(&make).await;
    scene.store.presence.note(SERVER, &[]).await.unwrap();
    scene.set(scene.now().minus(Watch::GAP));
    assert_eq!(renew(&scene).await, None);
    scene.set(scene.now().minus(MICRO));
    assert_eq!(renew(&scene).await, Some(0));
}

pub(crate) async fn an_epoch_can_be_renewed_again(make: Make) {
    let scene = Scene::open(&make).await;
    scene.enter("a").await;
    let mut epochs = vec![scene.view().await.change.epoch.0];
    for ended in [1, 0, 0] {
        assert_eq!(renew(&scene).await, Some(ended));
        let epoch = scene.view().await.change.epoch.0;
        assert!(!epochs.contains(&epoch));
        epochs.push(epoch);
    }
    let joined = scene.store.queues.join(scene.main, &user("a")).await.unwrap().unwrap();
    assert_eq!(joined.token.ticket.number.get(), 2);
}
