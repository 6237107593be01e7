use super::*;

fn price(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn start() -> LocalTime {
    LocalTime::parse("2026-12-25T01:30:00+09:00").unwrap()
}

fn plan(groups: Vec<SeatGroup>) -> Result<NewConcert, Rejection> {
    NewConcert::plan("Winter", QueueName::main(), &[(start(), groups)])
}

#[test]
fn numbers_of_successive_groups_continue() {
    let concert = plan(vec![SeatGroup::Count(2, price("10")), SeatGroup::Count(1, price("5"))]).unwrap();
    assert_eq!(concert.schedules[0].seats, [(1, price("10")), (2, price("10")), (3, price("5"))]);
    let numbered = plan(vec![SeatGroup::One(7, price("1")), SeatGroup::One(3, price("1"))]).unwrap();
    assert_eq!(numbered.schedules[0].seats.iter().map(|s| s.0).collect::<Vec<_>>(), [7, 3]);
}

#[test]
fn bounds_of_a_plan() {
    for bad in [
        vec![],
        vec![SeatGroup::Count(0, price("1"))],
        vec![SeatGroup::Count(100_001, price("1"))],
        vec![SeatGroup::Count(u32::MAX, price("1"))],
        vec![SeatGroup::One(0, price("1"))],
        vec![SeatGroup::One(1_000_001, price("1"))],
        vec![SeatGroup::One(7, price("1")), SeatGroup::One(7, price("1"))],
        vec![SeatGroup::One(1_000_000, price("1")), SeatGroup::Count(1, price("1"))],
    ] {
        assert!(matches!(plan(bad.clone()), Err(Rejection::Invalid(_))), "{bad:?}");
    }
    assert!(plan(vec![SeatGroup::Count(100_000, price("1"))]).is_ok());
    let long = "x".repeat(201);
    for title in ["", "  ", "a\nb", &long] {
        assert!(
            NewConcert::plan(title, QueueName::main(), &[(start(), vec![SeatGroup::Count(1, price("1"))])]).is_err()
        );
    }
    let one = (start(), vec![SeatGroup::Count(60_000, price("1"))]);
    assert!(NewConcert::plan("t", QueueName::main(), &[one.clone(), one]).is_err(), "over all schedules");
    assert!(NewConcert::plan("t", QueueName::main(), &[]).is_err());
}

#[test]
fn lists_end_exactly_at_the_start_and_include_both_dates_r11() {
    let schedule = Schedule {
        id: ScheduleId::new(uuid::Uuid::from_u128(1)),
        queue: QueueNumber(1),
        concert: ConcertId::new(uuid::Uuid::from_u128(2)),
        title: "Winter".into(),
        starts_at: start(),
        seats_total: 1,
    };
    let starts = start().at();
    for (now, shown) in [(-1, true), (0, false), (1, false)] {
        let now = Timestamp::from_micros(starts.micros() + now);
        assert_eq!(ScheduleFilter::default().shows(&schedule, now), shown);
    }
    // The date is the one in its own offset: 25 December, though it is the 24th in UTC.
    let day = |d| Date::from_calendar_date(2026, time::Month::December, d).ok();
    for (from, to, shown) in [(25, 25, true), (24, 24, false), (26, 27, false), (25, 31, true), (1, 25, true)] {
        let filter = ScheduleFilter { concert: None, from: day(from), to: day(to) };
        assert_eq!(filter.shows(&schedule, Timestamp::from_micros(0)), shown, "{from} to {to}");
    }
}
