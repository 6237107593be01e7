//! Which files can be audited, and that nothing is done to them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tempfile::TempDir;

use super::*;

/// Files, a new one for each change.
pub(super) struct Files;

impl Sale for Files {
    fn told_after(&mut self, change: &str, format: Format) -> String {
        let database = Database::healthy();
        database.execute(change);
        told(format, |report| run_sqlite(&database.file(), report)).unwrap()
    }
}

/// What an audit of a file says.
fn audited(file: &Path) -> Result<String, AuditError> {
    told(Format::Lines, |report| run_sqlite(file, report))
}

/// A database file of its own, removed when it is dropped.
struct Database {
    folder: TempDir,
}

impl Database {
    fn healthy() -> Self {
        let database = Self { folder: tempfile::tempdir().unwrap() };
        database.connect().batch_execute("PRAGMA journal_mode = WAL").unwrap();
        database.execute(&migrations("sqlite"));
        database.execute(include_str!("healthy.sql"));
        database
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("usher.db")
    }

    fn connect(&self) -> SqliteConnection {
        SqliteConnection::establish(self.file().to_str().unwrap()).unwrap()
    }

    /// A connection as a server has it: while it is there, the log is.
    fn connect_as_server(&self) -> SqliteConnection {
        let mut server = self.connect();
        server.batch_execute("SELECT * FROM wallets").unwrap();
        server
    }

    /// Runs statements in one transaction. No constraint stops them.
    fn execute(&self, sql: &str) {
        let mut connection = self.connect();
        connection
            .batch_execute(
                "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF; BEGIN",
            )
            .unwrap();
        connection.batch_execute(sql).unwrap();
        connection.batch_execute("COMMIT").unwrap();
    }

    /// The violations that an audit finds, a line each.
    fn violations(&self) -> Vec<String> {
        violations(&audited(&self.file()).unwrap())
    }
}

#[test]
fn what_is_no_database_of_ours_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text"), "not a database, though it is long enough to be looked at as one".repeat(20)).unwrap();
    fs::write(path("empty"), "").unwrap();
    let mut foreign = SqliteConnection::establish(path("foreign").to_str().unwrap()).unwrap();
    foreign.batch_execute("CREATE TABLE tokens (id INTEGER)").unwrap();

    assert!(matches!(audited(&path("missing")), Err(AuditError::Unreadable(_))));
    assert!(!path("missing").exists(), "looking does not make one");
    let chain = format!("{:#}", anyhow::Error::from(audited(&path("text")).unwrap_err()));
    assert!(chain.ends_with("file is not a database"), "{chain}");
    for name in ["empty", "foreign"] {
        assert!(matches!(audited(&path(name)), Err(AuditError::Foreign("queue_registry"))), "{name}");
    }
    assert!(audited(folder.path()).is_err(), "a folder");
}

#[test]
fn any_name_of_a_file_will_do() {
    let database = Database::healthy();
    let odd = database.folder.path().join("a b?mode=rwc#100%25 é.db");
    fs::copy(database.file(), &odd).unwrap();
    // A second slash in front would make the folder a host in the URI that SQLite is given.
    let doubled = PathBuf::from(format!("/{}", odd.display()));
    for name in [odd, doubled] {
        assert_eq!(violations(&audited(&name).unwrap()), [""; 0], "{}", name.display());
    }
}

#[test]
fn nothing_is_written() {
    let database = Database::healthy();
    let before = fs::read(database.file()).unwrap();
    assert_eq!(database.violations(), [""; 0]);
    assert!(fs::read(database.file()).unwrap() == before);
    let deleted =
        File::look(&database.file(), |file| file.find("DELETE FROM entries RETURNING user_id", &mut |_row| Ok(())));
    assert!(matches!(deleted, Err(AuditError::Failed(_))), "{deleted:?}");
}

/// A copy as a backup makes it: in the mode of a server's file, with no log beside it.
fn copy(database: &Database) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(database.file(), &copy).unwrap();
    (folder, copy)
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether this process is held up by what a file's mode forbids: root is not.
fn forbids(folder: &TempDir) -> bool {
    fs::File::create(folder.path().join("trial")).is_err()
}

#[test]
fn a_copy_is_audited_where_nothing_may_be_written_and_nothing_is_left_beside_it() {
    let (folder, copy) = copy(&Database::healthy());
    assert_eq!(violations(&audited(&copy).unwrap()), [""; 0]);
    assert_eq!(names(&folder), ["copy.db"]);
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&copy, 0o444);
    mode(folder.path(), 0o555);
    assert_eq!(violations(&audited(&copy).unwrap()), [""; 0]);
    mode(folder.path(), 0o755);
    assert_eq!(names(&folder), ["copy.db"]);
}

