//! Every row of R13, and that money is never created or lost.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::token::{EndReason, TokenEnd};
use crate::wallet::charge;
use crate::{ConcertId, LocalTime, QueueNumber, Rules, ScheduleId, Ticket, TicketNumber, TokenStatus};

/// What is paid, when everything is right.
const PRICE: &str = "30";
/// When it is paid.
const NOW: i64 = 100;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn id(n: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(n))
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn wallet(balance: &str) -> Wallet {
    Wallet { user: UserId::parse("payer").unwrap(), balance: money(balance), last_seq: 4 }
}

fn token() -> Token {
    let ticket = Ticket { queue: QueueNumber(1), number: TicketNumber::new(1).unwrap() };
    let mut token = Token::issue(ticket, UserId::parse("payer").unwrap(), at(0));
    token.admit(Duration::from_secs(600), at(0), 1);
    token
}

fn ended(reason: EndReason) -> Token {
    let mut token = token();
    token.end(reason, at(1));
    token
}

fn reservation() -> Reservation {
    Reservation {
        id: id(1),
        queue: QueueNumber(1),
        user: UserId::parse("payer").unwrap(),
        concert: ConcertId::new(Uuid::from_u128(2)),
        schedule: ScheduleId::new(Uuid::from_u128(3)),
        title: Arc::from("Winter"),
        starts_at: LocalTime::new(at(1_000_000), 0).unwrap(),
        seats: vec![],
        amount: money(PRICE),
        status: ReservationStatus::Pending,
        reserved_at: at(0),
        expires_at: at(NOW + 1),
    }
}

/// A payment that is granted at [`NOW`], unless a test spoils something of it.
struct Asked {
    token: Token,
    reservation: Option<Reservation>,
    pending: Vec<PendingHold>,
    wallet: Wallet,
    amount: Option<Money>,
}

/// What the payer holds: this reservation, until then.
fn pending(n: u128, expires_at: i64) -> PendingHold {
    PendingHold { reservation: id(n), expires_at: at(expires_at), seats: 1 }
}

impl Asked {
    fn new() -> Self {
        let pending = vec![pending(1, NOW + 1)];
        Self { token: token(), reservation: Some(reservation()), pending, wallet: wallet(PRICE), amount: None }
    }

    fn decide(&self) -> Result<Pay, Rejection> {
        let facts = PayFacts {
            token: &self.token,
            reservation: self.reservation.as_ref(),
            pending: &self.pending,
            wallet: &self.wallet,
            amount: self.amount.as_ref(),
        };
        pay(&facts, PaymentId::new(Uuid::from_u128(5)), EntryId::new(Uuid::from_u128(6)), at(NOW))
    }

    fn reserved(&mut self) -> &mut Reservation {
        self.reservation.get_or_insert_with(reservation)
    }
}

#[test]
fn a_payment_is_all_of_its_effects_at_once_r14() {
    let asked = Asked { wallet: wallet("30.01"), ..Asked::new() };
    let paid = asked.decide().unwrap();
    assert_eq!(paid.reservation, Reservation { status: ReservationStatus::Confirmed, ..reservation() });
    assert_eq!(paid.wallet, Wallet { balance: money("0.01"), last_seq: 5, ..asked.wallet.clone() });
    let entry = Entry {
        id: EntryId::new(Uuid::from_u128(6)),
        user: asked.wallet.user.clone(),
        seq: 5,
        kind: EntryKind::Payment(id(1)),
        amount: money(PRICE),
        balance_after: money("0.01"),
        at: at(NOW),
    };
    assert_eq!(paid.entry, entry);
    let payment = Payment {
        id: PaymentId::new(Uuid::from_u128(5)),
        reservation: id(1),
        user: asked.wallet.user.clone(),
        amount: money(PRICE),
        paid_at: at(NOW),
    };
    assert_eq!(paid.payment, payment);
    assert_eq!(paid.token.end, Some(TokenEnd { at: at(NOW), reason: EndReason::Paid(id(1)) }));
    let turn = paid.token.active.unwrap();
    assert_eq!((turn.selection_ends_at, turn.deadline), (at(NOW), at(NOW)));
}

#[test]
fn who_holds_more_may_go_on_paying_and_holds_nothing_new_r14() {
    for (others, until) in [
        (vec![], None),
        // A hold that is over is none, swept or not.
        (vec![pending(2, NOW)], None),
        (vec![pending(2, NOW + 1)], Some(NOW + 1)),
        (vec![pending(2, NOW + 7), pending(3, NOW + 5)], Some(NOW + 7)),
    ] {
        let mut asked = Asked::new();
        asked.pending.extend(others.iter().copied());
        let token = asked.decide().unwrap().token;
        assert_eq!(token.end.is_none(), until.is_some(), "{others:?}");
        let turn = token.active.unwrap();
        assert_eq!((turn.selection_ends_at, turn.last_paid), (at(NOW), Some(id(1))));
        assert_eq!(turn.deadline, at(until.unwrap_or(NOW)));
        assert!(token.require_selection(at(NOW)).is_err());
    }
}

