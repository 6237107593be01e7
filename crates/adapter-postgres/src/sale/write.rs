//! What a batch writes: one statement a table, all of them and the COMMIT pipelined in one round trip.
//!
//! Ends (EXPIRED, CANCELLED, forgotten keys) are written before the inserts that need their place.

use diesel_async::AsyncPgConnection;
use domain::{ReservationId, Token};
use futures::FutureExt;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::{Commit, run, statement, when};
use crate::sale::batch::Batch;
use crate::tables::rows::{big, int};
use crate::tables::sale_writes::{
    forget_payment_keys, forget_reservation_keys, insert_payments, insert_reservations, insert_reserved_seats,
    update_reservations, update_seats,
};
use crate::tables::wallet_writes::{insert_entries, insert_wallets, update_wallets};

statement! {
    InsertPolicies { queue: i32, seqs: Vec<i32>, since: OffsetDateTime, active: Vec<i32>, batches: Vec<i32>, intervals: Vec<i32>, paused: Vec<bool> } -> () =
    "INSERT INTO policies (queue, seq, since, max_active, batch, interval_seconds, paused)
     SELECT " queue ", n.seq, " since ", n.max_active, n.batch, n.interval_seconds, n.paused
     FROM unnest(" seqs ", " active ", " batches ", " intervals ", " paused ") AS n (seq, max_active, batch, interval_seconds, paused)"
}

statement! {
    UpdateQueue {
        queue: i32, version: i64, issued: i64, admitted: i64, frontier: i64, ended_beyond: i64, policy_seq: i32,
        window_index: i64, window_granted: i32,
    } -> () =
    "UPDATE queues
     SET version = " version ", issued = " issued ", admitted = " admitted ", frontier = " frontier ",
         ended_beyond = " ended_beyond ", policy_seq = " policy_seq ", window_index = " window_index ",
         window_granted = " window_granted "
     WHERE queue = " queue
}

statement! {
    /// Rows that are there and locked: the conflict finds them by their key, whatever a planner knows of the table.
    UpdateTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, issued: Vec<OffsetDateTime>, statuses: Vec<String>,
        activated: Vec<Option<OffsetDateTime>>,
        deadlines: Vec<Option<OffsetDateTime>>, ended: Vec<Option<OffsetDateTime>>, reasons: Vec<Option<String>>,
        paid: Vec<Option<Uuid>>, out: Vec<Option<i64>>,
    } -> () =
    "INSERT INTO tokens (queue, number, user_id, issued_at, status, activated_at, deadline, ended_at, end_reason,
                         paid_reservation, out_version)
     SELECT " queue ", n.*
     FROM unnest(" numbers ", " users ", " issued ", " statuses ", " activated ", " deadlines ", " ended ", " reasons ", " paid ", " out ") AS n
     ON CONFLICT (queue, number) DO UPDATE
     SET status = excluded.status, activated_at = excluded.activated_at, deadline = excluded.deadline,
         ended_at = excluded.ended_at, end_reason = excluded.end_reason, paid_reservation = excluded.paid_reservation,
         out_version = excluded.out_version"
}

statement! {
    InsertTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, statuses: Vec<String>, issued: Vec<OffsetDateTime>,
        activated: Vec<Option<OffsetDateTime>>, deadlines: Vec<Option<OffsetDateTime>>, out: Vec<Option<i64>>,
    } -> () =
    "INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline, out_version)
     SELECT " queue ", n.*
     FROM unnest(" numbers ", " users ", " statuses ", " issued ", " activated ", " deadlines ", " out ") AS n"
}

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
        when(conn, !changed.policies.is_empty(), || policies(queue, batch)),
        row.map_or_else(
            || std::future::ready(Ok(())).boxed(),
            |row| run(conn, update_queue(row, batch.policy_in_force()))
        ),
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

fn policies(queue: i32, batch: &Batch) -> InsertPolicies {
    let policies = &batch.set.changed().policies;
    InsertPolicies {
        queue,
        since: batch.now.to_utc(),
        seqs: (batch.policy_seq + 1..=batch.policy_in_force()).collect(),
        active: policies.iter().map(|p| int(p.max_active)).collect(),
        batches: policies.iter().map(|p| int(p.batch)).collect(),
        intervals: policies.iter().map(|p| int(p.interval_seconds)).collect(),
        paused: policies.iter().map(|p| p.paused).collect(),
    }
}

fn update_queue(row: &domain::Queue, policy_seq: i32) -> UpdateQueue {
    UpdateQueue {
        queue: i32::from(row.number.0),
        version: big(row.line.version),
        issued: big(row.line.issued),
        admitted: big(row.line.admitted),
        frontier: big(row.line.frontier),
        ended_beyond: big(row.line.ended_beyond),
        policy_seq,
        window_index: big(row.window.index),
        window_granted: int(row.window.granted),
    }
}

fn update_tokens(queue: i32, tokens: &[&Token]) -> UpdateTokens {
    let reason = |t: &&Token| t.end.map(|end| end.reason.words());
    UpdateTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        statuses: tokens.iter().map(|t| t.status().word().to_owned()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        ended: tokens.iter().map(|t| t.end.map(|end| end.at.to_utc())).collect(),
        reasons: tokens.iter().map(|t| reason(t).map(|(reason, _)| reason.to_owned())).collect(),
        paid: tokens.iter().map(|t| reason(t).and_then(|(_, paid)| paid).map(ReservationId::uuid)).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
    }
}

fn insert_tokens(queue: i32, tokens: &[&Token]) -> InsertTokens {
    InsertTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        statuses: tokens.iter().map(|t| t.status().word().to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
    }
}
