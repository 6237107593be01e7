//! What a batch writes: one statement a table, all of them and the COMMIT pipelined in one round trip.
//!
//! Ends (EXPIRED, CANCELLED) are written before the inserts that need their place.

use std::collections::BTreeSet;

use bigdecimal::BigDecimal;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::UserId;
use domain::wallet::{Entry, EntryKind, Wallet};
use futures::FutureExt;
use futures::future::BoxFuture;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{big, decimal, end_reason, int, status_columns, token_status};
use crate::statement::{Commit, statement};
use crate::working_set::{Changed, WorkingSet};

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
    UpdateTokens {
        queue: i32, numbers: Vec<i64>, statuses: Vec<String>, activated: Vec<Option<OffsetDateTime>>,
        deadlines: Vec<Option<OffsetDateTime>>, ended: Vec<Option<OffsetDateTime>>, reasons: Vec<Option<String>>,
        paid: Vec<Option<Uuid>>,
    } -> () =
    "UPDATE tokens t
     SET status = n.status, activated_at = n.activated_at, deadline = n.deadline, ended_at = n.ended_at,
         end_reason = n.end_reason, paid_reservation = n.paid
     FROM unnest(" numbers ", " statuses ", " activated ", " deadlines ", " ended ", " reasons ", " paid ")
          AS n (number, status, activated_at, deadline, ended_at, end_reason, paid)
     WHERE t.queue = " queue " AND t.number = n.number"
}

statement! {
    InsertTokens {
        queue: i32, numbers: Vec<i64>, users: Vec<String>, statuses: Vec<String>, issued: Vec<OffsetDateTime>,
        activated: Vec<Option<OffsetDateTime>>, deadlines: Vec<Option<OffsetDateTime>>,
    } -> () =
    "INSERT INTO tokens (queue, number, user_id, status, issued_at, activated_at, deadline)
     SELECT " queue ", n.* FROM unnest(" numbers ", " users ", " statuses ", " issued ", " activated ", " deadlines ") AS n"
}

statement! {
    UpdateReservations { queue: i32, ids: Vec<Uuid>, statuses: Vec<String>, reasons: Vec<Option<String>> } -> () =
    "UPDATE reservations r SET status = n.status, cancel_reason = n.reason
     FROM unnest(" ids ", " statuses ", " reasons ") AS n (id, status, reason)
     WHERE r.queue = " queue " AND r.id = n.id"
}

statement! {
    InsertReservations {
        queue: i32, ids: Vec<Uuid>, users: Vec<String>, schedules: Vec<Uuid>, amounts: Vec<BigDecimal>,
        statuses: Vec<String>, reasons: Vec<Option<String>>, reserved: Vec<OffsetDateTime>, expires: Vec<OffsetDateTime>,
    } -> () =
    "INSERT INTO reservations (queue, id, user_id, schedule_id, amount, status, cancel_reason, reserved_at, expires_at)
     SELECT " queue ", n.*
     FROM unnest(" ids ", " users ", " schedules ", " amounts ", " statuses ", " reasons ", " reserved ", " expires ") AS n"
}

statement! {
    InsertReservedSeats { queue: i32, reservations: Vec<Uuid>, numbers: Vec<i32>, seats: Vec<Uuid>, prices: Vec<BigDecimal> } -> () =
    "INSERT INTO reservation_seats (queue, reservation_id, number, seat_id, price)
     SELECT " queue ", n.* FROM unnest(" reservations ", " numbers ", " seats ", " prices ") AS n"
}

statement! {
    UpdateSeats { queue: i32, ids: Vec<Uuid>, reservations: Vec<Option<Uuid>>, until: Vec<Option<OffsetDateTime>> } -> () =
    "UPDATE seats s SET reservation_id = n.reservation_id, held_until = n.held_until
     FROM unnest(" ids ", " reservations ", " until ") AS n (id, reservation_id, held_until)
     WHERE s.queue = " queue " AND s.id = n.id"
}

