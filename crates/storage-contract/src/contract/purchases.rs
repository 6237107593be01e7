//! How many seats of a schedule and of a concert one user may have, over all time (R8), and which of the taken seats are one's
//! own.

use std::sync::Arc;
use std::time::Duration;

use domain::concert::{CreatedConcert, NewConcert, NewSchedule, ScheduleFilter};
use domain::reservation::{Reservation, ReservationStatus};
use domain::seat::{SeatChoice, SeatStatus};
use domain::{LocalTime, Rejection, ScheduleId, Ticket, Timestamp};

use crate::Make;
use crate::scene::{Scene, at_once, concert, page, schedule, user};

const HOLD: Duration = Duration::from_secs(300);

fn limit<T>(max_per_user: u32, owned: u32) -> Result<T, Rejection> {
    Err(Rejection::PurchaseLimit { max_per_user, owned })
}

/// A concert in `main` of two schedules of 20 seats, of whose seats one user may have so many.
async fn limited(scene: &Scene, of_concert: Option<u32>, of_schedules: [Option<u32>; 2]) -> CreatedConcert {
    let start = |after: u64| LocalTime::new(scene.starts_at.at().plus(Duration::from_secs(after)), 540).unwrap();
    let schedules = [1, 2].map(|n| schedule(start(n), 20)).into_iter().zip(of_schedules);
    let schedules = schedules.map(|(schedule, max_per_user)| NewSchedule { max_per_user, ..schedule }).collect();
    scene.load(NewConcert { max_per_user: of_concert, ..concert("Limited", "main", schedules) }).await
}

async fn hold(scene: &Scene, ticket: Ticket, of: ScheduleId, numbers: &[u32]) -> Result<Reservation, Rejection> {
    scene.hold_of(ticket, SeatChoice::numbers(of, numbers).unwrap()).await
}

/// Comes, buys these seats, and is gone.
async fn buy(scene: &Scene, name: &str, of: ScheduleId, numbers: &[u32]) {
    let ticket = scene.enter_with(name, "20000").await;
    let held = hold(scene, ticket, of, numbers).await.unwrap();
    scene.pay(ticket, held.id).await.unwrap();
}

pub(crate) async fn what_is_bought_counts_in_the_next_turn_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let [one, sister] = limited(&scene, None, [Some(4), None]).await.schedules[..] else { panic!() };
    buy(&scene, "a", one, &[1, 2, 3]).await;
    let again = scene.enter("a").await;
    assert_eq!(hold(&scene, again, one, &[4, 5]).await, limit(4, 3));
    hold(&scene, again, one, &[4]).await.unwrap();
    assert_eq!(hold(&scene, again, one, &[5]).await, limit(4, 4));
    // Neither another schedule, nor another user, nor another concert has this limit.
    hold(&scene, again, sister, &[1, 2, 3]).await.unwrap();
    let other = scene.enter("b").await;
    hold(&scene, other, one, &[5, 6, 7, 8]).await.unwrap();
    let third = scene.enter("c").await;
    scene.hold(third, &[1, 2, 3, 4]).await.unwrap();
}

/// R8: also where the seats are named by their ids, which do not say of which schedule they are.
pub(crate) async fn seats_by_their_ids_count_too_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let created = limited(&scene, None, [Some(2), None]).await;
    let map = scene.store.concerts.seat_map(scene.main, created.schedules[0]).await.unwrap().unwrap();
    let by_ids = |places: &[usize]| {
        let ids: Vec<_> = places.iter().map(|place| map.seats[*place].0.id).collect();
        SeatChoice::ids(&ids).unwrap()
    };
    let ticket = scene.enter("a").await;
    assert_eq!(scene.hold_of(ticket, by_ids(&[0, 1, 2])).await, limit(2, 0));
    scene.hold_of(ticket, by_ids(&[0])).await.unwrap();
    assert_eq!(scene.hold_of(ticket, by_ids(&[1, 2])).await, limit(2, 1));
    scene.hold_of(ticket, by_ids(&[1])).await.unwrap();
    assert_eq!(scene.hold_of(ticket, by_ids(&[2])).await, limit(2, 2));
}

