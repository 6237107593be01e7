//! How a server serves: where it listens, its database, its secrets, who may call it.

use std::net::SocketAddr;

use adapter_http::is_web_origin;
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use domain::seal::{ServerKey, ServerKeys};

use super::database::{DEFAULT_URL, Migrate, PatienceConfig};
use super::rules::RulesConfig;
use super::values::{Word, address, line, switch};
use crate::logging::LogFormat;

// Not `Debug`: it has the keys, which are never logged.
#[derive(Args, Clone)]
pub(crate) struct ServeConfig {
    /// The address and port to listen on; with port 0, Usher takes a free one
    #[arg(long, env = "USHER_LISTEN", value_name = "ADDRESS", value_parser = address, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,

    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        value_parser = line,
        hide_env_values = true,
        help = "The database: sqlite://FILE, sqlite:///FILE or postgres://USER@HOST/DATABASE [default: sqlite://usher.db, with --demo]"
    )]
    pub(crate) database_url: Option<String>,

    /// Whether to bring the tables up to date at start (auto), or to refuse to start when they are not (off)
    #[arg(long, env = "USHER_MIGRATE", value_name = "WHEN", value_enum, value_parser = Word::<Migrate>::new(), default_value_t = Migrate::Auto)]
    pub(crate) migrate: Migrate,

    /// Load a demo concert into an empty database; if no admin key is set, make one. Without a database URL the same is done, unless
    /// a key or --scheduler off shows that a real sale is meant
    #[arg(long)]
    pub(crate) demo: bool,

    /// The key of the admin API. Without one, its routes answer 401
    #[arg(long, env = "USHER_ADMIN_KEY", value_name = "KEY", value_parser = line, hide_env_values = true)]
    pub(crate) admin_key: Option<String>,

    /// The secret by which your shop signs who a user is (JWT, HS256). With it, users need such a JWT to join
    #[arg(long, env = "USHER_USER_KEY", value_name = "SECRET", value_parser = line, hide_env_values = true)]
    pub(crate) user_key: Option<String>,

    /// Listen on addresses other than loopback without a user key: anybody on the network may then name any user
    #[arg(long, env = "USHER_OPEN_IDENTITY", value_parser = switch)]
    pub(crate) open_identity: bool,

    /// The secrets that seal tokens, so that nobody can forge one. Usher seals with the first, and accepts tokens that any of them
    /// sealed [default: one is made and kept in the database]
    #[arg(long, env = "USHER_TOKEN_KEY", value_name = "SECRETS", value_parser = line, value_delimiter = ',', hide_env_values = true)]
    pub(crate) token_key: Vec<String>,

    /// Whether to run the clockwork (which admits users and ends what is over) in this process, or to leave it to usher-scheduler
    #[arg(long, env = "USHER_SCHEDULER", value_name = "WHERE", value_enum, value_parser = Word::<Scheduler>::new(), default_value_t = Scheduler::Embedded)]
    pub(crate) scheduler: Scheduler,

    /// Web pages of these origins may call the API, separated by commas
    #[arg(long, env = "USHER_CORS_ORIGIN", value_name = "ORIGINS", value_parser = line, value_delimiter = ',')]
    pub(crate) cors_origin: Vec<String>,

    /// How logs are written to stderr; `RUST_LOG` sets how much is logged
    #[arg(long, env = "USHER_LOG_FORMAT", value_name = "FORMAT", value_enum, value_parser = Word::<LogFormat>::new(), default_value_t = LogFormat::Human)]
    pub(crate) log_format: LogFormat,

    #[command(flatten)]
    pub(crate) patience: PatienceConfig,

    #[command(flatten)]
    pub(crate) rules: RulesConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheduler {
    Embedded,
    Off,
}

impl ServeConfig {
    /// Whether the demo concert is wanted: it is implied when no database is named.
    pub(crate) fn wants_demo(&self) -> bool {
        self.demo || self.database_url.is_none()
    }

    /// What no single flag can check: secrets that are too short, origins that no page has, a sale without its database, and R18.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.check_database()?;
        if self.user_key.is_none() && !self.open_identity && !self.listen.ip().is_loopback() {
            bail!(
                "refusing to listen on {}: without --user-key anybody who reaches it may name any user; \
                 set --user-key, listen on a loopback address, or say --open-identity if that is meant",
                self.listen
            );
        }
        for (flag, secret, least) in [("--user-key", &self.user_key, 32), ("--admin-key", &self.admin_key, 8)] {
            if let Some(secret) = secret {
                ensure!(secret.len() >= least, "{flag} must be at least {least} characters long");
                ensure!(!secret.chars().any(char::is_control), "{flag} has the end of a line, or the like, within it");
            }
        }
        if let Some(wrong) = self.cors_origin.iter().find(|origin| !is_web_origin(origin)) {
            bail!(
                "--cors-origin {wrong:?} can never match: write scheme://host[:port] as browsers send it, in lower case, \
                 without the port that goes without saying and with nothing after it, such as https://shop.example"
            );
        }
        Ok(())
    }

    /// Whoever set up a real sale and forgot to say where it is kept would sell the demo.
    fn check_database(&self) -> anyhow::Result<()> {
        let real = [
            ("--user-key", self.user_key.is_some()),
            ("--admin-key", self.admin_key.is_some()),
            ("--token-key", !self.token_key.is_empty()),
            ("--scheduler off", self.scheduler == Scheduler::Off),
        ];
        match real.iter().find(|(_, set)| *set) {
            Some((flag, _)) if self.database_url.is_none() && !self.demo => bail!(
                "no database is named, although {flag} is set as for a real sale: set DATABASE_URL, or say --demo to sell the \
                 demo concert from {DEFAULT_URL}"
            ),
            _ => Ok(()),
        }
    }

    /// The keys that an operator set for the waiting line's tokens, if any.
    pub(crate) fn token_keys(&self) -> anyhow::Result<Option<ServerKeys>> {
        let keys: Option<Vec<_>> = self.token_key.iter().map(|secret| ServerKey::from_secret(secret.trim())).collect();
        let keys = keys.with_context(|| {
            format!("each secret in --token-key must be at least {} characters long", ServerKey::MIN_BYTES)
        })?;
        Ok(ServerKeys::new(keys))
    }
}
