use std::sync::Mutex;

use domain::concert::Schedule;
use domain::page::Listed;
use domain::seat::SeatStatus;
use domain::stock::{Looked, SeatSeen};
use domain::{ConcertId, LocalTime, Money, TokenStatus};
use uuid::Uuid;

use super::*;
use crate::mocks::{Hands, NOW, World, at, block_on, down, holder};

/// What the store has of the schedules of `main`, in the order of price and number; how often it was looked at, and how many
/// seats were shown in all.
#[derive(Default)]
struct Store {
    halls: Vec<Vec<SeatSeen>>,
    looks: usize,
    shown: usize,
    down: bool,
}

fn id(schedule: usize) -> ScheduleId {
    ScheduleId::new(Uuid::from_u128(u128::try_from(schedule).unwrap() + 1))
}

fn hall(seats: u32, status: SeatStatus) -> Vec<SeatSeen> {
    let price = |number: u32| Money::from_minor(i64::from(number) * 100).unwrap();
    (1..=seats).map(|number| SeatSeen { price: price(number), number, status }).collect()
}

impl Store {
    fn schedules(&self) -> Listed<Schedule, ScheduleKey> {
        let schedule = |place| Schedule {
            id: id(place),
            queue: QueueNumber(1),
            concert: ConcertId::new(Uuid::nil()),
            title: "Winter".into(),
            starts_at: LocalTime::new(at(NOW + 1_000_000), 0).unwrap(),
            seats_total: 1,
            max_per_user: None,
            concert_max_per_user: None,
        };
        Listed { items: (0..self.halls.len()).map(schedule).collect(), next: None }
    }

    fn look(&mut self, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        self.looks += 1;
        if self.down {
            return Err(down());
        }
        let most = usize::try_from(most).unwrap();
        let look = |look: &Look| {
            let seats = (0..).zip(&self.halls).find(|(place, _)| id(*place) == look.schedule).unwrap().1;
            let after = |seat: &&SeatSeen| look.after.as_ref().is_none_or(|after| seat.number > after.1);
            Looked {
                again: seats.iter().filter(|seat| look.again.contains(&seat.number)).cloned().collect(),
                next: seats.iter().filter(after).take(most).cloned().collect(),
            }
        };
        let looked: Vec<_> = looks.iter().map(look).collect();
        self.shown += looked.iter().map(|looked| looked.again.len() + looked.next.len()).sum::<usize>();
        Ok(looked)
    }
}

/// The use cases over a store of these halls in `main`, and nothing in `other`.
fn selling(halls: Vec<Vec<SeatSeen>>) -> (App, Arc<Mutex<Store>>, Arc<Hands>) {
    let store = Arc::new(Mutex::new(Store { halls, ..Store::default() }));
    let mut world = World::default();
    let clock = Arc::clone(&world.clock);
    let (listed, looked) = (Arc::clone(&store), Arc::clone(&store));
    world.concerts.expect_schedules().returning(move |queue, _, _| {
        assert_eq!(queue, QueueNumber(1), "nobody asks about the other one");
        Ok(Ok(listed.lock().unwrap().schedules()))
    });
    world.concerts.expect_look().returning(move |_, looks, most| looked.lock().unwrap().look(looks, most));
    (world.app(), store, clock)
}

/// What a poll tells of what is left, after another refresh.
fn told(app: &App) -> Stock {
    block_on(app.refresh()).unwrap();
    let standing = block_on(app.standing(holder())).unwrap();
    assert_eq!(standing.status, TokenStatus::Waiting);
    Stock::clone(&standing.bulletin.stock)
}

fn stock(sold_out: bool, all_held: bool, cheapest: Option<i64>) -> Stock {
    Stock { sold_out, all_held, cheapest: cheapest.map(|points| Money::from_minor(points * 100).unwrap()) }
}

#[test]
fn nothing_is_looked_for_where_nobody_asks() {
    let (app, store, _) = selling(vec![hall(3, SeatStatus::Available)]);
    block_on(app.read_stock()).unwrap();
    assert_eq!(store.lock().unwrap().looks, 0);
    assert_eq!(told(&app), Stock::default(), "a poll waits for nothing");
    block_on(app.read_stock()).unwrap();
    assert_eq!((told(&app), store.lock().unwrap().looks), (stock(false, false, Some(1)), 1));
}