#[test]
fn a_balance_equal_to_the_price_is_enough_r13_w2() {
    for (balance, left) in [("30", Some("0")), ("29.99", None), ("30.01", Some("0.01")), ("0", None)] {
        let answer = Asked { wallet: wallet(balance), ..Asked::new() }.decide();
        let expected =
            left.map(money).ok_or(Rejection::InsufficientBalance { balance: money(balance), amount: money(PRICE) });
        assert_eq!(answer.map(|paid| paid.wallet.balance), expected, "{balance}");
    }
}

#[test]
fn a_free_seat_is_paid_from_an_empty_wallet() {
    let mut asked = Asked { wallet: Wallet::empty(token().user), ..Asked::new() };
    asked.reserved().amount = Money::zero();
    let paid = asked.decide().unwrap();
    assert_eq!((paid.wallet.balance, paid.entry.seq, paid.entry.amount), (Money::zero(), 1, Money::zero()));
}

#[test]
fn a_hold_can_be_paid_until_its_deadline_and_not_at_it_s4() {
    for (expires_at, answer) in
        [(NOW + 1, Ok(())), (NOW, Err(Rejection::ReservationExpired)), (NOW - 1, Err(Rejection::ReservationExpired))]
    {
        let mut asked = Asked::new();
        asked.reserved().expires_at = at(expires_at);
        assert_eq!(asked.decide().map(|_paid| ()), answer, "{expires_at}");
    }
}

/// R13: only PENDING runs out; what is paid stays paid, and what its user cancelled stays cancelled, past the deadline.
#[test]
fn every_state_of_the_reservation_has_its_answer_on_both_sides_of_the_deadline_r13() {
    for (status, before, after) in [
        (ReservationStatus::Pending, None, Some(Rejection::ReservationExpired)),
        (ReservationStatus::Confirmed, Some(Rejection::AlreadyPaid), Some(Rejection::AlreadyPaid)),
        (
            ReservationStatus::Cancelled(CancelReason::Expired),
            Some(Rejection::ReservationExpired),
            Some(Rejection::ReservationExpired),
        ),
        (
            ReservationStatus::Cancelled(CancelReason::User),
            Some(Rejection::ReservationCancelled),
            Some(Rejection::ReservationCancelled),
        ),
        (
            ReservationStatus::Cancelled(CancelReason::Left),
            Some(Rejection::ReservationCancelled),
            Some(Rejection::ReservationCancelled),
        ),
    ] {
        for (expires_at, refusal) in [(NOW + 1, before), (NOW, after)] {
            let mut asked = Asked::new();
            asked.reserved().status = status;
            asked.reserved().expires_at = at(expires_at);
            assert_eq!(asked.decide().err(), refusal, "{status:?} {expires_at}");
        }
    }
}

#[test]
fn what_is_held_may_still_be_paid_after_the_start_r11() {
    let mut asked = Asked::new();
    asked.reserved().starts_at = LocalTime::new(at(NOW), 0).unwrap();
    assert!(asked.decide().is_ok());
}

#[test]
fn an_amount_that_differs_never_succeeds_w4() {
    for (named, right) in [("30", true), ("30.00", true), ("29.99", false), ("30.01", false), ("0", false)] {
        let answer = Asked { amount: Some(money(named)), ..Asked::new() }.decide();
        assert_eq!(answer.is_ok(), right, "{named}");
        assert!(right || answer == Err(Rejection::AmountMismatch));
    }
}

#[test]
fn an_ended_token_hears_already_paid_for_what_it_paid_and_nothing_else_r14() {
    type Case = (u128, fn(&mut Reservation), Rejection);
    let over = Rejection::TokenNotActive(TokenStatus::Expired);
    // Its turn was from 0 to 1; what it paid last is known by its id.
    let cases: [Case; 6] = [
        (1, |_| (), Rejection::AlreadyPaid),
        (1, |paid| paid.reserved_at = at(-1), Rejection::AlreadyPaid),
        (2, |_| (), Rejection::AlreadyPaid),
        (2, |other| other.reserved_at = at(-1), over.clone()),
        (2, |other| other.reserved_at = at(2), over.clone()),
        (2, |other| other.user = UserId::parse("somebody else").unwrap(), over.clone()),
    ];
    for (last_paid, change, answer) in cases {
        let mut asked = Asked { token: ended(EndReason::Paid(id(last_paid))), ..Asked::new() };
        asked.reserved().status = ReservationStatus::Confirmed;
        change(asked.reserved());
        assert_eq!(asked.decide(), Err(answer), "{:?}", asked.reservation);
    }
    for status in [ReservationStatus::Pending, ReservationStatus::Cancelled(CancelReason::User)] {
        let mut asked = Asked { token: ended(EndReason::Left), ..Asked::new() };
        asked.reserved().status = status;
        assert_eq!(asked.decide(), Err(over.clone()), "{status:?}");
    }
    let mut left_after_paying = Asked { token: ended(EndReason::Left), ..Asked::new() };
    left_after_paying.reserved().status = ReservationStatus::Confirmed;
    assert_eq!(left_after_paying.decide(), Err(Rejection::AlreadyPaid));
}

