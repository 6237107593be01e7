//! What a batch writes: one statement a table, all of them and the COMMIT pipelined in one round trip.
//!
//! Ends (EXPIRED, CANCELLED, forgotten keys) are written before the inserts that need their place.

use diesel_async::AsyncPgConnection;
use futures::FutureExt;

use crate::connections::statement::{Commit, run, when};
use crate::sale::batch::Batch;
use crate::tables::messages::change_message;
use crate::tables::payments::{forget_payment_keys, insert_payments};
use crate::tables::queues::{insert_policies, update_queue};
use crate::tables::reservations::{
    forget_reservation_keys, insert_reservations, insert_reserved_seats, update_reservations,
};
use crate::tables::seats::update_seats;
use crate::tables::tokens::{insert_tokens, update_tokens};
use crate::tables::wallets::{insert_entries, insert_wallets, update_wallets};

/// Writes what changed and commits, in one round trip. An error of any statement is the result, the first one first;
/// nothing is committed then.
pub(crate) async fn commit(conn: &AsyncPgConnection, batch: &Batch) -> diesel::QueryResult<()> {
    let (set, changed) = (&batch.set, batch.set.changed());
    let queue = i32::from(set.number().0);
    let row = set.changed_queue();
    let tokens: Vec<_> = set.changed_tokens().collect();
    let issued: Vec<_> = set.issued_tokens().collect();
    let reservations: Vec<_> = set.changed_reservations().collect();
    let reserved: Vec<_> = changed.reserved.values().collect();
    let seats: Vec<_> = set.changed_seats().collect();
    let (known, new): (Vec<_>, Vec<_>) = (set.moved_wallets(true).collect(), set.moved_wallets(false).collect());
    futures::try_join!(
        when(conn, !changed.policies.is_empty(), || {
            insert_policies(queue, batch.now, batch.policy_seq + 1, &changed.policies)
        }),
        row.map_or_else(
            || std::future::ready(Ok(())).boxed(),
            |row| run(conn, update_queue(row, batch.policy_in_force()))
        ),
        change_message(conn, queue, batch.now, &changed.message),
        when(conn, !tokens.is_empty(), || update_tokens(queue, &tokens)),
        when(conn, !issued.is_empty(), || insert_tokens(queue, &issued)),
        when(conn, !reservations.is_empty(), || update_reservations(queue, &reservations)),
        when(conn, !changed.forgotten_holds.is_empty(), || forget_reservation_keys(queue, &changed.forgotten_holds)),
        when(conn, !reserved.is_empty(), || insert_reservations(queue, &reserved)),
        when(conn, !reserved.is_empty(), || insert_reserved_seats(queue, &reserved)),
        when(conn, !seats.is_empty(), || update_seats(queue, &seats)),
        when(conn, !known.is_empty(), || update_wallets(&known)),
        when(conn, !new.is_empty(), || insert_wallets(&new)),
        // What paid a reservation has the key of its payment.
        when(conn, !changed.entries.is_empty(), || insert_entries(changed.entries.iter().map(|entry| (entry, None)))),
        when(conn, !changed.forgotten_payments.is_empty(), || forget_payment_keys(queue, &changed.forgotten_payments)),
        when(conn, !changed.payments.is_empty(), || insert_payments(queue, &changed.payments)),
        run(conn, Commit {}),
    )?;
    Ok(())
}
