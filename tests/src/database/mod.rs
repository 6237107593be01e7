//! The database of one test: the one place that decides which storage a server is started on.

mod postgres;
mod sqlite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diesel::QueryableByName;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use tempfile::TempDir;

use crate::Storage;

/// A database of a test's own, gone with it, and a directory for whatever else its servers leave.
pub struct Database {
    directory: TempDir,
    /// On PostgreSQL, its URL.
    server: Option<String>,
    /// Whether it is to be removed in the end.
    own: bool,
}

/// A row whose one column is called `text`.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

/// Keeps every server from writing, while readers go on, until it is dropped.
pub enum Lock {
    /// An open transaction on the file.
    Sqlite(diesel::SqliteConnection),
    /// An open transaction that has locked what every command changes.
    Postgres(Box<AsyncPgConnection>),
}

impl Database {
    /// A database that no server has used yet.
    pub fn fresh(storage: Storage) -> Self {
        Self::new((storage == Storage::Postgres).then(postgres::migrated))
    }

    /// A database without tables, or none at all where the first server makes it.
    pub fn empty(storage: Storage) -> Self {
        Self::new((storage == Storage::Postgres).then(postgres::empty))
    }

    /// A database on PostgreSQL that the test has made itself.
    pub fn given(url: &str) -> Self {
        let mut database = Self::new(Some(url.to_owned()));
        database.own = false;
        database
    }

    fn new(server: Option<String>) -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory can be made"), server, own: true }
    }

    /// Which storage it is on.
    pub fn storage(&self) -> Storage {
        if self.server.is_some() { Storage::Postgres } else { Storage::Sqlite }
    }

    /// What `--database-url` is to be.
    pub fn url(&self) -> String {
        self.server.clone().unwrap_or_else(|| format!("sqlite://{}", self.file().display()))
    }

    /// The directory that its servers run in.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file, on SQLite.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("usher.db")
    }

    /// Every row of every table, as text; read without being able to write. Without what servers tell of themselves, who
    /// do so every few seconds, asked or not.
    pub fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut dump = self.server.as_ref().map_or_else(|| sqlite::dump(&self.file()), |url| postgres::dump(url));
        dump.retain(|table, _| !["clockwork", "servers", "sightings"].contains(&table.as_str()));
        dump
    }

    /// The single text that a query selects as `text`.
    pub fn text(&self, query: &str) -> String {
        let rows = match &self.server {
            Some(url) => postgres::texts(url, query),
            None => sqlite::texts(&mut sqlite::connect(&self.file()), query),
        };
        rows.into_iter().next().expect("the query selects a row")
    }

    /// How many rows a table has; `rows` may go on with `WHERE`.
    pub fn count(&self, rows: &str) -> usize {
        self.text(&format!("SELECT CAST(count(*) AS TEXT) AS text FROM {rows}")).parse().expect("a count is a number")
    }

    /// Changes the database behind the servers' backs.
    pub fn execute(&self, statements: &str) {
        match &self.server {
            Some(url) => postgres::execute(url, statements),
            None => sqlite::connect(&self.file()).batch_execute(statements).expect("the statements are right"),
        }
    }

    /// The time of those ACTIVE tokens is up of which `condition` is true, and nobody has noticed.
    pub fn time_is_up(&self, condition: &str) {
        let instant = self.an_instant();
        self.execute(&format!(
            "UPDATE tokens SET selection_ends_at = activated_at + {instant}, deadline = activated_at + {instant} \
             WHERE status = 'ACTIVE' AND ({condition})"
        ));
    }

    /// All that those tokens have lived through, of which `condition` is true, was a day earlier.
    pub fn a_day_passes(&self, condition: &str) {
        let day = match self.storage() {
            Storage::Sqlite => "86400000000",
            Storage::Postgres => "interval '24 hours'",
        };
        let moments = ["issued_at", "activated_at", "selection_ends_at", "deadline", "ended_at"];
        let earlier = moments.map(|moment| format!("{moment} = {moment} - {day}")).join(", ");
        self.execute(&format!("UPDATE tokens SET {earlier} WHERE {condition}"));
    }

    /// The shortest while, as the tables hold instants.
    pub fn an_instant(&self) -> &'static str {
        match self.storage() {
            Storage::Sqlite => "1",
            Storage::Postgres => "interval '1 us'",
        }
    }

    /// An instant long ago, as the tables hold instants.
    pub fn long_ago(&self) -> &'static str {
        match self.storage() {
            Storage::Sqlite => "2",
            Storage::Postgres => "timestamptz '2001-01-01T00:00:00Z'",
        }
    }

    /// A schedule started long ago, as none can be loaded. A schedule never changes, so that a server may remember one that it has read.
    pub fn begin(&self, schedule: &str) {
        let condition = match self.storage() {
            Storage::Sqlite => format!("lower(hex(id)) = '{}'", schedule.replace('-', "")),
            Storage::Postgres => format!("id = '{schedule}'"),
        };
        self.execute(&format!("UPDATE schedules SET starts_at = {} WHERE {condition}", self.long_ago()));
    }

    /// Gets in the way of every server that writes.
    pub async fn lock(&self) -> Lock {
        if let Some(url) = &self.server {
            let mut connection = test_postgres::connect(url).await;
            let locking = "BEGIN; LOCK TABLE queues, wallets IN EXCLUSIVE MODE";
            SimpleAsyncConnection::batch_execute(&mut connection, locking).await.expect("nobody else has locked them");
            Lock::Postgres(Box::new(connection))
        } else {
            let mut connection = sqlite::connect(&self.file());
            connection.batch_execute("BEGIN IMMEDIATE").expect("nobody else has locked it");
            Lock::Sqlite(connection)
        }
    }
}

impl Lock {
    /// Gives way, and has when this returns.
    pub async fn release(self) {
        let released = match self {
            Self::Sqlite(mut connection) => connection.batch_execute("ROLLBACK"),
            Self::Postgres(mut connection) => SimpleAsyncConnection::batch_execute(&mut *connection, "ROLLBACK").await,
        };
        released.expect("the transaction is open");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(url) = self.server.as_ref().filter(|_| self.own) {
            postgres::remove(url);
        }
    }
}
