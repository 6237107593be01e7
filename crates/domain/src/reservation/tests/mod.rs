//! Every boundary of holding, cancelling and expiring.

mod histories;

use uuid::Uuid;

use super::*;
use crate::{SeatId, Ticket, TicketNumber, TokenStatus};

/// When the schedule starts; everything else happens before, unless a test says otherwise.
const START: i64 = 1_000_000_000_000;
const HOLD: i64 = 300_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn id(n: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(n))
}

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn schedule() -> Schedule {
    Schedule {
        id: ScheduleId::new(Uuid::from_u128(1)),
        queue: QueueNumber(1),
        concert: ConcertId::new(Uuid::from_u128(2)),
        title: "Winter".into(),
        starts_at: LocalTime::new(at(START), 0).unwrap(),
        seats_total: 100,
        max_per_user: None,
        concert_max_per_user: None,
    }
}

fn taken(numbers: &[u32], own: &[u32]) -> Rejection {
    Rejection::SeatTaken { schedule: schedule().id, numbers: numbers.to_vec(), own: own.to_vec() }
}

fn missing(numbers: &[u32]) -> Rejection {
    Rejection::NotFound(Missing::Seats(numbers.to_vec()))
}

fn free(number: u32) -> Seat {
    let id = SeatId::new(Uuid::from_u128(u128::from(number)));
    Seat { id, schedule: schedule().id, number, price: money("10.5"), taken: None }
}

fn held(number: u32, by: u128, until: i64) -> Seat {
    Seat { taken: Some(Taken { by: id(by), until: Some(at(until)) }), ..free(number) }
}

fn sold(number: u32, by: u128) -> Seat {
    Seat { taken: Some(Taken { by: id(by), until: None }), ..free(number) }
}

fn token(deadline: i64) -> Token {
    let ticket = Ticket { queue: QueueNumber(1), number: TicketNumber::new(1).unwrap() };
    let mut token = Token::issue(ticket, user("holder"), at(0));
    token.admit(std::time::Duration::from_micros(deadline.unsigned_abs()), at(0), 1);
    token
}

fn reservation(status: ReservationStatus, expires_at: i64) -> Reservation {
    let Hold { reservation, .. } = Asked::for_seats(vec![free(1)]).decide(0).unwrap();
    Reservation { status, expires_at: at(expires_at), ..reservation }
}

/// A hold that is granted at 0, unless a test spoils something of it.
struct Asked {
    token: Token,
    choice: SeatChoice,
    schedule: Found<Schedule>,
    seats: Vec<Seat>,
    pending: Vec<PendingHold>,
    own_seats: Vec<OwnSeats>,
    own: BTreeSet<ReservationId>,
}

impl Asked {
    fn for_seats(seats: Vec<Seat>) -> Self {
        let numbers: Vec<u32> = seats.iter().map(|seat| seat.number).collect();
        let choice = SeatChoice::numbers(schedule().id, &numbers).unwrap();
        Self {
            token: token(600_000_000),
            choice,
            schedule: Found::Here(schedule()),
            seats,
            pending: vec![],
            own_seats: vec![],
            own: BTreeSet::new(),
        }
    }

    /// One user may have so many seats of the schedule, and so many of its concert.
    fn limited(self, of_schedule: Option<u32>, of_concert: Option<u32>) -> Self {
        let limited = Schedule { max_per_user: of_schedule, concert_max_per_user: of_concert, ..schedule() };
        Self { schedule: Found::Here(limited), ..self }
    }

    fn decide(&self, now: i64) -> Result<Hold, Rejection> {
        let facts = HoldFacts {
            token: &self.token,
            choice: &self.choice,
            schedule: self.schedule.as_ref(),
            seats: &self.seats,
            pending: &self.pending,
            own_seats: &self.own_seats,
            own: &self.own,
        };
        hold(&facts, &Rules::default(), id(77), at(now))
    }
}

