//! Random histories of holding, cancelling, sweeping and paying.

use proptest::prelude::*;

use super::*;
use crate::payment::{PayFacts, pay};
use crate::wallet::Wallet;
use crate::{EntryId, PaymentId};

/// How many seats of the hall one user may have.
const MAX_PER_USER: u32 = 5;

/// A hall of six seats and the reservations on it, written as a store would write what the rules decide.
struct Hall {
    seats: Vec<Seat>,
    reservations: Vec<Reservation>,
    now: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Hold { user: usize, first: usize, count: usize },
    Cancel(usize),
    Sweep,
    Pay(usize),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize, 0..6_usize, 1..4_usize).prop_map(|(user, first, count)| Step::Hold { user, first, count }),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::Sweep),
        2 => any::<usize>().prop_map(Step::Pay),
        2 => prop_oneof![Just(1), Just(HOLD - 1), Just(HOLD), 0..HOLD].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..60)
}

impl Hall {
    fn step(&mut self, step: Step) {
        match step {
            Step::Hold { user, first, count } => self.hold(["a", "b", "c"][user], first, count),
            Step::Cancel(pick) => self.end(pick, |reservation, now| {
                let owner = Token { user: reservation.user.clone(), ..token(i64::MAX) };
                cancel(Some(reservation), &owner, now).unwrap_or(false)
            }),
            Step::Sweep => {
                for at in 0..self.reservations.len() {
                    self.end(at, Reservation::expire_if_due);
                }
            }
            Step::Pay(pick) => self.pay(pick),
            Step::Wait(micros) => self.now += micros,
        }
    }

    fn hold(&mut self, name: &str, first: usize, count: usize) {
        let seats = self.seats[first..(first + count).min(6)].to_vec();
        let pending = self.reservations.iter().filter(|r| r.user == user(name));
        let pending = pending.filter(|r| r.status == ReservationStatus::Pending);
        let pending = pending.map(|r| PendingHold {
            reservation: r.id,
            expires_at: r.expires_at,
            seats: r.seats.len().try_into().unwrap(),
        });
        let pending = pending.collect();
        let holder = Token { user: user(name), ..token(i64::MAX) };
        let asked = Asked { token: holder, pending, own_seats: self.own_seats(name), ..Asked::for_seats(seats) };
        let asked = asked.limited(None, Some(MAX_PER_USER));
        let Ok(granted) = asked.decide(self.now) else { return };
        let number = self.reservations.len().try_into().unwrap();
        let reservation = Reservation { id: id(number), ..granted.reservation };
        for old in self.reservations.iter_mut().filter(|r| granted.taken_over.contains(&r.id)) {
            old.expire_if_due(at(self.now));
        }
        for seat in self.seats.iter_mut().filter(|seat| reservation.seats.iter().any(|s| s.id == seat.id)) {
            seat.taken = Some(Taken { by: reservation.id, until: Some(reservation.expires_at) });
        }
        self.reservations.push(reservation);
    }

    /// What a store tells of a user: all that is not CANCELLED in it.
    fn own_seats(&self, name: &str) -> Vec<OwnSeats> {
        let own = self.reservations.iter().filter(|r| r.user == user(name));
        let own = own.filter(|r| !matches!(r.status, ReservationStatus::Cancelled(_)));
        let seats = own.map(|r| OwnSeats {
            concert: r.concert,
            schedule: r.schedule,
            seats: r.seats.len().try_into().unwrap(),
            until: (r.status == ReservationStatus::Pending).then_some(r.expires_at),
        });
        seats.collect()
    }

    fn end(&mut self, pick: usize, how: impl FnOnce(&mut Reservation, Timestamp) -> bool) {
        let among = self.reservations.len().max(1);
        let Some(reservation) = self.reservations.get_mut(pick % among) else { return };
        if how(reservation, at(self.now)) {
            for seat in self.seats.iter_mut().filter(|seat| reservation.frees(seat)) {
                seat.taken = None;
            }
        }
    }

    fn pay(&mut self, pick: usize) {
        let among = self.reservations.len().max(1);
        let Some(reservation) = self.reservations.get_mut(pick % among) else { return };
        let payer = Token { user: reservation.user.clone(), ..token(i64::MAX) };
        let wallet = Wallet { user: payer.user.clone(), balance: money("1000"), last_seq: 1 };
        let asked = reservation.id;
        let facts =
            PayFacts { token: &payer, reservation: Some(reservation), pending: &[], wallet: &wallet, amount: None };
        let (payment, entry) = (PaymentId::new(asked.uuid()), EntryId::new(asked.uuid()));
        if let Ok(paid) = pay(&facts, payment, entry, at(self.now)) {
            *reservation = paid.reservation;
            for seat in self.seats.iter_mut().filter(|seat| reservation.seats.iter().any(|s| s.id == seat.id)) {
                seat.taken = Some(Taken { by: asked, until: None });
            }
        }
    }

    fn live(&self) -> impl Iterator<Item = &Reservation> {
        let now = at(self.now);
        self.reservations.iter().filter(move |r| !matches!(r.status_at(now), ReservationStatus::Cancelled(_)))
    }
}

proptest! {
    /// R7, R8, S1 to S5: whatever is held, cancelled, swept and paid, whenever; and nobody has more than they may.
    #[test]
    fn a_seat_is_never_of_two_live_reservations(steps in steps()) {
        let mut hall = Hall { seats: (1..=6).map(free).collect(), reservations: vec![], now: 0 };
        let mut paid = BTreeSet::new();
        for step in steps {
            hall.step(step);
            let mut owned = BTreeSet::new();
            for reservation in hall.live() {
                let until = (reservation.status == ReservationStatus::Pending).then_some(reservation.expires_at);
                for seat in &reservation.seats {
                    prop_assert!(owned.insert(seat.id), "seat {} twice after {:?}", seat.number, step);
                    let row = hall.seats.iter().find(|row| row.id == seat.id).unwrap();
                    prop_assert_eq!(row.taken, Some(Taken { by: reservation.id, until }));
                }
            }
            for name in ["a", "b", "c"] {
                let pending = hall.live().filter(|r| r.user.as_str() == name && r.status == ReservationStatus::Pending);
                prop_assert!(pending.map(|r| r.seats.len()).sum::<usize>() <= 4);
                let own = hall.live().filter(|r| r.user.as_str() == name);
                prop_assert!(own.map(|r| r.seats.len()).sum::<usize>() <= MAX_PER_USER.try_into().unwrap());
            }
            let confirmed = hall.reservations.iter().filter(|r| r.status == ReservationStatus::Confirmed);
            let confirmed: BTreeSet<_> = confirmed.map(|r| r.id).collect();
            prop_assert!(confirmed.is_superset(&paid), "what is paid stays paid");
            paid = confirmed;
        }
    }
}
