//! Writing what a command of a sale changes.

use domain::ports::StoreError;
use domain::sale::Effects;
use domain::{Queue, QueueNumber};
use tracing::error;

use crate::batches::transaction::Transaction;
use crate::tables::{messages, payments, queues, reservations, seats, wallets};

/// Writes all that a command changes in a queue's sale. Ends and forgotten keys come before the inserts that need their
/// place, and rows before those that name them.
pub(crate) fn write(transaction: &mut Transaction<'_>, sale: QueueNumber, effects: Effects) -> Result<(), StoreError> {
    for failure in &effects.left_damaged {
        error!(%failure, "a reservation whose seats were taken over could not be cancelled");
    }
    transaction.expired += effects.expired;
    if let Some(queue) = effects.queue {
        keep_queue(transaction, &queue, effects.new_policy)?;
    }
    messages::change(transaction.conn, sale, transaction.now, &effects.message)?;
    for token in effects.tokens {
        transaction.update_token(token)?;
    }
    if let Some(token) = effects.issued {
        transaction.insert_token(token)?;
    }
    let conn = &mut *transaction.conn;
    if let Some(id) = effects.forgotten_hold {
        reservations::forget_key(conn, sale, id)?;
    }
    if let Some(id) = effects.forgotten_payment {
        payments::forget_key(conn, sale, id)?;
    }
    for (id, status) in effects.ended {
        reservations::end(conn, sale, id, status)?;
    }
    if let Some((reservation, key)) = effects.reserved {
        reservations::insert(conn, &reservation, key.as_ref())?;
    }
    for seat in &effects.seats {
        seats::change(conn, sale, seat)?;
    }
    let Some((wallet, entry)) = effects.moved else { return Ok(()) };
    // What paid a reservation has the key of its payment.
    wallets::write(conn, &wallet, &entry, None)?;
    match effects.payment {
        Some((payment, key)) => payments::insert(conn, sale, &payment, entry.seq, key.as_ref()),
        None => Ok(()),
    }
}

/// The queue's row is written when the batch ends, a new policy beside those before it at once.
fn keep_queue(transaction: &mut Transaction<'_>, queue: &Queue, new_policy: bool) -> Result<(), StoreError> {
    let Some(row) = transaction.queue_mut(queue.number)? else { return Ok(()) };
    row.queue = queue.clone();
    if new_policy {
        row.policy_seq += 1;
        let seq = row.policy_seq;
        queues::insert_policy(transaction.conn, queue, seq)?;
    }
    Ok(())
}