statement! {
    /// Of two servers that each make a user's first wallet one is refused, and tries again.
    InsertWallets { users: Vec<String>, balances: Vec<BigDecimal>, seqs: Vec<i64> } -> () =
    "INSERT INTO wallets (user_id, balance, last_seq)
     SELECT n.* FROM unnest(" users ", " balances ", " seqs ") AS n"
}

statement! {
    UpdateWallets { users: Vec<String>, balances: Vec<BigDecimal>, seqs: Vec<i64> } -> () =
    "UPDATE wallets w SET balance = n.balance, last_seq = n.last_seq
     FROM unnest(" users ", " balances ", " seqs ") AS n (user_id, balance, last_seq)
     WHERE w.user_id = n.user_id"
}

statement! {
    InsertEntries {
        users: Vec<String>, seqs: Vec<i64>, ids: Vec<Uuid>, kinds: Vec<String>, amounts: Vec<BigDecimal>,
        balances: Vec<BigDecimal>, reservations: Vec<Option<Uuid>>, created: Vec<OffsetDateTime>,
    } -> () =
    "INSERT INTO entries (user_id, seq, id, kind, amount, balance_after, reservation_id, created_at)
     SELECT n.* FROM unnest(" users ", " seqs ", " ids ", " kinds ", " amounts ", " balances ", " reservations ", " created ") AS n"
}

statement! {
    InsertPayments {
        queue: i32, ids: Vec<Uuid>, reservations: Vec<Uuid>, users: Vec<String>, amounts: Vec<BigDecimal>,
        paid: Vec<OffsetDateTime>, seqs: Vec<i64>,
    } -> () =
    "INSERT INTO payments (queue, id, reservation_id, user_id, amount, paid_at, entry_seq)
     SELECT " queue ", n.* FROM unnest(" ids ", " reservations ", " users ", " amounts ", " paid ", " seqs ") AS n"
}

statement! {
    /// A key that is written over is one that is forgotten: the rule saw to it, under the token's lock.
    InsertKeys {
        queue: i32, users: Vec<String>, operations: Vec<String>, keys: Vec<String>, prints: Vec<Vec<u8>>,
        results: Vec<Uuid>, created: OffsetDateTime,
    } -> () =
    "INSERT INTO sale_keys (queue, user_id, operation, key, fingerprint, result_id, created_at)
     SELECT " queue ", n.*, " created "
     FROM unnest(" users ", " operations ", " keys ", " prints ", " results ") AS n
     ON CONFLICT (queue, user_id, operation, key) DO UPDATE
     SET fingerprint = excluded.fingerprint, result_id = excluded.result_id, created_at = excluded.created_at"
}

/// Writes what changed and commits, in one round trip. An error of any statement is the result, the first one first;
/// nothing is committed then.
pub(crate) async fn commit(conn: &AsyncPgConnection, set: &WorkingSet) -> diesel::QueryResult<()> {
    let (queue, changed, now) = (i32::from(set.number.0), &set.changed, set.now.to_utc());
    let row = set.queue.as_ref().filter(|_| changed.queue);
    futures::try_join!(
        when(conn, !changed.policies.is_empty(), || policies(queue, set)),
        row.map_or_else(|| std::future::ready(Ok(())).boxed(), |row| run(conn, update_queue(row, set.policy_seq))),
        when(conn, !changed.tokens.is_empty(), || update_tokens(queue, set)),
        when(conn, !changed.new_tokens.is_empty(), || insert_tokens(queue, set)),
        when(conn, !changed.reservations.is_empty(), || update_reservations(queue, set)),
        when(conn, !changed.new_reservations.is_empty(), || insert_reservations(queue, changed)),
        when(conn, !changed.new_reservations.is_empty(), || insert_reserved_seats(queue, changed)),
        when(conn, !changed.seats.is_empty(), || update_seats(queue, set)),
        when(conn, !changed.wallets.is_empty(), || update_wallets(&wallets(set, &changed.wallets))),
        when(conn, !changed.new_wallets.is_empty(), || insert_wallets(&wallets(set, &changed.new_wallets))),
        when(conn, !changed.entries.is_empty(), || insert_entries(&changed.entries)),
        when(conn, !changed.payments.is_empty(), || payments(queue, changed)),
        when(conn, !changed.keys.is_empty(), || keys(queue, changed, now)),
        run(conn, Commit {}),
    )?;
    Ok(())
}

