//! Holding seats (R5 to R9, R11): what is granted, what is refused, and whose seats are taken over.

use std::sync::Arc;
use std::time::Duration;

use domain::concert::{NewSchedule, NumberedSeat, SeatRun};
use domain::ports::HoldCommand;
use domain::rejection::Missing;
use domain::reservation::{CancelReason, Reservation, ReservationStatus};
use domain::seat::SeatChoice;
use domain::seat::SeatStatus::{Available, Held};
use domain::token::Active;
use domain::{LocalTime, PolicyChange, QueueNumber, Rejection, ScheduleId, SeatId, Timestamp, TokenStatus};
use uuid::Uuid;

use crate::Make;
use crate::scene::{MICRO, Scene, concert, key, money, page, schedule, ticket, user};

const HOLD: Duration = Duration::from_secs(300);

pub(crate) async fn a_hold_is_answered_whole_r8_r9(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    scene.advance(Duration::from_secs(7));
    let held = scene.hold(ticket, &[9, 2]).await.unwrap();
    let seat = |number: u32| NumberedSeat {
        id: scene.seats[usize::try_from(number).unwrap() - 1],
        number,
        price: money("1000"),
    };
    let expected = Reservation {
        id: held.id,
        queue: scene.main,
        user: user("a"),
        concert: scene.concert.id,
        schedule: scene.schedule,
        title: Arc::from("겨울 콘서트"),
        starts_at: scene.starts_at,
        seats: vec![seat(2), seat(9)],
        amount: money("2000"),
        status: ReservationStatus::Pending,
        reserved_at: scene.now(),
        expires_at: scene.now().plus(HOLD),
    };
    assert_eq!(held, expected);
    assert_eq!(scene.reservation(&held).await, expected, "S13: it can be read at once");
    assert_eq!((scene.seat(2).await, scene.seat(9).await, scene.seat(3).await), (Held, Held, Available));
}

