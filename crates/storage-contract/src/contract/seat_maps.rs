//! Seat maps and counts, which mirror the rule of when a seat is free (R7), at every boundary.

use std::time::Duration;

use domain::rejection::Missing;
use domain::seat::SeatStatus::{Available, Held, Sold};
use domain::{QueueNumber, Rejection, ScheduleId, Timestamp};
use uuid::Uuid;

use crate::Make;
use crate::scene::{Scene, open_rules};

/// R7, S4: a hold is none from the microsecond on in which it ends, whether it was swept or not.
pub(crate) async fn a_hold_is_shown_until_it_ends_r7_s4(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let held = scene.hold(ticket, &[2, 5]).await.unwrap();
    let end = held.expires_at.micros();
    for (late, status, free) in [(-1, Held, 48), (0, Available, 50), (1, Available, 50)] {
        scene.set(Timestamp::from_micros(end + late));
        assert_eq!((scene.seat(2).await, scene.seat(5).await, scene.seat(3).await), (status, status, Available));
        let count = scene.store.concerts.seats_available(scene.main, scene.schedule).await.unwrap();
        assert_eq!(count, free, "{late}");
    }
    assert_eq!(scene.sweep().await, 1);
    assert_eq!(scene.seat(2).await, Available);
}

/// S11: list and count follow every change at once.
pub(crate) async fn maps_and_counts_follow_every_change_s11(make: Make) {
    let scene = Scene::open(&make).await;
    let counts = async || scene.store.concerts.seats_available(scene.main, scene.schedule).await.unwrap();
    let (ticket_a, ticket_b) = (scene.enter_with("a", "5000").await, scene.enter("b").await);
    let paid = scene.hold(ticket_a, &[1]).await.unwrap();
    let given = scene.hold(ticket_b, &[2, 3]).await.unwrap();
    assert_eq!((scene.seat(1).await, scene.seat(2).await, counts().await), (Held, Held, 47));
    scene.pay(ticket_a, paid.id).await.unwrap();
    assert_eq!((scene.seat(1).await, counts().await), (Sold, 47));
    scene.cancel(ticket_b, given.id).await.unwrap();
    assert_eq!((scene.seat(2).await, counts().await), (Available, 49));
    scene.hold(ticket_b, &[2]).await.unwrap();
    assert_eq!((scene.seat(2).await, counts().await), (Held, 48));
    scene.leave(ticket_b).await;
    assert_eq!((scene.seat(2).await, counts().await), (Available, 49));
    scene.advance(Duration::from_secs(10 * 86_400));
    assert_eq!((scene.seat(1).await, counts().await), (Sold, 49), "a sale does not end");
}

pub(crate) async fn one_schedule_knows_nothing_of_another(make: Make) {
    let scene = Scene::with(&make, open_rules()).await;
    let (other, elsewhere) = scene.other_queue().await;
    let ticket = scene.enter("a").await;
    scene.hold(ticket, &[1, 2]).await.unwrap();
    assert_eq!(scene.store.concerts.seats_available(other, elsewhere).await.unwrap(), 10);
    let map = scene.store.concerts.seat_map(other, elsewhere).await.unwrap().unwrap();
    assert!(map.seats.iter().all(|(seat, status)| *status == Available && seat.taken.is_none()));
    assert_eq!(map.seats.iter().map(|(seat, _)| seat.number).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
}

pub(crate) async fn a_schedule_that_is_not_there_has_no_seats_r6(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let nowhere = ScheduleId::new(Uuid::from_u128(7));
    for (queue, schedule, refused) in [
        (scene.main, elsewhere, Rejection::WrongQueue),
        (other, scene.schedule, Rejection::WrongQueue),
        (QueueNumber(other.0 + 1), elsewhere, Rejection::WrongQueue),
        (scene.main, nowhere, Rejection::NotFound(Missing::Schedule)),
    ] {
        assert_eq!(scene.store.concerts.seats_available(queue, schedule).await.unwrap(), 0);
        assert_eq!(scene.store.concerts.seat_map(queue, schedule).await.unwrap(), Err(refused));
    }
}