#[test]
fn a_hold_copies_prices_and_lasts_300_seconds_r9() {
    let dear = Seat { price: money("0.25"), ..free(3) };
    let granted = Asked::for_seats(vec![free(7), dear]).decide(5).unwrap();
    let seats: Vec<_> = granted.reservation.seats.iter().map(|s| (s.number, s.price.to_string())).collect();
    assert_eq!(seats, [(3, "0.25".to_owned()), (7, "10.5".to_owned())], "by number");
    assert_eq!(granted.reservation.amount, money("10.75"));
    assert_eq!(granted.reservation.status, ReservationStatus::Pending);
    assert_eq!((granted.reservation.reserved_at, granted.reservation.expires_at), (at(5), at(5 + HOLD)));
    assert_eq!((granted.reservation.id, granted.reservation.user.as_str()), (id(77), "holder"));
    assert_eq!(granted.taken_over, BTreeSet::new());
}

#[test]
fn no_hold_starts_at_or_after_the_end_of_selection_r5() {
    const SELECTION: i64 = 600_000_000;
    for (holds_until, late) in [
        (None, Rejection::TokenNotActive(TokenStatus::Expired)),
        (Some(SELECTION + 2), Rejection::SelectionClosed(at(SELECTION))),
    ] {
        for (now, granted) in [(SELECTION - 1, true), (SELECTION, false), (SELECTION + 1, false)] {
            let mut asked = Asked::for_seats(vec![free(1)]);
            asked.token.settle(holds_until.map(at), at(1));
            let answer = asked.decide(now);
            assert_eq!(answer.is_ok(), granted, "{now}");
            assert!(granted || answer == Err(late.clone()), "{answer:?}");
        }
    }
}

#[test]
fn a_turn_lasts_as_long_as_its_holds_r5() {
    let hold = |expires_at| PendingHold { reservation: id(9), expires_at: at(expires_at), seats: 1 };
    for (selection, pending, after) in [
        (HOLD - 1, vec![], HOLD),
        (HOLD, vec![], HOLD),
        (HOLD + 1, vec![], HOLD + 1),
        (HOLD - 1, vec![hold(HOLD + 5)], HOLD + 5),
        (HOLD - 1, vec![hold(HOLD - 5)], HOLD),
    ] {
        let asked = Asked { token: token(selection), pending, ..Asked::for_seats(vec![free(1)]) };
        let granted = asked.decide(0).unwrap();
        let turn = granted.token.active.unwrap();
        assert_eq!((turn.selection_ends_at, turn.deadline), (at(selection), at(after)), "{:?}", asked.pending);
    }
}

#[test]
fn a_dead_hold_is_taken_over_exactly_from_its_end_r7() {
    for (until, lives) in [(101, true), (100, false), (99, false)] {
        let answer = Asked::for_seats(vec![held(1, 5, until)]).decide(100);
        match answer {
            Ok(granted) => assert!(!lives && granted.taken_over == BTreeSet::from([id(5)]), "{until}"),
            Err(refusal) => assert!(lives && refusal == taken(&[1], &[]), "{until}"),
        }
    }
}

#[test]
fn one_hold_takes_over_from_several_reservations_r7() {
    let seats = vec![held(1, 5, 10), held(2, 6, 10), free(3), held(4, 5, 10)];
    let granted = Asked::for_seats(seats).decide(10).unwrap();
    assert_eq!(granted.taken_over, BTreeSet::from([id(5), id(6)]));
}

#[test]
fn a_hold_takes_all_seats_or_none_and_names_the_taken_ones_r8_s9() {
    let asked = Asked::for_seats(vec![sold(9, 5), free(2), held(4, 6, 1_000), held(3, 7, 1)]);
    assert_eq!(asked.decide(1), Err(taken(&[4, 9], &[])));
}

