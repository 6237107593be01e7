//! A database at one moment, and its rows as people read them.

use std::fmt::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, QueryableByName};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::BigInt;

use super::AuditError;

/// What a database held at one moment. The statements of the checks are the same for every database: each snapshot
/// presents the tables in one shape, with instants as microseconds since 1970 UTC, money as hundredths, truth as 0 and 1,
/// and ids that are compared byte by byte.
pub(super) trait Snapshot {
    /// Whether there is a table of this name.
    fn has(&mut self, table: &str) -> Result<bool, AuditError>;
    /// How many rows `table` has.
    fn count(&mut self, table: &str) -> Result<i64, AuditError>;
    /// The rows that a check finds, each as a text: `queue 1, ticket 7`.
    fn find(&mut self, check: &str) -> Result<Vec<String>, AuditError>;
}

/// A count.
#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
}

/// A database whose values can be shown to people.
pub(super) trait Print: Backend {
    /// A value of any type, as a text that does not end the line.
    fn print(value: Self::RawValue<'_>) -> deserialize::Result<String>;
}

/// A row with whatever columns it has.
pub(super) struct Place(pub(super) String);

impl<DB: Print> QueryableByName<DB> for Place {
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut text = String::new();
        for at in 0..row.field_count() {
            let field = Row::get(row, at).ok_or("a row has fewer columns than it says")?;
            let separator = if at == 0 { "" } else { ", " };
            let value = field.value().map(DB::print).transpose()?;
            write!(text, "{separator}{} {}", field.field_name().unwrap_or("?"), value.as_deref().unwrap_or("none"))?;
        }
        Ok(Self(text))
    }
}