pub(crate) async fn seats_can_be_named_by_their_ids(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let choice = SeatChoice::ids(&[scene.seats[4], scene.seats[1]]).unwrap();
    let held = scene.hold_of(ticket, choice.clone()).await.unwrap();
    assert_eq!(held.seats.iter().map(|seat| seat.number).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(scene.hold_of(ticket, choice).await, Err(scene.taken(&[2, 5], &[2, 5])));
}

/// R6: only an ACTIVE token holds, and none that was never issued.
pub(crate) async fn only_an_active_token_holds_r6_q16(make: Make) {
    let scene = Scene::open(&make).await;
    let left = scene.enter("left").await;
    scene.leave(left).await;
    scene.policy(PolicyChange { paused: Some(true), ..PolicyChange::default() }).await;
    let waits = scene.join("waits").await.token.ticket;
    for (who, refused) in [
        (ticket(scene.main, 99), Rejection::TokenUnknown),
        (ticket(QueueNumber(scene.main.0 + 1), 1), Rejection::TokenUnknown),
        (waits, Rejection::TokenNotActive(TokenStatus::Waiting)),
        (left, Rejection::TokenNotActive(TokenStatus::Expired)),
    ] {
        assert_eq!(scene.hold(who, &[1]).await, Err(refused));
    }
    assert_eq!(scene.seat(1).await, Available);
}

/// R5: no hold, first or repeated, starts at or after the end of selection.
pub(crate) async fn no_hold_starts_at_the_end_of_selection_r5(make: Make) {
    for (late, granted) in [(-1, true), (0, false), (1, false)] {
        for holds in [false, true] {
            let scene = Scene::open(&make).await;
            let ticket = scene.enter("a").await;
            let end = scene.turn(ticket).await.selection_ends_at;
            if holds {
                scene.set(end.minus(HOLD / 2));
                scene.hold(ticket, &[1]).await.unwrap();
            }
            scene.set(Timestamp::from_micros(end.micros() + late));
            let answer = scene.hold(ticket, &[2]).await.map(|_| ());
            let over = Rejection::TokenNotActive(TokenStatus::Expired);
            let refused = if holds { Rejection::SelectionClosed(end) } else { over };
            assert_eq!(answer, if granted { Ok(()) } else { Err(refused) }, "{late} {holds}");
        }
    }
}

/// R5: what is held can be paid; a hold that ends later than selection moves the token's deadline, one that ends
/// earlier does not.
pub(crate) async fn a_hold_covers_its_own_time_r5(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter_with("a", "5000").await;
    let turn = scene.turn(ticket).await;
    assert_eq!((turn.since, turn.selection_ends_at, turn.last_paid), (scene.now(), turn.deadline, None));
    scene.hold(ticket, &[1]).await.unwrap();
    assert_eq!(scene.turn(ticket).await, turn);
    scene.set(turn.deadline.minus(MICRO));
    let late = scene.hold(ticket, &[2]).await.unwrap();
    assert_eq!(scene.turn(ticket).await, Active { deadline: late.expires_at, ..turn });
    scene.tick().await;
    scene.set(late.expires_at.minus(MICRO));
    assert_eq!(scene.status(ticket).await, TokenStatus::Active);
    scene.tick().await;
    scene.pay(ticket, late.id).await.unwrap();
}

/// R8: all or none, and the refusal names what is taken.
pub(crate) async fn a_hold_takes_all_or_none_r8_s9(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter("b").await);
    let sold = scene.hold(ticket_a, &[3]).await.unwrap();
    let other = scene.hold(ticket_b, &[7, 1]).await.unwrap();
    scene.pay(ticket_a, sold.id).await.unwrap();
    let again = scene.enter("a").await;
    assert_eq!(scene.hold(again, &[1, 2, 3, 7]).await, Err(scene.taken(&[1, 3, 7], &[3])));
    assert_eq!(scene.hold(ticket_b, &[1]).await, Err(scene.taken(&[1], &[1])), "also what one holds oneself");
    assert_eq!(scene.seat(2).await, Available);
    assert_eq!(scene.reservation_status(&other).await, ReservationStatus::Pending);
    scene.hold(again, &[2]).await.unwrap();
}

/// R11: holding ends when the schedule starts.
pub(crate) async fn no_hold_starts_when_the_schedule_has_r11(make: Make) {
    let scene = Scene::open(&make).await;
    let start = scene.starts_at.at().micros();
    for (late, number) in [(-1, 1), (0, 2), (1, 3)] {
        scene.set(Timestamp::from_micros(start + late));
        let ticket = scene.enter(number).await;
        let held = scene.hold(ticket, &[number]).await.map(|_| ());
        assert_eq!(held, if late < 0 { Ok(()) } else { Err(Rejection::SaleClosed) }, "{late}");
    }
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Held, Available));
}

/// R6: a token reaches its own queue's seats only.
pub(crate) async fn what_is_not_there_cannot_be_held_r6(make: Make) {
    let scene = Scene::open(&make).await;
    let (other, elsewhere) = scene.other_queue().await;
    let map = scene.store.concerts.seat_map(other, elsewhere).await.unwrap().unwrap();
    let theirs = map.seats[0].0.id;
    let (nowhere, nothing) = (ScheduleId::new(Uuid::from_u128(7)), SeatId::new(Uuid::from_u128(8)));
    let ticket = scene.enter("a").await;
    for (choice, refused) in [
        (SeatChoice::numbers(scene.schedule, &[1, 52, 51]), Rejection::NotFound(Missing::Seats(vec![51, 52]))),
        (SeatChoice::numbers(nowhere, &[1]), Rejection::NotFound(Missing::Schedule)),
        (SeatChoice::numbers(elsewhere, &[1]), Rejection::WrongQueue),
        (SeatChoice::ids(&[scene.seats[0], nothing]), Rejection::NotFound(Missing::Seat)),
        (SeatChoice::ids(&[nothing]), Rejection::NotFound(Missing::Seat)),
        (SeatChoice::ids(&[theirs]), Rejection::NotFound(Missing::Seat)),
        (SeatChoice::ids(&[scene.seats[0], theirs]), Rejection::NotFound(Missing::Seat)),
    ] {
        let choice = choice.unwrap();
        assert_eq!(scene.hold_of(ticket, choice.clone()).await, Err(refused), "{choice:?}");
    }
    assert_eq!(scene.seat(1).await, Available);
    assert_eq!(scene.store.concerts.seats_available(other, elsewhere).await.unwrap(), 10);
}

