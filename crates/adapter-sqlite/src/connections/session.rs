//! Opening connections to the file, for writing and for reading.

use std::path::Path;

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::prelude::*;
use diesel::r2d2::{self, CustomizeConnection};

/// What every connection is set to. `busy_timeout` comes first: the others may meet somebody who writes.
const COMMON: &str = "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
    PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;";

/// A commit is answered after it reached the disk: FULL syncs the log on each. The log is copied into the file after
/// 4,000 pages, about 16 MB, by the writer itself. A read that lasts (a backup, an audit) lets the log grow meanwhile;
/// without a limit of its size it would keep the largest that it ever had.
const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; \
    PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;";

const READER: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -8192;";

/// The file as SQLite takes it: what looks like a URI is one to it, so the path is made absolute. It is UTF-8, or its
/// lock would not have been given.
pub(crate) fn url(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_empty| path.to_owned()).to_string_lossy().into_owned()
}

/// Opens the connection that writes.
pub(crate) fn writer(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = plain(path)?;
    set_to_write(&mut connection)?;
    Ok(connection)
}

/// Opens a connection that has changed nothing of the file so far.
pub(crate) fn plain(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = SqliteConnection::establish(&url(path))?;
    connection.batch_execute(COMMON).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Makes a plain connection the one that writes. The file itself remembers how its journal is kept.
pub(crate) fn set_to_write(connection: &mut SqliteConnection) -> Result<(), ConnectionError> {
    connection.batch_execute(WRITER).map_err(ConnectionError::CouldntSetupConfiguration)?;
    connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
    Ok(())
}

/// Sets connections of the pool to read only.
#[derive(Debug)]
pub(crate) struct Readers;

impl CustomizeConnection<SqliteConnection, r2d2::Error> for Readers {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), r2d2::Error> {
        connection.batch_execute(COMMON).map_err(r2d2::Error::QueryError)?;
        connection.batch_execute(READER).map_err(r2d2::Error::QueryError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_grew_shrinks_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        let mut connection = writer(&path).unwrap();
        let log = || std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
        // Longer than the limit, and copied whole when it is committed.
        connection.batch_execute("CREATE TABLE t (b BLOB); INSERT INTO t VALUES (zeroblob(70000000));").unwrap();
        assert!(log() > 70_000_000);
        connection.batch_execute("INSERT INTO t VALUES (NULL);").unwrap();
        assert_eq!(log(), 64 * 1024 * 1024);
    }
}
