use super::*;
use crate::{FieldError, Fingerprint, Wrong};

fn price(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn at(text: &str) -> LocalTime {
    LocalTime::parse(text).unwrap()
}

fn start() -> LocalTime {
    at("2026-12-25T01:30:00+09:00")
}

fn run(first: u32, count: u32, of: &str) -> SeatRun {
    SeatRun { first, count, price: price(of) }
}

fn of_seats(groups: Vec<SeatGroup>) -> Draft {
    Draft::of("Winter", QueueName::main(), vec![ScheduleDraft::of(start(), groups)])
}

fn one_seat() -> Vec<SeatGroup> {
    vec![SeatGroup::Count(1, price("1"))]
}

fn plan(groups: Vec<SeatGroup>) -> Result<NewConcert, Rejection> {
    NewConcert::plan(&of_seats(groups))
}

fn of_starts(starts: &[&str]) -> Draft {
    let schedules = starts.iter().map(|start| ScheduleDraft::of(at(start), one_seat()));
    Draft::of("Winter", QueueName::main(), schedules.collect())
}

/// The fields that a refusal names.
fn wrong(draft: &Draft) -> Vec<String> {
    match NewConcert::plan(draft) {
        Ok(_) => vec![],
        Err(Rejection::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn numbers_of_successive_groups_continue() {
    let concert = plan(vec![SeatGroup::Count(2, price("10")), SeatGroup::Count(1, price("5"))]).unwrap();
    let seats: Vec<_> = concert.schedules[0].seats().map(|(number, price)| (number, price.to_string())).collect();
    assert_eq!(seats, [(1, "10".to_owned()), (2, "10".to_owned()), (3, "5".to_owned())]);
    let numbered = plan(vec![SeatGroup::One(7, price("1")), SeatGroup::One(3, price("1"))]).unwrap();
    assert_eq!(numbered.schedules[0].seats().map(|(number, _)| number).collect::<Vec<_>>(), [7, 3]);
    let mixed = plan(vec![SeatGroup::One(7, price("1")), SeatGroup::Count(2, price("2"))]).unwrap();
    assert_eq!(mixed.schedules[0].seats, [run(7, 1, "1"), run(8, 2, "2")]);
    assert_eq!(mixed.schedules[0].seats_total(), 3);
}

#[test]
fn bounds_of_a_plan() {
    for bad in [
        vec![],
        vec![SeatGroup::Count(0, price("1"))],
        vec![SeatGroup::Count(100_001, price("1"))],
        vec![SeatGroup::Count(50_000, price("1")), SeatGroup::Count(50_001, price("1"))],
        vec![SeatGroup::Count(u32::MAX, price("1"))],
        vec![SeatGroup::One(0, price("1"))],
        vec![SeatGroup::One(1_000_001, price("1"))],
        vec![SeatGroup::One(7, price("1")), SeatGroup::One(7, price("1"))],
        vec![SeatGroup::One(9, price("1")), SeatGroup::One(5, price("1")), SeatGroup::Count(4, price("2"))],
        vec![SeatGroup::One(5, price("1")), SeatGroup::Count(3, price("1")), SeatGroup::One(8, price("2"))],
        vec![SeatGroup::One(1_000_000, price("1")), SeatGroup::Count(1, price("1"))],
    ] {
        assert_eq!(wrong(&of_seats(bad.clone())), ["schedules[0].seats"], "{bad:?}");
    }
    assert!(plan(vec![SeatGroup::Count(100_000, price("1"))]).is_ok());
    let longest = "x".repeat(200);
    for (title, fits) in
        [("", false), ("  ", false), ("a\nb", false), (&*longest, true), (&format!("{longest}x"), false)]
    {
        let draft = Draft { title: title.to_owned(), ..of_seats(one_seat()) };
        assert_eq!(wrong(&draft).is_empty(), fits, "{title}");
    }
    assert_eq!(wrong(&of_starts(&[])), ["schedules"]);
}

/// A hundred thousand seats a schedule, a million a concert; which schedule is one too many is told.
#[test]
fn seats_are_bounded_by_schedule_and_by_concert() {
    let days: Vec<String> = (1..=12).map(|day| format!("2026-12-{day:02}T19:30:00+09:00")).collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let with = |counts: &[u32]| {
        let mut draft = of_starts(&days[..counts.len()]);
        for (schedule, count) in draft.schedules.iter_mut().zip(counts) {
            schedule.seats = vec![SeatGroup::Count(*count, price("1"))];
        }
        draft
    };
    assert_eq!(wrong(&with(&[100_000; 10])), [""; 0]);
    assert_eq!(wrong(&with(&[&[100_000; 10][..], &[1]].concat())), ["schedules[10].seats"]);
    assert_eq!(wrong(&with(&[&[100_000; 9][..], &[99_999, 1, 1]].concat())), ["schedules[11].seats"]);
}

#[test]
fn a_title_is_kept_in_one_spelling() {
    let draft = Draft { title: "e\u{301}te".to_owned(), ..of_seats(one_seat()) };
    assert_eq!(&*NewConcert::plan(&draft).unwrap().title, "\u{e9}te");
}

#[test]
fn a_limit_of_a_person_has_bounds_r8() {
    for (max, fits) in [(0, false), (1, true), (100_000, true), (100_001, false), (u32::MAX, false)] {
        let mut draft = of_seats(one_seat());
        draft.schedules[0].max_per_user = Some(max);
        assert_eq!(wrong(&draft), if fits { &[][..] } else { &["schedules[0].max_per_user"][..] }, "{max}");
        let draft = Draft { max_per_user: Some(max), ..of_seats(one_seat()) };
        assert_eq!(wrong(&draft), if fits { &[][..] } else { &["max_per_user"][..] }, "{max}");
    }
    let draft = Draft { max_per_user: Some(4), ..of_seats(one_seat()) };
    let planned = NewConcert::plan(&draft).unwrap();
    assert_eq!((planned.max_per_user, planned.schedules[0].max_per_user), (Some(4), None));
}

/// In the offset that it is written with, whatever date it is elsewhere.
#[test]
fn a_date_is_of_two_centuries() {
    for (start, fits) in [
        ("1999-12-31T23:59:59.999999Z", false),
        ("2000-01-01T00:00:00Z", true),
        ("2000-01-01T00:00:00+14:00", true),
        ("1999-12-31T23:59:59-12:00", false),
        ("2199-12-31T23:59:59.999999Z", true),
        ("2199-12-31T23:59:59-12:00", true),
        ("2200-01-01T00:00:00Z", false),
        ("2200-01-01T00:00:00+14:00", false),
    ] {
        assert_eq!(
            wrong(&of_starts(&[start])),
            if fits { &[][..] } else { &["schedules[0].starts_at"][..] },
            "{start}"
        );
    }
}

#[test]
fn no_two_schedules_start_at_one_instant() {
    let (one, same, other) = ("2026-12-25T01:30:00+09:00", "2026-12-24T16:30:00Z", "2026-12-24T16:30:00.000001Z");
    for (starts, named) in [
        (&[one, other][..], &[][..]),
        (&[one, one][..], &["schedules[1].starts_at"][..]),
        (&[one, other, same][..], &["schedules[2].starts_at"][..]),
        (&[one, same, one][..], &["schedules[1].starts_at", "schedules[2].starts_at"][..]),
    ] {
        assert_eq!(wrong(&of_starts(starts)), named, "{starts:?}");
    }
}

/// R11: a microsecond before the start, at it, and after it.
#[test]
fn what_has_started_is_not_loaded_r11() {
    let concert = NewConcert::plan(&of_starts(&["2026-12-25T01:30:00+09:00", "2026-12-26T01:30:00+09:00"])).unwrap();
    let (request, starts) = (concert.fingerprint(), start().at().micros());
    let late = |n: usize| FieldError::new(format!("schedules[{n}].starts_at"), Wrong::Past);
    let day = 86_400_000_000;
    for (now, refused) in [
        (starts - 1, vec![]),
        (starts, vec![late(0)]),
        (starts + 1, vec![late(0)]),
        (starts + day - 1, vec![late(0)]),
        (starts + day, vec![late(0), late(1)]),
    ] {
        let queue = QueueNumber(3);
        let of_the_queue = [(Some(queue), Ok(Load::Anew(queue))), (None, Err(Rejection::NotFound(Missing::Queue)))];
        for (queue, anew) in of_the_queue {
            let expected = if refused.is_empty() { anew } else { Err(Rejection::Invalid(refused.clone())) };
            assert_eq!(load(&concert, &request, None, queue, Timestamp::from_micros(now)), expected, "{now} {queue:?}");
        }
    }
}

/// R15: the key is asked before anything else, and remembers for ever.
#[test]
fn what_was_loaded_under_a_key_is_told_again_r15() {
    let concert = plan(one_seat()).unwrap();
    let request = concert.fingerprint();
    let before = Loaded { fingerprint: request, queue: QueueNumber(1), concert: ConcertId::new(uuid::Uuid::nil()) };
    let other = Loaded { fingerprint: Fingerprint::of(["other"]), ..before };
    for now in [0, start().at().micros(), i64::MAX].map(Timestamp::from_micros) {
        assert_eq!(load(&concert, &request, Some(&before), None, now), Ok(Load::Again(before)), "{now}");
        assert_eq!(load(&concert, &request, Some(&other), None, now), Err(Rejection::IdempotencyKeyReused), "{now}");
    }
}

#[test]
fn however_seats_are_written_down_it_is_the_same_request_r15() {
    let print = |groups: Vec<SeatGroup>| plan(groups).unwrap().fingerprint();
    let (two, three) = (SeatGroup::Count(2, price("10")), SeatGroup::Count(3, price("10.00")));
    let one = |number| SeatGroup::One(number, price("10"));
    assert_eq!(print(vec![three.clone()]), print(vec![two, one(3)]));
    assert_eq!(print(vec![three.clone()]), print(vec![one(3), one(1), one(2)]));
    for other in [
        vec![SeatGroup::Count(3, price("11"))],
        vec![SeatGroup::Count(4, price("10"))],
        vec![one(1), one(2), one(4)],
        vec![one(1), one(2), SeatGroup::One(3, price("9"))],
    ] {
        assert_ne!(print(vec![three.clone()]), print(other.clone()), "{other:?}");
    }
}

/// R15: whatever is loaded makes another request of it.
#[test]
fn all_that_is_loaded_is_of_the_request_r15() {
    type Change = fn(&mut Draft);
    let ways: [Change; 8] = [
        |draft| draft.title.push('s'),
        |draft| draft.queue = QueueName::parse("other").unwrap(),
        |draft| draft.max_per_user = Some(4),
        |draft| draft.schedules[0].max_per_user = Some(4),
        |draft| draft.schedules[0].starts_at = at("2026-12-24T16:30:00Z"),
        |draft| draft.schedules[0].starts_at = at("2026-12-25T01:30:01+09:00"),
        |draft| draft.schedules.truncate(1),
        |draft| draft.schedules.reverse(),
    ];
    let draft = of_starts(&["2026-12-25T01:30:00+09:00", "2026-12-26T01:30:00+09:00"]);
    let mut prints = vec![NewConcert::plan(&draft).unwrap().fingerprint()];
    for change in ways {
        let mut changed = draft.clone();
        change(&mut changed);
        prints.push(NewConcert::plan(&changed).unwrap().fingerprint());
    }
    for (at, print) in prints.iter().enumerate() {
        assert!(prints.iter().skip(at + 1).all(|other| other != print), "{at}");
    }
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
        max_per_user: None,
        concert_max_per_user: None,
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
