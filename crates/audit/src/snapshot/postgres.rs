//! A snapshot of a database on a `PostgreSQL` server.

use bigdecimal::BigDecimal;
use connect_postgres::connect;
use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Numeric};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{Cell, Number, Place, Print, Snapshot};
use crate::error::AuditError;

/// A connection that is used from a blocking thread.
pub(crate) type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

/// Whoever set the server up for short statements did not think of these: they may take their time. Each reads its tables
/// whole, so that a nested loop could only be the mistake of a planner that takes a table for small.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL jit = off; SET LOCAL work_mem = '64MB';
    SET LOCAL enable_nestloop = off";

/// The tables in the shape that the checks expect: in each check these names stand for the tables. They are part of the
/// statement's plan, not results of their own, so that the tables' indexes and statistics serve.
const SHAPE: &str = "WITH
    policies AS NOT MATERIALIZED (
      SELECT queue, seq, (extract(epoch FROM since) * 1000000)::bigint AS since, max_active, batch,
             interval_seconds::bigint AS interval_seconds, paused::integer AS paused,
             (extract(epoch FROM opens_at) * 1000000)::bigint AS opens_at
      FROM policies),
    tokens AS NOT MATERIALIZED (
      SELECT queue, number, user_id, status, (extract(epoch FROM issued_at) * 1000000)::bigint AS issued_at,
             (extract(epoch FROM activated_at) * 1000000)::bigint AS activated_at,
             (extract(epoch FROM deadline) * 1000000)::bigint AS deadline,
             (extract(epoch FROM ended_at) * 1000000)::bigint AS ended_at, end_reason, paid_reservation,
             out_version, (extract(epoch FROM selection_ends_at) * 1000000)::bigint AS selection_ends_at, last_paid
      FROM tokens),
    schedules AS NOT MATERIALIZED (
      SELECT queue, id, concert_id, (extract(epoch FROM starts_at) * 1000000)::bigint AS starts_at, seats_total,
             max_per_user
      FROM schedules),
    reservations AS NOT MATERIALIZED (
      SELECT queue, id, user_id, schedule_id, (amount * 100)::bigint AS amount, status, cancel_reason,
             (extract(epoch FROM reserved_at) * 1000000)::bigint AS reserved_at,
             (extract(epoch FROM expires_at) * 1000000)::bigint AS expires_at, idempotency_key, fingerprint
      FROM reservations),
    seats AS NOT MATERIALIZED (
      SELECT queue, schedule_id, number, id, (price * 100)::bigint AS price, reservation_id,
             (extract(epoch FROM held_until) * 1000000)::bigint AS held_until
      FROM seats),
    reservation_seats AS NOT MATERIALIZED (
      SELECT queue, reservation_id, number, seat_id, (price * 100)::bigint AS price FROM reservation_seats),
    payments AS NOT MATERIALIZED (
      SELECT queue, id, reservation_id, user_id, (amount * 100)::bigint AS amount,
             (extract(epoch FROM paid_at) * 1000000)::bigint AS paid_at, entry_seq,
             idempotency_key, fingerprint
      FROM payments),
    wallets AS NOT MATERIALIZED (SELECT user_id, (balance * 100)::bigint AS balance, last_seq FROM wallets),
    entries AS NOT MATERIALIZED (
      SELECT user_id, seq, id, kind, (amount * 100)::bigint AS amount, (balance_after * 100)::bigint AS balance_after,
             reservation_id, (extract(epoch FROM created_at) * 1000000)::bigint AS created_at, idempotency_key,
             fingerprint
      FROM entries)";

/// What a database held at one moment.
pub(crate) struct Server<'a>(pub(crate) &'a mut Blocking);

impl Server<'_> {
    /// Connects to the database at `url` and looks at it with `audit`, all of whose reads see the same moment. To be called from a
    /// blocking thread of a runtime.
    pub(crate) fn look<T>(
        url: &str,
        audit: impl FnOnce(&mut Server<'_>) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        let connection = Handle::current().block_on(connect(url)).map_err(AuditError::Unreachable)?;
        let mut connection = Blocking::from(connection);
        connection.batch_execute(BEGIN)?;
        // The transaction ends with the connection: there is nothing to commit.
        audit(&mut Server(&mut connection))
    }

    fn number(&mut self, sql: &str) -> Result<i64, AuditError> {
        let Number { n } = diesel::sql_query(sql).get_result(self.0)?;
        Ok(n)
    }
}

impl Snapshot for Server<'_> {
    fn has(&mut self, table: &str) -> Result<bool, AuditError> {
        Ok(self.number(&format!("SELECT count(to_regclass('{table}')) AS n"))? > 0)
    }

    fn count(&mut self, table: &str) -> Result<i64, AuditError> {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    fn find(&mut self, check: &str, each: &mut dyn FnMut(&Place) -> Result<(), AuditError>) -> Result<(), AuditError> {
        let sql = match check.strip_prefix("WITH ") {
            Some(named) => format!("{SHAPE}, {named}"),
            None => format!("{SHAPE} {check}"),
        };
        // The driver takes from the connection what is asked of it, so that no more of the rows is here at any time.
        let mut rows = diesel::sql_query(sql).load_iter::<Place, DefaultLoadingMode>(self.0)?;
        rows.try_for_each(|place| each(&place?))
    }
}

impl Print for Pg {
    fn print(value: PgValue<'_>) -> deserialize::Result<Cell> {
        // The numbers of the types are fixed; they are in PostgreSQL's pg_type.dat.
        Ok(match value.get_oid().get() {
            20 => Cell::Number(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?.to_string()),
            23 => Cell::Number(<i32 as FromSql<Integer, Pg>>::from_sql(value)?.to_string()),
            // A sum.
            1700 => Cell::Number(<BigDecimal as FromSql<Numeric, Pg>>::from_sql(value)?.to_plain_string()),
            2950 => Cell::Id(Uuid::from_slice(value.as_bytes())?.hyphenated().to_string()),
            _ => Cell::Text(String::from_utf8_lossy(value.as_bytes()).into_owned()),
        })
    }
}