#[test]
fn a_log_that_lies_beside_a_copy_is_read_or_said_to_be_missing() {
    let database = Database::healthy();
    let mut server = database.connect();
    server.batch_execute("UPDATE wallets SET balance = 999 WHERE user_id = 'dan'").unwrap();
    let (folder, copy) = copy(&database);
    let log = folder.path().join("copy.db-wal");
    fs::copy(database.folder.path().join("usher.db-wal"), &log).unwrap();
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    if forbids(&folder) {
        let error = audited(&copy).unwrap_err();
        assert!(matches!(&error, AuditError::Log(named, _) if *named == log.canonicalize().unwrap()), "{error:?}");
    }
    mode(0o755);
    assert_eq!(violations(&audited(&copy).unwrap()).len(), 1, "what stands in the log counts");
}

/// One that a server has under another name, beside which its log is (a hard link, a file that is mounted alone).
#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_log_is_elsewhere_is_not_taken_for_whole() {
    let (_folder, copy) = copy(&Database::healthy());
    let server = fs::File::options().append(true).open(&copy).unwrap();
    server.try_lock().unwrap();
    assert!(matches!(audited(&copy), Err(AuditError::ServedElsewhere)));
    server.unlock().unwrap();
    assert_eq!(violations(&audited(&copy).unwrap()), [""; 0]);
}

/// A server that crashed has left its log beside the name by which it had the file.
#[test]
fn a_file_with_a_second_name_is_audited_by_the_one_that_has_the_log() {
    let database = Database::healthy();
    let mut server = database.connect_as_server();
    server.batch_execute("UPDATE wallets SET balance = 999 WHERE user_id = 'dan'").unwrap();
    let other = database.folder.path().join("other.db");
    fs::hard_link(database.file(), &other).unwrap();
    assert!(matches!(audited(&other), Err(AuditError::LogElsewhere)));
    assert_eq!(database.violations().len(), 1);
}

#[test]
fn what_changes_while_nobody_should_write_is_no_proof() {
    let database = Database::healthy();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().append(true).open(database.file()).unwrap().set_modified(long_ago).unwrap();
    let looked = File::look(&database.file(), |_file| {
        database.execute("UPDATE wallets SET balance = 999 WHERE user_id = 'dan'");
        Ok(())
    });
    assert!(matches!(looked, Err(AuditError::Changed)), "{looked:?}");
}

/// A server in the middle of a transaction neither waits for the audit nor lets it see half of what it does.
#[test]
fn a_server_may_go_on_serving() {
    let database = Database::healthy();
    let mut server = database.connect();
    server.batch_execute("BEGIN IMMEDIATE; UPDATE wallets SET balance = balance + 1").unwrap();
    assert_eq!(database.violations(), [""; 0]);
    server.batch_execute("COMMIT").unwrap();
    assert_eq!(database.violations().len(), 3);
}

#[test]
fn all_checks_see_one_moment() {
    let database = Database::healthy();
    let _server = database.connect_as_server();
    let counts = File::look(&database.file(), |file| {
        let before = file.count("entries")?;
        database.execute("DELETE FROM entries");
        Ok((before, file.count("entries")?))
    });
    assert_eq!(counts.unwrap(), (6, 6));
}

/// Who watches sees which check is at work; what is found stands on lines of its own.
#[test]
fn progress_passes_and_leaves_nothing_behind() {
    let database = Database::healthy();
    database.execute("UPDATE wallets SET balance = 999 WHERE user_id = 'dan'");
    // One terminal for both.
    let screen = tempfile::NamedTempFile::new().unwrap();
    let (mut out, mut err) = (screen.reopen().unwrap(), screen.reopen().unwrap());
    let append = |file: &mut fs::File| *file = fs::File::options().append(true).open(screen.path()).unwrap();
    append(&mut out);
    append(&mut err);
    run_sqlite(&database.file(), &mut Report::new(Format::Lines, &mut out, Some(&mut err))).unwrap();
    let written = fs::read_to_string(screen.path()).unwrap();
    for step in ["\r1/77 line ", "\r77/77 wallets "] {
        assert!(written.contains(step), "{written:?}");
    }
    // Of each line a terminal shows what was written after the last return.
    let shown: Vec<_> = written.lines().map(|line| line.rsplit('\r').next().unwrap()).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("a balance is not ") && shown[1].starts_with("1 violations of "), "{shown:?}");
    let blank = |line: &str| line.rsplit('\r').nth(1).unwrap().trim().is_empty();
    assert!(written.lines().all(blank), "what stood there was taken away: {written:?}");
}

/// Somebody has to take what is found.
#[test]
fn a_report_that_cannot_be_written_is_no_clean_one() {
    let mut full = fs::File::options().write(true).open("/dev/full").unwrap();
    let audited = run_sqlite(&Database::healthy().file(), &mut Report::new(Format::Lines, &mut full, None));
    assert!(matches!(audited, Err(AuditError::Untold(_))), "{audited:?}");
}
