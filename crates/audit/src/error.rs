//! Why a database could not be audited.

use std::path::{Path, PathBuf};

use connect_postgres::ConnectError;

/// Why a database could not be audited. Names no password.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no such file, or it may not be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// `SQLite` would not open it.
    #[error("the file cannot be opened")]
    Unopened(#[source] diesel::ConnectionError),
    /// A server has it open under another name, beside which its log lies.
    #[error("a server has it open under another name, where what was committed last is; audit it by that name")]
    ServedElsewhere,
    /// It has several names (hard links), or is mounted without its folder: its log may lie elsewhere.
    #[error(
        "it has a second name (a hard link) or is mounted alone, so that what was committed last may lie elsewhere; \
         audit a copy made as for a backup"
    )]
    LogElsewhere,
    /// Somebody wrote to it in the meantime.
    #[error("it was changed while it was audited, and nobody had opened it before; repeat")]
    Changed,
    /// Its log can only be read by somebody who may write beside it.
    #[error("{} belongs to it, and can only be read in a folder that may be written to", .0.display())]
    Log(PathBuf, #[source] Box<Self>),
    /// The server does not answer, or does not let us in, or the URL makes no sense.
    #[error("the database cannot be reached")]
    Unreachable(#[source] ConnectError),
    /// It is a database, and not Usher's, or of another version.
    #[error("it has no table {0}, so it is not a database of this version of Usher; `usher migrate` makes one")]
    Foreign(&'static str),
    /// A statement failed; also what a file says that is no database at all.
    #[error("a check cannot be run")]
    Failed(#[from] diesel::result::Error),
    /// Nobody takes the report.
    #[error("the report cannot be written")]
    Untold(#[source] std::io::Error),
}

impl AuditError {
    /// What is wrong with a file that has a log, if it is that.
    pub(crate) fn beside_a_log(self, file: &Path) -> Self {
        let text = match &self {
            Self::Failed(error) => error.to_string(),
            Self::Unopened(error) => error.to_string(),
            _ => return self,
        };
        if !text.contains("readonly") && !text.contains("unable to open") {
            return self;
        }
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        Self::Log(PathBuf::from(log), Box::new(self))
    }
}
