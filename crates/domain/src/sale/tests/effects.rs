//! What commands ask for, in which order, and what they change.

use std::sync::Arc;

use super::scene::{
    QUEUE, Scene, at, choice, held, hold, key, money, now, over, pay, reservation_id, schedule_id, seat_id, ticket,
    token, user, verdict,
};
use crate::concert::{Found, Schedule};
use crate::idempotency::Recorded;
use crate::ports::{HoldCommand, Left, PayCommand, StoreError};
use crate::reservation::{CancelReason, OwnSeats, PendingHold, Reservation, ReservationStatus};
use crate::sale::{self, Command, Facts, Made, WorkingSet};
use crate::seat::{Seat, SeatChoice, Taken};
use crate::token::EndReason;
use crate::wallet::{EntryKind, Wallet};
use crate::{
    ConcertId, Edit, IdempotencyKey, Message, PaymentId, PolicyChange, Queue, QueueEdit, Rejection, ReservationId,
    ScheduleId, TicketNumber, Token, TokenStatus, UserId,
};

/// Facts that note what was asked for.
struct Asked(WorkingSet, Vec<&'static str>);

macro_rules! noted {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Facts for Asked {$(
            fn $name(&mut self, $($argument: $type),*) -> Result<$result, StoreError> {
                self.1.push(stringify!($name));
                self.0.$name($($argument),*)
            }
        )*}
    };
}

noted! {
    queue() -> Option<Queue>;
    token(number: TicketNumber) -> Option<Token>;
    newest_token(user: &UserId) -> Option<Token>;
    recorded_hold(user: &UserId, key: &IdempotencyKey) -> Option<(Recorded, ReservationId)>;
    recorded_payment(user: &UserId, key: &IdempotencyKey) -> Option<(Recorded, PaymentId)>;
    seats(choice: &SeatChoice) -> Vec<Seat>;
    schedule(id: ScheduleId) -> Found<Arc<Schedule>>;
    pending(user: &UserId) -> Vec<PendingHold>;
    own_seats(user: &UserId, concert: ConcertId) -> Vec<OwnSeats>;
    is_own(user: &UserId, reservation: ReservationId) -> bool;
    reservation(id: ReservationId) -> Option<Reservation>;
    pending_reservations(user: &UserId) -> Vec<Reservation>;
    seats_of(reservation: &Reservation) -> Vec<Seat>;
    wallet(user: &UserId) -> Wallet;
}

impl Asked {
    fn of(scene: &Scene) -> Self {
        Self(scene.set(), Vec::new())
    }
}

#[test]
fn nothing_is_asked_for_that_does_not_matter() {
    let scene = Scene::new();
    let mut asked = Asked::of(&scene);
    sale::hold(&mut asked, &hold(1), &scene.context()).unwrap().unwrap();
    assert_eq!(asked.1, ["token", "recorded_hold", "seats", "schedule", "pending"]);

    let mut limited = Scene::new();
    limited.schedule.max_per_user = Some(2);
    let mut asked = Asked::of(&limited);
    sale::hold(&mut asked, &hold(1), &limited.context()).unwrap().unwrap();
    assert_eq!(asked.1, ["token", "recorded_hold", "seats", "schedule", "pending", "own_seats"]);

    let mut refused = Asked::of(&scene);
    let taken = crate::ports::HoldCommand { choice: choice(&[9, 1]), key: None, ..hold(1) };
    assert!(sale::hold(&mut refused, &taken, &scene.context()).unwrap().is_err());
    assert_eq!(refused.1, ["token", "seats", "schedule", "pending", "is_own"]);

    let mut unkeyed = Asked::of(&scene);
    sale::pay(&mut unkeyed, &PayCommand { key: None, ..pay(1) }, &scene.context()).unwrap().unwrap();
    assert_eq!(unkeyed.1, ["token", "reservation", "wallet", "pending"]);

    let mut unknown = Asked::of(&scene);
    assert!(sale::hold(&mut unknown, &hold(7), &scene.context()).unwrap().is_err());
    assert_eq!(unknown.1, ["token"]);

    let mut repeated = Scene::new();
    repeated.record_hold(&hold(1), at(0), reservation_id(4));
    let mut asked = Asked::of(&repeated);
    sale::hold(&mut asked, &hold(1), &repeated.context()).unwrap().unwrap();
    assert_eq!(asked.1, ["token", "recorded_hold"]);

    let mut left = Asked::of(&scene);
    sale::leave(&mut left, ticket(2).number, &scene.context()).unwrap().unwrap();
    assert_eq!(left.1, ["token", "queue", "pending_reservations"]);

    let mut cancelled = Asked::of(&scene);
    sale::cancel(&mut cancelled, ticket(1).number, held(), &scene.context()).unwrap().unwrap();
    assert_eq!(cancelled.1, ["token", "reservation", "seats_of", "pending"]);
    let mut others = Asked::of(&scene);
    assert!(sale::cancel(&mut others, ticket(2).number, held(), &scene.context()).unwrap().is_err());
    assert_eq!(others.1, ["token", "reservation"]);
    let mut swept = Asked::of(&scene);
    assert!(
        sale::release(&mut swept, held(), &crate::sale::Context { now: over(), ..scene.context() }).unwrap().is_some()
    );
    assert_eq!(swept.1, ["reservation", "seats_of"]);
}

