//! `usher audit`: whether a database keeps the promises of `docs/contract.md`.
//!
//! It shares no code with the rules that wrote the database, so that a mistake there cannot hide here: every check is one
//! SQL statement that finds what breaks a promise, and all of them look at one read-only snapshot. A server may go on
//! serving meanwhile. What is found is told at once and not kept, so that an audit needs no more memory the more there is.
//!
//! What no row tells cannot be audited: how many seats a user may hold, how long, and how much may be charged at once are
//! flags of servers.

mod checks;
mod error;
mod report;
mod snapshot;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::AuditError;
pub use report::{Format, Report};

use crate::checks::{Check, TABLES, TOPICS};
use crate::snapshot::Snapshot;
use crate::snapshot::postgres::Server;
use crate::snapshot::sqlite::File;

/// Audits the database in `file`. Writes nothing to it.
pub fn run_sqlite(file: &Path, report: &mut Report<'_>) -> Result<(), AuditError> {
    File::look(file, |file| examine(file, report))
}

/// Audits the database at `url`, on a `PostgreSQL` server. Writes nothing to it. Blocks, and is to be called from a blocking thread
/// of a runtime.
pub fn run_postgres(url: &str, report: &mut Report<'_>) -> Result<(), AuditError> {
    Server::look(url, |server| examine(server, report))
}

fn examine(snapshot: &mut dyn Snapshot, report: &mut Report<'_>) -> Result<(), AuditError> {
    let examined = search(snapshot, report);
    let cleared = report.clear().map_err(AuditError::Untold);
    examined.and(cleared)
}

fn search(snapshot: &mut dyn Snapshot, report: &mut Report<'_>) -> Result<(), AuditError> {
    for table in TABLES {
        if !snapshot.has(table)? {
            return Err(AuditError::Foreign(table));
        }
    }
    let checks = TOPICS.iter().map(|(_, checks)| checks.len()).sum();
    let mut nth = 0;
    for (topic, of_topic) in TOPICS {
        for Check { finding, sql } in of_topic {
            nth += 1;
            report.begin(nth, checks, topic).map_err(AuditError::Untold)?;
            snapshot.find(sql, &mut |place| report.found(finding, place).map_err(AuditError::Untold))?;
            report.end(finding).map_err(AuditError::Untold)?;
        }
    }
    let rows = TABLES.into_iter().map(|table| Ok((table, snapshot.count(table)?)));
    let rows = rows.collect::<Result<Vec<_>, AuditError>>()?;
    report.close(checks, &rows).map_err(AuditError::Untold)
}
