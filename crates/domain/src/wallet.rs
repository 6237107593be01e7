//! A wallet: a user's prepaid points, and the entries that it is the sum of (R12).

use crate::{EntryId, Fingerprint, Money, Rejection, ReservationId, Rules, Timestamp, UserId, Wrong};

/// A user's points. A user who never charged has an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Whose it is.
    pub user: UserId,
    /// What it holds.
    pub balance: Money,
    /// The `seq` of its newest entry; 0 when there is none.
    pub last_seq: u64,
}

/// What moved a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Points were added.
    Charge,
    /// Points paid for this reservation.
    Payment(ReservationId),
}

impl EntryKind {
    /// The word that is stored for it, and the reservation that is stored beside it.
    pub const fn words(self) -> (&'static str, Option<ReservationId>) {
        match self {
            Self::Charge => ("CHARGE", None),
            Self::Payment(reservation) => ("PAYMENT", Some(reservation)),
        }
    }

    /// The kind that these words are stored for; `None` when there is none.
    pub fn of_words(kind: &str, paid: Option<ReservationId>) -> Option<Self> {
        match (kind, paid) {
            ("CHARGE", None) => Some(Self::Charge),
            ("PAYMENT", Some(reservation)) => Some(Self::Payment(reservation)),
            _ => None,
        }
    }
}

/// One movement of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Whose wallet.
    pub user: UserId,
    /// Dense within the wallet: 1, 2, 3, ... (R12).
    pub seq: u64,
    /// What moved it.
    pub kind: EntryKind,
    /// By how much, whichever way.
    pub amount: Money,
    /// What the wallet holds after it.
    pub balance_after: Money,
    /// When.
    pub at: Timestamp,
}

impl Wallet {
    /// The wallet of a user who never charged.
    pub fn empty(user: UserId) -> Self {
        Self { user, balance: Money::zero(), last_seq: 0 }
    }

    /// The wallet after its next movement, and that movement's entry.
    pub(crate) fn moved(
        &self,
        id: EntryId,
        kind: EntryKind,
        amount: Money,
        balance: Money,
        at: Timestamp,
    ) -> (Self, Entry) {
        let seq = self.last_seq + 1;
        let entry = Entry { id, user: self.user.clone(), seq, kind, amount, balance_after: balance.clone(), at };
        (Self { user: self.user.clone(), balance, last_seq: seq }, entry)
    }
}

/// A charge that is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The wallet after it.
    pub wallet: Wallet,
    /// Its entry.
    pub entry: Entry,
}

impl Charge {
    /// The charge that made `entry`, told again from it (R15): the wallet as it was right after it.
    pub fn again(entry: Entry) -> Self {
        let wallet = Wallet { user: entry.user.clone(), balance: entry.balance_after.clone(), last_seq: entry.seq };
        Self { wallet, entry }
    }
}

/// R12: whether an amount can be charged at all; decided before anything is read.
pub fn check_charge(amount: &Money, rules: &Rules) -> Result<(), Rejection> {
    if amount.is_zero() || *amount > rules.max_charge {
        return Err(Rejection::invalid("amount", Wrong::AmountAbove { most: rules.max_charge.clone() }));
    }
    Ok(())
}

/// R12: decides a charge, under the wallet's lock. One that would take the balance above the largest amount is refused.
pub fn charge(
    wallet: &Wallet,
    amount: &Money,
    rules: &Rules,
    id: EntryId,
    now: Timestamp,
) -> Result<Charge, Rejection> {
    check_charge(amount, rules)?;
    let balance = wallet.balance.checked_add(amount).ok_or_else(|| Rejection::invalid("amount", Wrong::Balance))?;
    let (wallet, entry) = wallet.moved(id, EntryKind::Charge, amount.clone(), balance, now);
    Ok(Charge { wallet, entry })
}

/// What makes two charges the same request (R15).
pub fn charge_fingerprint(amount: &Money) -> Fingerprint {
    Fingerprint::of(["charge", &amount.to_string()])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn id() -> EntryId {
        EntryId::new(Uuid::from_u128(1))
    }

    fn wallet(balance: &str, last_seq: u64) -> Wallet {
        Wallet { user: UserId::parse("u").unwrap(), balance: money(balance), last_seq }
    }

    #[test]
    fn a_charge_is_more_than_0_and_at_most_the_largest_r12() {
        for (amount, granted) in [("0", false), ("0.01", true), ("1000000", true), ("1000000.01", false)] {
            let verdict = check_charge(&money(amount), &Rules::default());
            assert_eq!(verdict.is_ok(), granted, "{amount}");
            let decided = charge(&wallet("0", 0), &money(amount), &Rules::default(), id(), Timestamp::from_micros(0));
            assert_eq!(decided.map(|_charge| ()), verdict, "the rule itself refuses it too");
        }
    }

    #[test]
    fn a_charge_that_would_overflow_the_balance_is_refused_w3() {
        for (balance, after) in
            [("9999999999999.98", Some("9999999999999.99")), ("9999999999999.99", Some("10000000000000"))]
                .into_iter()
                .chain([("10000000000000", None)])
        {
            let charged =
                charge(&wallet(balance, 1), &money("0.01"), &Rules::default(), id(), Timestamp::from_micros(0));
            assert_eq!(charged.ok().map(|charge| charge.wallet.balance), after.map(money), "{balance}");
        }
    }

    #[test]
    fn stored_words_and_kinds_are_one_to_one() {
        let paid = ReservationId::new(Uuid::from_u128(1));
        for kind in [EntryKind::Charge, EntryKind::Payment(paid)] {
            let (word, beside) = kind.words();
            assert_eq!(EntryKind::of_words(word, beside), Some(kind), "{word}");
            let other = if beside.is_some() { None } else { Some(paid) };
            assert_eq!(EntryKind::of_words(word, other), None, "{word} with {other:?}");
        }
        assert_eq!(EntryKind::of_words("LOST", None), None);
    }

    #[test]
    fn entries_are_numbered_densely_and_chain_r12() {
        let mut wallet = Wallet::empty(UserId::parse("u").unwrap());
        for (seq, amount, after) in [(1, "5", "5"), (2, "0.5", "5.5"), (3, "4.5", "10")] {
            let charged =
                charge(&wallet, &money(amount), &Rules::default(), id(), Timestamp::from_micros(seq)).unwrap();
            let expected = Entry {
                id: id(),
                user: wallet.user.clone(),
                seq: seq.unsigned_abs(),
                kind: EntryKind::Charge,
                amount: money(amount),
                balance_after: money(after),
                at: Timestamp::from_micros(seq),
            };
            assert_eq!(charged.entry, expected);
            assert_eq!(Charge::again(charged.entry.clone()), charged, "its entry tells all of it again (R15)");
            assert_eq!((charged.wallet.balance.clone(), charged.wallet.last_seq), (money(after), seq.unsigned_abs()));
            wallet = charged.wallet;
        }
    }

    #[test]
    fn the_same_amount_is_the_same_request_however_it_is_written_r15() {
        assert_eq!(charge_fingerprint(&money("10")), charge_fingerprint(&money("10.00")));
        assert_ne!(charge_fingerprint(&money("10")), charge_fingerprint(&money("10.01")));
    }
}