/// R8: seats of one schedule.
pub(crate) async fn seats_of_two_schedules_cannot_be_held_together_r8(make: Make) {
    let scene = Scene::open(&make).await;
    let second = scene.load(concert("B", "main", vec![schedule(scene.starts_at, 2)])).await;
    let map = scene.store.concerts.seat_map(scene.main, second.schedules[0]).await.unwrap().unwrap();
    let choice = SeatChoice::ids(&[scene.seats[0], map.seats[0].0.id]).unwrap();
    let ticket = scene.enter("a").await;
    let refused = scene.hold_of(ticket, choice).await;
    assert!(matches!(refused, Err(Rejection::Invalid(_))), "{refused:?}");
    assert_eq!(scene.seat(1).await, Available);
}

/// R7, S4, S6: at its deadline a hold gives way to the next, swept or not, and not before.
pub(crate) async fn a_dead_hold_is_taken_over_r7_s4_s6(make: Make) {
    for (late, over) in [(-1, false), (0, true), (1, true)] {
        let scene = Scene::open(&make).await;
        let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
        let old = scene.hold(ticket_a, &[1, 2, 3]).await.unwrap();
        scene.set(Timestamp::from_micros(old.expires_at.micros() + late));
        let new = scene.hold(ticket_b, &[2]).await;
        if !over {
            assert_eq!(new, Err(scene.taken(&[2], &[])));
            assert_eq!(scene.reservation_status(&old).await, ReservationStatus::Pending);
            continue;
        }
        let new = new.unwrap();
        assert_eq!(scene.reservation_status(&old).await, ReservationStatus::Cancelled(CancelReason::Expired));
        assert_eq!(scene.reservation_status(&new).await, ReservationStatus::Pending);
        assert_eq!((scene.seat(1).await, scene.seat(2).await, scene.seat(3).await), (Available, Held, Available));
        assert_eq!(scene.sweep().await, 0, "the takeover has written it");
        assert_eq!(scene.reservation(&old).await.seats, old.seats, "its set of seats never changes");
    }
}

/// R7: a takeover cancels the old reservation for good, and its other seats go to whoever comes.
pub(crate) async fn the_rest_of_what_was_taken_over_is_free_r7_s7(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter_with("a", "9000").await, scene.enter_with("b", "9000").await);
    let ticket_c = scene.enter_with("c", "9000").await;
    let old = scene.hold(ticket_a, &[1, 2, 3]).await.unwrap();
    scene.set(old.expires_at);
    let of_b = scene.hold(ticket_b, &[1]).await.unwrap();
    let of_c = scene.hold(ticket_c, &[2, 3]).await.unwrap();
    assert_eq!(scene.pay(ticket_a, old.id).await, Err(Rejection::ReservationExpired), "S5");
    assert_eq!(
        scene.cancel(ticket_a, old.id).await.unwrap().status,
        ReservationStatus::Cancelled(CancelReason::Expired)
    );
    assert_eq!((scene.seat(1).await, scene.seat(2).await), (Held, Held), "what is no longer its own stays");
    scene.pay(ticket_b, of_b.id).await.unwrap();
    scene.pay(ticket_c, of_c.id).await.unwrap();
}