/// The end of the turn of `holder`, and why it ended if it did.
fn turn(set: &mut WorkingSet) -> (i64, Option<EndReason>) {
    let token = set.token(ticket(1).number).unwrap().unwrap();
    (token.active.unwrap().deadline.micros(), token.end.map(|end| end.reason))
}

/// R5: a turn follows what its user holds, both ways, also within one batch.
#[test]
fn a_turn_follows_what_is_held_r5() {
    const SELECTION: i64 = 600_000_000;
    let mut scene = Scene::new();
    scene.reservations[0].1.expires_at = at(SELECTION + 5);
    scene.seats[8].taken = Some(Taken { by: held(), until: Some(at(SELECTION + 5)) });
    scene.hold_another(at(SELECTION + 9));
    scene.tokens[0].settle([at(SELECTION + 9)], at(0));
    let another = reservation_id(8);
    for (first, second, between) in [(another, held(), SELECTION + 5), (held(), another, SELECTION + 9)] {
        for (now, over) in [(SELECTION - 1, false), (SELECTION, true), (SELECTION + 1, true)] {
            scene.now = at(now);
            let mut set = scene.set();
            set.decide(&Command::Cancel(ticket(1), first), &scene.context()).unwrap();
            assert_eq!(turn(&mut set), (between, None), "{now}");
            set.decide(&Command::Cancel(ticket(1), second), &scene.context()).unwrap();
            assert_eq!(turn(&mut set), (SELECTION.max(now), over.then_some(EndReason::Deadline)), "{now}");
            assert_eq!((set.changed_tokens().count(), set.changed().expired), (1, u64::from(over)));
            let hold = verdict(set.decide(&Command::Hold(HoldCommand { key: None, ..hold(1) }), &scene.context()));
            assert_eq!(hold.is_ok(), !over, "{hold:?}");
        }
    }
}

/// R14: paid with another hold, the token lives on for that, and ends as one that paid however that ends.
#[test]
fn who_paid_ends_paid_with_the_last_hold_r14() {
    let mut scene = Scene::new();
    scene.hold_another(at(2_000_000));
    let another = reservation_id(8);
    let paid = || {
        let mut set = scene.set();
        verdict(set.decide(&Command::Pay(pay(1)), &scene.context())).unwrap();
        assert_eq!(turn(&mut set), (2_000_000, None));
        let closed = verdict(set.decide(&Command::Hold(hold(1)), &scene.context()));
        assert_eq!(closed.err(), Some(Rejection::SelectionClosed(now())));
        set
    };
    let ended_paid = Some(EndReason::Paid(held()));
    let mut cancelled = paid();
    cancelled.decide(&Command::Cancel(ticket(1), another), &scene.context()).unwrap();
    assert_eq!(turn(&mut cancelled), (now().micros(), ended_paid));
    let again = verdict(cancelled.decide(&Command::Pay(PayCommand { key: None, ..pay(1) }), &scene.context()));
    assert_eq!(again.err(), Some(Rejection::AlreadyPaid));

    let mut paid_too = paid();
    paid_too.add_wallet(user("holder"), Ok(Wallet { user: user("holder"), balance: money("10"), last_seq: 4 }));
    let second = PayCommand { reservation: another, key: None, ..pay(1) };
    verdict(paid_too.decide(&Command::Pay(second.clone()), &scene.context())).unwrap();
    assert_eq!(turn(&mut paid_too), (now().micros(), Some(EndReason::Paid(another))));
    for paid in [second, PayCommand { key: None, ..pay(1) }] {
        let again = verdict(paid_too.decide(&Command::Pay(paid), &scene.context()));
        assert_eq!(again.err(), Some(Rejection::AlreadyPaid), "it hears so for all that it paid");
    }

    let ran_out = paid().token(ticket(1).number).unwrap().unwrap();
    let ran_out = sale::expire([ran_out], at(2_000_000)).pop().unwrap();
    assert_eq!(ran_out.end.map(|end| end.reason), ended_paid);
}