/// R8: those that are one's own are told apart, held or bought; a hold of one's own that is dead is in nobody's way.
#[test]
fn a_refusal_names_ones_own_seats_r8() {
    let seats = vec![sold(9, 5), free(2), held(4, 6, 1_000), held(3, 7, 1), sold(1, 8), held(5, 9, 1_000)];
    for (own, numbers) in
        [(&[][..], &[][..]), (&[5, 6][..], &[4, 9][..]), (&[7][..], &[][..]), (&[5, 6, 7, 8, 9][..], &[1, 4, 5, 9][..])]
    {
        let own = own.iter().copied().map(id).collect();
        // More than a hold may have at once, which is not what is asked here.
        let asked = Asked { own, ..Asked::for_seats(seats.clone()) };
        let facts = HoldFacts {
            token: &asked.token,
            choice: &asked.choice,
            schedule: asked.schedule.as_ref(),
            seats: &asked.seats,
            pending: &[],
            own_seats: &[],
            own: &asked.own,
        };
        let rules = Rules { max_seats: 100, ..Rules::default() };
        assert_eq!(hold(&facts, &rules, id(77), at(1)), Err(taken(&[1, 4, 5, 9], numbers)), "{numbers:?}");
    }
}

#[test]
fn live_pending_seats_never_exceed_the_limit_r8() {
    let hold = |seats, expires_at| PendingHold { reservation: id(9), expires_at: at(expires_at), seats };
    let limit = Err(Rejection::SeatLimit(4));
    for (wanted, pending, granted) in [
        (4, vec![], Ok(())),
        (5, vec![], limit.clone()),
        (1, vec![hold(3, 1_000)], Ok(())),
        (2, vec![hold(3, 1_000)], limit.clone()),
        (1, vec![hold(2, 1_000), hold(2, 1_000)], limit.clone()),
        (1, vec![hold(4, 101)], limit.clone()),
        (4, vec![hold(4, 100)], Ok(())),
        (1, vec![hold(3, 1_000), hold(4, 99)], Ok(())),
        (1, vec![hold(u32::MAX, 1_000)], limit),
    ] {
        let asked = Asked { pending: pending.clone(), ..Asked::for_seats((1..=wanted).map(free).collect()) };
        assert_eq!(asked.decide(100).map(|_hold| ()), granted, "{wanted} with {pending:?}");
    }
}

/// R8: what is bought counts for ever, what is held to its last microsecond, and what is of another schedule or concert not at
/// all.
#[test]
fn what_a_user_has_never_exceeds_the_limits_r8() {
    let of = |schedule: u128, concert: u128, seats, until: Option<i64>| OwnSeats {
        concert: ConcertId::new(Uuid::from_u128(concert)),
        schedule: ScheduleId::new(Uuid::from_u128(schedule)),
        seats,
        until: until.map(at),
    };
    let (here, sister, elsewhere) = ((1, 2), (7, 2), (8, 9));
    let bought = |(schedule, concert), seats| of(schedule, concert, seats, None);
    let held = |(schedule, concert), seats, until| of(schedule, concert, seats, Some(until));
    let limit = |max_per_user, owned| Err(Rejection::PurchaseLimit { max_per_user, owned });
    let (schedule, concert, both) = ((Some(3), None), (None, Some(3)), (Some(3), Some(3)));
    for (limits, wanted, own, granted) in [
        (schedule, 3, vec![], Ok(())),
        (schedule, 4, vec![], limit(3, 0)),
        (schedule, 1, vec![bought(here, 2)], Ok(())),
        (schedule, 2, vec![bought(here, 2)], limit(3, 2)),
        (schedule, 2, vec![bought(here, 1), held(here, 1, 101)], limit(3, 2)),
        (schedule, 2, vec![bought(here, 1), held(here, 1, 100)], Ok(())),
        (schedule, 2, vec![bought(here, 1), held(here, 1, 99)], Ok(())),
        (schedule, 3, vec![bought(sister, 3), bought(elsewhere, 3)], Ok(())),
        (schedule, 1, vec![bought(here, u32::MAX), bought(here, 1)], limit(3, u32::MAX)),
        (concert, 1, vec![bought(sister, 2)], Ok(())),
        (concert, 2, vec![bought(sister, 2)], limit(3, 2)),
        (concert, 2, vec![bought(here, 1), held(sister, 1, 101)], limit(3, 2)),
        (concert, 2, vec![bought(here, 1), held(sister, 1, 100)], Ok(())),
        (concert, 3, vec![bought(elsewhere, 3)], Ok(())),
        (both, 2, vec![bought(here, 1), bought(sister, 1)], limit(3, 2)),
        ((None, None), 4, vec![bought(here, 100)], Ok(())),
        // Of two that are exceeded the schedule's is told.
        ((Some(3), Some(2)), 2, vec![bought(here, 2), bought(sister, 1)], limit(3, 2)),
        ((Some(1), Some(100)), 2, vec![], limit(1, 0)),
    ] {
        let seats = (1..=wanted).map(free).collect();
        let asked = Asked { own_seats: own.clone(), ..Asked::for_seats(seats) }.limited(limits.0, limits.1);
        assert_eq!(asked.decide(100).map(|_hold| ()), granted, "{limits:?}: {wanted} with {own:?}");
    }
}

