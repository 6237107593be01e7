//! Looking into a SQLite file.

use std::collections::BTreeMap;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};

use super::Row;
use crate::LIMIT;

/// A connection of the test's own.
pub(super) fn connect(file: &Path) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).expect("the database can be opened");
    let patience = format!("PRAGMA busy_timeout = {}", LIMIT.as_millis());
    connection.batch_execute(&patience).expect("a connection takes settings");
    connection
}

/// The texts that a query selects as `text`.
pub(super) fn texts(connection: &mut SqliteConnection, query: &str) -> Vec<String> {
    let rows: Vec<Row> = sql_query(query).load(connection).expect("the query is right");
    rows.into_iter().map(|row| row.text).collect()
}

/// Every row of every table, read without being able to write.
pub(super) fn dump(file: &Path) -> BTreeMap<String, Vec<String>> {
    let url = format!("file:{}?mode=ro", file.display());
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