/// With two things wrong at once the earlier check of R13 answers. A reservation has one state: the three share a place.
#[test]
fn a_payment_is_checked_in_the_order_of_r13() {
    type Check = (u8, fn(&mut Asked), Rejection);
    let checks: [Check; 8] = [
        (1, |a| a.token.active = None, Rejection::TokenNotActive(TokenStatus::Waiting)),
        (2, |a| a.reservation = None, Rejection::NotFound(Missing::Reservation)),
        (3, |a| a.reserved().expires_at = at(NOW), Rejection::ReservationExpired),
        (
            3,
            |a| a.reserved().status = ReservationStatus::Cancelled(CancelReason::User),
            Rejection::ReservationCancelled,
        ),
        (3, |a| a.reserved().status = ReservationStatus::Confirmed, Rejection::AlreadyPaid),
        (4, |a| a.reserved().user = UserId::parse("somebody else").unwrap(), Rejection::UserMismatch),
        (5, |a| a.amount = Some(money("1")), Rejection::AmountMismatch),
        (
            6,
            |a| a.wallet.balance = money("29.99"),
            Rejection::InsufficientBalance { balance: money("29.99"), amount: money(PRICE) },
        ),
    ];
    for (first, spoil_first, refusal) in &checks {
        for (second, spoil_second, _) in checks.iter().filter(|(second, ..)| second > first) {
            let mut asked = Asked::new();
            spoil_second(&mut asked);
            spoil_first(&mut asked);
            assert_eq!(asked.decide(), Err(refusal.clone()), "{first} before {second}");
        }
        let mut asked = Asked::new();
        spoil_first(&mut asked);
        assert_eq!(asked.decide(), Err(refusal.clone()), "{first} alone");
    }
}

#[test]
fn the_same_payment_is_the_same_request_r15() {
    let (thirty, other) = (money("30"), money("31"));
    assert_eq!(fingerprint(id(1), Some(&thirty)), fingerprint(id(1), Some(&money("30.00"))));
    let all = [
        fingerprint(id(1), None),
        fingerprint(id(1), Some(&thirty)),
        fingerprint(id(1), Some(&other)),
        fingerprint(id(2), None),
    ];
    for (n, one) in all.iter().enumerate() {
        assert!(!all[n + 1..].contains(one));
    }
}

proptest! {
    /// R12, R14, W1, W13: money is never created or lost, whatever is charged and paid, granted and refused.
    #[test]
    fn the_sum_of_the_entries_is_the_balance(moves in proptest::collection::vec((any::<bool>(), 0..3_000_i64), 1..100)) {
        let rules = Rules { max_charge: money("20"), ..Rules::default() };
        let mut wallet = Wallet::empty(token().user);
        let mut entries = Vec::<Entry>::new();
        let mut refused = 0;
        for (is_charge, minor) in &moves {
            let amount = Money::from_minor(*minor).unwrap();
            let moved = if *is_charge {
                charge(&wallet, &amount, &rules, EntryId::new(Uuid::from_u128(1)), at(NOW)).map(|c| (c.wallet, c.entry))
            } else {
                let mut asked = Asked { wallet: wallet.clone(), ..Asked::new() };
                asked.reserved().amount = amount;
                asked.decide().map(|paid| (paid.wallet, paid.entry))
            };
            match moved {
                Ok((after, entry)) => { wallet = after; entries.push(entry); }
                Err(_) => refused += 1,
            }
        }
        let mut sum = 0;
        for (n, entry) in entries.iter().enumerate() {
            sum += if entry.kind == EntryKind::Charge { entry.amount.minor() } else { -entry.amount.minor() };
            prop_assert!(sum >= 0);
            prop_assert_eq!((entry.seq, entry.balance_after.minor()), (u64::try_from(n + 1).unwrap(), sum));
        }
        prop_assert_eq!(wallet.balance.minor(), sum);
        prop_assert_eq!(wallet.last_seq, u64::try_from(entries.len()).unwrap());
        prop_assert_eq!(entries.len() + refused, moves.len());
    }
}
