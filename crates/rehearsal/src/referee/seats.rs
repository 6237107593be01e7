//! Seats: no two people have the same one at the same time (R7, R8).

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{Breach, Promise, Verdict};
use crate::answers::{Moment, Points, Reservation, Seat};

/// How old a seat list may be, in part: 250 ms by the contract, and time for the news to come round to another server.
const LIST_AGE: Duration = Duration::from_secs(2);

/// By how much the service's clock may run slower than the one here: a clock that is being set right runs 1 in 2,000 slower.
const CLOCKS_DIFFER_ONE_IN: i64 = 1_000;

/// One reservation's right to a seat, from and until moments of the service's clock.
#[derive(Clone, Copy, Debug)]
struct Claim {
    reservation: Uuid,
    from: Moment,
    until: Moment,
}

/// Whose the seats are, as the service acknowledged it.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    seats: HashMap<Uuid, Vec<Claim>>,
    /// Since when it is known of a seat that it is sold.
    sold: HashMap<Uuid, Instant>,
}

impl Claims {
    /// A hold was acknowledged.
    pub(crate) fn hold(&mut self, reservation: &Reservation) -> Verdict {
        self.claim(reservation, reservation.expires_at)
    }

    /// What was held is about to be given up, so long after its hold was acknowledged: it was held for that long at least, and
    /// nothing is claimed of it from then on, whenever that comes through.
    pub(crate) fn release(&mut self, reservation: &Reservation, after: Duration) {
        let after = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
        let until = Moment(reservation.reserved_at.0.saturating_add(after - after / CLOCKS_DIFFER_ONE_IN));
        for seat in &reservation.seats {
            let claims = self.seats.get_mut(&seat.id).into_iter().flatten();
            for claim in claims.filter(|claim| claim.reservation == reservation.id) {
                claim.until = claim.until.min(until);
            }
        }
    }

    /// A payment was acknowledged: its seats are that reservation's for ever.
    pub(crate) fn pay(&mut self, reservation: &Reservation, now: Instant) -> Verdict {
        for seat in &reservation.seats {
            self.sold.entry(seat.id).or_insert(now);
        }
        self.claim(reservation, Moment(i64::MAX))
    }

    fn claim(&mut self, reservation: &Reservation, until: Moment) -> Verdict {
        let mut verdict = Ok(());
        for seat in &reservation.seats {
            let claim = Claim { reservation: reservation.id, from: reservation.reserved_at, until };
            let claims = self.seats.entry(seat.id).or_default();
            // The same hold, told again.
            claims.retain(|other| other.reservation != claim.reservation);
            if let Some(other) = claims.iter().find(|other| other.from < claim.until && claim.from < other.until) {
                let (one, other) = (claim.reservation, other.reservation);
                let what = format!("seat {} ({}) is both reservation {one}'s and {other}'s (R7)", seat.number, seat.id);
                verdict = Err(Breach::new(Promise::SeatTwice, what));
            }
            claims.push(claim);
        }
        verdict
    }

    /// Looks at seats that a list calls AVAILABLE, which was asked for at `asked`.
    pub(crate) fn available(&self, seats: &[Seat], asked: Instant) -> Verdict {
        let sold = |seat: &&Seat| self.sold.get(&seat.id).is_some_and(|since| *since + LIST_AGE < asked);
        match seats.iter().find(sold) {
            Some(seat) => {
                Err(Breach::new(Promise::SoldSeatOffered, format!("seat {} was sold before (R7)", seat.number)))
            }
            None => Ok(()),
        }
    }
}