#[test]
fn what_is_left_follows_the_sale() {
    let (app, store, _) = selling(vec![hall(20, SeatStatus::Available), hall(2, SeatStatus::Sold)]);
    told(&app);
    let after = |change: &dyn Fn(&mut Vec<SeatSeen>)| {
        change(&mut store.lock().unwrap().halls[0]);
        block_on(app.read_stock()).unwrap();
        told(&app)
    };
    let all = |status| move |seats: &mut Vec<SeatSeen>| seats.iter_mut().for_each(|seat| seat.status = status);
    assert_eq!(after(&|_| {}), stock(false, false, Some(1)));
    assert_eq!(after(&|seats| seats[0].status = SeatStatus::Held), stock(false, false, Some(2)));
    assert_eq!(after(&all(SeatStatus::Held)), stock(false, true, None));
    assert_eq!(after(&|seats| seats[7].status = SeatStatus::Available), stock(false, false, Some(8)));
    assert_eq!(after(&all(SeatStatus::Sold)), stock(true, false, None));
}

#[test]
fn a_queue_without_seats_is_not_sold_out() {
    let (app, store, _) = selling(vec![]);
    told(&app);
    block_on(app.read_stock()).unwrap();
    assert_eq!((told(&app), store.lock().unwrap().looks), (Stock::default(), 0));
}

/// A hall that is nearly sold out before anybody asks: each try looks at a part of it, and tells nothing before the end.
#[test]
fn one_try_looks_at_no_more_than_it_may() {
    let mut seats = hall(25_000, SeatStatus::Sold);
    seats[24_999].status = SeatStatus::Available;
    let (app, store, _) = selling(vec![seats]);
    told(&app);
    let mut before = 0;
    for cheapest in [None, None, Some(25_000)] {
        block_on(app.read_stock()).unwrap();
        assert_eq!(told(&app), stock(false, false, cheapest));
        let shown = store.lock().unwrap().shown;
        let most = MOST + usize::try_from(LARGEST).unwrap();
        assert!((1..=most).contains(&(shown - before)), "{} seats at once", shown - before);
        before = shown;
    }
    block_on(app.read_stock()).unwrap();
    assert_eq!(store.lock().unwrap().shown, before + 1, "from then on it knows where to look");
}

#[test]
fn while_the_store_is_away_what_was_known_is_told_and_afterwards_what_is() {
    let (app, store, _) = selling(vec![hall(2, SeatStatus::Sold)]);
    told(&app);
    block_on(app.read_stock()).unwrap();
    store.lock().unwrap().down = true;
    assert_eq!(block_on(app.read_stock()), Err(down()));
    assert_eq!(told(&app), stock(true, false, None));
    store.lock().unwrap().down = false;
    store.lock().unwrap().halls.push(hall(1, SeatStatus::Available));
    block_on(app.read_stock()).unwrap();
    assert_eq!(told(&app), stock(false, false, Some(1)), "a concert that was loaded meanwhile");
}

/// What nobody asked about for a minute may have changed: whoever asks then is told nothing until it is known again.
#[test]
fn what_nobody_asks_about_is_forgotten() {
    let (app, store, clock) = selling(vec![hall(2, SeatStatus::Sold)]);
    told(&app);
    block_on(app.read_stock()).unwrap();
    for (later, looks) in [(59, 2), (60, 2), (61, 2)] {
        clock.set(at(NOW + later));
        block_on(app.refresh()).unwrap();
        block_on(app.read_stock()).unwrap();
        assert_eq!(store.lock().unwrap().looks, looks, "{later}");
    }
    assert_eq!(told(&app), Stock::default());
    block_on(app.read_stock()).unwrap();
    assert_eq!(told(&app), stock(true, false, None));
}

/// Should what was sold be for sale again, a search finds it when it begins anew.
#[test]
fn a_search_begins_anew_after_a_minute() {
    let (app, store, clock) = selling(vec![hall(2, SeatStatus::Sold)]);
    told(&app);
    block_on(app.read_stock()).unwrap();
    store.lock().unwrap().halls[0][1].status = SeatStatus::Available;
    for (later, expected) in
        [(30, stock(true, false, None)), (59, stock(true, false, None)), (60, stock(false, false, Some(2)))]
    {
        clock.set(at(NOW + later));
        told(&app);
        block_on(app.read_stock()).unwrap();
        assert_eq!(told(&app), expected, "{later}");
    }
}
