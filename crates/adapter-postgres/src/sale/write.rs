//! What a batch writes: one statement a table, all of them and the COMMIT pipelined in one round trip.
//!
//! Ends (EXPIRED, CANCELLED, forgotten keys) are written before the inserts that need their place.

use std::collections::BTreeSet;

use diesel_async::AsyncPgConnection;
use domain::UserId;
use domain::wallet::Wallet;
use futures::FutureExt;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::connections::statement::{Commit, run, statement, when};
use crate::sale::working_set::WorkingSet;
use crate::tables::rows::{big, end_reason, int, token_status};
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
pub(crate) async fn commit(conn: &AsyncPgConnection, set: &WorkingSet) -> diesel::QueryResult<()> {
    let (queue, changed) = (i32::from(set.number.0), &set.changed);
    let row = set.queue.as_ref().filter(|_| changed.queue);
    futures::try_join!(
        when(conn, !changed.policies.is_empty(), || policies(queue, set)),
        row.map_or_else(|| std::future::ready(Ok(())).boxed(), |row| run(conn, update_queue(row, set.policy_seq))),
        when(conn, !changed.tokens.is_empty(), || update_tokens(queue, set)),
        when(conn, !changed.new_tokens.is_empty(), || insert_tokens(queue, set)),
        when(conn, !changed.reservations.is_empty(), || update_reservations(queue, set)),
        when(conn, !changed.forgotten.is_empty(), || forget_reservation_keys(queue, changed)),
        when(conn, !changed.new_reservations.is_empty(), || insert_reservations(queue, changed)),
        when(conn, !changed.new_reservations.is_empty(), || insert_reserved_seats(queue, changed)),
        when(conn, !changed.seats.is_empty(), || update_seats(queue, set)),
        when(conn, !changed.wallets.is_empty(), || update_wallets(&wallets(set, &changed.wallets))),
        when(conn, !changed.new_wallets.is_empty(), || insert_wallets(&wallets(set, &changed.new_wallets))),
        when(conn, !changed.entries.is_empty(), || insert_entries(&changed.entries, &changed.keys)),
        when(conn, !changed.forgotten.is_empty(), || forget_payment_keys(queue, changed)),
        when(conn, !changed.payments.is_empty(), || insert_payments(queue, changed)),
        run(conn, Commit {}),
    )?;
    Ok(())
}

fn policies(queue: i32, set: &WorkingSet) -> InsertPolicies {
    let policies = &set.changed.policies;
    let before = set.policy_seq - i32::try_from(policies.len()).unwrap_or(0);
    InsertPolicies {
        queue,
        since: set.now.to_utc(),
        seqs: (before + 1..=set.policy_seq).collect(),
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

fn update_tokens(queue: i32, set: &WorkingSet) -> UpdateTokens {
    let tokens: Vec<_> = set.changed.tokens.iter().filter_map(|number| set.tokens.get(number)).collect();
    let reason = |t: &&domain::Token| t.end.map(|end| end_reason(end.reason));
    UpdateTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        statuses: tokens.iter().map(|t| token_status(t).to_owned()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        ended: tokens.iter().map(|t| t.end.map(|end| end.at.to_utc())).collect(),
        reasons: tokens.iter().map(|t| reason(t).map(|(reason, _)| reason.to_owned())).collect(),
        paid: tokens.iter().map(|t| reason(t).and_then(|(_, paid)| paid)).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
    }
}

fn insert_tokens(queue: i32, set: &WorkingSet) -> InsertTokens {
    let tokens: Vec<_> = set.changed.new_tokens.iter().filter_map(|number| set.tokens.get(number)).collect();
    InsertTokens {
        queue,
        numbers: tokens.iter().map(|t| big(t.ticket.number.get())).collect(),
        users: tokens.iter().map(|t| t.user.as_str().to_owned()).collect(),
        statuses: tokens.iter().map(|t| token_status(t).to_owned()).collect(),
        issued: tokens.iter().map(|t| t.issued_at.to_utc()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        out: tokens.iter().map(|t| t.out_version.map(big)).collect(),
    }
}

fn wallets<'a>(set: &'a WorkingSet, users: &BTreeSet<UserId>) -> Vec<&'a Wallet> {
    users.iter().filter_map(|user| set.wallets.get(user)).collect()
}
