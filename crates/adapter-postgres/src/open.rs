//! Opening a database: its migrations, under a lock, and what can be wrong with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connect_postgres::connect;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::Rules;
use domain::ports::{Clock, IdGenerator, PATIENCE};

use crate::batches::loading::Plan;
use crate::connections::concerns::Concerns;
use crate::connections::limits::Limits;
use crate::connections::pool::{Connections, patient};
use crate::connections::server::look_at;
use crate::environment::Environment;
use crate::open_error::OpenError;
use crate::sale::schedule_cache::ScheduleCache;
use crate::store::{Inner, Lanes, PostgresStore};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// What servers that start at once take turns by: "usher" in ASCII.
const LOCK: i64 = 0x75_73_68_65_72;

/// What to do with migrations that a database has not seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Refuse the database.
    Refuse,
}

/// How a store is opened.
pub struct Options {
    /// What to do with migrations that the database has not seen yet.
    pub migrations: Migrations,
    /// A test's clock; `None` is the database's own, so that servers with different clocks agree.
    pub clock: Option<Arc<dyn Clock>>,
    /// Ids and randomness.
    pub ids: Arc<dyn IdGenerator>,
    /// The numbers of the rules.
    pub rules: Rules,
    /// The most connections at once, at least 1.
    pub connections: usize,
    /// How long a command may wait unstarted, and anything for a connection or a lock. A statement may take twice as long.
    pub patience: Duration,
}

impl PostgresStore {
    /// Opens the database at `url` and makes sure that the queue `main` exists, with the policy of `rules.new_queue`.
    ///
    /// Any number of servers may open it, also at once: one of them migrates, the others wait for it.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        let limits = Limits::new(options.patience);
        let noted = Arc::<Concerns>::default();
        let concerns = look_at(url, limits, &noted).await?;
        bring_up_to_date(url, options.migrations).await?;
        let connections = Connections::new(url, options.connections.max(1), limits, noted);
        let connections = connections.map_err(|error| OpenError::Failed(error.to_string()))?;
        let store = Self(Arc::new(Inner {
            connections: Arc::new(connections),
            environment: Environment { clock: options.clock, ids: options.ids, rules: Arc::new(options.rules) },
            schedules: Arc::new(ScheduleCache::default()),
            lanes: Mutex::new(Some(Lanes::default())),
            concerns,
        }));
        let made = store.load(Plan::Main).await.map_err(|error| OpenError::Failed(error.to_string()))?;
        made.map_err(|rejection| OpenError::Failed(rejection.to_string()))?;
        Ok(store)
    }
}

/// Brings the tables of the database up to date; the names of the migrations it applied.
pub async fn migrate(url: &str) -> Result<Vec<String>, OpenError> {
    look_at(url, Limits::new(PATIENCE), &Concerns::default()).await?;
    bring_up_to_date(url, Migrations::Apply).await
}

async fn bring_up_to_date(url: &str, migrations: Migrations) -> Result<Vec<String>, OpenError> {
    let connection = connect(&patient(url)).await.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let done = tokio::task::spawn_blocking(move || up_to_date(connection.into(), migrations)).await;
    done.map_err(|error| OpenError::Failed(error.to_string()))?
}

type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// The migrations that the database has seen.
fn versions(conn: &mut Blocking) -> diesel::QueryResult<Vec<String>> {
    let rows = diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load::<Applied>(conn)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// Waits for its turn to look at the tables and change them. Kept until the connection ends.
fn take_turn(conn: &mut Blocking) -> diesel::QueryResult<()> {
    let at_once =
        diesel::sql_query("SELECT pg_try_advisory_lock($1)::integer::bigint AS count").bind::<BigInt, _>(LOCK);
    if at_once.get_result::<Count>(conn)?.count == 0 {
        tracing::info!("waiting for another process that looks at the database's tables, or brings them up to date");
        diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(conn)?;
    }
    Ok(())
}

fn up_to_date(mut conn: Blocking, migrations: Migrations) -> Result<Vec<String>, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::Failed(error.to_string());
    take_turn(&mut conn).map_err(|error| failed(&error))?;
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
    let count = |conn: &mut Blocking, sql: String| {
        diesel::sql_query(sql).get_result::<Count>(conn).map(|row| row.count).map_err(|error| failed(&error))
    };
    let all = count(&mut conn, tables.to_owned())?;
    let migrated = count(&mut conn, format!("{tables} AND tablename = '__diesel_schema_migrations'"))?;
    if all > 0 && migrated == 0 {
        return Err(OpenError::NotOurs);
    }
    let known: Vec<_> = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|error| failed(&error))?;
    let known: Vec<_> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    // Not asked of diesel, which makes its table even to look at it: who only looks may lack the right to.
    let applied = if migrated == 0 { Vec::new() } else { versions(&mut conn).map_err(|error| failed(&error))? };
    if let Some(newer) = applied.iter().filter(|version| !known.contains(version)).max() {
        return Err(OpenError::SchemaNewer(newer.clone()));
    }
    let pending = known.len().saturating_sub(applied.len());
    if pending == 0 {
        let writable = "SELECT has_table_privilege('tokens', 'INSERT')::integer::bigint AS count";
        return match count(&mut conn, writable.to_owned())? {
            0 => Err(OpenError::TakesNoWrites("it may not insert into the table tokens")),
            _ => Ok(Vec::new()),
        };
    }
    if migrations == Migrations::Refuse {
        return Err(OpenError::MigrationsPending(pending));
    }
    let names = conn.run_pending_migrations(MIGRATIONS).map_err(|error| failed(&error))?;
    Ok(names.iter().map(ToString::to_string).collect())
}
