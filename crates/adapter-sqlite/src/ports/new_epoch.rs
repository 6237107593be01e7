//! New epochs, for a file that was restored from a backup.

use domain::ports::StoreError;
use domain::token::EndReason;
use domain::{QueueEpoch, QueueNumber};

use crate::batches::transaction::Transaction;
use crate::ports::presence;
use crate::tables::{queues, tokens};

/// How many tokens are in memory at a time.
const PAGE: u32 = 10_000;

/// Gives every queue a new epoch and ends all live tokens; how many. `None` while a server sends notes.
pub(crate) fn renew_all(transaction: &mut Transaction<'_>) -> Result<Option<u64>, StoreError> {
    if presence::is_watched(transaction)? {
        return Ok(None);
    }
    let mut ended = 0;
    for (number, _) in queues::versions(transaction.conn)? {
        let epoch = QueueEpoch(transaction.ids.random());
        if let Some(row) = transaction.queue_mut(number)? {
            row.queue.renew(epoch);
            ended += expel_all(transaction, number, PAGE)?;
        }
    }
    Ok(Some(ended))
}

fn expel_all(transaction: &mut Transaction<'_>, number: QueueNumber, page: u32) -> Result<u64, StoreError> {
    let (mut ended, mut after) = (0, 0);
    loop {
        let page = tokens::lives(transaction.conn, number, after, page)?;
        let Some(last) = page.last() else { return Ok(ended) };
        after = last.ticket.number.get();
        for mut token in page {
            let now = transaction.now;
            if transaction.queue(number)?.is_some_and(|row| row.queue.expel(&mut token, now)) {
                transaction.expired += u64::from(token.end.is_some_and(|end| end.reason != EndReason::NewEpoch));
                transaction.update_token_apart(&token)?;
                ended += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{QueueName, Rules, Ticket, TicketNumber, Timestamp, Token, UserId};
    use storage_contract::SeededIds;

    use super::*;
    use crate::batches::loading;

    #[test]
    fn no_page_leaves_anybody_out() {
        for people in [0, 1, 2, 3, 4, 5] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("usher.db");
            crate::migrate(&path).unwrap();
            let mut connection = crate::open::connect(&path).unwrap();
            let (rules, ids, now) = (Rules::default(), SeededIds::new(1), Timestamp::from_micros(0));
            let mut batch = Transaction::new(&mut connection, now, &rules, &ids);
            let queue = loading::create_queue(&mut batch, QueueName::main()).unwrap().unwrap();
            for n in 1..=people {
                let ticket = Ticket { queue, number: TicketNumber::new(n).unwrap() };
                batch.insert_token(Token::issue(ticket, UserId::parse(&n.to_string()).unwrap(), now)).unwrap();
            }
            batch.queue_mut(queue).unwrap().unwrap().queue.renew(QueueEpoch([1; 16]));
            assert_eq!(expel_all(&mut batch, queue, 2).unwrap(), people);
            assert_eq!(tokens::lives(batch.conn, queue, 0, 9).unwrap(), []);
        }
    }
}
