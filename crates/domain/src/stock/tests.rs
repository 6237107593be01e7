use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn schedule() -> ScheduleId {
    ScheduleId::new(Uuid::from_u128(1))
}

#[test]
fn what_is_left_of_a_queue_follows_from_its_schedules() {
    let (dear, cheap) = (Left::Free(money(900)), Left::Free(money(500)));
    let (held, sold) = (Some(&Left::Held), Some(&Left::Sold));
    let stock = |sold_out, all_held, cheapest: Option<i64>| Stock { sold_out, all_held, cheapest: cheapest.map(money) };
    for (schedules, expected) in [
        (vec![], stock(false, false, None)),
        (vec![sold, sold], stock(true, false, None)),
        (vec![sold, held], stock(false, true, None)),
        (vec![held], stock(false, true, None)),
        (vec![sold, Some(&dear), held, Some(&cheap)], stock(false, false, Some(500))),
        // Where one is not known nobody says that nothing is left.
        (vec![sold, None], stock(false, false, None)),
        (vec![held, None], stock(false, false, None)),
        (vec![None, Some(&dear)], stock(false, false, Some(900))),
    ] {
        assert_eq!(Stock::of(schedules.clone()), expected, "{schedules:?}");
    }
}

/// Seats by price and number, as a store shows them.
struct Hall(Vec<SeatSeen>);

impl Hall {
    fn looked(&self, look: &Look, most: usize) -> Looked {
        let again = self.0.iter().filter(|seat| look.again.contains(&seat.number)).cloned().collect();
        let after =
            |seat: &&SeatSeen| look.after.as_ref().is_none_or(|after| (&seat.price, seat.number) > (&after.0, after.1));
        Looked { again, next: self.0.iter().filter(after).take(most).cloned().collect() }
    }

    fn left(&self) -> Left {
        let of = |status| self.0.iter().filter(move |seat| seat.status == status);
        match of(SeatStatus::Available).next() {
            Some(seat) => Left::Free(seat.price.clone()),
            None if of(SeatStatus::Held).next().is_some() => Left::Held,
            None => Left::Sold,
        }
    }

    /// One try, by looks at `most` seats; how many seats were looked at.
    fn search(&self, search: &mut Search, most: usize) -> usize {
        let first = self.looked(&search.look(schedule()), most);
        let mut seen = first.again.len() + first.next.len();
        let mut is_over = search.begin(first, most);
        while !is_over {
            let next = self.looked(&search.look_on(schedule()), most).next;
            seen += next.len();
            is_over = search.go_on(next, most);
        }
        seen
    }
}

/// A thousand are sold from the cheapest on, ten of them at a time being held first: a try costs no more than these.
#[test]
fn over_a_sale_each_seat_is_passed_by_once() {
    let seat = |number: u32| SeatSeen { price: money(i64::from(number / 100)), number, status: SeatStatus::Available };
    let mut hall = Hall((1..=1_000).map(seat).collect());
    let (mut search, mut seen, mut tries) = (Search::default(), 0, 0);
    for held in 0..=1_009_usize {
        if let Some(seat) = hall.0.get_mut(held) {
            seat.status = SeatStatus::Held;
        }
        if let Some(seat) = held.checked_sub(10).and_then(|sold| hall.0.get_mut(sold)) {
            seat.status = SeatStatus::Sold;
        }
        seen += hall.search(&mut search, 8);
        tries += 1;
        assert_eq!(search.found(), Some(&hall.left()), "{held}");
    }
    assert_eq!(search.found(), Some(&Left::Sold));
    assert!(seen <= 1_000 + tries * (10 + 8), "{seen} in {tries}");
}

#[test]
fn what_was_found_is_told_until_a_new_search_is_over() {
    let seat = |number: u32, status| SeatSeen { price: money(100), number, status };
    let mut hall = Hall((1..=20).map(|number| seat(number, SeatStatus::Sold)).collect());
    let mut search = Search::default();
    assert_eq!(search.found(), None);
    hall.search(&mut search, 8);
    assert_eq!(search.found(), Some(&Left::Sold));
    hall.0[2].status = SeatStatus::Available;
    hall.search(&mut search, 8);
    assert_eq!(search.found(), Some(&Left::Sold), "what is sold is not looked at again");
    search.begin_anew();
    assert_eq!(search.found(), Some(&Left::Sold));
    hall.search(&mut search, 8);
    assert_eq!(search.found(), Some(&Left::Free(money(100))));
}

proptest! {
    /// Whatever is held, given back and sold, in any order, each try finds what looking at all seats finds.
    #[test]
    fn a_search_finds_what_is_there(
        prices in proptest::collection::vec(0..4_i64, 1..30),
        steps in proptest::collection::vec((any::<usize>(), 0..4_u8, any::<bool>()), 0..80),
        most in 1..12_usize,
    ) {
        let seat = |(price, number): (&i64, u32)| SeatSeen { price: money(*price), number, status: SeatStatus::Available };
        let mut seats: Vec<_> = prices.iter().zip(1..).map(seat).collect();
        seats.sort_by(|one, other| (&one.price, one.number).cmp(&(&other.price, other.number)));
        let (mut hall, mut search) = (Hall(seats), Search::default());
        for (pick, what, looks) in steps {
            let place = pick % hall.0.len();
            let seat = &mut hall.0[place];
            seat.status = match (seat.status, what) {
                (SeatStatus::Available, 0..3) => SeatStatus::Held,
                (SeatStatus::Held, 0) => SeatStatus::Available,
                (SeatStatus::Held, 1..3) => SeatStatus::Sold,
                (as_before, _) => as_before,
            };
            if looks {
                hall.search(&mut search, most);
                prop_assert_eq!(search.found(), Some(&hall.left()));
            }
        }
    }
}