/// R7: two dead holds at once make room for one live one, and a refused one takes nothing over.
pub(crate) async fn several_dead_holds_are_taken_over_at_once_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let (ticket_a, ticket_b) = (scene.enter("a").await, scene.enter("b").await);
    let dead = [scene.hold(ticket_a, &[1, 2]).await.unwrap(), scene.hold(ticket_b, &[3]).await.unwrap()];
    scene.advance(HOLD);
    let ticket_c = scene.enter("c").await;
    let live = scene.hold(ticket_c, &[4]).await.unwrap();
    assert_eq!(scene.hold(ticket_c, &[1, 3, 4]).await, Err(scene.taken(&[4], &[4])));
    assert_eq!((scene.seat(1).await, scene.seat(3).await), (Available, Available));
    scene.hold(ticket_c, &[1, 2, 3]).await.unwrap();
    for old in &dead {
        assert_eq!(scene.reservation_status(old).await, ReservationStatus::Cancelled(CancelReason::Expired));
    }
    assert_eq!(scene.reservation_status(&live).await, ReservationStatus::Pending);
}

/// R7: one may take over one's own dead hold.
pub(crate) async fn ones_own_dead_hold_is_no_hold_r7(make: Make) {
    let scene = Scene::open(&make).await;
    let ticket = scene.enter("a").await;
    let old = scene.hold(ticket, &[1, 2, 3, 4]).await.unwrap();
    scene.set(old.expires_at);
    let new = scene.hold(ticket, &[1, 2, 3, 4]).await.unwrap();
    assert_ne!(new.id, old.id);
    assert_eq!(scene.reservation_status(&old).await, ReservationStatus::Cancelled(CancelReason::Expired));
}

/// R9: the receipt keeps the schedule's offset.
pub(crate) async fn a_reservation_shows_the_start_as_it_was_written(make: Make) {
    let scene = Scene::open(&make).await;
    let starts_at = LocalTime::parse("2026-12-24T19:30:00-03:30").unwrap();
    let created = scene.load(concert("B", "main", vec![schedule(starts_at, 1)])).await;
    let ticket = scene.enter("a").await;
    let choice = SeatChoice::numbers(created.schedules[0], &[1]).unwrap();
    let held = scene.hold_of(ticket, choice).await.unwrap();
    assert_eq!((held.starts_at, &*held.title, held.concert), (starts_at, "B", created.id));
    assert_eq!(scene.reservation(&held).await.starts_at, starts_at);
}

/// A reservation names its seats by number, though their ids go the other way, wherever it is shown.
pub(crate) async fn a_reservation_shows_its_seats_by_number(make: Make) {
    let scene = Scene::open(&make).await;
    let one = |first| SeatRun { first, count: 1, price: money("1000") };
    let plan = NewSchedule { seats: [3, 2, 1].map(one).to_vec(), ..schedule(scene.starts_at, 1) };
    let created = scene.load(concert("B", "main", vec![plan])).await;
    let ticket = scene.enter_with("a", "3000").await;
    let choice = SeatChoice::numbers(created.schedules[0], &[3, 1, 2]).unwrap();
    let command = HoldCommand { ticket, choice, key: Some(key("k")) };
    let ask = async || scene.store.reservations.hold(&command).await.unwrap().unwrap().value;
    let held = ask().await;
    let listed = scene.store.reservations.list(scene.main, &user("a"), &page()).await.unwrap().items;
    let mut shown = vec![held.clone(), ask().await, scene.reservation(&held).await];
    shown.extend(listed);
    shown.push(scene.pay_keyed(ticket, held.id, "k").await.unwrap().0.receipt.reservation);
    shown.push(scene.pay_keyed(ticket, held.id, "k").await.unwrap().0.receipt.reservation);
    shown.extend(scene.receipts("a").await.into_iter().map(|receipt| receipt.reservation));
    assert_eq!(shown.len(), 7);
    for (at, reservation) in shown.iter().enumerate() {
        let numbers: Vec<_> = reservation.seats.iter().map(|seat| seat.number).collect();
        assert_eq!(numbers, [1, 2, 3], "{at}");
    }
}
