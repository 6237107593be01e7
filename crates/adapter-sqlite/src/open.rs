//! Opening a database file: the lock, the migrations, and what can be wrong with a file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use diesel::SqliteConnection;
use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::ports::StoreError;

use crate::connections::session;
use crate::connections::statement::{Statement, statements};
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

/// Why a database file could not be opened, in one line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The path is not UTF-8. With what is not replaced it would be another file's.
    #[error("the path {} is not UTF-8, as a database's must be", .0.display())]
    NotUtf8(PathBuf),
    /// The directory that the file would be in does not exist.
    #[error("the directory {} does not exist", .0.display())]
    NoDirectory(PathBuf),
    /// The file or its directory may not be written to.
    #[error("{} cannot be written to: {reason}", .path.display())]
    NotWritable {
        /// The file, or the lock file beside it.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The file is something else than a database.
    #[error("{} is not an SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The file is a database of another program.
    #[error("{} is a database of another program", .0.display())]
    NotOurs(PathBuf),
    /// Another server has the file open.
    #[error("{} is in use by another server", .0.display())]
    InUse(PathBuf),
    /// A newer binary has migrated the file.
    #[error("{} has a schema newer than this program: migration {version} is unknown to it", .path.display())]
    SchemaNewer {
        /// The file.
        path: PathBuf,
        /// The newest migration that this binary does not know.
        version: String,
    },
    /// The file lacks migrations, and they are not to be applied.
    #[error("{} needs {count} migration(s); run `usher migrate`", .path.display())]
    MigrationsPending {
        /// The file.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// A migration failed, or anything else did.
    #[error("{} cannot be opened: {reason}", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the database or the system said.
        reason: String,
    },
}

/// Brings the tables of the file up to date, creating it if there is none; the names of the migrations it applied.
///
/// Blocking. Nobody may serve the file meanwhile: it takes the same lock as a server.
pub fn migrate(path: &Path) -> Result<Vec<String>, OpenError> {
    let _lock = lock(path)?;
    let mut connection = connect(path)?;
    bring_up_to_date(path, &mut connection, Migrations::Apply)
}

/// Takes the lock that at most one server has: on a file beside the database, which the system releases however the
/// process ends. The database file itself cannot be it, as SQLite locks parts of that in its own way.
pub(crate) fn lock(path: &Path) -> Result<File, OpenError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_empty| path.to_owned());
    if absolute.to_str().is_none() {
        return Err(OpenError::NotUtf8(absolute));
    }
    // A file is locked under its own name, whatever links lead to it; one that only a link names is made for that.
    if path.is_symlink() && !path.exists() {
        let made = OpenOptions::new().create(true).append(true).open(path);
        made.map_err(|reason| OpenError::NotWritable { path: path.to_owned(), reason })?;
    }
    let full = std::fs::canonicalize(path).unwrap_or(absolute);
    let directory = full.parent().unwrap_or(&full);
    if !directory.is_dir() {
        return Err(OpenError::NoDirectory(directory.to_owned()));
    }
    let mut beside = full.into_os_string();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside);
    let file = file.map_err(|reason| OpenError::NotWritable { path: beside.clone(), reason })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(reason)) => Err(OpenError::NotWritable { path: beside, reason }),
    }
}

/// Opens the connection that writes, to a file that is new or ours.
pub(crate) fn connect(path: &Path) -> Result<SqliteConnection, OpenError> {
    if path.exists() {
        // SQLite would open a file that cannot be written to for reading only, and fail much later.
        let writable = OpenOptions::new().append(true).open(path);
        writable.map_err(|reason| OpenError::NotWritable { path: path.to_owned(), reason })?;
    }
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
