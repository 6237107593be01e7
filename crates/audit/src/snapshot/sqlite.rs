//! A snapshot of a database file. Its tables have the shape that the checks expect.

use std::fs::TryLockError;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize;
use diesel::prelude::*;
use diesel::sqlite::{Sqlite, SqliteType, SqliteValue};
use uuid::Uuid;

use super::{Cell, Number, Place, Print, Snapshot};
use crate::error::AuditError;

/// Another process may be at work on the write-ahead log for a moment. What a check sorts goes to files that are removed when
/// it ends, and not to memory, whatever the environment says. It may keep 16 MiB of pages, and of each sort as much.
const SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384";

/// What a file held at one moment.
pub(crate) struct File<'a>(&'a mut SqliteConnection);

impl File<'_> {
    /// Opens `file` read-only and looks at it with `audit`, all of whose reads see the same moment.
    ///
    /// Beside a file that nobody serves lies no log. `SQLite` would make one, even to read, and leave it there; or fail, where it
    /// may not. So such a file is taken for one that cannot change, and looked at afterwards whether that was true.
    pub(crate) fn look<T>(
        file: &Path,
        audit: impl FnOnce(&mut File<'_>) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        // SQLite would make a missing file; and only an absolute path can stand in a URI without being taken for more.
        let file = file.canonicalize()?;
        let opened = std::fs::File::open(&file)?;
        let before = State::of(&file)?;
        if before.log {
            // Who may not write there can only read where a server holds its log ready.
            drop(opened);
            return Self::look_at(&uri(&file, "mode=ro"), audit).map_err(|error| error.beside_a_log(&file));
        }
        // A server locks the file itself: under this name its log would have been seen.
        if matches!(opened.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return Err(AuditError::ServedElsewhere);
        }
        // A server that crashed may have left its log beside the other name.
        if opened.metadata()?.nlink() > 1 || is_mounted_alone(&file) {
            return Err(AuditError::LogElsewhere);
        }
        drop(opened);
        let audited = Self::look_at(&uri(&file, "mode=ro&immutable=1"), audit);
        if State::of(&file)? == before { audited } else { Err(AuditError::Changed) }
    }

    fn look_at<T>(uri: &str, audit: impl FnOnce(&mut File<'_>) -> Result<T, AuditError>) -> Result<T, AuditError> {
        let mut connection = SqliteConnection::establish(uri).map_err(AuditError::Unopened)?;
        connection.batch_execute(SETTINGS)?;
        connection.transaction(|connection| audit(&mut File(connection)))
    }

    fn number(&mut self, sql: &str) -> Result<i64, AuditError> {
        let Number { n } = diesel::sql_query(sql).get_result(self.0)?;
        Ok(n)
    }
}

impl Snapshot for File<'_> {
    fn has(&mut self, table: &str) -> Result<bool, AuditError> {
        let named = format!("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        Ok(self.number(&named)? > 0)
    }

    fn count(&mut self, table: &str) -> Result<i64, AuditError> {
        self.number(&format!("SELECT count(*) AS n FROM {table}"))
    }

    fn find(&mut self, check: &str, each: &mut dyn FnMut(&Place) -> Result<(), AuditError>) -> Result<(), AuditError> {
        let mut rows = diesel::sql_query(check).load_iter::<Place, DefaultLoadingMode>(self.0)?;
        rows.try_for_each(|place| each(&place?))
    }
}

/// What shows that somebody has written to a file.
#[derive(PartialEq, Eq)]
struct State {
    log: bool,
    length: u64,
    modified: SystemTime,
}

impl State {
    fn of(file: &Path) -> std::io::Result<Self> {
        let (found, mut log) = (std::fs::metadata(file)?, file.as_os_str().to_owned());
        log.push("-wal");
        Ok(Self { log: Path::new(&log).exists(), length: found.len(), modified: found.modified()? })
    }
}

/// Whether the file, and not the folder that it is in, is what was mounted.
#[cfg(target_os = "linux")]
fn is_mounted_alone(file: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, file, AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Other systems do not mount single files.
#[cfg(not(target_os = "linux"))]
fn is_mounted_alone(_file: &Path) -> bool {
    false
}

fn uri(file: &Path, how: &str) -> String {
    let encoded = file.as_os_str().as_encoded_bytes().iter().map(|byte| match char::from(*byte) {
        plain if plain.is_ascii_alphanumeric() || "/-_.".contains(plain) => plain.to_string(),
        _ => format!("%{byte:02x}"),
    });
    format!("file:{}?{how}", encoded.collect::<String>())
}

impl Print for Sqlite {
    fn print(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Cell> {
        Ok(match value.value_type() {
            Some(SqliteType::Binary) => Cell::Id(match Uuid::from_slice(value.read_blob()) {
                Ok(id) => id.hyphenated().to_string(),
                Err(no_id) => format!("({no_id})"),
            }),
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                Cell::Number(value.read_long().to_string())
            }
            _ => Cell::Text(value.read_text().to_owned()),
        })
    }
}
