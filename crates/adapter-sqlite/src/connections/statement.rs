//! SQL statements that are prepared once per connection.
//!
//! Diesel caches a prepared statement by the type of its query, and prepares `update` and `sql_query` anew each time,
//! which costs more than running them. So each statement here is a type of its own.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;
use domain::ports::StoreError;
use domain::{
    ConcertId, EntryId, Fingerprint, IdempotencyKey, Money, PaymentId, QueueName, QueueNumber, ReservationId,
    ScheduleId, SeatId, TicketNumber, Timestamp, UserId,
};
use uuid::Uuid;

use crate::tables::columns::{FromRow, Record};

/// A value that stands for a `?` of a statement.
#[derive(Clone, Copy)]
pub(crate) enum Bind<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    Id(Uuid),
}

/// One SQL statement with a `?` for each value, none of them in a literal.
///
/// Where the planner could take another index for as good, `INDEXED BY` names the one that is meant: it knows nothing of
/// how many rows a queue has, and the statement fails rather than walk through all of them.
pub(crate) trait Statement: Sized + 'static {
    const SQL: &'static str;

    /// All rows it yields.
    fn rows<T: FromRow>(conn: &mut SqliteConnection, binds: &[Bind<'_>]) -> Result<Vec<T>, StoreError> {
        Self::each_row(conn, binds)?.into_iter().collect()
    }

    /// All rows it yields, and of a damaged one what is wrong with it.
    fn each_row<T: FromRow>(
        conn: &mut SqliteConnection,
        binds: &[Bind<'_>],
    ) -> Result<Vec<Result<T, StoreError>>, StoreError> {
        let records: Vec<Record<T>> = Prepared::<Self>::new(binds).load(conn).map_err(failure)?;
        Ok(records.into_iter().map(|record| record.0).collect())
    }

    /// The only row it can yield, if it does.
    fn row<T: FromRow>(conn: &mut SqliteConnection, binds: &[Bind<'_>]) -> Result<Option<T>, StoreError> {
        Ok(Self::rows(conn, binds)?.pop())
    }

    /// Runs it; how many rows it changed.
    fn execute(conn: &mut SqliteConnection, binds: &[Bind<'_>]) -> Result<usize, StoreError> {
        Prepared::<Self>::new(binds).execute(conn).map_err(failure)
    }

    /// Runs it where exactly one row must change: the guard behind a decision on that row.
    fn change_one(conn: &mut SqliteConnection, binds: &[Bind<'_>]) -> Result<(), StoreError> {
        match Self::execute(conn, binds)? {
            1 => Ok(()),
            changed => Err(StoreError::Unavailable(format!("changed {changed} rows instead of one: {}", Self::SQL))),
        }
    }
}

/// Defines statements: `Name = "SQL";`, or `Name: Walks, IndexAlone = "SQL";` with what is special about its plan (see
/// `plans.rs`). Makes the test that holds each of them to its plan.
macro_rules! statements {
    ($($(#[$doc:meta])* $vis:vis $name:ident $(: $($plan:ident),+)? = $sql:expr;)*) => {$(
        $(#[$doc])*
        $vis struct $name;

        impl $crate::connections::statement::Statement for $name {
            const SQL: &'static str = $sql;
        }
    )*
        #[cfg(test)]
        #[test]
        fn no_statement_walks_a_table_p7() {
            $crate::plans::check(
                module_path!(),
                &[$((stringify!($name), $sql, &[$($($crate::plans::Plan::$plan),+)?])),*],
            );
        }
    };
}
pub(crate) use statements;

/// The values of a statement, in the order of its `?`.
macro_rules! binds {
    ($($value:expr),* $(,)?) => {
        &[$($crate::connections::statement::Bind::from($value)),*]
    };
}
pub(crate) use binds;

statements! {
    /// Begins a transaction that writes, and waits for its turn to.
    pub(crate) Begin = "BEGIN IMMEDIATE";
    /// Begins a transaction that reads: one moment of the database.
    pub(crate) BeginRead = "BEGIN";
    pub(crate) Commit = "COMMIT";
    pub(crate) Rollback = "ROLLBACK";
}

struct Prepared<'a, S> {
    binds: &'a [Bind<'a>],
    statement: PhantomData<fn() -> S>,
}

impl<'a, S> Prepared<'a, S> {
    const fn new(binds: &'a [Bind<'a>]) -> Self {
        Self { binds, statement: PhantomData }
    }
}

impl<S: Statement> QueryId for Prepared<'_, S> {
    type QueryId = S;
}

impl<S: Statement> Query for Prepared<'_, S> {
    type SqlType = Untyped;
}

impl<S: Statement> RunQueryDsl<SqliteConnection> for Prepared<'_, S> {}

impl<S: Statement> QueryFragment<Sqlite> for Prepared<'_, S> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut binds = self.binds.iter();
        let mut pieces = S::SQL.split('?');
        out.push_sql(pieces.next().unwrap_or_default());
        for piece in pieces {
            match binds.next() {
                Some(Bind::Null) => out.push_bind_param::<Nullable<BigInt>, Option<i64>>(&None)?,
                Some(Bind::Int(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Some(Bind::Text(value)) => out.push_bind_param::<Text, str>(value)?,
                Some(Bind::Blob(value)) => out.push_bind_param::<Binary, [u8]>(value)?,
                Some(Bind::Id(value)) => out.push_bind_param::<Binary, [u8]>(value.as_bytes().as_slice())?,
                None => return Err(Error::QueryBuilderError("a value is missing".into())),
            }
            out.push_sql(piece);
        }
        match binds.next() {
            None => Ok(()),
            Some(_) => Err(Error::QueryBuilderError("a value too many".into())),
        }
    }
}

/// What a fault of the database is called outside.
pub(crate) fn failure(error: Error) -> StoreError {
    match error {
        // How the file says that somebody else writes to it for longer than `busy_timeout`.
        Error::DatabaseError(DatabaseErrorKind::Unknown, detail) if detail.message().contains("locked") => {
            StoreError::Unavailable("the database is locked".to_owned())
        }
        Error::DatabaseError(DatabaseErrorKind::Unknown, detail) if detail.message().contains("disk is full") => {
            StoreError::Full
        }
        other => StoreError::Unavailable(other.to_string()),
    }
}

macro_rules! bind_from {
    ($($type:ty: $value:ident => $bind:expr;)*) => {$(
        impl<'a> From<$type> for Bind<'a> {
            fn from($value: $type) -> Self {
                $bind
            }
        }
    )*};
}

bind_from! {
    i64: value => Self::Int(value);
    u32: value => Self::Int(i64::from(value));
    // What is stored stays far below 2^63. What a caller made up (a cursor) may not, and compares as the largest does.
    u64: value => Self::Int(i64::try_from(value).unwrap_or(i64::MAX));
    bool: value => Self::Int(i64::from(value));
    QueueNumber: value => Self::Int(i64::from(value.0));
    TicketNumber: value => Self::from(value.get());
    Timestamp: value => Self::Int(value.micros());
    &Money: value => Self::Int(value.minor());
    &'a str: value => Self::Text(value);
    &'a UserId: value => Self::Text(value.as_str());
    &'a IdempotencyKey: value => Self::Text(value.as_str());
    &'a QueueName: value => Self::Text(value.as_str());
    &'a Fingerprint: value => Self::Blob(&value.0);
    &'a [u8]: value => Self::Blob(value);
    Uuid: value => Self::Id(value);
    ConcertId: value => Self::Id(value.uuid());
    ScheduleId: value => Self::Id(value.uuid());
    SeatId: value => Self::Id(value.uuid());
    ReservationId: value => Self::Id(value.uuid());
    PaymentId: value => Self::Id(value.uuid());
    EntryId: value => Self::Id(value.uuid());
}

impl<'a, T: Into<Bind<'a>>> From<Option<T>> for Bind<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
