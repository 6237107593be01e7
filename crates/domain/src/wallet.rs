//! A wallet: a user's prepaid points, and the entries that it is the sum of (R12).

use crate::{EntryId, FieldError, Fingerprint, Money, Rejection, ReservationId, Rules, Timestamp, UserId};

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

/// R12: whether an amount can be charged at all; decided before anything is read.
pub fn check_charge(amount: &Money, rules: &Rules) -> Result<(), Rejection> {
    if amount.is_zero() || *amount > rules.max_charge {
        let bounds = format!("must be more than 0 and at most {}", rules.max_charge);
        return Err(Rejection::Invalid(vec![FieldError::new("amount", bounds)]));
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
    let balance = wallet
        .balance
        .checked_add(amount)
        .ok_or_else(|| Rejection::invalid("amount", "would take the balance above 10000000000000"))?;
    let (wallet, entry) = wallet.moved(id, EntryKind::Charge, amount.clone(), balance, now);
    Ok(Charge { wallet, entry })
}

/// What makes two charges the same request (R15).
pub fn charge_fingerprint(amount: &Money) -> Fingerprint {
    Fingerprint::of(["charge", &amount.to_string()])
}
