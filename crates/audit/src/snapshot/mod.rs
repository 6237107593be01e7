//! A database at one moment, and its rows as people and programs read them.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, QueryableByName};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::BigInt;

use crate::error::AuditError;

/// What a database held at one moment. The statements of the checks are the same for every database: each snapshot
/// presents the tables in one shape, with instants as microseconds since 1970 UTC, money as hundredths, truth as 0 and 1,
/// and ids that are compared byte by byte.
pub(super) trait Snapshot {
    /// Whether there is a table of this name.
    fn has(&mut self, table: &str) -> Result<bool, AuditError>;
    /// How many rows `table` has.
    fn count(&mut self, table: &str) -> Result<i64, AuditError>;
    /// Hands over each row that a check finds as it comes; none is kept.
    fn find(&mut self, check: &str, each: &mut dyn FnMut(&Place) -> Result<(), AuditError>) -> Result<(), AuditError>;
}

/// A count.
#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) n: i64,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A number, in digits.
    Number(String),
    /// An id, as it is written; or what stands where one should.
    Id(String),
    /// A text of any kind.
    Text(String),
    /// Nothing.
    Null,
}

/// A database whose values can be shown.
pub(super) trait Print: Backend {
    /// A value of any type.
    fn print(value: Self::RawValue<'_>) -> deserialize::Result<Cell>;
}

/// A row with whatever columns it has: names and values.
#[derive(Debug)]
pub(super) struct Place(Vec<(String, Cell)>);

impl<DB: Print> QueryableByName<DB> for Place {
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let columns = (0..row.field_count()).map(|at| {
            let field = Row::get(row, at).ok_or("a row has fewer columns than it says")?;
            let value = field.value().map_or(Ok(Cell::Null), DB::print)?;
            Ok((field.field_name().unwrap_or("?").to_owned(), value))
        });
        columns.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Place {
    /// For people, without the end of a line: `queue 1, ticket 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name} ", if at == 0 { "" } else { ", " })?;
            match value {
                Cell::Number(bare) | Cell::Id(bare) => write!(f, "{bare}")?,
                // Quoted and escaped: what a database holds must not end the line or pass for another.
                Cell::Text(text) => write!(f, "{text:?}")?,
                Cell::Null => write!(f, "none")?,
            }
        }
        Ok(())
    }
}

impl Place {
    /// For programs: a JSON object, on one line.
    pub(super) fn json(&self) -> String {
        let members = self.0.iter().map(|(name, value)| {
            let value = match value {
                Cell::Number(digits) => digits.clone(),
                Cell::Id(text) | Cell::Text(text) => quoted(text),
                Cell::Null => "null".to_owned(),
            };
            format!("{}:{value}", quoted(name))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
