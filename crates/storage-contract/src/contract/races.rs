//! Many at once: of those that cannot all have what they ask for the right number has it, and nothing is left over.

use std::sync::Arc;
use std::time::Duration;

use domain::reservation::{CancelReason, ReservationStatus};
use domain::seat::SeatStatus::{Available, Held, Sold};
use domain::{Rejection, Ticket, TokenStatus};

use crate::Make;
use crate::scene::{Scene, at_once, money};

/// Users 0, 1, 2, ..., all ACTIVE.
async fn users(scene: &Scene, count: usize) -> Vec<Ticket> {
    let mut tickets = Vec::new();
    for name in 0..count {
        tickets.push(scene.enter(name).await);
    }
    tickets
}

/// S1: of two hundred holds on one seat one has it, and the others are told which is taken.
pub(crate) async fn of_two_hundred_holds_on_a_seat_one_has_it_r8_s1(make: Make) {
    let scene = Scene::open(&make).await;
    let tickets = users(&scene, 200).await;
    let held = at_once(200, |n| {
        let (scene, ticket) = (Arc::clone(&scene), tickets[n]);
        async move { scene.hold(ticket, &[7]).await }
    })
    .await;
    assert_eq!(held.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(held.iter().all(|answer| answer.is_ok() || *answer == Err(scene.taken(&[7], &[]))));
    assert_eq!((scene.seat(7).await, scene.map().await.available()), (Held, 49));
}

/// S9: of overlapping sets one has both its seats, nobody half, and none waits for another for ever.
pub(crate) async fn overlapping_sets_are_all_or_none_s9(make: Make) {
    let scene = Scene::open(&make).await;
    let tickets = users(&scene, 60).await;
    for round in 0..10 {
        let base = round * 3;
        let held = at_once(6, |n| {
            let (scene, ticket) = (Arc::clone(&scene), tickets[usize::try_from(round).unwrap() * 6 + n]);
            let pair = [[1, 2], [2, 3], [3, 1]][n % 3].map(|number: u32| base + number);
            async move { scene.hold(ticket, &pair).await }
        })
        .await;
        let winners: Vec<_> = held.iter().flatten().collect();
        assert_eq!(winners.len(), 1, "any two of them share a seat");
        let map = scene.map().await;
        for number in base + 1..=base + 3 {
            let won = winners[0].seats.iter().any(|seat| seat.number == number);
            let status = map.seats[usize::try_from(number).unwrap() - 1].1;
            assert_eq!(status, if won { Held } else { Available }, "nothing is left of who lost");
        }
    }
}

/// R7: of many who take a dead hold over one does.
pub(crate) async fn of_many_takeovers_one_wins_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let tickets = users(&scene, 21).await;
    let old = scene.hold(tickets[20], &[1, 2]).await.unwrap();
    scene.set(old.expires_at);
    let held = at_once(21, |n| {
        let (scene, ticket) = (Arc::clone(&scene), tickets[n]);
        async move {
            if n == 20 {
                scene.sweep().await;
                return None;
            }
            Some(scene.hold(ticket, &[1]).await)
        }
    })
    .await;
    assert_eq!(held.iter().flatten().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(scene.reservation_status(&old).await, ReservationStatus::Cancelled(CancelReason::Expired));
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Held, Available), "the sweep has not freed the new hold");
}

/// W6: of fifty payments of one reservation one is done.
pub(crate) async fn of_fifty_payments_of_a_reservation_one_is_done_w6(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "9000").await;
    let held = scene.hold(ticket, &[1]).await.unwrap();
    let reservation = held.id;
    let paid = at_once(50, |_| {
        let scene = Arc::clone(&scene);
        async move { scene.pay(ticket, reservation).await }
    })
    .await;
    assert_eq!(paid.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(paid.iter().all(|answer| answer.is_ok() || *answer == Err(Rejection::AlreadyPaid)));
    assert_eq!((scene.balance("a").await, scene.entries("a").await.len()), (money("8000"), 2));
    assert_eq!(scene.receipts("a").await.len(), 1);
}

/// W2: of payments at once from one wallet, in two queues, only those succeed that it has the points for.
pub(crate) async fn a_wallet_pays_only_what_it_has_w2_w7(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    for round in 1..=8 {
        let name = format!("u{round}");
        let (here, there) = (scene.enter_with(&name, "1000").await, scene.enter_queue(other, &name).await);
        let choice = domain::seat::SeatChoice::numbers(elsewhere, &[round]).unwrap();
        let held = [scene.hold(here, &[round]).await.unwrap(), scene.hold_of(there, choice).await.unwrap()];
        let ids = [(here, held[0].id), (there, held[1].id)];
        let paid = at_once(2, |n| {
            let (scene, (ticket, reservation)) = (Arc::clone(&scene), ids[n]);
            async move { scene.pay(ticket, reservation).await }
        })
        .await;
        assert_eq!(paid.iter().filter(|answer| answer.is_ok()).count(), 1);
        let refused = Rejection::InsufficientBalance { balance: money("0"), amount: money("1000") };
        assert!(paid.contains(&Err(refused)));
        assert_eq!(scene.balance(&name).await, money("0"));
    }
}

