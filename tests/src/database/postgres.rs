//! Databases on a PostgreSQL server, and looking into them.
//!
//! What is here blocks, as on a file: each look has a thread and a connection of its own, so that tests need not care.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use diesel::sql_query;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use test_postgres::connect;

use super::Row;
use crate::binary;

/// The URL of a new database with Usher's tables.
pub(super) fn migrated() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let url = empty();
        let migrated = Command::new(binary::usher()).args(["migrate", "--database-url", &url]).output();
        let migrated = migrated.expect("usher starts");
        assert!(migrated.status.success(), "usher migrate: {migrated:#?}");
        url
    });
    wait(test_postgres::copy_of(template))
}

/// The URL of a new, empty database.
pub(super) fn empty() -> String {
    wait(test_postgres::empty())
}

/// Removes a database, whoever is connected to it.
pub(super) fn remove(url: &str) {
    wait(test_postgres::remove(url));
}

/// The texts that a query selects as `text`.
pub(super) fn texts(url: &str, query: &str) -> Vec<String> {
    wait(async { select(&mut connect(url).await, query).await })
}

/// Executes statements.
pub(super) fn execute(url: &str, statements: &str) {
    wait(async { connect(url).await.batch_execute(statements).await.expect("the statements are right") });
}

/// Every row of every table, read without being able to write.
pub(super) fn dump(url: &str) -> BTreeMap<String, Vec<String>> {
    wait(async {
        let mut connection = connect(url).await;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        connection.batch_execute(begin).await.expect("a transaction begins");
        let tables = "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public'";
        let mut dump = BTreeMap::new();
        for table in select(&mut connection, tables).await {
            let rows = format!("SELECT CAST({table} AS text) AS text FROM {table} ORDER BY 1");
            let rows = select(&mut connection, &rows).await;
            dump.insert(table, rows);
        }
        dump
    })
}

async fn select(connection: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    let rows: Vec<Row> = sql_query(query).load(connection).await.expect("the query is right");
    rows.into_iter().map(|row| row.text).collect()
}

/// Runs to its end on a thread of its own: a test's own thread has a runtime already, which must not be blocked on.
fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(work)
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
