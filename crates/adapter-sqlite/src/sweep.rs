//! The sweeper (R10): cancels what ran out, row by row, so that one bad row stops no other (trap S8).

use domain::Timestamp;
use domain::idempotency::Recorded;
use domain::ports::{MOST_RELEASED, StoreError};
use tracing::error;
use uuid::Uuid;

use crate::reservation_rows::{self, DueKey};
use crate::transaction::Transaction;
use crate::{sale_keys, wallet_keys};

/// How many forgotten keys of each kind one sweep removes: with a sweep each second more than a busy sale makes, and few
/// enough that no batch waits long.
const MOST_FORGOTTEN: u32 = 5_000;

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
    let mut reservation = reservation_rows::stored(transaction.conn, queue, id)?;
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

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use domain::Rules;
    use storage_contract::SeededIds;

    use super::*;
    use crate::columns::{Count, Record};
    use crate::concerts;

    fn count(connection: &mut SqliteConnection, table: &str) -> u64 {
        let counted: Record<Count> =
            diesel::sql_query(format!("SELECT COUNT(*) FROM {table}")).get_result(connection).unwrap();
        counted.0.unwrap().0
    }

    #[test]
    fn a_sweep_forgets_five_thousand_keys_of_each_kind_r15() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        crate::migrate(&path).unwrap();
        let mut connection = crate::open::connect(&path).unwrap();
        let (rules, ids) = (Rules::default(), SeededIds::new(1));
        let mut transaction = Transaction::new(&mut connection, Timestamp::from_micros(0), &rules, &ids);
        concerts::create_queue(&mut transaction, domain::QueueName::main()).unwrap().unwrap();
        // 6,000 keys of the instants 1 to 6,000.
        let keys = "INSERT INTO wallets VALUES ('u', 1, 1);
            INSERT INTO entries VALUES ('u', 1, randomblob(16), 'CHARGE', 1, 1, NULL, 0);
            WITH RECURSIVE key (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM key WHERE n < 6000)
                INSERT INTO sale_keys SELECT 1, 'u', 'HOLD', n, zeroblob(32), zeroblob(16), n FROM key;
            INSERT INTO wallet_keys SELECT user_id, key, fingerprint, 1, created_at FROM sale_keys;";
        transaction.conn.batch_execute(keys).unwrap();
        transaction.now = Timestamp::from_micros(5_900).plus(Recorded::MEMORY);
        for left in [1_000, 100, 100] {
            release_expired(&mut transaction).unwrap();
            let (sale, wallet) = (count(transaction.conn, "sale_keys"), count(transaction.conn, "wallet_keys"));
            assert_eq!((sale, wallet), (left, left), "what is not forgotten yet stays");
        }
    }
}