/// Whether a hold gives what was asked for, at the sum of its seats' prices (R8, R9).
pub(crate) fn is_what_was_asked(reservation: &Reservation, schedule: Uuid, numbers: &[u32]) -> Verdict {
    let mut got: Vec<_> = reservation.seats.iter().map(|seat| seat.number).collect();
    let mut asked = numbers.to_vec();
    got.sort_unstable();
    asked.sort_unstable();
    if reservation.schedule_id != schedule || got != asked {
        return Err(Breach::new(Promise::HoldWrong, format!("asked for seats {asked:?}, got {got:?} (R8)")));
    }
    let sum = reservation.seats.iter().map(|seat| seat.price.0).sum();
    if Points(sum) != reservation.amount {
        return Err(Breach::new(
            Promise::AmountWrong,
            "a reservation's amount is not the sum of its seats' prices (R9)",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::ReservedSeat;

    fn reservation(id: u128, seats: &[u32], from: i64, until: i64) -> Reservation {
        let seat =
            |number: &u32| ReservedSeat { id: Uuid::from_u128((*number).into()), number: *number, price: Points(1000) };
        Reservation {
            id: Uuid::from_u128(id),
            user_id: "u".to_owned(),
            schedule_id: Uuid::nil(),
            seats: seats.iter().map(seat).collect(),
            amount: Points(1000 * i64::try_from(seats.len()).unwrap()),
            status: "PENDING".to_owned(),
            reserved_at: Moment(from),
            expires_at: Moment(until),
        }
    }

    #[test]
    fn a_seat_is_one_persons_at_a_time_r7_s1() {
        for (one, other, kept) in [
            // Behind each other, whichever answer is read first.
            (reservation(1, &[1, 2], 0, 100), reservation(2, &[2, 3], 100, 200), true),
            (reservation(1, &[1, 2], 100, 200), reservation(2, &[2, 3], 0, 100), true),
            (reservation(1, &[1, 2], 0, 100), reservation(2, &[3, 4], 50, 150), true),
            (reservation(1, &[1, 2], 0, 100), reservation(2, &[2, 3], 99, 199), false),
            (reservation(1, &[1, 2], 99, 199), reservation(2, &[2, 3], 0, 100), false),
            // The same answer again.
            (reservation(1, &[1, 2], 0, 100), reservation(1, &[1, 2], 0, 100), true),
        ] {
            let mut claims = Claims::default();
            assert_eq!(claims.hold(&one), Ok(()));
            let verdict = claims.hold(&other);
            assert_eq!(verdict.is_ok(), kept, "{one:?} {other:?} {verdict:?}");
        }
    }

    #[test]
    fn what_is_released_was_held_until_then_and_is_free_afterwards_r17() {
        for (held_for, from, kept) in [
            (40_000, 39_960, true),
            (40_000, 39_959, false),
            (0, 0, true),
            (500_000, 100_000, true),
            (500_000, 99_999, false),
        ] {
            let mut claims = Claims::default();
            let (one, other) = (reservation(1, &[1], 0, 100_000), reservation(2, &[1], from, from + 100_000));
            assert_eq!(claims.hold(&one), Ok(()));
            claims.release(&one, Duration::from_micros(held_for));
            assert_eq!(claims.hold(&other).is_ok(), kept, "held for {held_for}, then from {from}");
        }
    }

    #[tokio::test]
    async fn what_is_paid_is_never_free() {
        let mut claims = Claims::default();
        let (one, other) = (reservation(1, &[1], 0, 100), reservation(2, &[1], 900, 950));
        assert_eq!(claims.hold(&one), Ok(()));
        assert_eq!(claims.pay(&one, Instant::now()), Ok(()));
        assert_eq!(claims.hold(&other).unwrap_err().promise, Promise::SeatTwice);
        assert_eq!(claims.pay(&other, Instant::now()).unwrap_err().promise, Promise::SeatTwice);
    }

    #[tokio::test]
    async fn what_was_sold_is_not_offered_s11() {
        let mut claims = Claims::default();
        let now = Instant::now();
        claims.pay(&reservation(1, &[1], 0, 100), now).unwrap();
        let list = [Seat { id: Uuid::from_u128(2), number: 2 }, Seat { id: Uuid::from_u128(1), number: 1 }];
        assert_eq!(claims.available(&list, now + LIST_AGE), Ok(()));
        let later = now + LIST_AGE + Duration::from_millis(1);
        assert_eq!(claims.available(&list, later).unwrap_err().promise, Promise::SoldSeatOffered);
        assert_eq!(claims.available(&list[..1], later), Ok(()));
    }

    #[test]
    fn a_hold_is_what_was_asked_for() {
        let told = reservation(1, &[1, 2], 0, 100);
        assert_eq!(is_what_was_asked(&told, Uuid::nil(), &[2, 1]), Ok(()));
        assert_eq!(is_what_was_asked(&told, Uuid::nil(), &[2]).unwrap_err().promise, Promise::HoldWrong);
        assert_eq!(is_what_was_asked(&told, Uuid::max(), &[2, 1]).unwrap_err().promise, Promise::HoldWrong);
        let dear = Reservation { amount: Points(2001), ..told };
        assert_eq!(is_what_was_asked(&dear, Uuid::nil(), &[2, 1]).unwrap_err().promise, Promise::AmountWrong);
    }
}