#[test]
fn a_payment_changes_seven_things_and_no_other_r14() {
    let scene = Scene::new();
    let mut set = scene.set();
    let Made::Now(paid, effects) = sale::pay(&mut set, &pay(1), &scene.context()).unwrap().unwrap() else { panic!() };
    let payment = paid.receipt.payment;
    assert_eq!(effects.payment, Some((payment.clone(), Some((key(), fingerprint(&pay(1)))))));
    assert_eq!(effects.ended, [(held(), ReservationStatus::Confirmed)]);
    let [sold] = effects.seats.as_slice() else { panic!("{:?}", effects.seats) };
    assert_eq!((sold.id, sold.before), (seat_id(9), Some(held())));
    assert_eq!(sold.taken, Some(Taken { by: held(), until: None }), "SOLD");
    let [token] = effects.tokens.as_slice() else { panic!("{:?}", effects.tokens) };
    assert_eq!(token.end.map(|end| end.reason), Some(EndReason::Paid(held())));
    let (wallet, entry) = effects.moved.clone().unwrap();
    assert_eq!((wallet.balance.clone(), wallet.last_seq, entry.seq), (money("0"), 4, 4));
    assert_eq!((entry.kind, entry.balance_after), (EntryKind::Payment(held()), paid.balance));
    let rest =
        sale::Effects { payment: None, ended: vec![], seats: vec![], tokens: vec![], moved: None, ..*effects.clone() };
    assert_eq!(rest, sale::Effects::default());

    set.decide(&Command::Pay(pay(1)), &scene.context()).unwrap();
    let written = set.changed();
    assert_eq!((written.payments.len(), written.entries.len()), (1, 1));
    assert_eq!(
        (set.changed_seats().count(), set.changed_tokens().count(), set.changed_reservations().count()),
        (1, 1, 1)
    );
    assert_eq!((set.moved_wallets(true).count(), set.moved_wallets(false).count()), (1, 0));
}

fn fingerprint(command: &PayCommand) -> crate::Fingerprint {
    crate::payment::fingerprint(command.reservation, command.amount.as_ref())
}

/// R8: a batch knows what its own commands have held, given up and paid.
#[test]
fn what_a_batch_changes_counts_for_its_later_holds_r8() {
    let limit = |owned| Some(crate::Rejection::PurchaseLimit { max_per_user: 2, owned });
    let mut scene = Scene::new();
    scene.schedule.concert_max_per_user = Some(2);
    let mut set = scene.set();
    let mut ask = |command: &Command| {
        let step = set.decide(command, &scene.context());
        super::scene::verdict(step).err()
    };
    let take =
        |numbers: &[u32]| Command::Hold(crate::ports::HoldCommand { choice: choice(numbers), key: None, ..hold(1) });
    assert_eq!(ask(&take(&[1, 2])), limit(1), "seat 9 is held");
    assert_eq!(ask(&take(&[1])), None);
    assert_eq!(ask(&take(&[2])), limit(2));
    assert_eq!(ask(&Command::Cancel(ticket(1), held())), None);
    assert_eq!(ask(&take(&[2])), None);

    let mut scene = Scene::new();
    scene.schedule.max_per_user = Some(2);
    // What is paid is so by a turn that ended; this is the next one.
    scene.tokens.push(token(3, "holder"));
    let mut set = scene.set();
    super::scene::verdict(set.decide(&Command::Pay(pay(1)), &scene.context())).unwrap();
    let next = |numbers: &[u32]| {
        Command::Hold(crate::ports::HoldCommand { ticket: ticket(3), choice: choice(numbers), key: None })
    };
    let step = set.decide(&next(&[1, 2]), &scene.context());
    assert_eq!(super::scene::verdict(step).err(), limit(1));
    let own = crate::Rejection::SeatTaken { schedule: scene.schedule.id, numbers: vec![9], own: vec![9] };
    let step = set.decide(&next(&[9]), &scene.context());
    assert_eq!(super::scene::verdict(step).err(), Some(own), "bought in this batch");
    scene.now = over();
    let step = set.decide(&next(&[1, 2]), &scene.context());
    assert_eq!(super::scene::verdict(step).err(), limit(1), "what is bought does not run out");
}

