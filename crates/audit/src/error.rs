//! Why a database could not be audited.

/// Why a database could not be audited. Names no password.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no such file, or it may not be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// `SQLite` would not open it.
    #[error("the file cannot be opened")]
    Unopened(#[source] diesel::ConnectionError),
    /// The server does not answer, or does not let us in, or the URL makes no sense.
    #[error("the database cannot be reached")]
    Unreachable(#[source] diesel::ConnectionError),
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
