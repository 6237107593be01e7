//! A payment: the receipt of a confirmed reservation (R13, R14).

use crate::rejection::Missing;
use crate::reservation::{CancelReason, PendingHold, Reservation, ReservationStatus};
use crate::wallet::{Entry, EntryKind, Wallet};
use crate::{EntryId, Fingerprint, Money, PaymentId, Rejection, ReservationId, Timestamp, Token, UserId};

/// A payment record. There is none that failed: a refusal leaves nothing behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The reservation, CONFIRMED by it.
    pub reservation: ReservationId,
    /// Who paid.
    pub user: UserId,
    /// What was paid: the reservation's amount.
    pub amount: Money,
    /// When.
    pub paid_at: Timestamp,
}

/// A payment with what it paid for, as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The payment.
    pub payment: Payment,
    /// The reservation, CONFIRMED.
    pub reservation: Reservation,
}

/// What a payment is decided from, all read under the locks of the token, the seats, the reservation and the wallet.
#[derive(Debug)]
pub struct PayFacts<'a> {
    /// The payer's token.
    pub token: &'a Token,
    /// The reservation that is asked for, if it is in the token's queue.
    pub reservation: Option<&'a Reservation>,
    /// The payer's reservations in this queue that are PENDING in the store, this one or not.
    pub pending: &'a [PendingHold],
    /// The payer's wallet.
    pub wallet: &'a Wallet,
    /// The amount that the payer named, if any: it decides nothing, it must be right (trap W4).
    pub amount: Option<&'a Money>,
}

/// A payment that is granted: what is to be written, all or nothing (R14). The reservation's seats become SOLD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    /// The record.
    pub payment: Payment,
    /// The reservation, CONFIRMED.
    pub reservation: Reservation,
    /// The wallet after it.
    pub wallet: Wallet,
    /// The wallet's movement.
    pub entry: Entry,
    /// The token: EXPIRED, or ACTIVE until its user's last other hold ends, and without selection.
    pub token: Token,
}

/// R13: decides a payment. The order of the checks is the rule's; the replay (R15) comes before all of them.
///
/// A token that has paid this very reservation hears `already_paid` rather than that it is over (R14).
pub fn pay(facts: &PayFacts<'_>, id: PaymentId, entry_id: EntryId, now: Timestamp) -> Result<Pay, Rejection> {
    if let Err(over) = facts.token.require_active(now) {
        let paid = facts.reservation.is_some_and(|reservation| was_paid_with(facts.token, reservation));
        return Err(if paid { Rejection::AlreadyPaid } else { over });
    }
    let reservation = facts.reservation.ok_or(Rejection::NotFound(Missing::Reservation))?;
    match reservation.status_at(now) {
        ReservationStatus::Cancelled(CancelReason::Expired) => return Err(Rejection::ReservationExpired),
        ReservationStatus::Cancelled(_) => return Err(Rejection::ReservationCancelled),
        ReservationStatus::Confirmed => return Err(Rejection::AlreadyPaid),
        ReservationStatus::Pending => {}
    }
    if reservation.user != facts.token.user {
        return Err(Rejection::UserMismatch);
    }
    let amount = &reservation.amount;
    if facts.amount.is_some_and(|named| named != amount) {
        return Err(Rejection::AmountMismatch);
    }
    let balance = facts.wallet.balance.checked_sub(amount).ok_or_else(|| Rejection::InsufficientBalance {
        balance: facts.wallet.balance.clone(),
        amount: amount.clone(),
    })?;
    let (wallet, entry) =
        facts.wallet.moved(entry_id, EntryKind::Payment(reservation.id), amount.clone(), balance, now);
    let mut token = facts.token.clone();
    token.pay(reservation.id, now);
    let others = facts.pending.iter().filter(|hold| hold.reservation != reservation.id);
    token.settle(others.map(|hold| hold.expires_at), now);
    let payment =
        Payment { id, reservation: reservation.id, user: token.user.clone(), amount: amount.clone(), paid_at: now };
    let reservation = Reservation { status: ReservationStatus::Confirmed, ..reservation.clone() };
    Ok(Pay { payment, reservation, wallet, entry, token })
}

/// Whether a reservation is one that this token paid. What is held in a turn is paid in it or never: a turn lasts as long as its
/// holds. Only what was held before a new epoch of the queue (ADR 2) is paid in a later turn; of these a token knows the last.
fn was_paid_with(token: &Token, reservation: &Reservation) -> bool {
    reservation.status == ReservationStatus::Confirmed
        && reservation.user == token.user
        && (token.ended_by_paying(reservation.id) || token.had_its_turn_at(reservation.reserved_at))
}

/// What makes two payments the same request (R15).
pub fn fingerprint(reservation: ReservationId, amount: Option<&Money>) -> Fingerprint {
    let amount = amount.map_or_else(String::new, ToString::to_string);
    Fingerprint::of(["pay", &reservation.to_string(), &amount])
}

#[cfg(test)]
mod tests;
