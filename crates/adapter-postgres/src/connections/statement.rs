//! SQL statements that are prepared once per connection.
//!
//! diesel prepares its own `UPDATE` and every `sql_query` anew each time, which costs a round trip. A statement written
//! with [`statement!`] is a query of its own type, so that it is cached; its SQL stands in full where it is defined.

use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{self, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::FutureExt;
use futures::future::BoxFuture;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Which SQL type a Rust value is bound as.
pub(crate) trait Bound {
    type Sql;
}

macro_rules! bound {
    ($($rust:ty => $sql:ident),* $(,)?) => {$(
        impl Bound for $rust { type Sql = sql_types::$sql; }
        impl Bound for Option<$rust> { type Sql = sql_types::Nullable<sql_types::$sql>; }
        impl Bound for Vec<$rust> { type Sql = sql_types::Array<sql_types::$sql>; }
        impl Bound for Vec<Option<$rust>> { type Sql = sql_types::Array<sql_types::Nullable<sql_types::$sql>>; }
    )*};
}

bound! {
    i32 => Integer,
    i64 => BigInt,
    bool => Bool,
    String => Text,
    Uuid => Uuid,
    OffsetDateTime => Timestamptz,
    Date => Date,
    Vec<u8> => Binary,
    bigdecimal::BigDecimal => Numeric,
}

impl Bound for &'static str {
    type Sql = sql_types::Text;
}

/// Defines a statement: its values, what its rows are, and its SQL, in which a value's name stands for the value.
macro_rules! statement {
    (@piece $self:ident $out:ident $text:literal) => { $out.push_sql($text); };
    (@piece $self:ident $out:ident $field:ident) => {
        $crate::connections::statement::bind(&mut $out, &$self.$field)?;
    };
    ($(#[$doc:meta])* $name:ident { $($field:ident: $rust:ty),* $(,)? } -> $row:ty = $($piece:tt)+) => {
        $(#[$doc])*
        #[derive(Clone, Debug, diesel::query_builder::QueryId)]
        pub(crate) struct $name { $(pub(crate) $field: $rust),* }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                $( $crate::connections::statement::statement!(@piece self out $piece); )+
                Ok(())
            }
        }

        impl diesel::query_builder::Query for $name {
            type SqlType = $row;
        }
    };
}
pub(crate) use statement;

pub(crate) fn bind<'b, T>(
    out: &mut diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
    value: &'b T,
) -> diesel::QueryResult<()>
where
    T: Bound + diesel::serialize::ToSql<T::Sql, diesel::pg::Pg>,
    diesel::pg::Pg: diesel::sql_types::HasSqlType<T::Sql>,
{
    out.push_bind_param::<T::Sql, T>(value)
}

statement! {
    /// Begins a batch.
    Begin {} -> () = "BEGIN ISOLATION LEVEL READ COMMITTED"
}
statement! {
    /// Ends a batch for good. Goes through the same cache as every other statement, so that what is pipelined before it
    /// is sent before it.
    Commit {} -> () = "COMMIT"
}

statement! {
    /// The time of the batch, after its locks, and the transaction to ask about should the answer to COMMIT be lost: its
    /// number, and the server's life in which it is one.
    Now {} -> (Timestamptz, Text) =
    "SELECT clock_timestamp(), pg_current_xact_id()::text || ' ' || current_setting('usher.server')"
}

statement! {
    /// The database's time, for what is shown by time.
    ReadNow {} -> Timestamptz = "SELECT clock_timestamp()"
}

/// Writes if there is anything to write.
pub(crate) fn when<S>(
    conn: &AsyncPgConnection,
    wanted: bool,
    statement: impl FnOnce() -> S,
) -> BoxFuture<'_, diesel::QueryResult<()>>
where
    S: QueryFragment<diesel::pg::Pg> + QueryId + Send + 'static,
{
    if wanted { run(conn, statement()) } else { std::future::ready(Ok(())).boxed() }
}

/// Executes a statement that answers nothing.
pub(crate) fn run<S>(conn: &AsyncPgConnection, statement: S) -> BoxFuture<'_, diesel::QueryResult<()>>
where
    S: QueryFragment<diesel::pg::Pg> + QueryId + Send + 'static,
{
    async move { statement.execute(&mut &*conn).await.map(|_rows| ()) }.boxed()
}
