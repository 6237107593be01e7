//! What can be wrong with a database file.

use std::io;
use std::path::PathBuf;

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
    /// The file has several names (hard links). Its log lies beside one of them, so that under the others it is another state.
    #[error(
        "{} has a second name (a hard link), beside which what was committed last may lie; \
         remove the other name, or serve a copy made as for a backup",
        .0.display()
    )]
    SeveralNames(PathBuf),
    /// The file alone is mounted, without its folder: what SQLite keeps beside it would stay behind.
    #[error(
        "{} is mounted alone, and its log would lie beside that name only and be lost with it; mount the folder that it is in",
        .0.display()
    )]
    MountedAlone(PathBuf),
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
