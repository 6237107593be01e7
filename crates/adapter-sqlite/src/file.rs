//! The file that is served: one server's alone, whatever name it is called by, and still the one that was opened. SQLite keeps
//! its log beside the name, and goes on writing into a file that has none any more.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::ports::StoreError;

use crate::open_error::OpenError;

/// How often somebody looks whether the files are still there. Each batch looks as well.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long nobody but a server has the lock of a file.
const INSTANT: Duration = Duration::from_millis(100);

/// What SQLite keeps beside a file that is served: what was committed last, and the way to it.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Which file it is, by whatever name.
type Identity = (u64, u64);

/// The database file of one server, from when it is locked.
pub(crate) struct ServedFile {
    /// Its own name, whatever links lead to it.
    path: PathBuf,
    identity: Identity,
    /// How long it was when somebody looked, in bytes. Nothing that we do shortens it; a file that is copied over it may.
    length: AtomicU64,
    /// The files beside it, as SQLite made them; `None` until it did.
    beside: Mutex<[Option<Identity>; 2]>,
    /// What was missed first.
    missed: OnceLock<String>,
    /// Open, and closed last of all: with the first that a process closes of a file, it loses SQLite's own locks on it.
    locks: [File; 2],
}

impl ServedFile {
    /// Takes the file that `path` names for one server; makes it if there is none. The system gives it back however the process
    /// ends.
    pub(crate) fn lock(path: &Path) -> Result<Self, OpenError> {
        let full = full_name(path)?;
        let in_use = |error| match error {
            TryLockError::WouldBlock => OpenError::InUse(path.to_owned()),
            TryLockError::Error(reason) => OpenError::NotWritable { path: full.clone(), reason },
        };
        // Before the file is touched: where a server of this name is, a second one leaves it alone.
        let name = open(&with(&full, ".lock"))?;
        name.try_lock().map_err(in_use)?;
        let file = open(&full)?;
        let found = file.metadata().map_err(|reason| OpenError::NotWritable { path: full.clone(), reason })?;
        if found.nlink() > 1 {
            return Err(OpenError::SeveralNames(full));
        }
        if is_mounted_alone(&full) {
            return Err(OpenError::MountedAlone(full));
        }
        // Of the file itself, not of its name: the same file may be mounted in two places. SQLite locks bytes of it in another
        // way, by fcntl; on Linux the two do not meet. Elsewhere they may, and the name has to do.
        if cfg!(target_os = "linux") && file.try_lock().is_err() {
            // An audit asks for it, too, and has it for an instant.
            std::thread::sleep(INSTANT);
            file.try_lock().map_err(in_use)?;
        }
        let (identity, length) = (identity(&found), found.len().into());
        let (beside, missed) = (Mutex::default(), OnceLock::new());
        Ok(Self { path: full, identity, length, beside, missed, locks: [file, name] })
    }

    /// Notes which files SQLite keeps beside it, now that it has opened it.
    pub(crate) fn note_beside(&self) -> Result<(), StoreError> {
        self.check()?;
        let found = BESIDE.map(|ending| look(&with(&self.path, ending)));
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(())
    }

    /// Whether all is where it was. What was missed once is missed for good: nobody knows what was written meanwhile.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.missed.get().is_none()
            && let Some(missing) = self.find_missing()
        {
            // Several threads look, and the first to miss something says it.
            drop(
                self.missed.set(format!(
                    "{} was moved, replaced, shortened or deleted while it was served",
                    missing.display()
                )),
            );
        }
        self.missed.get().map_or(Ok(()), |missed| Err(StoreError::Unavailable(missed.clone())))
    }

    fn find_missing(&self) -> Option<PathBuf> {
        // Several threads look: what one knew before it looked was true before.
        let known = self.length.load(Ordering::SeqCst);
        match std::fs::metadata(&self.path) {
            Ok(found) if identity(&found) == self.identity && found.len() >= known => {
                self.length.fetch_max(found.len(), Ordering::SeqCst);
            }
            _ => return Some(self.path.clone()),
        }
        let beside = *self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = BESIDE.map(|ending| with(&self.path, ending)).into_iter().zip(beside);
        names.find(|(name, noted)| noted.is_some() && look(name) != *noted).map(|(name, _)| name)
    }

    /// Waits until something is missed, and tells what.
    pub(crate) async fn missed(&self) -> String {
        loop {
            if self.check().is_err()
                && let Some(missed) = self.missed.get()
            {
                return missed.clone();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Gives the file back: another server may have it.
    pub(crate) fn release(&self) {
        for lock in &self.locks {
            if let Err(error) = lock.unlock() {
                tracing::error!(%error, path = %self.path.display(), "the lock of the database could not be given back");
            }
        }
    }
}

/// A file's own name. One that only a link names yet is made for that.
fn full_name(path: &Path) -> Result<PathBuf, OpenError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_empty| path.to_owned());
    if absolute.to_str().is_none() {
        return Err(OpenError::NotUtf8(absolute));
    }
    if path.is_symlink() && !path.exists() {
        open(path)?;
    }
    let full = std::fs::canonicalize(path).unwrap_or(absolute);
    let directory = full.parent().unwrap_or(&full);
    if directory.is_dir() { Ok(full) } else { Err(OpenError::NoDirectory(directory.to_owned())) }
}