pub(crate) async fn the_limit_of_a_concert_spans_its_schedules_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let [one, sister] = limited(&scene, Some(5), [Some(3), None]).await.schedules[..] else { panic!() };
    buy(&scene, "a", one, &[1, 2]).await;
    buy(&scene, "a", sister, &[1]).await;
    let ticket = scene.enter("a").await;
    assert_eq!(hold(&scene, ticket, sister, &[2, 3, 4]).await, limit(5, 3));
    assert_eq!(hold(&scene, ticket, one, &[3, 4]).await, limit(3, 2), "of two that are exceeded the schedule's");
    hold(&scene, ticket, one, &[3]).await.unwrap();
    hold(&scene, ticket, sister, &[2]).await.unwrap();
    assert_eq!(hold(&scene, ticket, sister, &[3]).await, limit(5, 5));
    scene.hold(ticket, &[1]).await.unwrap();
}

/// R7, R8: what is cancelled or over does not count; a hold counts to its last microsecond.
pub(crate) async fn what_is_given_up_or_over_does_not_count_r7_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let one = limited(&scene, Some(2), [None, None]).await.schedules[0];
    let ticket = scene.enter("a").await;
    let given_up = hold(&scene, ticket, one, &[1, 2]).await.unwrap();
    scene.cancel(ticket, given_up.id).await.unwrap();
    let held = hold(&scene, ticket, one, &[1, 2]).await.unwrap();
    scene.set(Timestamp::from_micros(held.expires_at.micros() - 1));
    assert_eq!(hold(&scene, ticket, one, &[3]).await, limit(2, 2));
    scene.set(held.expires_at);
    let next = hold(&scene, ticket, one, &[3, 4]).await.unwrap();
    scene.leave(ticket).await;
    let back = scene.enter("a").await;
    hold(&scene, back, one, &[5, 6]).await.unwrap();
    scene.set(next.expires_at.plus(HOLD));
    scene.sweep().await;
    let late = scene.enter("a").await;
    hold(&scene, late, one, &[1, 2]).await.unwrap();
}

/// R8: in this order: what is held at once, the schedule's limit, the concert's, and whether the seats are free.
pub(crate) async fn limits_are_asked_in_their_order_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let one = limited(&scene, Some(2), [Some(3), None]).await.schedules[0];
    let (ticket, other) = (scene.enter("a").await, scene.enter("b").await);
    hold(&scene, other, one, &[1, 2]).await.unwrap();
    assert_eq!(hold(&scene, ticket, one, &[1, 2, 3, 4, 5]).await, Err(Rejection::SeatLimit(4)));
    assert_eq!(hold(&scene, ticket, one, &[1, 2, 3, 4]).await, limit(3, 0));
    assert_eq!(hold(&scene, ticket, one, &[1, 2, 3]).await, limit(2, 0));
    let taken = Rejection::SeatTaken { schedule: one, numbers: vec![1, 2], own: vec![] };
    assert_eq!(hold(&scene, ticket, one, &[1, 2]).await, Err(taken));
}

/// R8: race-safe, under the locked token.
pub(crate) async fn parallel_holds_of_one_user_keep_the_limit_of_a_concert_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let created = limited(&scene, Some(3), [None, None]).await;
    let ticket = scene.enter("a").await;
    let held = at_once(20, |n| {
        let (scene, of) = (Arc::clone(&scene), created.schedules[n % 2]);
        async move { hold(&scene, ticket, of, &[u32::try_from(n).unwrap() + 1]).await }
    })
    .await;
    assert_eq!(held.iter().filter(|answer| answer.is_ok()).count(), 3);
    assert!(held.into_iter().filter(Result::is_err).all(|refused| refused == limit(3, 3)));
}

