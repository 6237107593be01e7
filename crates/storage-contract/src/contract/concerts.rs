//! Loading concerts, and the lists of concerts and schedules (R11).

use std::time::Duration;

use domain::concert::{CreatedConcert, NewSchedule, ScheduleFilter, SeatRun};
use domain::ports::{Clock, LoadCommand};
use domain::rejection::Missing;
use domain::seat::SeatStatus;
use domain::{ConcertId, LocalTime, Page, QueueName, QueueNumber, Rejection, ScheduleId, Timestamp};
use uuid::Uuid;

use crate::scene::{MICRO, Scene, concert, load, make_queue, money, narrow_rules, page, schedule};
use crate::{Make, Store};

async fn create(store: &Store, title: &str, queue: &str, schedules: Vec<NewSchedule>) -> CreatedConcert {
    load(store, concert(title, queue, schedules)).await
}

fn at(text: &str) -> LocalTime {
    LocalTime::parse(text).unwrap()
}

pub(crate) async fn a_concert_is_loaded_whole(make: Make) {
    let store = make.store(narrow_rules(1, 1)).await;
    let (first, second) = (at("2026-12-24T19:30:00+09:00"), at("2026-12-25T19:30:00-03:30"));
    let one = |first, price| SeatRun { first, count: 1, price: money(price) };
    let seats = vec![one(7, "12.5"), one(3, "0"), one(1_000_000, "10000000000000")];
    let schedules = vec![NewSchedule { seats, ..schedule(first, 1) }, schedule(second, 2)];
    let created = create(&store, "겨울", "main", schedules).await;
    assert_eq!(created.schedules.len(), 2);
    let map = store.concerts.seat_map(created.queue, created.schedules[0]).await.unwrap().unwrap();
    assert_eq!(
        (map.schedule.id, map.schedule.concert, map.schedule.queue),
        (created.schedules[0], created.id, created.queue)
    );
    assert_eq!((&*map.schedule.title, map.schedule.starts_at, map.schedule.seats_total), ("겨울", first, 3));
    let seats: Vec<_> = map.seats.iter().map(|(seat, status)| (seat.number, seat.price.to_string(), *status)).collect();
    let free = SeatStatus::Available;
    assert_eq!(
        seats,
        [(3, "0".into(), free), (7, "12.5".into(), free), (1_000_000, "10000000000000".into(), free)],
        "by number"
    );
    let map = store.concerts.seat_map(created.queue, created.schedules[1]).await.unwrap().unwrap();
    assert_eq!((map.schedule.starts_at, map.seats.len()), (second, 2), "with the offset it was created with");
}

/// R1: loading makes no queue, whichever name it has.
pub(crate) async fn a_concert_is_loaded_only_into_a_queue_that_is_there_r1(make: Make) {
    let store = make.store(narrow_rules(7, 3)).await;
    let start = at("2026-12-24T19:30:00+09:00");
    let wanted = |title: &str| concert(title, "one", vec![schedule(start, 1)]);
    let command = LoadCommand { concert: wanted("A"), key: None };
    let before = store.queues.changes(&[]).await.unwrap();
    assert_eq!(store.concerts.create(&command).await.unwrap(), Err(Rejection::NotFound(Missing::Queue)));
    assert_eq!(store.queues.changes(&[]).await.unwrap(), before);
    assert_eq!(store.concerts.list(&page()).await.unwrap().items, []);
    let one = make_queue(&store, "one").await;
    for title in ["A", "B"] {
        assert_eq!(load(&store, wanted(title)).await.queue, one);
    }
}

/// R11: a schedule is listed until the microsecond before it starts, and a concert as long as one of its is.
pub(crate) async fn what_has_started_is_not_listed_r11(make: Make) {
    let scene = Scene::open(&make).await;
    let start = scene.starts_at.at().micros();
    for (late, listed) in [(-1, true), (0, false), (1, false)] {
        scene.set(Timestamp::from_micros(start + late));
        let schedules = scene.store.concerts.schedules(scene.main, &ScheduleFilter::default(), &page()).await;
        assert_eq!(schedules.unwrap().unwrap().items.len(), usize::from(listed), "{late}");
        assert_eq!(scene.store.concerts.list(&page()).await.unwrap().items.len(), usize::from(listed), "{late}");
        assert_eq!(scene.map().await.seats.len(), 50, "its seats are still shown");
    }
}

/// R11: the dates of a concert are those of what is still for sale, each in its own offset.
pub(crate) async fn dates_of_a_concert_are_of_what_is_for_sale_r11(make: Make) {
    let store = make.store(narrow_rules(1, 1)).await;
    // By start: 10:00Z, 20:00Z, 21:00Z. By date: 12-27, 12-26, 12-28.
    let starts = ["2026-12-27T00:00:00+14:00", "2026-12-26T09:00:00-11:00", "2026-12-28T06:00:00+09:00"].map(at);
    make_queue(&store, "two").await;
    create(&store, "A", "two", starts.map(|start| schedule(start, 1)).to_vec()).await;
    for (now, first, last) in [(starts[0].at().minus(MICRO), 1, 2), (starts[0].at(), 1, 2), (starts[1].at(), 2, 2)] {
        store.clock.set(now);
        let concerts = store.concerts.list(&page()).await.unwrap().items;
        assert_eq!(concerts.len(), 1);
        assert_eq!((&*concerts[0].title, concerts[0].queue.as_str()), ("A", "two"));
        assert_eq!(concerts[0].dates, starts[first].date()..=starts[last].date(), "{now}");
    }
}