/// S3, W11: of pay, cancel, sweep and leave at once, at the deadline and before it, exactly one ends the reservation.
pub(crate) async fn exactly_one_ends_a_reservation_s3_w11(make: Make) {
    for (round, over) in [false, true].repeat(12).into_iter().enumerate() {
        let scene = Scene::open(&make).await;
        let ticket = scene.enter_with("a", "1000").await;
        let held = scene.hold(ticket, &[1]).await.unwrap();
        let end = held.expires_at;
        scene.set(if over { end } else { end.minus(Duration::from_micros(1)) });
        let reservation = held.id;
        let done = at_once(5, |n| {
            let scene = Arc::clone(&scene);
            async move {
                match (n + round) % 5 {
                    0 => scene.pay(ticket, reservation).await.is_ok().then_some("paid"),
                    1 | 2 => scene.cancel(ticket, reservation).await.is_ok().then_some("cancelled"),
                    3 => (scene.sweep().await > 0).then_some("swept"),
                    _ => {
                        if round % 3 == 0 {
                            scene.leave(ticket).await;
                        }
                        None
                    }
                }
            }
        })
        .await;
        let status = scene.reservation_status(&held).await;
        let paid = done.contains(&Some("paid"));
        assert_eq!(paid, status == ReservationStatus::Confirmed, "{done:?}");
        assert_eq!(scene.seat(1).await, if paid { Sold } else { Available });
        assert_eq!(scene.balance("a").await, money(if paid { "0" } else { "1000" }));
        assert_eq!(scene.receipts("a").await.len(), usize::from(paid));
        assert!(!paid || done.iter().flatten().count() == 1, "the losers changed nothing: {done:?}");
        assert!(!over || status == ReservationStatus::Cancelled(CancelReason::Expired), "S4: {status:?}");
    }
}

/// R17, R8: leaving and holding at once leaves nothing held behind.
pub(crate) async fn who_leaves_holds_nothing_r17(make: Make) {
    let scene = Scene::open(&make).await;
    for round in 0..10 {
        let ticket = scene.enter(round).await;
        at_once(4, |n| {
            let scene = Arc::clone(&scene);
            let number = u32::try_from(n).unwrap() + 1;
            async move {
                if n == 1 {
                    scene.leave(ticket).await;
                } else {
                    let held = scene.hold(ticket, &[number]).await.map(|_| ());
                    assert!(held.is_ok() || held == Err(Rejection::TokenNotActive(TokenStatus::Expired)), "{held:?}");
                }
            }
        })
        .await;
        assert_eq!(scene.map().await.available(), 50);
    }
}

/// W7, W9, W10: charges, holds, payments, cancels and sweeps of few users on few seats; no conflict reaches a caller
/// as a failure, and all points are where they should be.
pub(crate) async fn a_mix_of_everything_adds_up_w7_w9_w10(make: Make) {
    let scene = Scene::open(&make).await;
    at_once(200, |n| {
        let scene = Arc::clone(&scene);
        let (name, number) = (n % 6, u32::try_from(n % 4).unwrap() + 1);
        async move {
            scene.charge(name, "300").await.unwrap();
            let ticket = scene.join(name).await.token.ticket;
            let held = scene.hold(ticket, &[number, number % 4 + 1]).await;
            if n % 7 == 0 {
                scene.advance(Duration::from_secs(60));
                scene.sweep().await;
                scene.tick().await;
            }
            if let Ok(held) = held {
                let refused = match n % 3 {
                    0 => scene.cancel(ticket, held.id).await.err(),
                    _ => scene.pay(ticket, held.id).await.err(),
                };
                assert!(!matches!(refused, Some(Rejection::NotFound(_) | Rejection::TokenUnknown)), "{refused:?}");
            }
        }
    })
    .await;
    let (mut charged, mut paid, mut left, mut sold) = (0, 0, 0, 0);
    for name in 0..6 {
        let mut balance = 0;
        for (index, entry) in scene.entries(name).await.iter().enumerate() {
            let amount = entry.amount.minor();
            let charge = entry.kind == domain::wallet::EntryKind::Charge;
            if charge {
                charged += amount;
            } else {
                paid += amount;
            }
            balance += if charge { amount } else { -amount };
            assert_eq!((entry.balance_after.minor(), entry.seq), (balance, u64::try_from(index).unwrap() + 1));
        }
        assert_eq!(scene.balance(name).await.minor(), balance);
        left += balance;
        sold += scene.receipts(name).await.iter().map(|receipt| receipt.reservation.seats.len()).sum::<usize>();
    }
    assert_eq!((charged, charged - paid), (200 * 30_000, left));
    assert_eq!(scene.map().await.seats.iter().filter(|(_, status)| *status == Sold).count(), sold);
    assert_eq!(paid, i64::try_from(sold).unwrap() * 100_000);
}