#[test]
fn a_hold_on_a_schedule_that_has_started_is_closed_r11() {
    for (now, answer) in
        [(START - 1, Ok(())), (START, Err(Rejection::SaleClosed)), (START + 1, Err(Rejection::SaleClosed))]
    {
        let asked = Asked { token: token(START * 2), ..Asked::for_seats(vec![free(1)]) };
        assert_eq!(asked.decide(now).map(|_hold| ()), answer, "{now}");
    }
}

#[test]
fn only_what_the_tokens_queue_sells_can_be_held_r6() {
    let numbers = || Asked::for_seats(vec![free(1)]);
    let ids = || Asked { choice: SeatChoice::ids(&[free(1).id]).unwrap(), ..numbers() };
    for (asked, refusal) in [
        (Asked { schedule: Found::Elsewhere, ..numbers() }, Rejection::WrongQueue),
        (Asked { schedule: Found::Elsewhere, ..ids() }, Rejection::WrongQueue),
        (Asked { schedule: Found::Nowhere, ..numbers() }, Rejection::NotFound(Missing::Schedule)),
        (Asked { schedule: Found::Nowhere, ..ids() }, Rejection::NotFound(Missing::Seat)),
        (Asked { seats: vec![], ..numbers() }, missing(&[1])),
        (Asked { seats: vec![], ..ids() }, Rejection::NotFound(Missing::Seat)),
        (Asked { seats: vec![free(2)], ..Asked::for_seats(vec![free(9), free(2), free(4)]) }, missing(&[4, 9])),
    ] {
        assert_eq!(asked.decide(0), Err(refusal));
    }
    assert!(ids().decide(0).is_ok());
}

#[test]
fn seats_of_two_schedules_and_of_more_than_money_counts_are_refused_r8() {
    let elsewhere = Seat { schedule: ScheduleId::new(Uuid::from_u128(9)), ..free(2) };
    let dear = |n| Seat { price: Money::from_minor(Money::MAX_MINOR).unwrap(), ..free(n) };
    for seats in [vec![free(1), elsewhere], vec![dear(1), dear(2)]] {
        let choice = SeatChoice::ids(&[seats[0].id, seats[1].id]).unwrap();
        let answer = Asked { choice, ..Asked::for_seats(seats) }.decide(0);
        let Err(Rejection::Invalid(errors)) = answer else { panic!("{answer:?}") };
        assert_eq!(errors[0].field, "seat_ids");
    }
}