/// Opens a file for writing, and makes it if there is none. Nothing of it is changed.
fn open(path: &Path) -> Result<File, OpenError> {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map_err(|reason| OpenError::NotWritable { path: path.to_owned(), reason })
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Looked at by its name, without opening it.
fn look(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|found| identity(&found))
}

fn identity(found: &Metadata) -> Identity {
    (found.dev(), found.ino())
}

/// Whether the file, and not the folder that it is in, is what was mounted: then its log lies somewhere else than it does.
#[cfg(target_os = "linux")]
fn is_mounted_alone(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Other systems do not mount single files.
#[cfg(not(target_os = "linux"))]
fn is_mounted_alone(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is locked and served, in a folder of its own.
    fn served() -> (tempfile::TempDir, PathBuf, ServedFile) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        let file = ServedFile::lock(&path).unwrap();
        for ending in BESIDE {
            std::fs::write(with(&path, ending), "").unwrap();
        }
        file.note_beside().unwrap();
        file.check().unwrap();
        (directory, path, file)
    }

    #[test]
    fn what_is_moved_replaced_or_deleted_is_missed_and_stays_so() {
        for ending in ["", "-wal", "-shm"] {
            for what in ["moved", "replaced", "deleted"] {
                let (_directory, path, file) = served();
                let (name, elsewhere) = (with(&path, ending), with(&path, "-elsewhere"));
                match what {
                    "moved" => std::fs::rename(&name, &elsewhere).unwrap(),
                    "deleted" => std::fs::remove_file(&name).unwrap(),
                    _ => {
                        std::fs::write(&elsewhere, "").unwrap();
                        std::fs::rename(&elsewhere, &name).unwrap();
                    }
                }
                let missed = file.check().unwrap_err().to_string();
                assert!(missed.contains(&format!("{} was moved", name.display())), "{what}: {missed}");
                if what == "moved" {
                    std::fs::rename(&elsewhere, &name).unwrap();
                }
                assert!(file.check().is_err(), "{what}");
            }
        }
    }

    /// As by `cp backup.db usher.db`, which writes into the file that is there.
    #[test]
    fn a_file_that_is_shortened_is_missed() {
        let (_directory, path, file) = served();
        for (length, missed) in [(8192, false), (12288, false), (12288, false), (8192, true), (12288, true)] {
            open(&path).unwrap().set_len(length).unwrap();
            assert_eq!(file.check().is_err(), missed, "{length}");
        }
    }

    #[test]
    fn a_folder_that_is_moved_takes_the_file_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let (here, there) = (directory.path().join("here"), directory.path().join("there"));
        std::fs::create_dir(&here).unwrap();
        let file = ServedFile::lock(&here.join("usher.db")).unwrap();
        std::fs::rename(&here, &there).unwrap();
        assert!(file.check().is_err());
    }

    /// As a server in another container has it, to which the same file has another name.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_lock_is_the_files_own_and_not_its_names() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        let theirs = open(&path).unwrap();
        theirs.try_lock().unwrap();
        assert!(matches!(ServedFile::lock(&path), Err(OpenError::InUse(_))));
        theirs.unlock().unwrap();
        let ours = ServedFile::lock(&path).unwrap();
        assert!(matches!(theirs.try_lock(), Err(TryLockError::WouldBlock)));
        ours.release();
        theirs.try_lock().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_mounted_is_told_from_what_lies_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("usher.db");
        drop(open(&path).unwrap());
        for (path, alone) in [(path.as_path(), false), (directory.path(), false), (Path::new("/proc"), true)] {
            assert_eq!(is_mounted_alone(path), alone, "{}", path.display());
        }
    }
}
