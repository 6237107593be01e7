//! What a server of PostgreSQL adds: which databases can be audited, that nothing is done to them, and that passwords
//! stay unsaid.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tokio::runtime::Runtime;

use super::*;
use crate::snapshot::postgres::Blocking;

/// A database of its own.
pub(super) struct Database {
    url: String,
    connection: Blocking,
}

impl Database {
    fn empty() -> Self {
        let url = Runtime::new().unwrap().block_on(test_postgres::empty());
        let connection = Blocking::establish(&url).unwrap();
        Self { url, connection }
    }

    pub(super) fn healthy() -> Self {
        let mut database = Self::empty();
        database.execute(&migrations("postgres"));
        database.execute(include_str!("plain.sql"));
        database.change(include_str!("healthy.sql"));
        database
    }

    fn execute(&mut self, sql: &str) {
        self.connection.batch_execute(sql).unwrap();
    }

    /// Runs statements on the plain tables, and has the real ones follow.
    fn change(&mut self, sql: &str) {
        self.execute("SET search_path = plain");
        self.execute(&sql.replace("X'", "'"));
        self.execute("SET search_path = public; SELECT pour()");
    }
}

impl Sale for Database {
    fn told_after(&mut self, change: &str, format: Format) -> String {
        self.execute("BEGIN");
        self.change(change);
        let report = told(format, |report| examine(&mut Server(&mut self.connection), report)).unwrap();
        self.execute("ROLLBACK");
        report
    }
}

/// What an audit of the database at `url` says.
fn audited(url: &str) -> Result<String, AuditError> {
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    told(Format::Lines, |report| run_postgres(url, report))
}

#[test]
fn what_is_no_database_of_ours_is_said_so() {
    let mut database = Database::empty();
    assert!(matches!(audited(&database.url), Err(AuditError::Foreign("queue_registry"))));
    database.execute("CREATE TABLE queue_registry (); CREATE TABLE queues ()");
    assert!(matches!(audited(&database.url), Err(AuditError::Foreign("policies"))));
}

#[test]
fn no_password_is_told() {
    for url in [
        "postgres://usher:secret@127.0.0.1:1/sale",
        "postgres://usher:secret@127.0.0.1:port/sale",
        "postgres://usher:sec/secret@secret@%2Fnowhere/sale",
        "postgres://usher@%2Fnowhere/sale?password=secret",
        "postgres://usher@127.0.0.1/sale?pass=secret",
        "postgres:secret",
        "postgres://usher:se@secret@127.0.0.1:1/sale",
        "postgres://usher:se?secret@127.0.0.1:1/sale",
    ] {
        let error = audited(url).unwrap_err();
        assert!(matches!(error, AuditError::Unreachable(_)), "{url}: {error:?}");
        let told = format!("{error:?}") + &format!("{:#}", anyhow::Error::from(error));
        assert!(!told.contains("secret"), "{url}: {told}");
    }
}

#[test]
fn nothing_is_written() {
    let database = Database::healthy();
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let deleted = Server::look(&database.url, |server| Ok(diesel::sql_query("DELETE FROM entries").execute(server.0)?));
    let Err(AuditError::Failed(error)) = deleted else { panic!("{deleted:?}") };
    assert_eq!(error.to_string(), "cannot execute DELETE in a read-only transaction");
}

/// A server in the middle of a transaction neither waits for the audit nor lets it see half of what it does.
#[test]
fn a_server_may_go_on_serving() {
    let mut database = Database::healthy();
    database.execute("BEGIN; UPDATE wallets SET balance = balance + 1");
    assert_eq!(violations(&audited(&database.url).unwrap()), [""; 0]);
    database.execute("COMMIT");
    assert_eq!(violations(&audited(&database.url).unwrap()).len(), 3);
}

#[test]
fn all_checks_see_one_moment() {
    let mut database = Database::healthy();
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let counts = Server::look(&database.url.clone(), |server| {
        let before = server.count("entries")?;
        database.execute("DELETE FROM entries");
        Ok((before, server.count("entries")?))
    });
    assert_eq!(counts.unwrap(), (6, 6));
}

/// As the program does it, inside its runtime.
#[tokio::test]
async fn it_can_be_called_from_a_blocking_thread() {
    let url = test_postgres::empty().await;
    let audited = move || told(Format::Lines, |report| run_postgres(&url, report));
    let outcome = tokio::task::spawn_blocking(audited).await.unwrap();
    assert!(matches!(outcome, Err(AuditError::Foreign(_))));
}
