//! `usher audit`: whether a database keeps the promises of the contract (design 7).
//!
//! It shares no code with the rules that wrote the database, so that a mistake there cannot hide here: every check is one
//! SQL statement that finds what breaks a promise, and all of them look at one read-only snapshot. A server may go on
//! serving meanwhile.

mod admission;
mod line;
mod payments;
mod postgres;
mod seats;
mod snapshot;
mod sqlite;
#[cfg(test)]
mod tests;
mod wallets;

use std::fmt;
use std::path::Path;

use postgres::Server;
use snapshot::Snapshot;
use sqlite::File;

/// What an audit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The tables that were looked at, and how many rows each had.
    pub(crate) rows: Vec<(&'static str, i64)>,
    /// How many promises were checked.
    pub(crate) checks: usize,
    /// Every broken promise; none in a healthy database.
    pub(crate) violations: Vec<Violation>,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What is wrong.
    pub(crate) finding: &'static str,
    /// Where: names and values, for example `queue 1, ticket 7`.
    pub(crate) place: String,
}

impl fmt::Display for Violation {
    /// One line, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.finding, self.place)
    }
}

impl fmt::Display for Report {
    /// One line per violation, then one with the figures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        write!(f, "{} violations of {} checks over", self.violations.len(), self.checks)?;
        for (at, (table, rows)) in self.rows.iter().enumerate() {
            write!(f, "{} {rows} {table}", if at == 0 { "" } else { "," })?;
        }
        writeln!(f)
    }
}

/// Why a database could not be audited. Names no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
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
}

/// A promise, as the statement that finds what breaks it.
struct Check {
    /// What is wrong where it finds something.
    finding: &'static str,
    /// A query whose rows are the violations, in SQL that every database understands, and `WITH` in front if anywhere.
    /// The names of its columns are read by people.
    sql: &'static str,
}

/// Every table that holds what was promised, and those of who is there (design 5): a database without them is of another
/// version.
const TABLES: [&str; 13] = [
    "queue_registry",
    "queues",
    "policies",
    "tokens",
    "servers",
    "sightings",
    "schedules",
    "seats",
    "reservations",
    "reservation_seats",
    "payments",
    "wallets",
    "entries",
];

fn checks() -> impl Iterator<Item = &'static Check> {
    line::CHECKS.iter().chain(admission::CHECKS).chain(seats::CHECKS).chain(payments::CHECKS).chain(wallets::CHECKS)
}

/// Audits the database in `file`. Writes nothing to it.
pub(crate) fn run(file: &Path) -> Result<Report, AuditError> {
    File::look(file, |file| examine(file))
}

/// Audits the database at `url`, on a `PostgreSQL` server. Writes nothing to it. Blocks: an asynchronous task must not
/// call it but from a blocking thread.
pub(crate) fn run_postgres(url: &str) -> Result<Report, AuditError> {
    Server::look(url, |server| examine(server))
}

fn examine(snapshot: &mut dyn Snapshot) -> Result<Report, AuditError> {
    for table in TABLES {
        if !snapshot.has(table)? {
            return Err(AuditError::Foreign(table));
        }
    }
    let mut report = Report { rows: Vec::new(), checks: 0, violations: Vec::new() };
    for table in TABLES {
        report.rows.push((table, snapshot.count(table)?));
    }
    for check in checks() {
        report.checks += 1;
        let places = snapshot.find(check.sql)?;
        report.violations.extend(places.into_iter().map(|place| Violation { finding: check.finding, place }));
    }
    Ok(report)
}
