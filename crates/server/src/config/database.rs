//! Which database is meant, and what is done with it by the commands that serve nobody.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{line, number};

/// The database that is used when none is named.
pub(crate) const DEFAULT_URL: &str = "sqlite://usher.db";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Migrate {
    Auto,
    Off,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PatienceConfig {
    /// How long a request may wait in line for the database before it is refused as overloaded; longer where the database is slow
    #[arg(long, env = "USHER_PATIENCE_SECONDS", value_name = "SECONDS", default_value_t = 5, value_parser = number("seconds", 1..=600, 5))]
    patience_seconds: u32,
}

impl PatienceConfig {
    /// What else is waited for is in proportion to it.
    pub(crate) fn patience(self) -> Duration {
        Duration::from_secs(self.patience_seconds.into())
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct MigrateConfig {
    #[command(flatten)]
    pub(crate) database: DatabaseConfig,

    /// After a restore from a backup: also end all tokens, because the same ones would be issued again to other people. Stop all servers first
    #[arg(long)]
    pub(crate) new_epoch: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct AuditConfig {
    #[command(flatten)]
    pub(crate) database: DatabaseConfig,

    /// Write JSON lines: {"finding","place"} for each violation; {"finding","unlisted"} for each kind with more than the 1000 that
    /// are listed; {"violations","checks","rows"} at the end
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct DatabaseConfig {
    /// The database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        value_parser = line,
        hide_env_values = true,
        default_value = DEFAULT_URL,
        help = "The database: sqlite://FILE, sqlite:///FILE from the root, or postgres://USER@HOST/DATABASE"
    )]
    pub(crate) database_url: String,
}
