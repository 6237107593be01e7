//! Looks at the cheapest seats, and what is left by them (R7).

use std::time::Duration;

use domain::concert::{NewSchedule, SeatRun};
use domain::seat::SeatStatus;
use domain::stock::{Left, Look, Search, SeatSeen};
use domain::{Money, QueueNumber, ScheduleId};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, concert, load, money, schedule};

/// A schedule in `main` of seats at these prices, numbered from 1.
async fn hall(scene: &Scene, prices: &[&str]) -> ScheduleId {
    let seats = (1..).zip(prices).map(|(first, price)| SeatRun { first, count: 1, price: money(price) }).collect();
    let schedules = vec![NewSchedule { starts_at: scene.starts_at, max_per_user: None, seats }];
    load(&scene.store, concert("Prices", "main", schedules)).await.schedules[0]
}

fn look(schedule: ScheduleId, again: &[u32], after: Option<(&str, u32)>) -> Look {
    Look { schedule, again: again.to_vec(), after: after.map(|(price, number)| (money(price), number)) }
}

/// Numbers and states of what a look shows: of the seats that it names, by number, and of the next ones.
type Shown = (Vec<(u32, SeatStatus)>, Vec<(u32, SeatStatus)>);

async fn shown(scene: &Scene, queue: QueueNumber, looks: &[Look], most: u32) -> Vec<Shown> {
    let looked = scene.store.concerts.look(queue, looks, most).await.unwrap();
    let of = |seats: Vec<SeatSeen>| seats.into_iter().map(|seat| (seat.number, seat.status)).collect::<Vec<_>>();
    let each = looked.into_iter().map(|looked| {
        let mut again = of(looked.again);
        again.sort_unstable_by_key(|(number, _)| *number);
        (again, of(looked.next))
    });
    each.collect()
}

pub(crate) async fn a_look_shows_seats_by_price_then_number_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let hall = hall(&scene, &["30", "10.5", "0", "10.5", "10000000000000"]).await;
    let free = SeatStatus::Available;
    let next = async |after, most| shown(&scene, scene.main, &[look(hall, &[], after)], most).await.remove(0).1;
    assert_eq!(next(None, 9).await, [(3, free), (2, free), (4, free), (1, free), (5, free)]);
    assert_eq!(next(None, 2).await, [(3, free), (2, free)]);
    assert_eq!(next(Some(("10.5", 2)), 2).await, [(4, free), (1, free)]);
    assert_eq!(next(Some(("10.5", 4)), 9).await, [(1, free), (5, free)]);
    assert_eq!(next(Some(("10000000000000", 5)), 9).await, []);
    let prices = scene.store.concerts.look(scene.main, &[look(hall, &[5], None)], 2).await.unwrap().remove(0);
    assert_eq!(prices.again[0].price, money("10000000000000"));
    assert_eq!(prices.next.iter().map(|seat| seat.price.clone()).collect::<Vec<_>>(), [money("0"), money("10.5")]);
}

/// Each look is told by itself; one at what is not there shows nothing.
pub(crate) async fn each_look_shows_its_own_schedule(make: Make) {
    let scene = Scene::open(&make).await;
    let (one, two) = (hall(&scene, &["2", "1"]).await, hall(&scene, &["5", "4", "3"]).await);
    let (other, elsewhere) = scene.other_queue().await;
    let free = SeatStatus::Available;
    let nowhere = ScheduleId::new(Uuid::nil());
    let looks =
        [look(two, &[1, 3, 99], None), look(nowhere, &[1], None), look(elsewhere, &[1], None), look(one, &[], None)];
    let expected = [
        (vec![(1, free), (3, free)], vec![(3, free), (2, free)]),
        (vec![], vec![]),
        (vec![], vec![]),
        (vec![], vec![(2, free), (1, free)]),
    ];
    assert_eq!(shown(&scene, scene.main, &looks, 2).await, expected);
    assert_eq!(shown(&scene, other, &looks[2..3], 1).await, [(vec![(1, free)], vec![(1, free)])]);
    assert_eq!(shown(&scene, scene.main, &[], 2).await, []);
}