/// With two things wrong at once the earlier check answers.
#[test]
fn a_hold_is_checked_in_the_documented_order() {
    type Spoil = (fn(&mut Asked), Rejection);
    fn limit(asked: &mut Asked, limit: impl FnOnce(&mut Schedule)) {
        if let Found::Here(schedule) = &mut asked.schedule {
            limit(schedule);
        }
    }
    let checks: [Spoil; 10] = [
        (|asked| asked.token = token(1), Rejection::TokenNotActive(TokenStatus::Expired)),
        (|asked| asked.token.pay(id(3), at(9)), Rejection::SelectionClosed(at(9))),
        (|asked| asked.schedule = Found::Elsewhere, Rejection::WrongQueue),
        (|asked| asked.seats.truncate(1), missing(&[2])),
        (
            |asked| asked.seats[0].schedule = ScheduleId::new(Uuid::from_u128(9)),
            Rejection::invalid("seat_ids", Wrong::SeatsOfManySchedules),
        ),
        (
            |asked| limit(asked, |schedule| schedule.starts_at = LocalTime::new(at(10), 0).unwrap()),
            Rejection::SaleClosed,
        ),
        (
            |asked| asked.pending = vec![PendingHold { reservation: id(9), expires_at: at(1_000), seats: 4 }],
            Rejection::SeatLimit(4),
        ),
        (
            |asked| limit(asked, |schedule| schedule.max_per_user = Some(1)),
            Rejection::PurchaseLimit { max_per_user: 1, owned: 0 },
        ),
        (
            |asked| limit(asked, |schedule| schedule.concert_max_per_user = Some(1)),
            Rejection::PurchaseLimit { max_per_user: 1, owned: 0 },
        ),
        (|asked| asked.seats[0].taken = Some(Taken { by: id(5), until: None }), taken(&[1], &[])),
    ];
    for (first, (spoil_first, refusal)) in checks.iter().enumerate() {
        for (spoil_second, _) in &checks[first..] {
            let mut asked = Asked::for_seats(vec![free(1), free(2)]);
            spoil_second(&mut asked);
            spoil_first(&mut asked);
            assert_eq!(asked.decide(10), Err(refusal.clone()));
        }
    }
}

#[test]
fn pending_is_over_exactly_at_its_deadline_and_nothing_else_is_s4() {
    let (expired, user) = (CancelReason::Expired, CancelReason::User);
    for (stored, now, shown) in [
        (ReservationStatus::Pending, 99, ReservationStatus::Pending),
        (ReservationStatus::Pending, 100, ReservationStatus::Cancelled(expired)),
        (ReservationStatus::Pending, 101, ReservationStatus::Cancelled(expired)),
        (ReservationStatus::Confirmed, 101, ReservationStatus::Confirmed),
        (ReservationStatus::Cancelled(user), 101, ReservationStatus::Cancelled(user)),
    ] {
        assert_eq!(reservation(stored, 100).status_at(at(now)), shown, "{stored:?} {now}");
    }
}

#[test]
fn a_reader_and_a_key_are_told_the_state_of_now_r7_r15() {
    let (over, user) = (ReservationStatus::Cancelled(CancelReason::Expired), CancelReason::User);
    for (stored, now, told) in [
        (ReservationStatus::Pending, 99, ReservationStatus::Pending),
        (ReservationStatus::Pending, 100, over),
        (ReservationStatus::Confirmed, 100, ReservationStatus::Confirmed),
        (ReservationStatus::Cancelled(user), 100, ReservationStatus::Cancelled(user)),
    ] {
        let made = reservation(ReservationStatus::Pending, 100);
        let today = Reservation { status: stored, ..made.clone() };
        assert_eq!(today.as_of(at(now)), Reservation { status: told, ..made });
    }
}

#[test]
fn stored_words_and_states_are_one_to_one() {
    let cancelled = [CancelReason::Expired, CancelReason::User, CancelReason::Left].map(ReservationStatus::Cancelled);
    for status in [ReservationStatus::Pending, ReservationStatus::Confirmed].into_iter().chain(cancelled) {
        let (word, reason) = status.words();
        assert_eq!(ReservationStatus::of_words(word, reason), Some(status));
        let other = if reason.is_some() { None } else { Some("USER") };
        assert_eq!(ReservationStatus::of_words(word, other), None, "{word} with {other:?}");
    }
    assert_eq!(ReservationStatus::of_words("LOST", None), None);
    assert_eq!(ReservationStatus::of_words("CANCELLED", Some("LOST")), None);
}

