//! Opening a database file: the migrations, and what can be wrong with a file.

use std::path::Path;

use diesel::SqliteConnection;
use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::ports::StoreError;

use crate::connections::session;
use crate::connections::statement::{Statement, statements};
use crate::file::ServedFile;
use crate::open_error::OpenError;
use crate::tables::columns::Count;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

statements! {
    Tables: Walks = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    Migrated: Walks = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = '__diesel_schema_migrations'";
}

/// What to do with migrations that a file has not seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Refuse the file.
    Refuse,
}

/// Brings the tables of the file up to date, creating it if there is none; the names of the migrations it applied.
///
/// Blocking. Nobody may serve the file meanwhile: it takes the same lock as a server.
pub fn migrate(path: &Path) -> Result<Vec<String>, OpenError> {
    let _lock = ServedFile::lock(path)?;
    let mut connection = connect(path)?;
    bring_up_to_date(path, &mut connection, Migrations::Apply)
}

/// Opens the connection that writes, to a file that is new or ours.
pub(crate) fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    let failed = |reason: String| {
        if reason.contains("not a database") {
            OpenError::NotADatabase(path.to_owned())
        } else {
            OpenError::Failed { path: path.to_owned(), reason }
        }
    };
    let mut connection = session::plain(path).map_err(|error| failed(error.to_string()))?;
    // Looked at before anything is set: another program's file is left as it is.
    if !is_ours(&mut connection).map_err(|error| failed(error.to_string()))? {
        return Err(OpenError::NotOurs(path.to_owned()));
    }
    session::set_to_write(&mut connection).map_err(|error| failed(error.to_string()))?;
    Ok(connection)
}

/// Whether a database has no tables yet, or was migrated before.
fn is_ours(connection: &mut SqliteConnection) -> Result<bool, StoreError> {
    let tables = Tables::row::<Count>(connection, &[])?.map_or(0, |count| count.0);
    let migrated = Migrated::row::<Count>(connection, &[])?.map_or(0, |count| count.0);
    Ok(tables == 0 || migrated > 0)
}

/// Applies what is pending, or refuses it; the names of what was applied.
pub(crate) fn bring_up_to_date(
    path: &Path,
    connection: &mut SqliteConnection,
    migrations: Migrations,
) -> Result<Vec<String>, OpenError> {
    let failed = |reason: String| OpenError::Failed { path: path.to_owned(), reason };
    let known: Vec<_> =
        MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(|error| failed(error.to_string()))?;
    let known: Vec<_> = known.iter().map(|migration| migration.name().version().as_owned()).collect();
    let applied = connection.applied_migrations().map_err(|error| failed(error.to_string()))?;
    if let Some(newer) = applied.iter().filter(|version| !known.contains(version)).max() {
        return Err(OpenError::SchemaNewer { path: path.to_owned(), version: newer.to_string() });
    }
    let count = known.len() - applied.len();
    if count > 0 && migrations == Migrations::Refuse {
        return Err(OpenError::MigrationsPending { path: path.to_owned(), count });
    }
    let names = connection.run_pending_migrations(MIGRATIONS).map_err(|error| failed(error.to_string()))?;
    Ok(names.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_go_up_down_and_up_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        let mut connection = connect(&path).unwrap();
        let all = connection.run_pending_migrations(MIGRATIONS).unwrap().len();
        connection.revert_all_migrations(MIGRATIONS).unwrap();
        let tables = Tables::row::<Count>(&mut connection, &[]).unwrap().unwrap().0;
        assert_eq!(tables, 1, "only the list of migrations is left");
        assert_eq!(connection.run_pending_migrations(MIGRATIONS).unwrap().len(), all);
    }
}
