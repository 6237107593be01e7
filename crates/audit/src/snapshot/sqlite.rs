//! A snapshot of a database file. Its tables have the shape that the checks expect.

use std::path::Path;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize;
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};
use uuid::Uuid;

use super::{Cell, Number, Place, Print, Snapshot};
use crate::error::AuditError;

/// Another process may be at work on the write-ahead log for a moment. What a check sorts goes to files that are removed when
/// it ends, and not to memory, whatever the environment says. It may keep 16 MiB of pages, and of each sort as much.
const SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384";

/// What a file held at one moment.
pub(crate) struct File<'a>(&'a mut SqliteConnection);

impl File<'_> {
    /// Opens `file` read-only and looks at it with `audit`, all of whose reads see the same moment.
    pub(crate) fn look<T>(
        file: &Path,
        audit: impl FnOnce(&mut File<'_>) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        // SQLite would make a missing file; and only an absolute path can stand in a URI without being taken for more.
        let file = file.canonicalize()?;
        drop(std::fs::File::open(&file)?);
        let mut connection = SqliteConnection::establish(&read_only_uri(&file)).map_err(AuditError::Unopened)?;
        connection.batch_execute(SETTINGS)?;
        connection.transaction(|connection| audit(&mut File(connection)))
    }

    fn number(&mut self, sql: &str) -> Result<i64, AuditError> {
        let Number { n } = diesel::sql_query(sql).get_result(self.0)?;
        Ok(n)
    }
}

impl Snapshot for File<'_> {
    fn has(&mut self, table: &str) -> Result<bool, AuditError> {
        let named = format!("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        Ok(self.number(&named)? > 0)
    }

    fn count(&mut self, table: &str) -> Result<i64, AuditError> {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    fn find(&mut self, check: &str, each: &mut dyn FnMut(&Place) -> Result<(), AuditError>) -> Result<(), AuditError> {
        let mut rows = diesel::sql_query(check).load_iter::<Place, DefaultLoadingMode>(self.0)?;
        rows.try_for_each(|place| each(&place?))
    }
}

fn read_only_uri(file: &Path) -> String {
    let encoded = file.as_os_str().as_encoded_bytes().iter().map(|byte| match char::from(*byte) {
        plain if plain.is_ascii_alphanumeric() || "/-_.".contains(plain) => plain.to_string(),
        _ => format!("%{byte:02x}"),
    });
    format!("file:{}?mode=ro", encoded.collect::<String>())
}

impl Print for Sqlite {
    fn print(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Cell> {
        Ok(match value.value_type() {
            Some(SqliteType::Binary) => Cell::Id(match Uuid::from_slice(value.read_blob()) {
                Ok(id) => id.hyphenated().to_string(),
                Err(no_id) => format!("({no_id})"),
            }),
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                Cell::Number(value.read_long().to_string())
            }
            _ => Cell::Text(value.read_text().to_owned()),
        })
    }
}
