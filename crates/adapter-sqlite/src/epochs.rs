//! New epochs, for a file that was restored from a backup (design 5).

use domain::ports::StoreError;
use domain::token::EndReason;
use domain::{QueueEpoch, QueueNumber};

use crate::transaction::Transaction;
use crate::{presence, queue_rows, tokens};

/// How many tokens are in memory at a time.
const PAGE: u32 = 10_000;

/// Gives every queue a new epoch and ends all live tokens; how many. `None` while a server tells of itself.
pub(crate) fn renew_all(transaction: &mut Transaction<'_>) -> Result<Option<u64>, StoreError> {
    if presence::is_watched(transaction)? {
        return Ok(None);
    }
    let mut ended = 0;
    for (number, _) in queue_rows::versions(transaction.conn)? {
        let epoch = QueueEpoch(transaction.ids.random());
        if let Some(row) = transaction.queue_mut(number)? {
            row.queue.renew(epoch);
            ended += expel_all(transaction, number)?;
        }
    }
    Ok(Some(ended))
}

fn expel_all(transaction: &mut Transaction<'_>, number: QueueNumber) -> Result<u64, StoreError> {
    let (mut ended, mut after) = (0, 0);
    loop {
        let page = tokens::lives(transaction.conn, number, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(ended) };
        after = last.ticket.number.get();
        for mut token in page {
            let now = transaction.now;
            if transaction.queue(number)?.is_some_and(|row| row.queue.expel(&mut token, now)) {
                transaction.expired += u64::from(token.end.is_some_and(|end| end.reason == EndReason::Deadline));
                transaction.update_token_apart(&token)?;
                ended += 1;
            }
        }
    }
}