/// Writes if there is anything to write.
pub(crate) fn when<S>(
    conn: &AsyncPgConnection,
    wanted: bool,
    statement: impl FnOnce() -> S,
) -> BoxFuture<'_, diesel::QueryResult<()>>
where
    S: QueryFragment<diesel::pg::Pg> + QueryId + diesel::query_builder::Query + Send + 'static,
{
    if wanted { run(conn, statement()) } else { std::future::ready(Ok(())).boxed() }
}

/// Executes a statement that answers nothing.
pub(crate) fn run<S>(conn: &AsyncPgConnection, statement: S) -> BoxFuture<'_, diesel::QueryResult<()>>
where
    S: QueryFragment<diesel::pg::Pg> + QueryId + diesel::query_builder::Query + Send + 'static,
{
    async move { statement.execute(&mut &*conn).await.map(|_rows| ()) }.boxed()
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
        statuses: tokens.iter().map(|t| token_status(t).to_owned()).collect(),
        activated: tokens.iter().map(|t| t.active.map(|a| a.since.to_utc())).collect(),
        deadlines: tokens.iter().map(|t| t.active.map(|a| a.deadline.to_utc())).collect(),
        ended: tokens.iter().map(|t| t.end.map(|end| end.at.to_utc())).collect(),
        reasons: tokens.iter().map(|t| reason(t).map(|(reason, _)| reason.to_owned())).collect(),
        paid: tokens.iter().map(|t| reason(t).and_then(|(_, paid)| paid)).collect(),
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
    }
}

fn update_reservations(queue: i32, set: &WorkingSet) -> UpdateReservations {
    let rows: Vec<_> = set
        .changed
        .reservations
        .iter()
        .filter_map(|id| set.reservations.get(id).map(|held| (id.uuid(), status_columns(held.status))))
        .collect();
    UpdateReservations {
        queue,
        ids: rows.iter().map(|(id, _)| *id).collect(),
        statuses: rows.iter().map(|(_, (status, _))| (*status).to_owned()).collect(),
        reasons: rows.iter().map(|(_, (_, reason))| reason.map(str::to_owned)).collect(),
    }
}

fn insert_reservations(queue: i32, changed: &Changed) -> InsertReservations {
    let new = &changed.new_reservations;
    let status = |r: &domain::reservation::Reservation| status_columns(r.status);
    InsertReservations {
        queue,
        ids: new.iter().map(|r| r.id.uuid()).collect(),
        users: new.iter().map(|r| r.user.as_str().to_owned()).collect(),
        schedules: new.iter().map(|r| r.schedule.uuid()).collect(),
        amounts: new.iter().map(|r| decimal(&r.amount)).collect(),
        statuses: new.iter().map(|r| status(r).0.to_owned()).collect(),
        reasons: new.iter().map(|r| status(r).1.map(str::to_owned)).collect(),
        reserved: new.iter().map(|r| r.reserved_at.to_utc()).collect(),
        expires: new.iter().map(|r| r.expires_at.to_utc()).collect(),
    }
}

fn insert_reserved_seats(queue: i32, changed: &Changed) -> InsertReservedSeats {
    let rows: Vec<_> =
        changed.new_reservations.iter().flat_map(|r| r.seats.iter().map(move |seat| (r.id.uuid(), seat))).collect();
    InsertReservedSeats {
        queue,
        reservations: rows.iter().map(|(id, _)| *id).collect(),
        numbers: rows.iter().map(|(_, seat)| int(seat.number)).collect(),
        seats: rows.iter().map(|(_, seat)| seat.id.uuid()).collect(),
        prices: rows.iter().map(|(_, seat)| decimal(&seat.price)).collect(),
    }
}

