//! The sweeper (R10): cancels what ran out, row by row, so that one bad row stops no other (trap S8).

use domain::ports::{MOST_RELEASED, StoreError};
use domain::sale;
use tracing::error;
use uuid::Uuid;

use crate::batches::transaction::Transaction;
use crate::sale::facts::Sale;
use crate::sale::write::write;
use crate::tables::reservations::{self, DueKey};

/// Cancels at most [`MOST_RELEASED`] PENDING reservations past their deadline, oldest first; how many it cancelled.
pub(crate) fn release_expired(transaction: &mut Transaction<'_>) -> Result<u64, StoreError> {
    let mut released = 0;
    let mut after: DueKey = (i64::MIN, domain::QueueNumber(0), domain::ReservationId::new(Uuid::nil()));
    while released < MOST_RELEASED {
        let due = reservations::due(transaction.conn, transaction.now, after, MOST_RELEASED - released)?;
        let Some(last) = due.last() else { break };
        after = *last;
        for key in due {
            released += u32::from(release_alone(transaction, key)?);
        }
    }
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
    let context = transaction.context();
    let Some(effects) = sale::release(&mut Sale { transaction, queue }, id, &context)? else { return Ok(false) };
    write(transaction, queue, effects)?;
    Ok(true)
}