/// By time, whether or not anybody has written that a hold has ended.
pub(crate) async fn a_look_shows_a_hold_until_it_ends_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let buyer = scene.enter_with("a", "9000").await;
    let held = scene.hold(buyer, &[1, 2]).await.unwrap();
    let paid = scene.hold(buyer, &[3]).await.unwrap();
    scene.pay(buyer, paid.id).await.unwrap();
    let seats = async || shown(&scene, scene.main, &[look(scene.schedule, &[2, 3], None)], 3).await.remove(0);
    let (free, taken, sold) = (SeatStatus::Available, SeatStatus::Held, SeatStatus::Sold);
    scene.set(held.expires_at.minus(MICRO));
    assert_eq!(seats().await, (vec![(2, taken), (3, sold)], vec![(1, taken), (2, taken), (3, sold)]));
    scene.set(held.expires_at);
    assert_eq!(seats().await, (vec![(2, free), (3, sold)], vec![(1, free), (2, free), (3, sold)]));
}

/// What a search that goes on by looks finds of the scene's schedule.
async fn found(scene: &Scene, search: &mut Search) -> Left {
    const MOST: u32 = 4;
    let most = usize::try_from(MOST).unwrap();
    let looked = scene.store.concerts.look(scene.main, &[search.look(scene.schedule)], MOST).await.unwrap().remove(0);
    let mut is_over = search.begin(looked, most);
    while !is_over {
        let on = search.look_on(scene.schedule);
        let looked = scene.store.concerts.look(scene.main, &[on], MOST).await.unwrap().remove(0);
        is_over = search.go_on(looked.next, most);
    }
    search.found().cloned().unwrap()
}

/// From the first hold to the last payment, and what comes back in between.
pub(crate) async fn a_search_by_looks_tells_what_is_left(make: Make) {
    let scene = Scene::open(&make).await;
    let mut search = Search::default();
    let free = Left::Free(Money::parse("1000").unwrap());
    assert_eq!(found(&scene, &mut search).await, free);
    let mut holds = Vec::new();
    for n in 0..12 {
        let buyer = scene.enter_with(n, "9000").await;
        holds.push((buyer, scene.hold(buyer, &[n * 4 + 1, n * 4 + 2, n * 4 + 3, n * 4 + 4]).await.unwrap()));
        assert_eq!(found(&scene, &mut search).await, free, "49 and 50 are left");
    }
    let last = scene.enter_with("last", "9000").await;
    holds.push((last, scene.hold(last, &[49, 50]).await.unwrap()));
    assert_eq!(found(&scene, &mut search).await, Left::Held);
    let (gone, given_back) = holds.remove(5);
    scene.cancel(gone, given_back.id).await.unwrap();
    assert_eq!(found(&scene, &mut search).await, free, "four came back");
    holds.push((gone, scene.hold(gone, &[21, 22, 23, 24]).await.unwrap()));
    for (buyer, held) in &holds {
        assert_eq!(found(&scene, &mut search).await, Left::Held);
        scene.pay(*buyer, held.id).await.unwrap();
    }
    assert_eq!(found(&scene, &mut search).await, Left::Sold);
    scene.advance(Duration::from_secs(3_600));
    assert_eq!(found(&scene, &mut search).await, Left::Sold);
}

/// A schedule that a concert brings is looked at like any other.
pub(crate) async fn a_schedule_that_is_loaded_later_is_looked_at(make: Make) {
    let scene = Scene::open(&make).await;
    let later = load(&scene.store, concert("Later", "main", vec![schedule(scene.starts_at, 1)])).await.schedules[0];
    let looked = shown(&scene, scene.main, &[look(later, &[], None)], 9).await;
    assert_eq!(looked, [(vec![], vec![(1, SeatStatus::Available)])]);
}
