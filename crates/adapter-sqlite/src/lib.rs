//! Storage on bundled SQLite, the embedded default: every port of the domain over one file.
//!
//! All writes go through one thread that commits them in batches ([`batches::writer`]), each command inside a savepoint
//! of its own ([`batches::transaction`]); reads have connections of their own that the writer does not block
//! ([`connections::pool`]). The rules of `domain` decide; the statements here read facts as they are asked for
//! ([`sale::facts`]) and write decisions ([`sale::write`]).

mod batches;
mod connections;
mod environment;
mod file;
mod open;
mod open_error;
mod ports;
mod sale;
mod tables;

#[cfg(test)]
mod plans;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::SqliteConnection;
use domain::ports::{Clock, IdGenerator, StoreError};
use domain::{QueueName, Rules};

use crate::batches::loading;
use crate::batches::transaction::Transaction;
use crate::batches::writer::{Limits, Writer};
use crate::connections::pool::Reads;
use crate::connections::session;
use crate::connections::statement::{Begin, Commit, Statement};
use crate::environment::Environment;
use crate::file::ServedFile;
pub use crate::open::{Migrations, migrate};
pub use crate::open_error::OpenError;
use crate::tables::queues;

/// A database file that is being served. Clones share it.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    writer: Writer,
    reads: Reads,
    rules: Arc<Rules>,
    /// Closed after the connections that read.
    file: Arc<ServedFile>,
}

impl SqliteStore {
    /// Opens the file at `path`, creating it if there is none, and makes sure that the queue `main` exists, with the
    /// policy of `rules.new_queue`. A command that waits unstarted for longer than `patience` is refused, and so is a read.
    ///
    /// Blocking, for as long as migrations take. At most one server may have a file open; readers such as `usher audit`
    /// may open it beside. The lock ends with [`SqliteStore::shutdown`], with the last clone, or with the process.
    pub fn open(
        path: &Path,
        migrations: Migrations,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        rules: Rules,
        patience: Duration,
    ) -> Result<Self, OpenError> {
        let limits = Limits { patience, ..Limits::default() };
        Self::open_with(path, migrations, Environment { clock, ids, rules: Arc::new(rules) }, limits)
    }

    fn open_with(
        path: &Path,
        migrations: Migrations,
        environment: Environment,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Failed { path: path.to_owned(), reason };
        let served = Arc::new(ServedFile::lock(path)?);
        let mut connection = open::connect(path)?;
        open::bring_up_to_date(path, &mut connection, migrations)?;
        create_main(&mut connection, &environment).map_err(|error| failed(error.to_string()))?;
        served.note_beside().map_err(|error| failed(error.to_string()))?;
        let reads = Reads::new(path, Arc::clone(&environment.clock), limits.patience);
        let (name, file) = (path.to_owned(), Arc::clone(&served));
        let mut first = Some(connection);
        let connect = Box::new(move || match first.take() {
            Some(connection) => Ok(connection),
            None => connect_again(&name, &file),
        });
        let (rules, file) = (Arc::clone(&environment.rules), Arc::clone(&served));
        let writer = Writer::start(connect, environment, limits, served).map_err(|error| failed(error.to_string()))?;
        Ok(Self(Arc::new(Inner { writer, reads, rules, file })))
    }

    /// Waits until the file, or what SQLite keeps beside it, was moved, replaced, shortened or deleted, and tells what. From then on
    /// nothing that is written would be found again: the store refuses it, and whoever serves it has to end. Noticed within a
    /// second.
    pub async fn lost(&self) -> String {
        self.0.file.missed().await
    }

    /// Takes no more commands and returns when those that wait are done and answered; the file is free for another
    /// server then. Blocking. Reads still work.
    pub fn shutdown(&self) {
        self.0.writer.shutdown();
    }

    fn file(&self) -> &ServedFile {
        &self.0.file
    }

    fn writer(&self) -> &Writer {
        &self.0.writer
    }

    fn rules(&self) -> &Rules {
        &self.0.rules
    }

    fn reads(&self) -> &Reads {
        &self.0.reads
    }
}

/// A connection that writes, after one was lost: to the same file, or none.
fn connect_again(path: &Path, file: &ServedFile) -> Result<SqliteConnection, StoreError> {
    let connection = session::writer(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    file.note_beside().map(|()| connection)
}

fn create_main(connection: &mut SqliteConnection, environment: &Environment) -> Result<(), StoreError> {
    Begin::execute(connection, &[])?;
    let (now, main) = (environment.clock.now(), QueueName::main());
    if queues::named(connection, &main)?.is_none() {
        let mut transaction = Transaction::new(connection, now, &environment.rules, &*environment.ids);
        loading::create_queue(&mut transaction, main)?
            .map_err(|rejection| StoreError::Unavailable(rejection.to_string()))?;
    }
    Commit::execute(connection, &[]).map(drop)
}
