//! The database of one test: the one place that decides which storage a server is started on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tempfile::TempDir;

/// A fresh database in a directory of its own, gone with the test.
pub struct Database {
    directory: TempDir,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Database {
    /// A database that no server has used yet.
    pub fn fresh() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory can be made") }
    }

    /// What `--database-url` is to be.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }

    /// The directory that it lies in, for whatever else a server leaves.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join("usher.db")
    }

    /// Every row of every table, as text; read without being able to write.
    pub fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let url = format!("file:{}?mode=ro", self.file().display());
        let mut connection = SqliteConnection::establish(&url).expect("the database can be read");
        let tables = texts(&mut connection, "SELECT name AS text FROM sqlite_schema WHERE type = 'table' ORDER BY 1");
        let rows = |table: String| {
            let columns = format!(
                "SELECT group_concat('quote(' || name || ')', '||'',''||') AS text FROM pragma_table_info('{table}')"
            );
            let columns = texts(&mut connection, &columns).pop().expect("a table has columns");
            let rows = texts(&mut connection, &format!("SELECT {columns} AS text FROM {table} ORDER BY 1"));
            (table, rows)
        };
        tables.into_iter().map(rows).collect()
    }

    /// The single text that a query selects as `text`.
    pub fn text(&self, query: &str) -> String {
        texts(&mut self.connection(), query).pop().expect("the query selects a row")
    }

    /// Changes the database behind the server's back.
    pub fn execute(&self, statement: &str) {
        self.connection().batch_execute(statement).expect("the statement is right");
    }

    /// A connection of the test's own, for holding locks that get in the server's way.
    pub fn connection(&self) -> SqliteConnection {
        let mut connection =
            SqliteConnection::establish(&self.file().display().to_string()).expect("the database can be opened");
        connection.batch_execute("PRAGMA busy_timeout = 30000").expect("a connection takes settings");
        connection
    }
}

fn texts(connection: &mut SqliteConnection, query: &str) -> Vec<String> {
    let rows: Vec<Row> = sql_query(query).load(connection).expect("the query is right");
    rows.into_iter().map(|row| row.text).collect()
}
