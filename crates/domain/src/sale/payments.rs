//! Paying.

use super::effects::{Key, SeatChange};
use super::{Context, Effects, Facts, Made};
use crate::idempotency::Use;
use crate::payment::{self, Pay, PayFacts, Receipt};
use crate::ports::{Decided, Paid, PayCommand};
use crate::{EntryId, PaymentId, Rejection};

/// R13 to R15: a payment.
///
/// In this order: the number was issued; the key recorded this request, or another; the rule, [`payment::pay`].
pub fn pay(facts: &mut impl Facts, command: &PayCommand, context: &Context<'_>) -> Decided<Made<Paid, PaymentId>> {
    let Some(token) = facts.token(command.ticket.number)? else { return Ok(Err(Rejection::TokenUnknown)) };
    let request = payment::fingerprint(command.reservation, command.amount.as_ref());
    let recorded = match &command.key {
        Some(key) => facts.recorded_payment(&token.user, key)?,
        None => None,
    };
    let forgotten = match Use::of(command.key.as_ref(), recorded, &request, context.now) {
        Ok(Use::Unkeyed) => None,
        Ok(Use::New { forgotten }) => forgotten,
        Ok(Use::Replay(made)) => return Ok(Ok(Made::Before(made))),
        Err(rejection) => return Ok(Err(rejection)),
    };
    let reservation = facts.reservation(command.reservation)?;
    let wallet = facts.wallet(&token.user)?;
    let pending = facts.pending(&token.user)?;
    let asked = PayFacts {
        token: &token,
        reservation: reservation.as_ref(),
        pending: &pending,
        wallet: &wallet,
        amount: command.amount.as_ref(),
    };
    let (id, entry_id) = (PaymentId::new(context.ids.next_id()), EntryId::new(context.ids.next_id()));
    let pay = match payment::pay(&asked, id, entry_id, context.now) {
        Ok(pay) => pay,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let (paid, effects) = pay.with_effects(command.key.clone().map(|key| (key, request)));
    Ok(Ok(Made::Now(paid, Box::new(Effects { forgotten_payment: forgotten, ..effects }))))
}

impl Pay {
    /// R14: what a payment answers, and all that it changes.
    fn with_effects(self, key: Option<Key>) -> (Paid, Effects) {
        let Self { payment, reservation, wallet, entry, token } = self;
        let balance = wallet.balance.clone();
        let effects = Effects {
            moved: Some((wallet, entry)),
            ended: vec![(reservation.id, reservation.status)],
            seats: SeatChange::sold(&reservation).collect(),
            payment: Some((payment.clone(), key)),
            tokens: vec![token],
            ..Effects::default()
        };
        (Paid { receipt: Receipt { payment, reservation }, balance }, effects)
    }
}
