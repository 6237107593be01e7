//! Money: one person's wallet, as it must be after everything that was acknowledged (R12, R14).

use super::{Breach, Promise, Verdict};
use crate::answers::{Charged, Payment, Points, Reservation};

/// A wallet that nobody else has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Purse {
    balance: Points,
    entries: u64,
}

impl Purse {
    /// How much is in it.
    pub(crate) fn balance(&self) -> Points {
        self.balance
    }

    /// A charge of so much was acknowledged.
    pub(crate) fn charge(&mut self, amount: Points, told: &Charged) -> Verdict {
        self.balance.0 += amount.0;
        self.entries += 1;
        let entry = &told.entry;
        self.is(told.balance)?;
        self.is(entry.balance_after)?;
        if entry.amount != amount || entry.seq != self.entries {
            let (seq, told) = (self.entries, entry);
            let what = format!("entry {} of {} for charge {seq} of {}", told.seq, told.amount.0, amount.0);
            return Err(wrong(&what));
        }
        Ok(())
    }

    /// A payment for a reservation was acknowledged.
    pub(crate) fn pay(&mut self, reservation: &Reservation, told: &Payment) -> Verdict {
        self.balance.0 -= reservation.amount.0;
        self.entries += 1;
        if told.amount != reservation.amount {
            return Err(wrong(&format!("{} was paid for what costs {}", told.amount.0, reservation.amount.0)));
        }
        let paid = &told.reservation;
        if paid.id != reservation.id || paid.seats != reservation.seats || paid.status != "CONFIRMED" {
            return Err(Breach::new(Promise::PaymentWrong, "a payment is for something else than what was held (R14)"));
        }
        told.balance.map_or_else(|| Err(wrong("a payment tells no balance")), |balance| self.is(balance))
    }

    /// The wallet was told to hold so much.
    pub(crate) fn is(&self, balance: Points) -> Verdict {
        if balance == self.balance {
            return Ok(());
        }
        Err(wrong(&format!("a balance of {} hundredths where {} must be left", balance.0, self.balance.0)))
    }
}

fn wrong(what: &str) -> Breach {
    Breach::new(Promise::MoneyWrong, format!("{what} (R12)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charged(balance: &str, seq: u64, amount: &str, after: &str) -> Charged {
        let entry = format!(r#"{{"seq":{seq},"amount":{amount},"balance_after":{after}}}"#);
        serde_json::from_str(&format!(r#"{{"user_id":"u","balance":{balance},"entry":{entry}}}"#)).unwrap()
    }

    #[test]
    fn charges_add_up_r12() {
        let mut purse = Purse::default();
        assert_eq!(purse.charge(Points(500), &charged("5", 1, "5", "5")), Ok(()));
        assert_eq!(purse.charge(Points(250), &charged("7.5", 2, "2.5", "7.5")), Ok(()));
        assert_eq!(purse.balance(), Points(750));
        for told in [
            charged("12.5", 3, "5", "12.51"),
            charged("12", 3, "5", "12.5"),
            charged("12.5", 2, "5", "12.5"),
            charged("12.5", 3, "4", "12.5"),
        ] {
            assert_eq!(purse.clone().charge(Points(500), &told).unwrap_err().promise, Promise::MoneyWrong, "{told:?}");
        }
    }

    #[test]
    fn a_payment_takes_what_the_reservation_costs_and_nothing_else_r14() {
        let held = |status: &str, number: u32| {
            format!(
                r#"{{"id":"00000000-0000-0000-0000-000000000001","user_id":"u","schedule_id":"00000000-0000-0000-0000-000000000002",
                "seats":[{{"id":"00000000-0000-0000-0000-000000000003","number":{number},"price":3}}],"amount":3,
                "status":"{status}","reserved_at":"2026-12-01T10:00:00Z","expires_at":"2026-12-01T10:05:00Z"}}"#
            )
        };
        let paid = |status: &str, number: u32, amount: &str, balance: &str| {
            let reservation = held(status, number);
            let text = format!(
                r#"{{"id":"00000000-0000-0000-0000-000000000004","reservation":{reservation},"amount":{amount},
                "balance":{balance}}}"#
            );
            serde_json::from_str::<Payment>(&text).unwrap()
        };
        let reservation: Reservation = serde_json::from_str(&held("PENDING", 7)).unwrap();
        let purse = Purse { balance: Points(500), entries: 1 };
        for (told, broken) in [
            (paid("CONFIRMED", 7, "3", "2"), None),
            (paid("CONFIRMED", 7, "2", "3"), Some(Promise::MoneyWrong)),
            (paid("CONFIRMED", 7, "3", "5"), Some(Promise::MoneyWrong)),
            (paid("CONFIRMED", 7, "3", "null"), Some(Promise::MoneyWrong)),
            (paid("PENDING", 7, "3", "2"), Some(Promise::PaymentWrong)),
            (paid("CONFIRMED", 8, "3", "2"), Some(Promise::PaymentWrong)),
        ] {
            let verdict = purse.clone().pay(&reservation, &told);
            assert_eq!(verdict.err().map(|breach| breach.promise), broken, "{told:?}");
        }
    }
}
