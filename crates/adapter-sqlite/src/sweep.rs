//! The sweeper (R10): cancels what ran out, row by row, so that one bad row stops no other (trap S8).

use domain::Timestamp;
use domain::idempotency::Recorded;
use domain::ports::{MOST_RELEASED, StoreError};
use tracing::error;
use uuid::Uuid;

use crate::columns::wrong;
use crate::reservation_rows::{self, DueKey};
use crate::transaction::Transaction;
use crate::{sale_keys, wallet_keys};

/// How many forgotten keys of each kind one sweep removes.
const MOST_FORGOTTEN: u32 = 500;

/// Cancels at most [`MOST_RELEASED`] PENDING reservations past their deadline, oldest first; how many it cancelled.
pub(crate) fn release_expired(transaction: &mut Transaction<'_>) -> Result<u64, StoreError> {
    let mut released = 0;
    let mut after: DueKey = (i64::MIN, domain::QueueNumber(0), domain::ReservationId::new(Uuid::nil()));
    while released < MOST_RELEASED {
        let due = reservation_rows::due(transaction.conn, transaction.now, after, MOST_RELEASED - released)?;
        let Some(last) = due.last() else { break };
        after = *last;
        for key in due {
            released += u32::from(release_alone(transaction, key)?);
        }
    }
    forget_keys(transaction)?;
    Ok(u64::from(released))
}

/// Cancels one; a row that cannot be is logged and left as it is.
fn release_alone(transaction: &mut Transaction<'_>, key: DueKey) -> Result<bool, StoreError> {
    let released = transaction.part(|transaction| release(transaction, key))?;
    Ok(released.unwrap_or_else(|failure| {
        error!(%failure, reservation = %key.2, "a reservation that ran out could not be cancelled");
        false
    }))
}

fn release(transaction: &mut Transaction<'_>, (_, queue, id): DueKey) -> Result<bool, StoreError> {
    let mut reservation = reservation_rows::find(transaction.conn, queue, id)?
        .ok_or_else(|| wrong(("reservations", "schedule_id"), format!("{id} is of no schedule")))?;
    let over = reservation.expire_if_due(transaction.now);
    if over {
        reservation_rows::end_and_free(transaction.conn, &reservation)?;
    }
    Ok(over)
}

/// R15: what is forgotten by the rule need not be kept.
fn forget_keys(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    let before: Timestamp = transaction.now.minus(Recorded::MEMORY);
    sale_keys::forget(transaction.conn, before, MOST_FORGOTTEN)?;
    wallet_keys::forget(transaction.conn, before, MOST_FORGOTTEN)
}
