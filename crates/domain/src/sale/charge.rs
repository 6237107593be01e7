//! Charging. A wallet belongs to no sale, but a charge is asked in the same order.

use super::Context;
use crate::idempotency::{Recorded, Use};
use crate::ports::{ChargeCommand, Charged, Decided, StoreError};
use crate::wallet::{self, Charge, Entry, Wallet};
use crate::{EntryId, Rejection, Timestamp};

/// A charge that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charging {
    /// It was made now.
    Now {
        /// The wallet after it, and its entry: what is to be written.
        charge: Charge,
        /// An entry whose key is forgotten and used again.
        forgotten: Option<Entry>,
    },
    /// It was made before, and its answer is given again (R15).
    Before(Charged),
}

/// R12, R15: a charge of an amount that is within its bounds ([`wallet::check_charge`]).
///
/// In this order: the key recorded this request, or another, as `recorded` says; the rule, [`wallet::charge`]. The wallet is
/// read only then.
pub fn charge(
    command: &ChargeCommand,
    recorded: Option<(Recorded, Entry)>,
    wallet: impl FnOnce() -> Result<Wallet, StoreError>,
    context: &Context<'_>,
) -> Decided<Charging> {
    let request = wallet::charge_fingerprint(&command.amount);
    let forgotten = match Use::of(command.key.as_ref(), recorded, &request, context.now) {
        Ok(Use::Unkeyed) => None,
        Ok(Use::New { forgotten }) => forgotten,
        Ok(Use::Replay(entry)) => return Ok(Ok(Charging::Before(Charge::again(entry)))),
        Err(rejection) => return Ok(Err(rejection)),
    };
    let id = EntryId::new(context.ids.next_id());
    let charge = wallet::charge(&wallet()?, &command.amount, context.rules, id, context.now);
    Ok(charge.map(|charge| Charging::Now { charge, forgotten }))
}

/// R15: the answer that a charge's key recorded, if it recorded this request.
pub fn replay_charge(
    command: &ChargeCommand,
    recorded: Option<(Recorded, Entry)>,
    now: Timestamp,
) -> Result<Option<Charged>, Rejection> {
    let request = wallet::charge_fingerprint(&command.amount);
    Ok(match Use::of(command.key.as_ref(), recorded, &request, now)? {
        Use::Replay(entry) => Some(Charge::again(entry)),
        Use::Unkeyed | Use::New { .. } => None,
    })
}
