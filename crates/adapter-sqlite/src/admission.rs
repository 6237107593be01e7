//! Admission inside a transaction (R3): the rule decides, this reads its facts and writes what it decided.

use domain::ports::StoreError;
use domain::{QueueNumber, TicketNumber};

use crate::tokens;
use crate::transaction::Transaction;

/// What admission did for one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Admission {
    /// How many tokens became ACTIVE.
    pub(crate) admitted: u64,
    /// How many ACTIVE tokens were past their deadline.
    pub(crate) expired: u64,
}

/// Writes EXPIRED to ACTIVE tokens past their deadline, then admits the first waiters as the policy allows.
pub(crate) fn admit(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<Admission, StoreError> {
    let expired = expire(transaction, number)?;
    let now = transaction.now;
    let Some(row) = transaction.queue(number)? else { return Ok(Admission::default()) };
    // Without grants or waiters nothing need be counted.
    if row.queue.room(0, now) == 0 {
        return Ok(Admission { admitted: 0, expired });
    }
    let frontier = row.queue.line.frontier;
    let active = tokens::count_active(transaction.conn, number)?;
    let room = transaction.queue(number)?.map_or(0, |row| row.queue.room(active, now));
    if room == 0 {
        return Ok(Admission { admitted: 0, expired });
    }
    let waiting = tokens::waiting(transaction.conn, number, frontier, room)?;
    let numbers: Vec<TicketNumber> = waiting.iter().map(|token| token.ticket.number).collect();
    let admitted = transaction.queue_mut(number)?.map_or(0, |row| row.queue.admit(active, &numbers, now));
    for mut token in waiting.into_iter().take(admitted) {
        token.admit(transaction.rules.active, now);
        transaction.update_token(token)?;
    }
    let admitted = u64::try_from(admitted).unwrap_or(u64::MAX);
    transaction.admitted += admitted;
    Ok(Admission { admitted, expired })
}

fn expire(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u64, StoreError> {
    let mut expired = 0;
    for mut token in tokens::due(transaction.conn, number, transaction.now)? {
        if token.expire_if_due(transaction.now) {
            transaction.update_token(token)?;
            expired += 1;
        }
    }
    transaction.expired += expired;
    Ok(expired)
}
