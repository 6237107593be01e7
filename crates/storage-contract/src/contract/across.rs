//! What holds for all ports: reads change nothing, one's own writes are seen, and the time is the store's.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use domain::concert::ScheduleFilter;
use domain::ports::Clock;
use domain::reservation::ReservationStatus;

use crate::Make;
use crate::scene::{Scene, at_once, money, page, ticket, user};

/// Everything that can be read, as text.
async fn read_all(scene: &Scene) -> String {
    let (store, main) = (&scene.store, scene.main);
    let mut text = String::new();
    writeln!(text, "{:?}", store.queues.changes(&[]).await).unwrap();
    writeln!(text, "{:?}", store.queues.report(main).await).unwrap();
    writeln!(text, "{:?}", store.concerts.list(&page()).await).unwrap();
    writeln!(text, "{:?}", store.concerts.schedules(main, &ScheduleFilter::default(), &page()).await).unwrap();
    writeln!(text, "{:?}", store.concerts.seats_available(main, scene.schedule).await).unwrap();
    writeln!(text, "{:?}", store.concerts.seat_map(main, scene.schedule).await).unwrap();
    let numbers = [1, 2, 3, 4, 5, 6].map(|number| ticket(main, number).number);
    writeln!(text, "{:?}", store.queues.tokens(main, &numbers).await).unwrap();
    writeln!(text, "{:?}", store.queues.active().await).unwrap();
    for name in ["a", "b", "nobody"].map(user) {
        let reservations = store.reservations.list(main, &name, &page()).await.unwrap();
        for reservation in &reservations.items {
            writeln!(text, "{:?}", store.reservations.find(main, &name, reservation.id).await).unwrap();
        }
        let receipts = store.payments.list(main, &name, &page()).await.unwrap();
        for receipt in &receipts.items {
            writeln!(text, "{:?}", store.payments.find(main, &name, receipt.payment.id).await).unwrap();
        }
        writeln!(text, "{reservations:?} {receipts:?}").unwrap();
        writeln!(text, "{:?}", store.wallets.balance(&name).await).unwrap();
        writeln!(text, "{:?}", store.wallets.entries(&name, &page()).await).unwrap();
    }
    writeln!(text, "{:?} {:?}", store.keys.stored_key().await, store.probe.store_time().await).unwrap();
    text
}

/// S12: reading changes nothing, also what time has ended and nobody has written yet.
pub(crate) async fn reading_changes_nothing_s12(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter("b").await);
    let paid = scene.hold(ticket_a, &[1]).await.unwrap();
    scene.pay(ticket_a, paid.id).await.unwrap();
    scene.hold(ticket_b, &[2, 3]).await.unwrap();
    let began = scene.now();
    let before = read_all(&scene).await;
    scene.advance(Duration::from_secs(40 * 86_400));
    let later = read_all(&scene).await;
    assert_ne!(later, before);
    assert_eq!(read_all(&scene).await, later);
    scene.set(began);
    assert_eq!(read_all(&scene).await, before, "nothing of what was over then was written");
    scene.advance(Duration::from_secs(40 * 86_400));
    assert_eq!(scene.sweep().await, 1);
    assert_eq!(scene.tick().await[0].expired, 1);
}

pub(crate) async fn the_store_tells_the_time_its_rules_go_by(make: Make) {
    let scene = Scene::open(&make).await;
    for _ in 0..2 {
        assert_eq!(scene.store.probe.store_time().await.unwrap(), scene.store.clock.now());
        scene.advance(Duration::from_micros(1));
    }
}

/// S13: what was answered is there for every later call, however many are under way.
pub(crate) async fn what_was_answered_is_seen_s13(make: Make) {
    let scene = Scene::open(&make).await;
    at_once(40, |n| {
        let scene = Arc::clone(&scene);
        async move {
            scene.charge(n, "1000").await.unwrap();
            assert_eq!(scene.balance(n).await, money("1000"));
            let ticket = scene.enter(n).await;
            assert_eq!(scene.standing(ticket).await.token.user, user(n));
            let held = scene.hold(ticket, &[u32::try_from(n).unwrap() + 1]).await.unwrap();
            assert_eq!(scene.reservation(&held).await, held);
            let paid = scene.pay(ticket, held.id).await.unwrap();
            assert_eq!(scene.receipts(n).await, [paid.receipt]);
            assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Confirmed);
        }
    })
    .await;
    assert_eq!(scene.map().await.available(), 10);
}

/// A caller that goes away does not stop its command, which happens whole or not at all.
pub(crate) async fn a_caller_that_goes_away_leaves_nothing_half_done(make: Make) {
    let scene = Scene::open(&make).await;
    for n in 0..30_u32 {
        let ticket = scene.enter_with(n, "1000").await;
        let held = scene.hold(ticket, &[n + 1]).await.unwrap();
        let (of, reservation) = (Arc::clone(&scene), held.id);
        let caller = tokio::spawn(async move { of.pay(ticket, reservation).await });
        for _ in 0..n % 4 {
            tokio::task::yield_now().await;
        }
        caller.abort();
        drop(caller.await);
        // A command of the same kind behind it is decided after it.
        let paid = scene.pay(ticket, held.id).await;
        assert!(paid.is_ok() || paid == Err(domain::Rejection::AlreadyPaid), "{paid:?}");
        assert_eq!((scene.balance(n).await, scene.receipts(n).await.len()), (money("0"), 1));
        assert_eq!(scene.reservation_status(&held).await, ReservationStatus::Confirmed);
    }
}