#[test]
fn the_first_movement_of_a_wallet_makes_its_row() {
    let mut scene = Scene::new();
    scene.wallets.clear();
    scene.reservations[0].1.amount = money("0");
    let mut set = scene.set();
    set.decide(&Command::Pay(pay(1)), &scene.context()).unwrap();
    assert_eq!((set.moved_wallets(true).count(), set.moved_wallets(false).count()), (0, 1));
}

#[test]
fn a_forgotten_key_is_taken_from_what_it_made_r15() {
    let mut scene = Scene::new();
    scene.record_hold(&hold(1), now().minus(Recorded::MEMORY), reservation_id(4));
    let mut set = scene.set();
    let Made::Now(made, effects) = sale::hold(&mut set, &hold(1), &scene.context()).unwrap().unwrap() else { panic!() };
    assert_eq!(effects.forgotten_hold, Some(reservation_id(4)));
    assert_eq!(effects.reserved.map(|(new, key)| (new.id, key.is_some())), Some((made.id, true)));
}

#[test]
fn a_dead_hold_is_taken_over_and_its_other_seats_are_left_r7() {
    let mut scene = Scene::new();
    scene.reservations[0].2.push(8);
    scene.seats[7].taken = scene.seats[8].taken;
    scene.now = over();
    let command = crate::ports::HoldCommand { choice: choice(&[9]), ..hold(2) };
    let mut set = scene.set();
    let Made::Now(made, effects) = sale::hold(&mut set, &command, &scene.context()).unwrap().unwrap() else { panic!() };
    assert_eq!(effects.ended, [(held(), ReservationStatus::Cancelled(CancelReason::Expired))]);
    let changes: Vec<_> = effects.seats.iter().map(|seat| (seat.number, seat.before)).collect();
    assert_eq!(changes, [(9, Some(held()))]);
    assert_eq!(effects.seats[0].taken, Some(Taken { by: made.id, until: Some(made.expires_at) }));
    assert_eq!(set.missing_reservations(over()).len(), 0, "it was read with the rest");
}

#[test]
fn ending_a_hold_frees_the_seats_that_are_still_its_own_r10_s2() {
    let others = Some(Taken { by: reservation_id(5), until: Some(at(i64::MAX)) });
    for (command, decided_at, reason) in [
        (Command::Cancel(ticket(1), held()), now(), CancelReason::User),
        (Command::Leave(ticket(1)), now(), CancelReason::Left),
        (Command::Release(held()), over(), CancelReason::Expired),
    ] {
        let mut scene = Scene::new();
        scene.reservations[0].2.push(8);
        scene.seats[7].taken = others;
        scene.now = decided_at;
        let mut set = scene.set();
        set.decide(&command, &scene.context()).unwrap();
        let freed: Vec<_> = set.changed_seats().map(|seat| (seat.number, seat.taken)).collect();
        assert_eq!(freed, [(9, None)], "{reason:?}");
        let ended: Vec<_> = set.changed_reservations().map(|(id, row)| (id, row.status)).collect();
        assert_eq!(ended, [(held(), ReservationStatus::Cancelled(reason))]);
    }
    let scene = Scene::new();
    let mut set = scene.set();
    set.decide(&Command::Release(held()), &scene.context()).unwrap();
    assert_eq!(set.changed_reservations().count(), 0, "it is not due");
}

#[test]
fn what_a_batch_made_and_ended_is_written_once() {
    let scene = Scene::new();
    let mut set = scene.set();
    set.decide(&Command::Hold(hold(1)), &scene.context()).unwrap();
    let id = *set.changed().reserved.keys().next().unwrap();
    set.decide(&Command::Cancel(ticket(1), id), &scene.context()).unwrap();
    assert_eq!(set.changed_reservations().count(), 0);
    let (made, _) = &set.changed().reserved[&id];
    assert_eq!(made.status, ReservationStatus::Cancelled(CancelReason::User));
    assert_eq!(set.changed_seats().map(|seat| (seat.number, seat.taken)).collect::<Vec<_>>(), [(1, None)]);
}

#[test]
fn who_comes_back_too_late_is_ended_before_the_new_place_is_issued_r1_r2() {
    let mut scene = Scene::new();
    scene.now = at(600_000_000);
    let mut set = scene.set();
    set.decide(&Command::Join(user("holder")), &scene.context()).unwrap();
    let ended: Vec<_> = set.changed_tokens().map(|token| (token.ticket, token.status())).collect();
    assert_eq!(ended, [(ticket(1), TokenStatus::Expired)]);
    let issued: Vec<_> = set.issued_tokens().map(|token| (token.ticket, token.status())).collect();
    assert_eq!(issued, [(ticket(3), TokenStatus::Waiting)]);
    assert_eq!((set.changed().expired, set.admits(), set.number()), (1, true, QUEUE));

    let mut again = scene.set();
    again.decide(&Command::Join(user("new")), &scene.context()).unwrap();
    again.decide(&Command::Join(user("new")), &scene.context()).unwrap();
    assert_eq!(again.issued_tokens().count(), 1, "the second finds the first");
}

