//! Which storage a database URL names, and what the service needs of it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter_postgres::PostgresStore;
use adapter_sqlite::SqliteStore;
use anyhow::{Context, bail};
use app::Ports;
use connect_postgres::Address;
use domain::Rules;
use domain::ports::{
    ClockworkRepository, ConcertRepository, PaymentRepository, PresenceRepository, Probe, QueueRepository,
    ReservationRepository, TokenKeyRepository, WalletRepository,
};
use tracing::warn;

use crate::config::{DEFAULT_URL, Migrate};
use crate::environment::{SystemClock, SystemIds};

/// How many connections one process takes of a PostgreSQL: a lane of each hot queue and kind uses one at a time, reads
/// the others. More would only wait for the same processors.
const CONNECTIONS: usize = 16;

/// What a database URL names.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server, or several of which one takes writes; the URL may hold a password.
    Postgres(String),
}

impl Location {
    /// Reads a database URL. No error repeats what may be a password.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        let Some((scheme, rest)) = url.split_once("://") else {
            bail!("the database URL has no scheme; for example {DEFAULT_URL} or postgres://user@host/database");
        };
        match scheme {
            "sqlite" if matches!(rest, "" | "/") => bail!("the database URL names no file; for example {DEFAULT_URL}"),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "postgres" | "postgresql" if rest.is_empty() => bail!("the database URL names no host"),
            "postgres" | "postgresql" => {
                Address::parse(url).context("the database URL cannot be used")?;
                Ok(Self::Postgres(url.to_owned()))
            }
            word if word.chars().all(|c| c.is_ascii_alphanumeric()) => {
                bail!("the database URL must start with sqlite:// or postgres:// (its scheme is {word:?})")
            }
            _ => bail!("the database URL must start with sqlite:// or postgres://"),
        }
    }

    /// The same place, named so that it can be found from every folder.
    pub(crate) fn absolute(&self) -> anyhow::Result<Self> {
        Ok(match self {
            Self::Sqlite(path) => {
                Self::Sqlite(std::path::absolute(path).with_context(|| format!("could not find out where {self} is"))?)
            }
            Self::Postgres(_) => self.clone(),
        })
    }
}

impl std::fmt::Display for Location {
    /// Without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => f.write_str(&Address::told(url)),
        }
    }
}

/// A storage that is open.
pub(crate) enum Storage {
    /// The embedded one.
    Sqlite(SqliteStore),
    /// The one for production.
    Postgres(PostgresStore),
}

impl Storage {
    /// Opens a database.
    pub(crate) async fn open(
        location: &Location,
        migrate: Migrate,
        rules: Rules,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        match location {
            Location::Sqlite(path) => {
                let migrations = match migrate {
                    Migrate::Auto => adapter_sqlite::Migrations::Apply,
                    Migrate::Off => adapter_sqlite::Migrations::Refuse,
                };
                let (path, clock, ids) = (path.clone(), Arc::new(SystemClock), Arc::new(SystemIds));
                let opening = move || SqliteStore::open(&path, migrations, clock, ids, rules, patience);
                Ok(Self::Sqlite(tokio::task::spawn_blocking(opening).await.context("could not open the database")??))
            }
            Location::Postgres(url) => {
                let migrations = match migrate {
                    Migrate::Auto => adapter_postgres::Migrations::Apply,
                    Migrate::Off => adapter_postgres::Migrations::Refuse,
                };
                let ids = Arc::new(SystemIds);
                let connections = CONNECTIONS;
                let options = adapter_postgres::Options { migrations, clock: None, ids, rules, connections, patience };
                Ok(Self::Postgres(PostgresStore::open(url, options).await.with_context(|| location.to_string())?))
            }
        }
    }

    /// Warns of what an operator should know of the database, a line each.
    pub(crate) fn tell_of_concerns(&self) {
        if let Self::Postgres(store) = self {
            for concern in store.concerns() {
                warn!("{concern}");
            }
        }
    }

    /// The ports that the use cases call.
    pub(crate) fn ports(&self) -> Ports {
        match self {
            Self::Sqlite(store) => ports(store),
            Self::Postgres(store) => ports(store),
        }
    }

    /// Where the key that sealed last is remembered.
    pub(crate) fn keys(&self) -> &dyn TokenKeyRepository {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(store) => store,
        }
    }

    /// Waits until the storage is one that nothing may be written to any more, and tells why. A server of `PostgreSQL` that is
    /// away comes back; a file that was taken away does not.
    pub(crate) async fn lost(&self) -> String {
        match self {
            Self::Sqlite(store) => store.lost().await,
            Self::Postgres(_) => std::future::pending().await,
        }
    }

    /// Takes no more commands, and returns when those that wait are done.
    pub(crate) async fn shutdown(&self) {
        match self {
            Self::Sqlite(store) => store.shutdown(),
            Self::Postgres(store) => store.shutdown().await,
        }
    }
}

fn ports<S>(store: &S) -> Ports
where
    S: QueueRepository + ConcertRepository + ReservationRepository + WalletRepository + PaymentRepository,
    S: PresenceRepository + Probe + ClockworkRepository + Clone + 'static,
{
    Ports {
        queues: Arc::new(store.clone()),
        concerts: Arc::new(store.clone()),
        reservations: Arc::new(store.clone()),
        wallets: Arc::new(store.clone()),
        payments: Arc::new(store.clone()),
        presence: Arc::new(store.clone()),
        probe: Arc::new(store.clone()),
        clockwork: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    }
}

/// Brings a database's tables up to date; the names of the migrations it applied.
pub(crate) async fn migrate(location: &Location) -> anyhow::Result<Vec<String>> {
    match location {
        Location::Sqlite(path) => Ok(adapter_sqlite::migrate(path)?),
        Location::Postgres(url) => adapter_postgres::migrate(url).await.with_context(|| location.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_or_a_server() {
        for (url, path) in [
            ("sqlite://usher.db", "usher.db"),
            ("sqlite:///var/usher.db", "/var/usher.db"),
            ("sqlite://a/b c.db", "a/b c.db"),
        ] {
            assert!(Location::parse(url).unwrap() == Location::Sqlite(PathBuf::from(path)), "{url}");
        }
        assert!(matches!(Location::parse("postgresql://h/d").unwrap(), Location::Postgres(_)));
    }

    #[test]
    fn no_password_is_told() {
        let told = Location::parse("postgres://usher:secret@a:5432,b:5432/sale?password=secret").unwrap().to_string();
        assert_eq!(told, "postgres://a:5432,b:5432/sale");
        for bad in [
            "",
            "usher.db",
            "sqlite://",
            "sqlite:///",
            "postgres://",
            "mysql://secret@host/x",
            "usher:secret://host/x",
            "postgres://usher:se@secret@h/d",
            "postgres://usher:secret@h/d?schema=sale",
        ] {
            let error = Location::parse(bad).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
