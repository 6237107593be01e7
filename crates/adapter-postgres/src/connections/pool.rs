//! Connections: a pool of sessions that are set up alike, and what became of a transaction whose end was not heard.

use std::sync::Arc;
use std::time::Duration;

use connect_postgres::connect_and_ask;
use diesel::ConnectionError;
use diesel::sql_types::{Nullable, Text};
use diesel_async::pooled_connection::deadpool::{BuildError, Hook, HookError, Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::ports::{Disk, StoreError};
use futures::FutureExt;
use tokio::runtime::Handle;

use crate::connections::concerns::Concerns;
use crate::connections::error::{BatchError, Fate};
use crate::connections::limits::Limits;
use crate::connections::statement::statement;

/// What is wrong when a server says nothing.
pub(crate) const SILENT: &str = "the server does not answer";
/// What is wrong with a server that only follows another one.
pub(crate) const STANDBY: &str = "the server is a standby, which takes no writes; name the primary, or all of them with \
    target_session_attrs=read-write";
/// How long to wait for a server that neither answers nor refuses, and when to look whether one that was asked is still
/// there, unless the URL says otherwise: else a machine that is gone, also one before others in a list of hosts, would be
/// waited for for minutes. In seconds all of them.
const NETWORK: &str =
    "connect_timeout=2&tcp_user_timeout=10&keepalives_idle=5&keepalives_interval=2&keepalives_retries=3";
/// How old a session may become: its plans are kept as long, and were made for tables that have grown since.
const LIFETIME: Duration = Duration::from_secs(60);
/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(50);

/// What every session is set to. Our statements are look-ups by index, and a plan made while a table was small is kept:
/// it must be the right one when the table is large.
///
/// A success is on the disk before it is answered, whatever the role or the database says of commits; who asks for more than
/// that gets it. It is set also where it is right, because a reload of the server's configuration reaches each session that has not
/// set it itself.
///
/// `usher.server` names the life of the server that the session is one of. A transaction's number means something only in
/// that life: after a crash or a failover a number that was not written to the log in time is given to another transaction.
const SETTINGS: &str = "
    SET application_name = 'usher';
    SET default_transaction_isolation = 'read committed';
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_bitmapscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off;
    SELECT set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), false);
    SELECT set_config('usher.server', concat_ws('/',
        -- Begins anew with a recovery after a crash.
        extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()),
        -- Begins anew with a promotion.
        CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END), false);
    SELECT concat_ws(' ', pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'))";

statement! {
    /// Whether a transaction was committed: `committed`, `aborted`, `in progress`; NULL when it is too long ago, or the
    /// server has crashed since or is another one.
    TransactionStatus { transaction: String } -> Nullable<Text> =
    "SELECT CASE WHEN server = current_setting('usher.server') THEN pg_xact_status(number::xid8) END
     FROM (SELECT split_part(asked, ' ', 1), split_part(asked, ' ', 2)
           FROM (SELECT " transaction ") AS a (asked)) AS t (number, server)"
}

/// The pool, and the runtime that it and everything behind it lives on: callers come and go on runtimes of their own (a
/// web worker's ends before the store does), and must not take a connection or a lane with them.
pub(crate) struct Connections {
    pool: Pool<AsyncPgConnection>,
    runtime: Handle,
    limits: Limits,
    disk: Disk,
}

impl Connections {
    /// A pool of at most `size` connections to `url`, opened as they are needed, on the present runtime.
    pub(crate) fn new(url: &str, size: usize, limits: Limits, concerns: Arc<Concerns>) -> Result<Self, BuildError> {
        let mut config = ManagerConfig::default();
        // What is pinged may be gone a moment later; a batch that finds its connection gone is run again.
        config.recycling_method = RecyclingMethod::Fast;
        let runtime = Handle::current();
        let home = runtime.clone();
        config.custom_setup = Box::new(move |url| {
            let established = home.spawn(establish(url.to_owned(), limits, Arc::clone(&concerns)));
            async { established.await.map_err(|error| ConnectionError::BadConnection(error.to_string()))? }.boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(patient(url), config);
        let pool = Pool::builder(manager).max_size(size).pre_recycle(Hook::sync_fn(|_, metrics| {
            if metrics.age() < LIFETIME { Ok(()) } else { Err(HookError::message("old")) }
        }));
        let pool = pool.build()?;
        Ok(Self { pool, runtime, limits, disk: Disk::default() })
    }

    /// Where the lanes run.
    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// For how long anything is waited for.
    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// What is known of the database's disk.
    pub(crate) const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// A connection to read with, one statement at a time or several that do not depend on each other.
    pub(crate) async fn get(&self) -> Result<Object<AsyncPgConnection>, StoreError> {
        match tokio::time::timeout(self.limits.patience(), self.pool.get()).await {
            Ok(connection) => connection.map_err(|error: PoolError| StoreError::Unavailable(error.to_string())),
            Err(_elapsed) => Err(StoreError::Overloaded),
        }
    }

    /// A connection for a transaction.
    pub(crate) async fn session(&self) -> Result<Session, BatchError> {
        match self.get().await {
            Ok(connection) => Ok(Session(Some(connection))),
            Err(StoreError::Overloaded) => Err(BatchError::Overloaded),
            Err(error) => Err(BatchError::Lost(error.to_string())),
        }
    }

    /// Closes the connections that nobody uses: when one was lost, they are likely to be dead too.
    pub(crate) fn drop_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Asks what became of a transaction, on another connection than its own, until it has ended.
    pub(crate) async fn fate(&self, transaction: &str) -> Fate {
        let asked = tokio::time::timeout(self.limits.silence(), async {
            loop {
                match self.status(transaction).await {
                    Ok(status) => match status.as_deref() {
                        Some("committed") => return Fate::Committed,
                        Some("aborted") => return Fate::Aborted,
                        Some(_running) => {}
                        None => return Fate::Unknown,
                    },
                    Err(error) => tracing::warn!(%error, transaction, "could not ask whether a batch was committed"),
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        asked.await.unwrap_or(Fate::Unknown)
    }

    async fn status(&self, transaction: &str) -> Result<Option<String>, StoreError> {
        let connection = self.get().await?;
        let status = TransactionStatus { transaction: transaction.to_owned() };
        status.get_result(&mut &*connection).await.map_err(|error| {
            self.drop_idle();
            StoreError::Unavailable(error.to_string())
        })
    }
}

/// A session of ours, on a server that takes writes: what a standby shows may be old, and nobody would find out. Warns of what there
/// is to be concerned about and was not before.
pub(crate) async fn establish(
    url: String,
    limits: Limits,
    concerns: Arc<Concerns>,
) -> diesel::ConnectionResult<AsyncPgConnection> {
    let (lock, statement) = (limits.patience().as_millis(), limits.statement().as_millis());
    let timeouts = format!(
        "SET lock_timeout = {lock}; SET statement_timeout = {statement};
         SET idle_in_transaction_session_timeout = {statement};"
    );
    let established = tokio::time::timeout(limits.patience(), async {
        let (connection, found) = connect_and_ask(&url, &(timeouts + SETTINGS)).await.map_err(|e| e.to_string())?;
        let found = found.unwrap_or_default();
        let mut found = found.split(' ');
        let [recovers, fsync, full_page_writes] = std::array::from_fn(|_| found.next().unwrap_or_default());
        if recovers != "f" {
            return Err(STANDBY.to_owned());
        }
        for concern in concerns.note([fsync, full_page_writes]) {
            tracing::warn!("{concern}");
        }
        Ok(connection)
    });
    let established = established.await.unwrap_or_else(|elapsed| Err(elapsed.to_string()));
    established.map_err(ConnectionError::BadConnection)
}

/// The URL with [`NETWORK`] before what it says itself: of two values the last one counts.
pub(crate) fn patient(url: &str) -> String {
    // A password may hold a question mark.
    let (user, place) = url.split_at(url.find('@').unwrap_or(0));
    match place.split_once('?') {
        Some((place, parameters)) => format!("{user}{place}?{NETWORK}&{parameters}"),
        None => format!("{url}?{NETWORK}"),
    }
}

/// A connection that is closed unless it is given back: after a failure statements may still be in flight on it, inside a
/// transaction that nobody will end.
pub(crate) struct Session(Option<Object<AsyncPgConnection>>);

impl Session {
    /// Gives the connection back to the pool, its transaction over.
    pub(crate) fn give_back(mut self) {
        self.0.take();
    }

    /// The connection.
    pub(crate) fn connection(&self) -> Result<&AsyncPgConnection, BatchError> {
        self.0.as_deref().ok_or_else(|| BatchError::Lost("given back".to_owned()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_of_the_network_goes_before_what_we_say() {
        for (url, begins, ends) in [
            ("postgres://u:p@a:1,b/d", "postgres://u:p@a:1,b/d?connect_timeout=2&", "_retries=3"),
            ("postgres://h/d?connect_timeout=9", "postgres://h/d?connect_timeout=2&", "&connect_timeout=9"),
            ("postgres://u:p?p@h/d?a=b", "postgres://u:p?p@h/d?connect_timeout=2&", "&a=b"),
        ] {
            let patient = patient(url);
            assert!(patient.starts_with(begins) && patient.ends_with(ends), "{patient}");
        }
    }
}