#[test]
fn leaving_changes_the_line_only_when_one_waited_r17() {
    let mut scene = Scene::new();
    scene.queue.as_mut().unwrap().line.issued = 3;
    scene.tokens.push(Token::issue(ticket(3), user("waits"), at(0)));
    for (number, changes_line) in [(1, false), (3, true)] {
        let mut set = scene.set();
        set.decide(&Command::Leave(ticket(number)), &scene.context()).unwrap();
        assert_eq!((set.changed().queue, set.changed_tokens().count()), (changes_line, 1), "{number}");
    }
    let mut late = Scene::new();
    late.now = at(600_000_000);
    let mut set = late.set();
    set.decide(&Command::Leave(ticket(1)), &late.context()).unwrap();
    assert_eq!((set.changed().expired, set.changed_reservations().count()), (1, 0), "time had ended it");
}

#[test]
fn leaving_tells_of_which_schedules_it_gave_up_seats_r17() {
    let told = |scene: &Scene, number| {
        let leaving = sale::leave(&mut scene.set(), ticket(number).number, &scene.context());
        leaving.unwrap().unwrap().0
    };
    let none = Left { lived: true, freed: [].into() };
    let mut scene = Scene::new();
    assert_eq!(told(&scene, 1), Left { freed: [schedule_id()].into(), ..none.clone() });
    assert_eq!(told(&scene, 2), none, "they held nothing");
    scene.tokens[0].end(EndReason::Left, now());
    assert_eq!(told(&scene, 1), Left { lived: false, ..none });
}

#[test]
fn a_policy_is_kept_beside_those_before_it_r3() {
    let scene = Scene::new();
    let mut set = scene.set();
    for batch in [3, 4] {
        let change = PolicyChange { batch: Some(batch), ..PolicyChange::default() };
        let edit = QueueEdit { policy: Some(change), message: Edit::Keep };
        set.decide(&Command::Edit(edit), &scene.context()).unwrap();
    }
    assert_eq!(set.changed().policies.iter().map(|policy| policy.batch).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(set.queue().unwrap().unwrap().policy.batch, 4);
}

/// So that a word to those who wait costs nobody a grant, and gives nobody one.
#[test]
fn a_message_is_no_change_of_the_policy_and_one_of_the_line() {
    let scene = Scene::new();
    let mut set = scene.set();
    let before = set.queue().unwrap().unwrap();
    let (first, last) = (Message::new("곧", "Soon").unwrap(), Message::new("매진", "Sold out").unwrap());
    for message in [Edit::Set(first), Edit::Set(last.clone()), Edit::Keep] {
        let edit = QueueEdit { policy: None, message };
        set.decide(&Command::Edit(edit), &scene.context()).unwrap();
    }
    assert_eq!(set.changed().message, Edit::Set(last), "the last one stays");
    assert_eq!(set.changed().policies, []);
    let line = crate::line::Line { version: before.line.version + 2, ..before.line };
    assert_eq!(set.queue().unwrap(), Some(Queue { line, ..before.clone() }));

    // Of a policy that is refused nothing is kept, and no message either.
    let bad = PolicyChange { batch: Some(0), ..PolicyChange::default() };
    let edit = QueueEdit { policy: Some(bad), message: Edit::Clear };
    let mut set = scene.set();
    set.decide(&Command::Edit(edit), &scene.context()).unwrap();
    assert_eq!((set.changed().message.clone(), set.queue().unwrap()), (Edit::Keep, Some(before)));
}

#[test]
fn a_seat_that_is_not_as_it_was_decided_on_is_not_sold() {
    let mut scene = Scene::new();
    scene.seats[8].taken = None;
    let mut set = scene.set();
    let paid = set.decide(&Command::Pay(pay(1)), &scene.context());
    assert!(matches!(paid, Err(StoreError::Inconsistent { table: "seats", .. })), "{paid:?}");
    assert_eq!((set.changed_tokens().count(), set.changed().payments.len()), (0, 0), "and nothing else is done");
    assert_eq!(token(1, "holder"), set.token(ticket(1).number).unwrap().unwrap());
}