#[test]
fn the_sweeper_ends_what_is_due_and_nothing_else_r10_s2() {
    let cancelled = ReservationStatus::Cancelled(CancelReason::User);
    for (stored, now, ended) in [
        (ReservationStatus::Pending, 99, false),
        (ReservationStatus::Pending, 100, true),
        (ReservationStatus::Pending, 101, true),
        (ReservationStatus::Confirmed, 101, false),
        (cancelled, 101, false),
    ] {
        let mut swept = reservation(stored, 100);
        assert_eq!(swept.expire_if_due(at(now)), ended, "{stored:?} {now}");
        let after = if ended { ReservationStatus::Cancelled(CancelReason::Expired) } else { stored };
        assert_eq!(swept.status, after);
        assert!(!swept.expire_if_due(at(now)), "twice does nothing");
    }
}

#[test]
fn a_seat_that_somebody_has_since_taken_is_not_freed_r10_s2() {
    let mine = reservation(ReservationStatus::Pending, 100);
    for (seat, freed) in [(held(1, 77, 100), true), (held(1, 5, 200), false), (sold(1, 77), false), (free(1), false)] {
        assert_eq!(mine.frees(&seat), freed, "{seat:?}");
    }
}

#[test]
fn deleting_a_reservation_r17_w11() {
    let (expired, by_user) =
        (ReservationStatus::Cancelled(CancelReason::Expired), ReservationStatus::Cancelled(CancelReason::User));
    for (stored, now, answer, after) in [
        (ReservationStatus::Pending, 99, Ok(true), by_user),
        (ReservationStatus::Pending, 100, Ok(true), expired),
        (by_user, 99, Ok(false), by_user),
        (expired, 101, Ok(false), expired),
        (ReservationStatus::Confirmed, 99, Err(Rejection::AlreadyPaid), ReservationStatus::Confirmed),
        (ReservationStatus::Confirmed, 101, Err(Rejection::AlreadyPaid), ReservationStatus::Confirmed),
    ] {
        let mut asked = reservation(stored, 100);
        assert_eq!(cancel(Some(&mut asked), &token(1_000), at(now)), answer, "{stored:?} {now}");
        assert_eq!(asked.status, after);

        let mut others = reservation(stored, 100);
        let elses = Token { user: user("somebody else"), ..token(1_000) };
        let refused = cancel(Some(&mut others), &elses, at(now));
        assert_eq!(refused, Err(Rejection::NotFound(Missing::Reservation)));
        assert_eq!(others.status, stored);
    }
    assert_eq!(cancel(None, &token(1_000), at(0)), Err(Rejection::NotFound(Missing::Reservation)));
}

/// The token's state comes before everything else of the reservation.
#[test]
fn deleting_needs_a_live_token_r17() {
    let waiting = Token::issue(token(1).ticket, user("holder"), at(0));
    let over = Err(Rejection::TokenNotActive(TokenStatus::Expired));
    for (token, now, answer) in [
        (waiting, 50, Ok(true)),
        (token(51), 50, Ok(true)),
        (token(50), 50, over.clone()),
        (Token { user: user("somebody else"), ..token(50) }, 50, over.clone()),
    ] {
        let mut asked = reservation(ReservationStatus::Pending, 100);
        assert_eq!(cancel(Some(&mut asked), &token, at(now)), answer, "{token:?}");
        assert_eq!(asked.status == ReservationStatus::Pending, answer.is_err());
    }
    assert_eq!(cancel(None, &token(50), at(50)), over);
}

#[test]
fn leaving_cancels_what_is_pending_r17() {
    let mut left = reservation(ReservationStatus::Pending, 100);
    assert!(left.cancel(CancelReason::Left, at(99)));
    assert_eq!(left.status, ReservationStatus::Cancelled(CancelReason::Left));
    let mut paid = reservation(ReservationStatus::Confirmed, 100);
    assert!(!paid.cancel(CancelReason::Left, at(99)));
    assert_eq!(paid.status, ReservationStatus::Confirmed);
}
