//! Storage on bundled SQLite, the embedded default: every port of the domain over one file.
//!
//! All writes go through one thread that commits them in batches ([`batches::writer`]), each command inside a savepoint
//! of its own ([`batches::transaction`]); reads have connections of their own that the writer does not block
//! ([`connections::pool`]). The rules of `domain` decide; the statements here read facts as they are asked for
//! ([`sale::facts`]) and write decisions ([`sale::write`]).

mod batches;
mod connections;
mod environment;
mod open;
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
pub use crate::open::{Migrations, OpenError, migrate};
use crate::tables::queues;

/// A database file that is being served. Clones share it.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    writer: Writer,
    reads: Reads,
    rules: Arc<Rules>,
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
        let lock = open::lock(path)?;
        let mut connection = open::connect(path)?;
        open::bring_up_to_date(path, &mut connection, migrations)?;
        create_main(&mut connection, &environment).map_err(|error| failed(error.to_string()))?;
        let reads = Reads::new(path, Arc::clone(&environment.clock), limits.patience);
        let file = path.to_owned();
        let mut first = Some(connection);
        let connect = Box::new(move || match first.take() {
            Some(connection) => Ok(connection),
            None => session::writer(&file).map_err(|error| StoreError::Unavailable(error.to_string())),
        });
        let rules = Arc::clone(&environment.rules);
        let writer = Writer::start(connect, environment, limits, lock).map_err(|error| failed(error.to_string()))?;
        Ok(Self(Arc::new(Inner { writer, reads, rules })))
    }

    /// Takes no more commands and returns when those that wait are done and answered; the file is free for another
    /// server then. Blocking. Reads still work.
    pub fn shutdown(&self) {
        self.0.writer.shutdown();
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
