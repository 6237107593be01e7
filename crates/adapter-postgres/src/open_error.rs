//! What can be wrong with a database.

/// Why a database could not be opened, in one line that names no password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database does not answer or does not let us in.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// It is older than what Usher's statements need.
    #[error("the database is PostgreSQL {0}, and Usher needs 13 or newer")]
    TooOld(u32),
    /// Its texts cannot hold what users and titles may be.
    #[error(
        "the database's encoding is {0}, and it must be UTF8: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// A pooler in between gives our sessions to others.
    #[error(
        "a pooler between Usher and the database pools transactions, by which sessions lose their settings and prepared statements; \
         have it pool sessions (PgBouncer: pool_mode=session), or connect without it"
    )]
    TransactionPooling,
    /// It refuses all writes, or ours.
    #[error("the database takes no writes of this role: {0}")]
    TakesNoWrites(&'static str),
    /// It has tables of another program.
    #[error("the database is one of another program")]
    NotOurs,
    /// A newer binary has migrated it.
    #[error("the database has a schema newer than this program: migration {0} is unknown to it")]
    SchemaNewer(String),
    /// It lacks migrations, and they are not to be applied.
    #[error("the database needs {0} migration(s); run `usher migrate`")]
    MigrationsPending(usize),
    /// A migration failed, or anything else did.
    #[error("the database cannot be opened: {0}")]
    Failed(String),
}