/// R8: whoever holds, pays and comes back, in as many places at once as they like, has no more than they may.
pub(crate) async fn paying_and_coming_back_at_once_keeps_the_limit_r8(make: Make) {
    const LIMIT: u32 = 5;
    let scene = Scene::open(&make).await;
    let of = limited(&scene, None, [Some(LIMIT), None]).await.schedules[0];
    scene.charge("a", "100000").await.unwrap();
    at_once(10, |task| {
        let scene = Arc::clone(&scene);
        async move {
            for round in 0..6 {
                let ticket = scene.join("a").await.token.ticket;
                let number = u32::try_from((task + 3 * round) % 20).unwrap() + 1;
                // Refused, or ended by a payment that was made at the same time.
                let Ok(held) = hold(&scene, ticket, of, &[number]).await else { continue };
                // Now and then one changes one's mind, which makes room again.
                if round == 2 {
                    drop(scene.cancel(ticket, held.id).await);
                } else {
                    drop(scene.pay(ticket, held.id).await);
                }
            }
        }
    })
    .await;
    let all = scene.store.reservations.list(scene.main, &user("a"), &page()).await.unwrap().items;
    let live = all.iter().filter(|own| !matches!(own.status, ReservationStatus::Cancelled(_)));
    let owned: u32 = live.map(|own| u32::try_from(own.seats.len()).unwrap()).sum();
    assert!(owned <= LIMIT, "{owned} of {LIMIT}");
    // And whoever has less may have the rest.
    let map = scene.store.concerts.seat_map(scene.main, of).await.unwrap().unwrap();
    let free = map.seats.iter().filter(|(_, status)| *status == SeatStatus::Available).map(|(seat, _)| seat.number);
    for (number, owned) in free.zip(owned..) {
        let ticket = scene.join("a").await.token.ticket;
        let held = hold(&scene, ticket, of, &[number]).await;
        if owned >= LIMIT {
            assert_eq!(held, limit(LIMIT, LIMIT));
            break;
        }
        scene.pay(ticket, held.unwrap().id).await.unwrap();
    }
}

/// R8: what is one's own is told from what is another's, whether it is held or was bought in an earlier turn.
pub(crate) async fn a_refusal_names_ones_own_seats_r8(make: Make) {
    let scene = Scene::open(&make).await;
    buy(&scene, "a", scene.schedule, &[1]).await;
    buy(&scene, "b", scene.schedule, &[2]).await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let held = scene.hold(ticket_a, &[3]).await.unwrap();
    scene.hold(ticket_b, &[4]).await.unwrap();
    assert_eq!(scene.hold(ticket_a, &[2, 4]).await, Err(scene.taken(&[2, 4], &[])));
    assert_eq!(scene.hold(ticket_a, &[3, 1]).await, Err(scene.taken(&[1, 3], &[1, 3])));
    let by_ids = SeatChoice::ids(&[scene.seats[2], scene.seats[1], scene.seats[0]]).unwrap();
    assert_eq!(scene.hold_of(ticket_b, by_ids).await, Err(scene.taken(&[1, 2, 3], &[2])));
    // A hold of one's own that is dead is in nobody's way.
    scene.set(held.expires_at);
    let late = scene.enter("a").await;
    assert_eq!(scene.hold(late, &[1, 3]).await, Err(scene.taken(&[1], &[1])));
    scene.hold(late, &[3]).await.unwrap();
}

pub(crate) async fn a_schedule_shows_how_many_one_may_have(make: Make) {
    let scene = Scene::open(&make).await;
    let created = limited(&scene, Some(100_000), [Some(1), None]).await;
    let filter = ScheduleFilter { concert: Some(created.id), ..ScheduleFilter::default() };
    let listed = scene.store.concerts.schedules(scene.main, &filter, &page()).await.unwrap().unwrap().items;
    let shown: Vec<_> = listed.iter().map(|shown| (shown.max_per_user, shown.concert_max_per_user)).collect();
    assert_eq!(shown, [(Some(1), Some(100_000)), (None, Some(100_000))]);
    for (id, max_per_user) in created.schedules.iter().zip([Some(1), None]) {
        let map = scene.store.concerts.seat_map(scene.main, *id).await.unwrap().unwrap();
        let shown = (map.schedule.max_per_user, map.schedule.concert_max_per_user);
        assert_eq!(shown, (max_per_user, Some(100_000)));
    }
    let unlimited = scene.map().await.schedule;
    assert_eq!((unlimited.max_per_user, unlimited.concert_max_per_user), (None, None));
}
