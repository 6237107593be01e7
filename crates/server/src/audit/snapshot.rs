//! One read-only snapshot of a database file, and rows as people read them.

use std::fmt::Write;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::BigInt;
use diesel::sqlite::{Sqlite, SqliteType};
use uuid::Uuid;

use super::AuditError;

/// What a database held at one moment.
pub(super) struct Snapshot<'a> {
    connection: &'a mut SqliteConnection,
}

impl Snapshot<'_> {
    /// Opens `file` read-only and looks at it with `audit`, all of whose reads see the same moment.
    pub(super) fn of<T>(
        file: &Path,
        audit: impl FnOnce(&mut Snapshot<'_>) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        // SQLite would make a missing file; and only an absolute path can stand in a URI without being taken for more.
        let file = file.canonicalize()?;
        drop(std::fs::File::open(&file)?);
        let mut connection = SqliteConnection::establish(&read_only_uri(&file))?;
        // Another process may be at work on the write-ahead log for a moment.
        connection.batch_execute("PRAGMA busy_timeout = 5000")?;
        connection.transaction(|connection| audit(&mut Snapshot { connection }))
    }

    /// The first of `tables` that is not there.
    pub(super) fn first_missing(&mut self, tables: &[&'static str]) -> Result<Option<&'static str>, AuditError> {
        for table in tables {
            let named = format!("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
            if self.number(&named)? == 0 {
                return Ok(Some(table));
            }
        }
        Ok(None)
    }

    /// How many rows `table` has.
    pub(super) fn count(&mut self, table: &'static str) -> Result<i64, AuditError> {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    /// The rows of a query, each as a text: `queue 1, ticket 7`.
    pub(super) fn find(&mut self, sql: &str) -> Result<Vec<String>, AuditError> {
        let rows: Vec<Place> = diesel::sql_query(sql).load(self.connection)?;
        Ok(rows.into_iter().map(|Place(text)| text).collect())
    }

    fn number(&mut self, sql: &str) -> Result<i64, AuditError> {
        let Number { n } = diesel::sql_query(sql).get_result(self.connection)?;
        Ok(n)
    }
}

fn read_only_uri(file: &Path) -> String {
    let encoded = file.as_os_str().as_encoded_bytes().iter().map(|byte| match char::from(*byte) {
        plain if plain.is_ascii_alphanumeric() || "/-_.".contains(plain) => plain.to_string(),
        _ => format!("%{byte:02x}"),
    });
    format!("file:{}?mode=ro", encoded.collect::<String>())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A row with whatever columns it has.
struct Place(String);

impl QueryableByName<Sqlite> for Place {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut text = String::new();
        for at in 0..row.field_count() {
            let field = Row::get(row, at).ok_or("a row has fewer columns than it says")?;
            let separator = if at == 0 { "" } else { ", " };
            write!(text, "{separator}{} ", field.field_name().unwrap_or("?"))?;
            let Some(mut value) = field.value() else {
                text.push_str("none");
                continue;
            };
            match value.value_type() {
                Some(SqliteType::Binary) => match Uuid::from_slice(value.read_blob()) {
                    Ok(id) => write!(text, "{}", id.hyphenated())?,
                    Err(no_id) => write!(text, "({no_id})")?,
                },
                Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                    write!(text, "{}", value.read_long())?;
                }
                // Quoted and escaped: what a database holds must not end the line or pass for another.
                _ => write!(text, "{:?}", value.read_text())?,
            }
        }
        Ok(Self(text))
    }
}