pub(crate) async fn concerts_are_listed_newest_first_in_pages(make: Make) {
    let store = make.store(narrow_rules(1, 1)).await;
    make_queue(&store, "other").await;
    let mut newest_first = Vec::new();
    for n in 0..7 {
        let queue = if n % 2 == 0 { "main" } else { "other" };
        let start = LocalTime::new(store.clock.now().plus(Duration::from_secs(1_000 - n)), 0).unwrap();
        newest_first.insert(0, create(&store, "A", queue, vec![schedule(start, 1)]).await.id);
    }
    for limit in [1, 2, 3, 7, 8] {
        let (mut after, mut seen, mut pages) = (None, Vec::<ConcertId>::new(), 0);
        loop {
            let listed = store.concerts.list(&Page::new(limit, after).unwrap()).await.unwrap();
            seen.extend(listed.items.iter().map(|concert| concert.id));
            pages += 1;
            after = listed.next;
            if after.is_none() {
                break;
            }
            assert_eq!(after, seen.last().copied());
        }
        assert_eq!((&seen, pages), (&newest_first, 7_u32.div_ceil(limit)), "a full last page is the last");
    }
}

pub(crate) async fn schedules_are_listed_by_start_then_id_in_pages(make: Make) {
    let store = make.store(narrow_rules(1, 1)).await;
    // Two pairs start together, and offsets do not change the order.
    let texts = ["20T10:00:00Z", "20T09:00:00Z", "20T18:00:00+09:00", "19T23:59:00-01:00", "20T10:00:00+00:00"];
    let starts: Vec<_> = texts.iter().map(|text| at(&format!("2026-12-{text}"))).collect();
    let mut expected = Vec::new();
    for chunk in starts.chunks(2) {
        let plans = chunk.iter().map(|start| schedule(*start, 1)).collect();
        let created = create(&store, "A", "main", plans).await;
        expected.extend(chunk.iter().map(|start| start.at()).zip(created.schedules));
    }
    expected.sort();
    let main = store.queues.changes(&[]).await.unwrap()[0].number;
    for limit in [1, 2, 5, 100] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = Page::new(limit, after).unwrap();
            let listed = store.concerts.schedules(main, &ScheduleFilter::default(), &page).await.unwrap().unwrap();
            seen.extend(listed.items.iter().map(|schedule| (schedule.starts_at.at(), schedule.id)));
            after = listed.next;
            if after.is_none() {
                break;
            }
            assert_eq!(after, seen.last().copied());
        }
        assert_eq!(seen, expected, "{limit}");
    }
}

pub(crate) async fn schedules_are_filtered_by_concert_and_local_date(make: Make) {
    let store = make.store(narrow_rules(1, 1)).await;
    let texts = ["2026-12-24T23:00:00+00:00", "2026-12-25T08:30:00+09:00", "2026-12-26T00:00:00+09:00"];
    let created = create(&store, "A", "main", texts.iter().map(|text| schedule(at(text), 1)).collect()).await;
    // The same instant as the first one's, on another date.
    let other = create(&store, "B", "main", vec![schedule(at("2026-12-25T08:00:00+09:00"), 1)]).await;
    let day = |text: usize| Some(at(texts[text]).date());
    let listed = async |filter: ScheduleFilter| {
        let items = store.concerts.schedules(created.queue, &filter, &page()).await.unwrap().unwrap().items;
        let all: Vec<ScheduleId> = created.schedules.iter().chain(&other.schedules).copied().collect();
        let mut found: Vec<_> = items.iter().map(|item| all.iter().position(|id| *id == item.id).unwrap()).collect();
        found.sort_unstable();
        found
    };
    let all = ScheduleFilter::default();
    assert_eq!(listed(all).await, [0, 1, 2, 3]);
    assert_eq!(listed(ScheduleFilter { concert: Some(created.id), ..all }).await, [0, 1, 2]);
    assert_eq!(listed(ScheduleFilter { from: day(1), to: day(1), ..all }).await, [1, 3], "both bounds count");
    assert_eq!(listed(ScheduleFilter { to: day(0), ..all }).await, [0]);
    assert_eq!(listed(ScheduleFilter { from: day(2), ..all }).await, [2]);
    assert_eq!(listed(ScheduleFilter { concert: Some(other.id), from: day(2), to: None }).await, [0_usize; 0]);
    assert_eq!(listed(ScheduleFilter { from: day(2), to: day(0), ..all }).await, [0_usize; 0]);
}

pub(crate) async fn a_queue_sees_its_own_sale_only_r6(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, _) = scene.other_queue().await;
    let listed =
        scene.store.concerts.schedules(scene.main, &ScheduleFilter::default(), &page()).await.unwrap().unwrap();
    assert_eq!(listed.items.iter().map(|schedule| schedule.id).collect::<Vec<_>>(), [scene.schedule]);
    let filter = ScheduleFilter { concert: Some(scene.concert.id), ..ScheduleFilter::default() };
    let elsewhere = scene.store.concerts.schedules(other, &filter, &page()).await.unwrap();
    assert_eq!(elsewhere, Err(Rejection::WrongQueue));
    let filter = ScheduleFilter { concert: Some(ConcertId::new(Uuid::from_u128(7))), ..ScheduleFilter::default() };
    let nowhere = scene.store.concerts.schedules(scene.main, &filter, &page()).await.unwrap();
    assert_eq!(nowhere, Err(Rejection::NotFound(Missing::Concert)));
    let unknown = QueueNumber(other.0 + 1);
    let empty = scene.store.concerts.schedules(unknown, &ScheduleFilter::default(), &page()).await.unwrap().unwrap();
    assert_eq!((empty.items, empty.next), (vec![], None));
    let names: Vec<_> =
        scene.store.concerts.list(&page()).await.unwrap().items.into_iter().map(|concert| concert.queue).collect();
    assert_eq!(names, [QueueName::parse("other").unwrap(), QueueName::main()], "concerts of all queues");
}
