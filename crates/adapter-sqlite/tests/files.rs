//! What can be wrong with a database file, each with its own line.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in what it is made of too")]

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use adapter_sqlite::{Migrations, OpenError, SqliteStore, migrate};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use domain::ports::{PATIENCE, Probe, QueueRepository, StoreError};
use domain::{QueueNumber, Rules, Timestamp, UserId};
use storage_contract::{SeededIds, TestClock};

fn open(path: &Path, migrations: Migrations) -> Result<SqliteStore, OpenError> {
    let clock = Arc::new(TestClock::new(Timestamp::from_micros(0)));
    SqliteStore::open(path, migrations, clock, Arc::new(SeededIds::new(1)), Rules::default(), PATIENCE)
}

fn line(outcome: Result<SqliteStore, OpenError>) -> String {
    let line = outcome.err().unwrap().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

fn execute(path: &Path, sql: &str) {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(sql).unwrap();
}

#[test]
fn a_second_server_is_refused_until_the_first_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    let first = open(&path, Migrations::Apply).unwrap();
    assert!(line(open(&path, Migrations::Apply)).contains("in use by another server"));
    assert!(matches!(migrate(&path), Err(OpenError::InUse(_))));
    let link = directory.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(migrate(&link), Err(OpenError::InUse(_))));
    first.shutdown();
    open(&path, Migrations::Apply).unwrap();
}

#[test]
fn a_file_that_only_a_link_names_yet_is_locked_under_its_own_name() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("usher.db"), directory.path().join("link.db"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let _first = open(&link, Migrations::Apply).unwrap();
    assert!(matches!(migrate(&path), Err(OpenError::InUse(_))));
    assert!(matches!(migrate(&link), Err(OpenError::InUse(_))));

    let nowhere = directory.path().join("nowhere.db");
    std::os::unix::fs::symlink(directory.path().join("missing").join("usher.db"), &nowhere).unwrap();
    assert!(line(open(&nowhere, Migrations::Apply)).contains("nowhere.db cannot be written to"));
}

#[test]
fn a_file_with_two_names_is_refused_under_either() {
    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("usher.db"), directory.path().join("other.db"));
    open(&path, Migrations::Apply).unwrap().shutdown();
    std::fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        assert!(line(open(name, Migrations::Apply)).contains("has a second name (a hard link)"));
        assert!(matches!(migrate(name), Err(OpenError::SeveralNames(_))));
    }
    std::fs::remove_file(other).unwrap();
    open(&path, Migrations::Apply).unwrap();
}

#[tokio::test]
async fn a_file_or_a_log_that_goes_away_is_noticed_and_nothing_is_taken_any_more() {
    for ending in ["", "-wal", "-shm"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        let store = open(&path, Migrations::Apply).unwrap();
        let user = UserId::parse("ann").unwrap();
        store.join(QueueNumber(1), &user).await.unwrap().unwrap();
        store.store_time().await.unwrap();
        let gone = directory.path().join(format!("usher.db{ending}"));
        std::fs::remove_file(&gone).unwrap();
        let told = store.lost().await;
        assert_eq!(told, format!("{} was moved, replaced, shortened or deleted while it was served", gone.display()));
        let refused = StoreError::Unavailable(told);
        assert_eq!(store.join(QueueNumber(1), &user).await, Err(refused.clone()), "even what changes nothing");
        assert_eq!(store.store_time().await, Err(refused));
    }
}

/// What was committed stands in the log that has no name any more; a server that ends in order leaves it in the file.
#[tokio::test]
async fn of_a_log_that_was_deleted_nothing_is_lost_if_the_server_ends_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    let store = open(&path, Migrations::Apply).unwrap();
    let user = UserId::parse("ann").unwrap();
    let joined = store.join(QueueNumber(1), &user).await.unwrap().unwrap();
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(directory.path().join(format!("usher.db{ending}"))).unwrap();
    }
    store.shutdown();
    let copy = directory.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let again = open(&copy, Migrations::Refuse).unwrap();
    assert_eq!(again.tokens(QueueNumber(1), &[joined.token.ticket.number]).await.unwrap(), [joined.token]);
}

#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(std::ffi::OsStr::from_bytes(b"usher\xff.db"));
    assert!(line(open(&path, Migrations::Apply)).contains("is not UTF-8"));
    assert!(matches!(migrate(&path), Err(OpenError::NotUtf8(_))));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "no other file is made for it");
}

#[tokio::test]
async fn what_was_opened_before_is_found_again_with_its_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    let first = open(&path, Migrations::Apply).unwrap();
    let before = first.changes(&[]).await.unwrap();
    first.shutdown();
    let second = open(&path, Migrations::Refuse).unwrap();
    assert_eq!(second.changes(&[]).await.unwrap(), before);
    assert_eq!(before.len(), 1);
}

#[test]
fn a_schema_newer_than_the_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    migrate(&path).unwrap();
    execute(&path, "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    assert!(line(open(&path, Migrations::Apply)).contains("29991231000000"));
    assert!(matches!(migrate(&path), Err(OpenError::SchemaNewer { .. })));
}

#[test]
fn pending_migrations_can_be_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("usher.db");
    assert!(line(open(&path, Migrations::Refuse)).contains("usher migrate"));
    assert!(!migrate(&path).unwrap().is_empty());
    assert_eq!(migrate(&path).unwrap().len(), 0);
    open(&path, Migrations::Refuse).unwrap();
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("missing").join("usher.db");
    assert!(line(open(&nowhere, Migrations::Apply)).contains("does not exist"));

    let text = directory.path().join("notes.txt");
    std::fs::write(&text, "notes ".repeat(1_000)).unwrap();
    assert!(line(open(&text, Migrations::Apply)).contains("not an SQLite database"));
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "notes ".repeat(1_000));

    let foreign = directory.path().join("foreign.db");
    execute(&foreign, "CREATE TABLE recipes (name TEXT)");
    let before = std::fs::read(&foreign).unwrap();
    assert!(line(open(&foreign, Migrations::Apply)).contains("another program"));
    assert!(matches!(migrate(&foreign), Err(OpenError::NotOurs(_))));
    assert_eq!(std::fs::read(&foreign).unwrap(), before, "its header says how its journal is kept");
}