fn update_seats(queue: i32, set: &WorkingSet) -> UpdateSeats {
    let seats: Vec<_> = set.changed.seats.iter().filter_map(|id| set.seats.get(id)).collect();
    UpdateSeats {
        queue,
        ids: seats.iter().map(|s| s.id.uuid()).collect(),
        reservations: seats.iter().map(|s| s.taken.map(|taken| taken.by.uuid())).collect(),
        until: seats.iter().map(|s| s.taken.and_then(|taken| taken.until).map(domain::Timestamp::to_utc)).collect(),
    }
}

fn wallets<'a>(set: &'a WorkingSet, users: &BTreeSet<UserId>) -> Vec<&'a Wallet> {
    users.iter().filter_map(|user| set.wallets.get(user)).collect()
}

pub(crate) fn insert_wallets(wallets: &[&Wallet]) -> InsertWallets {
    InsertWallets {
        users: wallets.iter().map(|w| w.user.as_str().to_owned()).collect(),
        balances: wallets.iter().map(|w| decimal(&w.balance)).collect(),
        seqs: wallets.iter().map(|w| big(w.last_seq)).collect(),
    }
}

pub(crate) fn update_wallets(wallets: &[&Wallet]) -> UpdateWallets {
    UpdateWallets {
        users: wallets.iter().map(|w| w.user.as_str().to_owned()).collect(),
        balances: wallets.iter().map(|w| decimal(&w.balance)).collect(),
        seqs: wallets.iter().map(|w| big(w.last_seq)).collect(),
    }
}

pub(crate) fn insert_entries(entries: &[Entry]) -> InsertEntries {
    let kind = |entry: &Entry| match entry.kind {
        EntryKind::Charge => ("CHARGE", None),
        EntryKind::Payment(reservation) => ("PAYMENT", Some(reservation.uuid())),
    };
    InsertEntries {
        users: entries.iter().map(|e| e.user.as_str().to_owned()).collect(),
        seqs: entries.iter().map(|e| big(e.seq)).collect(),
        ids: entries.iter().map(|e| e.id.uuid()).collect(),
        kinds: entries.iter().map(|e| kind(e).0.to_owned()).collect(),
        amounts: entries.iter().map(|e| decimal(&e.amount)).collect(),
        balances: entries.iter().map(|e| decimal(&e.balance_after)).collect(),
        reservations: entries.iter().map(|e| kind(e).1).collect(),
        created: entries.iter().map(|e| e.at.to_utc()).collect(),
    }
}

fn payments(queue: i32, changed: &Changed) -> InsertPayments {
    let payments = &changed.payments;
    InsertPayments {
        queue,
        ids: payments.iter().map(|(p, _)| p.id.uuid()).collect(),
        reservations: payments.iter().map(|(p, _)| p.reservation.uuid()).collect(),
        users: payments.iter().map(|(p, _)| p.user.as_str().to_owned()).collect(),
        amounts: payments.iter().map(|(p, _)| decimal(&p.amount)).collect(),
        paid: payments.iter().map(|(p, _)| p.paid_at.to_utc()).collect(),
        seqs: payments.iter().map(|(_, seq)| big(*seq)).collect(),
    }
}

fn keys(queue: i32, changed: &Changed, created: OffsetDateTime) -> InsertKeys {
    let keys = &changed.keys;
    InsertKeys {
        queue,
        users: keys.iter().map(|((user, _, _), _, _)| user.as_str().to_owned()).collect(),
        operations: keys.iter().map(|((_, operation, _), _, _)| (*operation).to_owned()).collect(),
        keys: keys.iter().map(|((_, _, key), _, _)| key.clone()).collect(),
        prints: keys.iter().map(|(_, print, _)| print.0.to_vec()).collect(),
        results: keys.iter().map(|(_, _, result)| *result).collect(),
        created,
    }
}
